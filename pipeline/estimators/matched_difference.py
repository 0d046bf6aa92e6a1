"""Matching on one difference per firm, with the variance of Abadie & Imbens.

Whoever has the difference is matched, entry year by entry year, by the rules of the design. An
entry year's effect counts by its treated firms, and so does its variance, squared.
"""

from dataclasses import dataclass

import numpy as np

from pipeline.datasets.arrays import Codes, Floats
from pipeline.effects.answers import Answer
from pipeline.effects.estimated import Estimated, Seen
from pipeline.effects.study import Study
from pipeline.effects.terms import ATT, Term, event
from pipeline.errors import IdentificationError, Reason
from pipeline.estimators.difference_stacks import (
    Differenced,
    DifferenceStack,
    difference_stacks,
    differenced,
)
from pipeline.estimators.matching_effect import MatchingEffect, Rules, matching_effect
from pipeline.matching.redo import Redo
from pipeline.panel.panel_index import index_panel
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
    stacks = list(difference_stacks(redo, design, index_panel(study.panel), times))
    return DifferenceTask(study, spec, _rules(spec, redo, design), stacks, times)


def estimate_differences(task: DifferenceTask, outcome: str) -> Answer:
    """Return every term that the spec asks for, of an outcome that is observed.

    `unused` counts the firms on support that lack the difference.
    """
    described = task.study.outcomes[outcome]
    if described.in_ratios:
        terms = {"att": ATT, "event": Term("event_average")}
        why = Reason("ratios_by_stacked_only")
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
    return Answer([_estimated(parts, zeros)], unused=unused)


@dataclass(frozen=True)
class _Part:
    """Hold one term: its estimate and standard error, or the reason for none."""

    term: Term
    n_without: int
    n_firms: int
    largest: float
    estimate: float = np.nan
    error: float = np.nan
    n_treated: int = 0
    n_control: int = 0
    remarks: tuple[Reason, ...] = ()
    reason: Reason | None = None

    @classmethod
    def of(cls, task: DifferenceTask, values: Floats, term: Term, times: list[int]) -> "_Part":
        """Average entry years by their matched treated firms."""
        samples = task.samples(values, times)
        outcomes = [np.abs(sample.firms.outcome) for sample in samples]
        largest = max((float(part.max()) for part in outcomes), default=0.0)
        n_without, n_firms = sum(s.n_without for s in samples), sum(len(part) for part in outcomes)
        try:
            effects = [_effect(sample, task.rules) for sample in samples]
            if not effects:
                raise IdentificationError(NOBODY)
        except IdentificationError as error:
            return cls(term, n_without, n_firms, largest, reason=error.reason)
        number = np.array([effect.n_averaged for effect in effects])
        share = number / number.sum()
        return cls(
            term,
            n_without,
            n_firms,
            largest,
            estimate=float(np.array([effect.estimate for effect in effects]) @ share),
            error=float(np.sqrt(np.square(share * [e.std_error for e in effects]).sum())),
            n_treated=int(number.sum()),
            n_control=sum(effect.n_matches for effect in effects),
            remarks=_remarks(samples, task.rules),
        )

    @property
    def counts(self) -> dict[str, int]:
        """Return the columns of ESTIMATES: every firm is a cluster of its own."""
        return {
            "n_treated": self.n_treated,
            "n_control": self.n_control,
            "n_obs": self.n_firms,
            "n_clusters": self.n_treated + self.n_control,
            "n_treated_clusters": self.n_treated,
        }


def _estimated(parts: list[_Part], zeros: dict[Term, Reason]) -> Estimated:
    """Return the terms with their variances; covariances between terms are not known."""
    known = [part for part in parts if part.reason is None]
    covariance = np.full((len(known), len(known)), np.nan)
    np.fill_diagonal(covariance, [part.error**2 for part in known])
    nobody = np.zeros(0, dtype=np.intp)
    return Estimated(
        terms=tuple(part.term for part in known),
        estimates=np.array([part.estimate for part in known]),
        influence=None,
        seen=Seen(nobody, nobody.astype(np.bool_)),
        largest=max((part.largest for part in parts), default=0.0),
        loadings=np.eye(len(known)),
        reasons={part.term: part.reason for part in parts if part.reason is not None},
        zeros=zeros,
        remarks={part.term: part.remarks for part in known},
        counts={part.term: part.counts for part in known},
        covariance=covariance,
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


def _effect(sample: Differenced, rules: Rules) -> MatchingEffect:
    return matching_effect(
        sample.firms, "att", rules, bias_covariates=sample.adjust, score=sample.score
    )


def _remarks(samples: list[Differenced], rules: Rules) -> tuple[Reason, ...]:
    codes = ["one_difference_per_firm"]
    if rules.variance == "homoskedastic":
        codes.append("one_outcome_variance")
    elif all(sample.score is not None for sample in samples):
        codes.append("variance_corrected_for_score")
    if any(sample.adjust is not None for sample in samples):
        codes.append("bias_adjusted")
    return tuple(Reason(code) for code in codes)
