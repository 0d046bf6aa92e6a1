"""Stacked matched difference-in-differences: the main estimator.

For each entry year the weighted comparison over a common event window, with firm x stack and
year x stack effects, pooled over stacks. Treated firms are compared only with the comparison
firms of their own stack, never with firms treated earlier. Cengiz, Dube, Lindner & Zipperer
(2019), doi:10.1093/qje/qjz014; stack weights as in Wing, Freedman & Hollingsworth (2024),
doi:10.3386/w32054.

Each entry year has its own effect at each event time, a 2x2 of that year against the reference
year where its firms are observed throughout; an event time's effect is their mean over entry
years. Where firms lack some event times, least squares also uses their other years to place
their level, within the entry year only.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from pipeline.effects.absorb import dense_codes
from pipeline.effects.least_squares import Fit, coefficients, combined, fit_absorbed
from pipeline.effects.sample import StackedSample
from pipeline.effects.stacks import Flags, Floats
from pipeline.errors import DataError
from pipeline.panel.panel_index import NO_ROW, Codes
from pipeline.params.estimate import StackedSpec

Term = Literal["att", "event"]


@dataclass(frozen=True)
class Regressors:
    """Hold the columns (n, k) of a stacked regression and the terms made of their coefficients.

    `weight` (k, m) holds the treated weight by which column k counts in term m, of `names`; columns
    that only adjust for covariates come first and count in none.
    """

    names: tuple[str, ...]
    columns: Floats
    weight: Floats


def stacked_regressors(sample: StackedSample, term: Term) -> Regressors:
    """Return the regressors of the average (`att`) or of the event study (`event`).

    `att`: treated x (event time >= 0), against all years up to the reference year pooled. Years
    between the reference year and entry, which exist under anticipation, get a term of their own:
    they are neither before nor after.

    `event`: treated x one dummy per stack and event time, the reference event time left out. Each
    coefficient is a stack's own change since its reference year; an event time's effect is their
    mean over the stacks that have it, weighted by the treated observed (Sun & Abraham 2021,
    doi:10.1016/j.jeconom.2020.09.006). One dummy for all stacks would, where stacks cover
    different event times, borrow the effects of other event times.

    Covariates of the sample enter times a dummy per stack and event time, so that their slopes, the
    same for treated and comparison firms, may differ by stack and year.
    """
    effects = _average_regressors(sample) if term == "att" else _event_regressors(sample)
    return effects if sample.covariates is None else _with_covariates(effects, sample)


def _event_regressors(sample: StackedSample) -> Regressors:
    event_time, treated, stack = sample.event_time, sample.treated, sample.stack
    effects = treated & (event_time != sample.stacks.reference)
    cells = np.unique(np.column_stack([stack[effects], event_time[effects]]), axis=0)
    columns = [effects & (stack == g) & (event_time == e) for g, e in cells]
    mass = np.array([sample.weight[column].sum() for column in columns])
    times = np.unique(cells[:, 1])
    return Regressors(
        names=tuple(f"event[{e}]" for e in times),
        columns=_matrix(columns, len(treated)),
        weight=np.where(cells[:, 1:] == times, mass[:, None], 0.0),
    )


def _average_regressors(sample: StackedSample) -> Regressors:
    event_time, treated = sample.event_time, sample.treated
    anticipated = treated & (event_time > sample.stacks.reference) & (event_time < 0)
    columns = [treated & (event_time >= 0)] + [anticipated] * bool(anticipated.any())
    names = ("att", "anticipation")[: len(columns)]
    return Regressors(names, _matrix(columns, len(treated)), np.eye(len(columns)))


def _with_covariates(effects: Regressors, sample: StackedSample) -> Regressors:
    """Put covariate x stack x event time columns before the effects, less the reference ones."""
    assert sample.covariates is not None
    event_time, stack = sample.event_time, sample.stack
    cells = np.unique(np.column_stack([stack, event_time]), axis=0)
    values = sample.covariates[sample.unit]
    columns = [
        value * ((stack == g) & (event_time == e))
        for g, e in cells[cells[:, 1] != sample.stacks.reference]
        for value in values.T
    ]
    return Regressors(
        effects.names,
        np.hstack([_matrix(columns, len(values)), effects.columns]),
        np.vstack([np.zeros((len(columns), effects.weight.shape[1])), effects.weight]),
    )


def fit_stacked(
    sample: StackedSample,
    term: Term,
    year_cell: Codes,
    clusters: Codes,
    second_clusters: Codes | None = None,
) -> Fit:
    """Fit y with firm x stack and `year_cell` effects, weighted and clustered; return the terms."""
    regressors = stacked_regressors(sample, term)
    cells = fit_cells(sample, regressors, year_cell, clusters, second_clusters)
    return combined(cells, regressors.names, term_shares(regressors.weight, cells.estimable))


def fit_cells(
    sample: StackedSample,
    regressors: Regressors,
    year_cell: Codes,
    clusters: Codes,
    second_clusters: Codes | None = None,
) -> Fit:
    """Fit y on the regressors themselves: an effect per entry year, before they are averaged."""
    return fit_absorbed(
        sample.y,
        regressors.columns,
        (),
        first=sample.unit,
        second=year_cell,
        weight=sample.weight,
        clusters=clusters,
        second_clusters=second_clusters,
    )


def stacked_coefficients(
    sample: StackedSample, y: Floats, term: Term, year_cell: Codes
) -> dict[str, float]:
    """Apply the stacked estimator to another column y (n,) on the same rows and weights.

    The estimator is linear in y: given true effects (zero for comparison firms and before entry)
    it returns the average true effect under the estimator's own weights. Terms as in ESTIMATES;
    `event_average` comes with `event`.
    """
    regressors = stacked_regressors(sample, term)
    cells = coefficients(y, regressors.columns, sample.unit, year_cell, sample.weight)
    shares = term_shares(regressors.weight, np.isfinite(cells))
    values = np.where(np.isfinite(shares).all(axis=0), np.nan_to_num(cells) @ shares, np.nan)
    return with_event_average(regressors.names, values)


def with_event_average(names: tuple[str, ...], values: Floats) -> dict[str, float]:
    """Return values by name; with event times comes `event_average`, their mean from entry on."""
    named = {name: float(value) for name, value in zip(names, values, strict=True)}
    if names[0] != "att":
        after = after_entry(event_times(names), np.isfinite(values))
        named["event_average"] = float(values[after].mean()) if len(after) else float("nan")
    return named


def stacked_terms(
    sample: StackedSample, y: Floats, spec: StackedSpec, year_cell: Codes
) -> dict[str, float]:
    """Return every term that a spec shows, from `stacked_coefficients`; `att` is its average."""
    terms: dict[str, float] = {}
    if "event" in spec.terms or spec.average == "event":
        terms |= stacked_coefficients(sample, y, "event", year_cell)
        terms["att"] = terms["event_average"]
        terms |= _bins(spec, terms)
    if spec.average == "pooled":
        terms |= stacked_coefficients(sample, y, "att", year_cell)
    return terms


def _bins(spec: StackedSpec, terms: dict[str, float]) -> dict[str, float]:
    """Return the means of the event terms over the spec's ranges, missing without any."""
    events = {name: value for name, value in terms.items() if name.startswith("event[")}
    times = event_times(tuple(events))
    found: dict[str, float] = {}
    for part in spec.event_bins:
        first, last = part.first_event_time, part.last_event_time
        inside = [v for e, v in zip(times, events.values(), strict=True) if first <= e <= last]
        known = [value for value in inside if np.isfinite(value)]
        found[f"event_bin[{first},{last}]"] = float(np.mean(known)) if known else float("nan")
    return found


def event_times(names: tuple[str, ...]) -> tuple[int, ...]:
    """Return the event times of terms `event[...]`."""
    return tuple(int(name.removeprefix("event[").removesuffix("]")) for name in names)


def after_entry(event_times: tuple[int, ...], estimable: np.ndarray) -> Codes:
    """Return the positions of the estimable event times from entry on."""
    return np.flatnonzero((np.array(event_times, dtype=np.int64) >= 0) & estimable)


def term_shares(weight: Floats, estimable: Flags) -> Floats:
    """Return weights that sum to 1 over the estimable cells of each term; missing without one."""
    usable = weight * estimable[:, None]
    total = usable.sum(axis=0)
    return np.asarray(np.divide(usable, total, out=np.full(usable.shape, np.nan), where=total > 0))


def average_shares(regressors: Regressors, estimable: Flags) -> Floats:
    """Return the weights (k,) by which the estimable coefficients make up the average effect."""
    shares = term_shares(regressors.weight, estimable)
    if regressors.names[0] == "att":
        return shares[:, 0]
    after = after_entry(event_times(regressors.names), np.asarray(np.isfinite(shares).all(axis=0)))
    return np.asarray(shares[:, after].mean(axis=1))


def shares_of(regressors: Regressors, estimable: Flags, term: str) -> Floats:
    """Return the weights (k,) by which coefficients make up a term of ESTIMATES."""
    if term in regressors.names and term != "att":
        return term_shares(regressors.weight, estimable)[:, regressors.names.index(term)]
    bounds = bin_bounds(term)
    if bounds is None:
        return average_shares(regressors, estimable)
    shares = term_shares(regressors.weight, estimable)
    times = np.array(event_times(regressors.names))
    inside = (times >= bounds[0]) & (times <= bounds[1]) & np.isfinite(shares).all(axis=0)
    return np.asarray(shares[:, inside].mean(axis=1))


def bin_bounds(term: str) -> tuple[int, int] | None:
    """Return the event times of a term `event_bin[1,3]`; None for other terms."""
    if not term.startswith("event_bin["):
        return None
    first, last = term.removeprefix("event_bin[").removesuffix("]").split(",")
    return int(first), int(last)


def average_influence(fit: Fit) -> Floats | None:
    """Return each cluster's influence on the average effect, (G,)."""
    if fit.influence is None:
        return None
    if fit.names[0] == "att":
        return fit.influence[:, 0]
    after = after_entry(event_times(fit.names), fit.estimable)
    return np.asarray(fit.influence[:, after].mean(axis=1)) if len(after) else None


def year_cells(sample: StackedSample, panel: pd.DataFrame, by: str | None) -> Codes:
    """Return codes (n,) of year x stack, or of year x stack x base-year value of column `by`.

    Raises DataError where a firm has no value of `by` in its base year.
    """
    code = _pair(sample.stack, sample.event_time)
    return code if by is None else _pair(_base_year_codes(sample, panel[by]), code)


def treated_without_comparison(sample: StackedSample, cells: Codes) -> int:
    """Count distinct treated firms that never share a year cell with a comparison firm.

    Year effects by a category fit such firms exactly: they count as treated, but do not move the
    effect.
    """
    n_compared = np.bincount(cells, ~sample.treated)[cells]
    firm = sample.stacks.firm[sample.unit]
    everyone = np.unique(firm[sample.treated])
    compared = np.unique(firm[sample.treated & (n_compared > 0)])
    return len(everyone) - len(compared)


def _base_year_codes(sample: StackedSample, column: pd.Series) -> Codes:
    value = np.asarray(pd.factorize(column)[0], dtype=np.intp)
    base_row = sample.stacks.base_row[sample.unit]
    code = np.where(base_row == NO_ROW, -1, value[base_row])
    if (code < 0).any():
        n_without = len(np.unique(sample.stacks.firm[sample.unit[code < 0]]))
        raise DataError(
            f"{sample.stacks.design}: {n_without} firms have no `{column.name}` in their base "
            "year, which year_effects_by needs; fill the column or choose another"
        )
    return code


def _pair(first: np.ndarray, second: np.ndarray) -> Codes:
    """Return codes, without gaps, of the pairs that occur."""
    low = int(second.min())
    key = (first - first.min()) * (int(second.max()) - low + 1) + (second - low)
    return dense_codes(key)


def _matrix(columns: list[np.ndarray], n_rows: int) -> Floats:
    """Stack flags as float columns, one after the other in memory."""
    matrix = np.empty((n_rows, len(columns)), order="F")
    for position, column in enumerate(columns):
        matrix[:, position] = column
    return matrix
