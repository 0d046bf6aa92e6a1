"""Matching on one difference per firm.

Whoever has the difference is matched, entry year by entry year, by the rules of the design. A
term's effect is the mean of its entry years' by their matched treated firms.
"""

from dataclasses import dataclass, replace

import numpy as np

from pipeline.datasets.arrays import Codes, Floats
from pipeline.effects.after_entry import POST_ONLY
from pipeline.effects.answers import Answer
from pipeline.effects.estimated import Estimated, Seen, combined
from pipeline.effects.matched_effects import MatchedEffect, MatchedEffects, Rules
from pipeline.effects.study import Study
from pipeline.effects.terms import ATT, Term, event
from pipeline.errors import IdentificationError, Reason
from pipeline.estimators.difference_stacks import (
    Differenced,
    DifferenceStack,
    difference_stacks,
    differenced,
)
from pipeline.estimators.matching_effect import matching_effect
from pipeline.matching.redo import Redo
from pipeline.panel.scale import on_scale
from pipeline.params.estimate import MatchedDifferenceSpec
from pipeline.params.match import MahalanobisDesign, NearestDesign

NOBODY = Reason("nobody_with_difference")


@dataclass(frozen=True)
class DifferenceTask:
    """Hold what the outcomes of one spec and design share."""

    study: Study
    spec: MatchedDifferenceSpec
    rules: Rules
    stacks: list[DifferenceStack]
    times: Codes

    def samples(self, values: Floats, of: list[int]) -> list[Differenced]:
        """Return the entry years whose firms have the difference."""
        reference = self.study.treatment.reference_event_time
        found = [
            differenced(stack, values, of, reference, self.spec.bias_adjustment)
            for stack in self.stacks
        ]
        return [sample for sample in found if sample is not None]


def difference_task(
    study: Study, spec: MatchedDifferenceSpec, redo: Redo, design: str
) -> DifferenceTask:
    """Prepare a spec on one design: its entry years as points to match, and its rules."""
    window = study.treatment.window
    times = np.arange(window.first_event_time, window.last_event_time + 1)
    stacks = list(difference_stacks(redo, design, study.index, times))
    return DifferenceTask(study, spec, _rules(spec, redo, design), stacks, times)


def estimate_differences(task: DifferenceTask, outcome: str) -> Answer:
    """Return every term that the spec asks for, of an outcome that is observed.

    `unused` counts the firms on support that lack the difference.
    """
    described = task.study.outcomes[outcome]
    if described.in_ratios or described.post_only:
        terms = {"att": ATT, "event": Term("event_average")}
        why = POST_ONLY if described.post_only else Reason("ratios_by_stacked_only")
        return Answer(reasons={terms[term]: why for term in task.spec.terms})
    values = on_scale(task.study.panel[described.column], described)
    reference = task.study.treatment.reference_event_time
    asked: list[tuple[Term, list[int]]] = []
    if "att" in task.spec.terms:
        asked.append((ATT, [int(e) for e in task.times if e >= 0]))
    zeros = {}
    if "event" in task.spec.terms:
        asked += [(event(int(e)), [int(e)]) for e in task.times if e != reference]
        zeros = {event(reference): Reason("reference_period")}
    parts = [_Part.of(task, values, term, times) for term, times in asked]
    average = next((part for part in parts if part.term == ATT), None)
    unused = {} if average is None else {"n_without_difference": float(average.n_without)}
    return Answer([replace(_averaged(parts), zeros=zeros)], unused=unused)


@dataclass(frozen=True)
class _Part:
    """Hold one term's entry years with their effects, or the reason for none."""

    term: Term
    samples: list[Differenced]
    effects: list[MatchedEffect]
    reason: Reason | None = None

    @classmethod
    def of(cls, task: DifferenceTask, values: Floats, term: Term, times: list[int]) -> "_Part":
        """Match every entry year that has firms of both groups."""
        samples = task.samples(values, times)
        if not samples:
            return cls(term, samples, [], NOBODY)
        try:
            return cls(term, samples, [_effect(sample, task.rules) for sample in samples])
        except IdentificationError as error:
            return cls(term, samples, [], error.reason)

    @property
    def n_without(self) -> int:
        """Return the number of firms on support without the difference."""
        return sum(sample.n_without for sample in self.samples)

    @property
    def largest(self) -> float:
        """Return the largest absolute difference."""
        return max((float(np.abs(s.firms.outcome).max()) for s in self.samples), default=0.0)

    @property
    def counts(self) -> dict[str, int]:
        """Return the columns of ESTIMATES: every firm is a cluster of its own."""
        n_treated = sum(effect.n_averaged for effect in self.effects)
        n_control = sum(effect.n_matches for effect in self.effects)
        return {
            "n_treated": n_treated,
            "n_control": n_control,
            "n_obs": sum(len(effect.effect) for effect in self.effects),
            "n_clusters": n_treated + n_control,
            "n_treated_clusters": n_treated,
        }

    @property
    def remarks(self) -> tuple[Reason, ...]:
        """Say what the effects rest on."""
        codes = ["one_difference_per_firm"]
        if self.effects[0].rules.variance == "homoskedastic":
            codes.append("one_outcome_variance")
        elif all(effect.score is not None for effect in self.effects):
            codes.append("variance_corrected_for_score")
        if any(sample.adjust is not None for sample in self.samples):
            codes.append("bias_adjusted")
        return tuple(Reason(code) for code in codes)


def _averaged(parts: list[_Part]) -> Estimated:
    """Return the terms, means of their entry years by matched treated firms."""
    known = [part for part in parts if part.reason is None]
    owner = np.array([i for i, part in enumerate(known) for _ in part.effects], dtype=np.intp)
    by_year = _by_entry_year(known, max((part.largest for part in parts), default=0.0))
    number = np.array([effect.n_averaged for part in known for effect in part.effects])
    weights = np.zeros((len(owner), len(known)))
    weights[np.arange(len(owner)), owner] = number / np.bincount(owner, number)[owner]
    return replace(
        combined(by_year, [part.term for part in known], weights),
        reasons={part.term: part.reason for part in parts if part.reason is not None},
        remarks={part.term: part.remarks for part in known},
        counts={part.term: part.counts for part in known},
    )


def _by_entry_year(known: list[_Part], largest: float) -> Estimated:
    """Return every term's effect in every entry year, of whom no influence sums to it."""
    effects = tuple(effect for part in known for effect in part.effects)
    nobody = np.zeros(0, dtype=np.intp)
    return Estimated(
        terms=tuple(replace(p.term, cohort=s.entry_year) for p in known for s in p.samples),
        estimates=np.array([effect.estimate for effect in effects]),
        influence=None,
        seen=Seen(nobody, nobody.astype(np.bool_)),
        largest=largest,
        loadings=np.eye(len(effects)),
        source=MatchedEffects(effects),
    )


def _rules(spec: MatchedDifferenceSpec, redo: Redo, design: str) -> Rules:
    """Return the design's rules; on a score a firm is one of its own variance neighbours."""
    rule = redo.match.designs[design]
    assert isinstance(rule, NearestDesign | MahalanobisDesign), "require_valid comes before"
    itself = 1 if isinstance(rule, NearestDesign) else 0
    return Rules(
        ratio=rule.ratio,
        own_neighbours=spec.variance_neighbours - itself,
        tolerance=rule.tie_tolerance,
        variance=spec.variance,
    )


def _effect(sample: Differenced, rules: Rules) -> MatchedEffect:
    return matching_effect(
        sample.firms, "att", rules, bias_covariates=sample.adjust, score=sample.score
    )
