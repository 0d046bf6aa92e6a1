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

from pipeline.effects.average_effect import (
    AverageEffect,
    average_effect,
    average_ratio,
    minus,
    ratio_sample,
)
from pipeline.effects.clusters import cluster_codes
from pipeline.effects.description import Fact
from pipeline.effects.labels import analysis_label
from pipeline.effects.ledger import Ledger
from pipeline.effects.rows import Label, Row, joined_notes, missing_row
from pipeline.effects.sample import StackedSample, check_comparable, stacked_sample
from pipeline.effects.stacks import Floats, Stacks
from pipeline.effects.study import Study, outcome_sample
from pipeline.errors import IdentificationError, SupportError
from pipeline.panel.panel_index import NO_ROW, Codes
from pipeline.params.analyses import Margins

NAME = "margins"
BASE_EXPORTERS = "base_exporters"
DECOMPOSITION = ("firms_above_zero", "level_per_firm", "level")
STAYERS = (
    "logs of firms above zero in the base year and in the year compared; not matched again, "
    "comparison weights scaled to the treated; selected by who stays above zero"
)
ADDS_UP = "part of the proportional effect on the level; parts add up exactly"
# Factors on the level by which asinh and log(1 + x) are shown to depend on the unit.
UNITS = {"x100": 100.0, "per_million": 1e-6}
_SCALES: dict[str, Callable[[Floats], Floats]] = {"asinh": np.arcsinh, "log1p": np.log1p}


def add_margins(ledger: Ledger, study: Study, asked: Margins) -> None:
    """Add rows of the margins of every design and outcome asked for, and counts of firms."""
    for design in asked.designs:
        for name in asked.outcomes:
            label = analysis_label(study, NAME, asked, design, name)
            if not study.outcomes[name].observed:
                reason = f"not observed: {study.outcomes[name].reason}"
                ledger.estimates.append(missing_row(label, "level", reason))
                continue
            sample = outcome_sample(study, design, name)
            clusters = cluster_codes(sample.stacks, asked.cluster)[0]
            rows = _decomposition(study, label, sample, clusters)
            rows.append(_stayers(study, label, sample.stacks, clusters))
            nobody = _nobody(study, sample, name)
            ledger.estimates += [row | {"note": nobody} if nobody else row for row in rows]
            for scale in asked.unit_dependent:
                rows, facts = _unit_dependent(study, label, sample, clusters, scale)
                ledger.estimates += rows
                ledger.add_facts(design, name, facts)
            ledger.add_facts(design, name, _zero_facts(sample))


def _decomposition(study: Study, label: Label, sample: StackedSample, clusters: Codes) -> list[Row]:
    """Return the level's effect and its two parts, or one row with the reason."""
    try:
        check_comparable(sample)
        found = ratio_sample(study, sample, clusters)
        level = average_ratio(found, sample.y)
        above = average_ratio(found, (sample.y > 0).astype(np.float64))
    except (IdentificationError, SupportError) as reason:
        return [missing_row(label, term, str(reason)) for term in DECOMPOSITION]
    parts = (above, minus(level, above), level)
    return [
        part.row(label, term, ADDS_UP if term != "level" else None)
        for term, part in zip(DECOMPOSITION, parts, strict=True)
    ]


def _stayers(study: Study, label: Label, stacks: Stacks, clusters: Codes) -> Row:
    """Return the difference in log levels among firms above zero at base, bounds left aside."""
    levels = _levels(study, label.outcome)
    logs = np.log(levels, where=levels > 0, out=np.full_like(levels, np.nan))
    sample = stacked_sample(stacks, logs, "renormalise")
    try:
        check_comparable(sample)
        row = average_effect(study, sample, clusters).row(label, "att", STAYERS)
    except IdentificationError as reason:
        row = missing_row(label, "att", str(reason))
    return row | {"sample": BASE_EXPORTERS}


def _nobody(study: Study, sample: StackedSample, name: str) -> str:
    """Say which group has no firm above zero in the base year; empty where both have."""
    stacks, levels = sample.stacks, _levels(study, name)
    rows = stacks.panel_row[:, stacks.reference_column]
    above = (rows != NO_ROW) & (levels[rows] > 0) & (stacks.weight > 0)
    groups = {"treated": stacks.treated, "comparison": ~stacks.treated}
    without = [group for group, member in groups.items() if not (above & member).any()]
    return f"no {' and no '.join(without)} firm is above zero in the base year" if without else ""


def _levels(study: Study, name: str) -> Floats:
    column = study.panel[study.outcomes[name].column]
    return column.to_numpy(dtype=np.float64, na_value=np.nan)


def _unit_dependent(
    study: Study, label: Label, sample: StackedSample, clusters: Codes, scale: str
) -> tuple[list[Row], list[Fact]]:
    """Return the effect on asinh or log(1 + x) in the declared unit, and in two other units."""
    try:
        check_comparable(sample)
        own = _scaled(study, sample, clusters, scale, 1.0)
        others = {
            unit: _scaled(study, sample, clusters, scale, factor).estimate
            for unit, factor in UNITS.items()
        }
    except IdentificationError as reason:
        return [missing_row(label, scale, str(reason))], []
    unit = study.outcomes[label.outcome].unit
    note = joined_notes(
        f"depends on the unit: {own.estimate:.3f} in {unit}, {others['x100']:.3f} in a hundredth "
        f"of it, {others['per_million']:.3f} in a million of it"
    )
    row = own.row(replace(label, scale=f"{scale} points"), scale, note)
    facts = [(f"{scale}_{name}", value, f"{scale} points") for name, value in others.items()]
    return [row], facts


def _scaled(
    study: Study, sample: StackedSample, clusters: Codes, scale: str, factor: float
) -> AverageEffect:
    return average_effect(study, replace(sample, y=_SCALES[scale](factor * sample.y)), clusters)


def _zero_facts(sample: StackedSample) -> list[Fact]:
    """Count firms of each group in the sample, above zero in the base year, and never above."""
    n_units = len(sample.stacks.firm)
    ever = np.bincount(sample.unit, sample.y > 0, n_units) > 0
    at_base = (sample.event_time == sample.stacks.reference) & (sample.y > 0)
    base = np.bincount(sample.unit, at_base, n_units) > 0
    used = np.bincount(sample.unit, minlength=n_units) > 0
    facts: list[Fact] = []
    for group, member in (
        ("treated", sample.stacks.treated),
        ("comparison", ~sample.stacks.treated),
    ):
        for name, flags in (
            ("n_firms", used),
            ("n_firms_above_zero_at_base", used & base),
            ("n_firms_never_above_zero", used & ~ever),
        ):
            count = len(np.unique(sample.stacks.firm[flags & member]))
            facts.append((f"{name}_{group}", float(count), "firms"))
    return facts
