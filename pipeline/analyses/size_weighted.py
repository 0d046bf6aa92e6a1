"""Average effects with firms weighted by their size before entry: effects on jobs or sales.

The average over firms counts a firm of five jobs like one of five hundred. With s_i the size of
treated firm i, dated at or before the base year,

    ATT_s = sum_i s_i (treated change - comparison change) / sum_i s_i.

Comparison firms carry the size of the treated firm of their matched set (`treated_size`), or their
own, scaled to the treated of their entry year (`own_size`), which compares totals; matched sets
then count firm by firm, whoever is observed. Where sizes are
base-year values of the outcome itself, they hold its passing shocks: firms large by chance shrink
back, and unless comparison firms are as large as the treated they stand for, `treated_size` takes
this for an effect; an earlier size is biased alike. Match on size, or use `own_size`.

Where an outcome's column is a size's column, the total effect is sum_i s_i x effect on the ratio of
the level to the own size, the mean over event times from entry on: jobs or sales a year.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from pipeline.analyses.averages import Weights, average_effect, average_row
from pipeline.datasets.arrays import Floats
from pipeline.datasets.samples import CONCENTRATION, GROUPING_LOSSES
from pipeline.effects.collected import Collected
from pipeline.effects.description import largest_shares
from pipeline.effects.estimated import Estimated
from pipeline.effects.rows import Label, Row, analysis_label, missing_row
from pipeline.effects.sample import check_comparable, sample_of_values, values_by_unit
from pipeline.effects.stacks import SetMembers, Stacks
from pipeline.effects.study import Study
from pipeline.effects.terms import Term
from pipeline.errors import IdentificationError, ParamsError, Reason
from pipeline.estimators.stacked_regressors import Regressors
from pipeline.panel.panel_index import NO_ROW, n_groups
from pipeline.panel.scale import on_scale
from pipeline.params.analyses import Size, SizeWeighted

NAME = "size_weighted"
ATT_BY, TOTAL = Term("att_by"), Term("total")


@dataclass(frozen=True)
class Sized:
    """Hold stacks weighted by size, and each unit's own size (u,), missing where not positive."""

    stacks: Stacks
    size: Floats


def add_size_weighted(collected: Collected, study: Study, asked: SizeWeighted) -> None:
    """Add a row per design, outcome and size, totals, and what the weights rest on."""
    for design in asked.designs:
        for name, size in asked.by.items():
            sized = _sized(study, asked, design, name, size)
            if isinstance(sized, Sized):
                _add_weights(collected, study.stacks[design], sized, asked.comparison, name)
            for outcome in asked.outcomes:
                label = analysis_label(study, NAME, asked, design, outcome)
                collected.estimates += _rows(collected, asked, label, name, sized)


def weighted_by_size(stacks: Stacks, size: Floats, treated_size: bool) -> Stacks:
    """Return stacks whose treated weights are multiplied by size (u,), comparison firms' to match.

    Firms without a positive size leave, and with them, under `treated_size`, their matched sets.
    Under `own_size` there are no sets left, and `renormalised_weights` scales comparison firms.
    """
    own = np.where(size > 0, size, 0.0)
    if not treated_size:
        return replace(stacks, weight=stacks.weight * own, sets=None)
    assert stacks.sets is not None, "a design without sets has own_size"
    sets = stacks.sets
    treated = stacks.treated[sets.unit]
    of_set = np.zeros(int(sets.set_code.max()) + 1)
    of_set[sets.set_code[treated]] = own[sets.unit[treated]]
    carried = SetMembers(sets.unit, sets.set_code, sets.weight * of_set[sets.set_code])
    weight = np.bincount(carried.unit, carried.weight, len(own)).astype(np.float64)
    return replace(stacks, weight=weight, sets=carried)


def _sized(study: Study, asked: SizeWeighted, design: str, name: str, size: Size) -> Sized | Reason:
    """Return a design weighted by size, or the reason why it cannot be."""
    path = f"estimate.analyses.size_weighted.by.{name}"
    if size.column not in study.panel.columns:
        raise ParamsError(f"{path}.column is {size.column}, which the panel lacks")
    latest = study.treatment.reference_event_time
    if size.at is not None and size.at > latest:
        raise ParamsError(f"{path}.at is {size.at}: sizes are dated {latest} or earlier")
    stacks = study.stacks[design]
    if asked.comparison == "treated_size" and stacks.sets is None:
        return Reason("size_needs_sets")
    own = _own_size(study, stacks, size.column, latest if size.at is None else size.at)
    if negative := int((own[stacks.weight > 0] < 0).sum()):
        return Reason("negative_sizes", {"n": negative})
    return Sized(weighted_by_size(stacks, own, asked.comparison == "treated_size"), own)


def _add_weights(
    collected: Collected, stacks: Stacks, sized: Sized, comparison: str, name: str
) -> None:
    """Add who has no size, and what the weights rest on.

    Comparison firms lack one where they need their own.
    """
    place: dict[str, Any] = {"design": stacks.design, "grouping": name}
    lacks = ~(sized.size > 0) & (stacks.weight > 0)
    for treated in (True, False) if comparison == "own_size" else (True,):
        lost = n_groups(stacks.firm[lacks & (stacks.treated == treated)])
        collected.add(GROUPING_LOSSES, **place, estimator=NAME, treated=treated, n_firms=lost)
    for treated, shares in _concentration(sized.stacks).items():
        collected.add(CONCENTRATION, **place, outcome="all", treated=treated, **shares)


def _concentration(stacks: Stacks) -> dict[bool, dict[str, float | str | None]]:
    """Return the shares of the largest firms in each group's weight, where it has any."""
    shares = {}
    for treated in (True, False):
        members = stacks.treated == treated
        by_firm = np.bincount(stacks.firm[members], stacks.weight[members], minlength=1)
        if by_firm.sum() > 0:
            shares[treated] = largest_shares(by_firm / by_firm.sum())
    return shares


def _own_size(study: Study, stacks: Stacks, column: str, at: int) -> Floats:
    years = (stacks.stack + at)[:, None]
    row = study.index.rows(stacks.firm, years)[:, 0]
    levels = study.panel[column].to_numpy(dtype=np.float64, na_value=np.nan)
    return np.where(row == NO_ROW, np.nan, levels[row])


def _rows(
    collected: Collected,
    asked: SizeWeighted,
    label: Label,
    name: str,
    sized: Sized | Reason,
) -> list[Row]:
    """Return the size-weighted effect, and the total where the outcome's column is the size's."""
    study = collected.study
    outcome, label = study.outcomes[label.outcome], replace(label, grouping=name)
    if outcome.in_ratios:
        sized = Reason("ratios_are_size_weighted")
    if not outcome.observed:
        sized = Reason("not_observed", {"reason": outcome.reason})
    if isinstance(sized, Reason):
        return [missing_row(label, ATT_BY, sized)]
    column = {"column": asked.by[name].column}
    weighted = _Weighted(collected, sized.stacks, Reason(f"weighted_by_{asked.comparison}", column))
    values = values_by_unit(sized.stacks, on_scale(study.panel[outcome.column], outcome))
    rows = [weighted.row(label, ATT_BY, values, None)]
    if asked.by[name].column == outcome.column and outcome.transform in ("log", "level"):
        levels = study.panel[outcome.column].to_numpy(dtype=np.float64, na_value=np.nan)
        size = np.where(sized.size > 0, sized.size, np.nan)
        growth = values_by_unit(sized.stacks, levels) / size[:, None]
        in_unit = replace(label, scale=outcome.unit)
        rows.append(weighted.row(in_unit, TOTAL, growth, _mass))
    return rows


@dataclass(frozen=True)
class _Weighted:
    """Hold what the rows of one design and size share, and what is said of them."""

    collected: Collected
    stacks: Stacks
    said: Reason

    def row(self, label: Label, term: Term, values: Floats, weights: Weights | None) -> Row:
        """Estimate the effect on values (u, event times), or say why there is none."""
        sample = sample_of_values(self.stacks, values, self.collected.study.estimate.missing)
        try:
            check_comparable(sample)
            found = average_effect(self.collected.study, sample, term, weights)
        except IdentificationError as error:
            return missing_row(label, term, error.reason)
        return average_row(self.collected, label, found, [self.said])


def _mass(cells: Estimated, regressors: Regressors) -> Floats:
    """Return weights (k,) for the mean over event times of the treated mass times the effect."""
    after = np.array([(term.event_time or 0) >= 0 for term in cells.terms], dtype=np.bool_)
    mass = np.where(after, regressors.mass_of(cells.terms), 0.0)
    n_times = len({term.event_time for term, own in zip(cells.terms, after, strict=True) if own})
    return np.asarray(mass / n_times)
