"""Matching on one difference per firm: rows of ESTIMATES with the variance of Abadie & Imbens.

Whoever has the difference is matched, entry year by entry year, by the rules of the design. An
entry year's effect counts by its treated firms, and so does its variance, squared.
"""

from dataclasses import dataclass

import numpy as np

from pipeline.effects.counts import NO_VARIATION
from pipeline.effects.labels import spec_label
from pipeline.effects.ledger import Ledger
from pipeline.effects.rows import (
    REFERENCE,
    STACKED_ONLY,
    Label,
    Row,
    effect_row,
    joined_notes,
    missing_row,
)
from pipeline.effects.stacks import Floats
from pipeline.effects.study import Study
from pipeline.errors import IdentificationError
from pipeline.estimators.difference_stacks import (
    Differenced,
    DifferenceStack,
    difference_stacks,
    differenced,
)
from pipeline.estimators.matching_effect import MatchingEffect, Rules, matching_effect
from pipeline.inference.bootstrap import Redo
from pipeline.inference.covariance import is_rounding, minimum_detectable_effect, t_intervals
from pipeline.panel.panel_index import Codes, index_panel
from pipeline.panel.scale import on_scale
from pipeline.params.estimate import MatchedDifferenceSpec
from pipeline.params.match import MahalanobisDesign, NearestDesign

INFERENCE = "abadie_imbens"
ONE_TREATED = "no standard error: a single treated firm is matched"
NOBODY = "no treated and comparison firms of one entry year have the difference"


def difference_results(ledger: Ledger, study: Study, redo: Redo) -> None:
    """Add the rows of every spec of this estimator, on its designs and observed outcomes.

    What cannot be estimated is a row with the reason. FACTS get, by spec, the firms on support
    that lack the difference, and the minimum detectable effect.
    """
    index = index_panel(study.panel)
    for spec in study.estimate.specs:
        if spec.estimator != "matched_difference":
            continue
        window = study.treatment.window
        times = np.arange(window.first_event_time, window.last_event_time + 1)
        for design in spec.designs:
            stacks = list(difference_stacks(redo, design, index, times))
            rules = _rules(spec, redo, design)
            for name, outcome in study.outcomes.items():
                if outcome.observed and (spec.outcomes == "all" or name in spec.outcomes):
                    _add_outcome(ledger, _Task(study, spec, rules, stacks, times), design, name)


@dataclass(frozen=True)
class _Task:
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


def _add_outcome(ledger: Ledger, task: _Task, design: str, name: str) -> None:
    study, spec = task.study, task.spec
    outcome = study.outcomes[name]
    label = spec_label(study, spec, design, name)
    if outcome.transform == "proportional":
        ledger.estimates += [_missing(label, term, STACKED_ONLY) for term in spec.terms]
        return
    values = on_scale(study.panel[outcome.column], outcome)
    if "att" in spec.terms:
        samples = task.samples(values, [int(e) for e in task.times if e >= 0])
        row = _row(label, task.rules, samples, "att")
        ledger.estimates.append(row)
        lacking = sum(sample.n_without for sample in samples)
        detectable = minimum_detectable_effect(
            row.get("std_error", np.nan), np.inf, study.estimate.conf_level, study.estimate.power
        )
        facts = [
            (f"n_without_difference[{spec.name}]", lacking, "firms"),
            (f"mde[{spec.name}]", detectable, label.scale),
        ]
        ledger.add_facts(design, name, facts)
    if "event" in spec.terms:
        ledger.estimates += _event_rows(label, task, values)


def _event_rows(label: Label, task: _Task, values: Floats) -> list[Row]:
    reference = task.study.treatment.reference_event_time
    zero = effect_row(
        label, f"event[{reference}]", event_time=reference, estimate=0.0, note=REFERENCE
    )
    rows = [zero | {"inference": INFERENCE}]
    for e in task.times.tolist():
        if e != reference:
            rows.append(_row(label, task.rules, task.samples(values, [e]), f"event[{e}]", e))
    return rows


def _missing(label: Label, term: str, reason: str, event_time: int | None = None) -> Row:
    return missing_row(label, term, reason, event_time) | {"inference": INFERENCE}


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


def _row(
    label: Label, rules: Rules, samples: list[Differenced], term: str, event_time: int | None = None
) -> Row:
    """Return the row of one term: entry years averaged by their matched treated firms."""
    try:
        effects = [_effect(sample, rules) for sample in samples]
        if not effects:
            raise IdentificationError(NOBODY)
    except IdentificationError as reason:
        return _missing(label, term, str(reason), event_time)
    number = np.array([effect.n_averaged for effect in effects])
    share = number / number.sum()
    estimate = np.array([effect.estimate for effect in effects]) @ share
    error = np.sqrt(np.square(share * [effect.std_error for effect in effects]).sum())
    without = _no_error(error, int(number.sum()), samples)
    error = error if without is None else np.nan
    shown = t_intervals(np.array([estimate]), np.array([error]), np.inf, label.conf_level)
    n_control = sum(effect.n_matches for effect in effects)
    return effect_row(
        label,
        term,
        inference=INFERENCE,
        event_time=event_time,
        estimate=float(estimate),
        std_error=float(error),
        statistic=shown.statistic[0],
        p_value=shown.p_value[0],
        conf_low=shown.low[0],
        conf_high=shown.high[0],
        n_treated=int(number.sum()),
        n_control=n_control,
        n_obs=int(sum(len(sample.firms.outcome) for sample in samples)),
        n_clusters=int(number.sum()) + n_control,
        n_treated_clusters=int(number.sum()),
        note=joined_notes(_note(samples, rules), without),
    )


def _no_error(error: float, n_treated: int, samples: list[Differenced]) -> str | None:
    """Say why there is no standard error; None where there is one."""
    if n_treated < 2:
        return ONE_TREATED
    outcomes = np.concatenate([sample.firms.outcome for sample in samples])
    largest = float(np.abs(outcomes).max())
    return NO_VARIATION if is_rounding(error, len(outcomes), largest) else None


def _effect(sample: Differenced, rules: Rules) -> MatchingEffect:
    return matching_effect(
        sample.firms, "att", rules, bias_covariates=sample.adjust, score=sample.score
    )


def _note(samples: list[Differenced], rules: Rules) -> str:
    estimated = all(sample.score is not None for sample in samples)
    parts = ["one difference per firm, firms independent"]
    if rules.variance == "homoskedastic":
        parts.append("one outcome variance for all")
    elif estimated:
        parts.append("variance corrected for the estimated score")
    if any(sample.adjust is not None for sample in samples):
        parts.append("adjusted for remaining differences in covariates")
    return "; ".join(parts)
