"""The effect on a level with zeros, taken apart into margins.

A group's total is its number of firms above zero times the mean level of these firms, so that the
log ratio of ratios of totals, which Poisson estimates, is

    level = number of firms above zero + level per firm above zero,

each a log ratio of ratios on the same rows and weights. The first part is a Poisson regression of
the indicator; the second is the difference, so that parts add up exactly. As for trade flows in
Bernard, Jensen, Redding & Schott (2009), doi:10.1257/aer.99.2.487. The level per firm above zero
also changes because other firms are above zero: bounds for given firms are `lee_bounds`.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from pipeline.analyses.averages import (
    average_effect,
    average_log_ratio,
    average_row,
    ratios_of,
)
from pipeline.analyses.unit_dependence import UNITS
from pipeline.datasets.arrays import Floats
from pipeline.datasets.fits import UNIT_DEPENDENCE
from pipeline.datasets.samples import ZEROS
from pipeline.effects.collected import Collected
from pipeline.effects.estimated import Estimated, combined, joined
from pipeline.effects.populations import labelled
from pipeline.effects.rows import Label, Row, analysis_label, fit_key, missing_row
from pipeline.effects.sample import StackedSample, check_comparable, stacked_sample
from pipeline.effects.stacks import Stacks
from pipeline.effects.study import Study, outcome_sample
from pipeline.effects.terms import ATT, Term
from pipeline.errors import IdentificationError, Reason, SupportError
from pipeline.inference.analytic import infer
from pipeline.inference.stored import kept_rows
from pipeline.panel.panel_index import NO_ROW, n_groups
from pipeline.params.analyses import Margins

NAME = "margins"
BASE_EXPORTERS = "base_exporters"
LEVEL, ABOVE, PER_FIRM = Term("level"), Term("firms_above_zero"), Term("level_per_firm")
STAYERS = Reason("above_zero_at_base_and_then")
ADDS_UP = Reason("part_of_level")
_SCALES: dict[str, Callable[[Floats], Floats]] = {"asinh": np.arcsinh, "log1p": np.log1p}


def add_margins(collected: Collected, study: Study, asked: Margins) -> None:
    """Add rows of the margins of every design and outcome asked for, and counts of firms."""
    for design in asked.designs:
        for name in asked.outcomes:
            label = analysis_label(study, NAME, asked, design, name)
            if not study.outcomes[name].observed:
                why = Reason("not_observed", {"reason": study.outcomes[name].reason})
                collected.estimates.append(missing_row(label, LEVEL, why))
                continue
            sample = outcome_sample(study, design, name)
            rows = _decomposition(collected, study, label, sample)
            rows.append(_stayers(collected, study, label, sample.stacks))
            nobody = _nobody(study, sample, name)
            collected.estimates += [_without(row, nobody) if nobody else row for row in rows]
            for scale in asked.unit_dependent:
                row, others = _unit_dependent(collected, study, label, sample, scale)
                collected.estimates.append(row)
                if others:
                    collected.add(UNIT_DEPENDENCE, **fit_key(label), term=scale, **others)
            for counts in _zeros(sample):
                collected.add(ZEROS, design=design, outcome=name, **counts)


def _without(row: Row, nobody: Reason) -> Row:
    return row | {"reason": nobody, "remarks": ()}


def _decomposition(
    collected: Collected, study: Study, label: Label, sample: StackedSample
) -> list[Row]:
    """Return the level's effect and its two parts, or rows with the reason."""
    try:
        check_comparable(sample)
        found = ratios_of(study, sample)
        level = average_log_ratio(found, sample.y, LEVEL)
        above = average_log_ratio(found, (sample.y > 0).astype(np.float64), ABOVE)
    except (IdentificationError, SupportError) as error:
        return [missing_row(label, term, error.reason) for term in (ABOVE, PER_FIRM, LEVEL)]
    # Degrees of freedom are those of the level's regression, of which the other is no sum.
    both = joined([level, replace(above, loadings=np.zeros((len(level.loadings), 1)))])
    parts = combined(
        both,
        [ABOVE, PER_FIRM, LEVEL],
        np.array([[0.0, 1.0, 1.0], [1.0, -1.0, 0.0]]),
        remarks={ABOVE: (ADDS_UP,), PER_FIRM: (ADDS_UP,)},
    )
    return kept_rows(collected, label, infer(parts, label.cluster))


def _stayers(collected: Collected, study: Study, label: Label, stacks: Stacks) -> Row:
    """Return the difference in log levels among firms above zero at base, bounds left aside."""
    label = replace(label, sample=BASE_EXPORTERS)
    levels = _levels(study, label.outcome)
    logs = np.log(levels, where=levels > 0, out=np.full_like(levels, np.nan))
    sample = stacked_sample(stacks, logs, "renormalise")
    collected.members.add_sample(labelled(label), sample)
    try:
        check_comparable(sample)
        return average_row(collected, label, average_effect(study, sample), [STAYERS])
    except IdentificationError as error:
        return missing_row(label, ATT, error.reason)


def _nobody(study: Study, sample: StackedSample, name: str) -> Reason | None:
    """Say which group has no firm above zero in the base year; None where both have."""
    stacks, levels = sample.stacks, _levels(study, name)
    rows = stacks.panel_row[:, stacks.reference_column]
    above = (rows != NO_ROW) & (levels[rows] > 0) & (stacks.weight > 0)
    groups = {"treated": stacks.treated, "comparison": ~stacks.treated}
    without = [group for group, member in groups.items() if not (above & member).any()]
    if not without:
        return None
    if len(without) == len(groups):
        return Reason("nobody_above_zero_at_base_in_either_group")
    return Reason("nobody_above_zero_at_base", {"group": without[0]})


def _levels(study: Study, name: str) -> Floats:
    column = study.panel[study.outcomes[name].column]
    return column.to_numpy(dtype=np.float64, na_value=np.nan)


def _unit_dependent(
    collected: Collected, study: Study, label: Label, sample: StackedSample, scale: str
) -> tuple[Row, dict[str, float]]:
    """Return the effect on asinh or log(1 + x) in the declared unit, and those in `UNITS`."""
    try:
        check_comparable(sample)
        own = _scaled(study, sample, scale, 1.0)
        others = {
            unit: float(_scaled(study, sample, scale, factor).estimates[0])
            for unit, factor in UNITS.items()
        }
    except IdentificationError as error:
        return missing_row(label, Term(scale), error.reason), {}
    unit = study.outcomes[label.outcome].unit
    shown = {
        "own": float(own.estimates[0]),
        "unit": unit,
        "hundredth": others["x100"],
        "million": others["per_million"],
    }
    points = f"{scale}_points"
    said = [Reason("depends_on_unit", shown)]
    row = average_row(collected, replace(label, scale=points), own, said)
    return row, others


def _scaled(study: Study, sample: StackedSample, scale: str, factor: float) -> Estimated:
    scaled = replace(sample, values=_SCALES[scale](factor * sample.values))
    return average_effect(study, scaled, Term(scale))


def _zeros(sample: StackedSample) -> list[Row]:
    """Count firms of each group in the sample, above zero in the base year, and never above."""
    n_units = len(sample.stacks.firm)
    ever = np.bincount(sample.unit, sample.y > 0, n_units) > 0
    at_base = (sample.event_time == sample.stacks.reference) & (sample.y > 0)
    base = np.bincount(sample.unit, at_base, n_units) > 0
    used = np.bincount(sample.unit, minlength=n_units) > 0
    counted = {
        "n_firms": used,
        "n_above_zero_at_base": used & base,
        "n_never_above_zero": used & ~ever,
    }
    return [
        {"treated": treated}
        | {
            name: n_groups(sample.stacks.firm[flags & (sample.stacks.treated == treated)])
            for name, flags in counted.items()
        }
        for treated in (True, False)
    ]
