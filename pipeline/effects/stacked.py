"""Stacked matched difference-in-differences: the main estimator.

For each entry year the weighted comparison over a common event window, with firm x stack and
year x stack effects, pooled over stacks. Treated firms are compared only with the comparison
firms of their own stack, never with firms treated earlier. Cengiz, Dube, Lindner & Zipperer
(2019), doi:10.1093/qje/qjz014; stack weights as in Wing, Freedman & Hollingsworth (2024),
doi:10.3386/w32054.

Where every firm is observed at every event time, each event coefficient is the 2x2 of that year
against the reference year. Where entry years or firms lack some event times, least squares also
uses the other years to place a firm's level, on the assumption that the effect at one event time
is the same in all entry years; the note of a coefficient says which entry years it rests on.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from pipeline.effects.least_squares import Fit, coefficients, fit_absorbed
from pipeline.effects.sample import StackedSample
from pipeline.effects.stacks import NO_ROW, Codes, Floats
from pipeline.errors import DataError

Term = Literal["att", "event"]


@dataclass(frozen=True)
class Design:
    """Hold the regressors (n, k) of a stacked regression, their names and event times."""

    names: tuple[str, ...]
    event_times: tuple[int, ...]
    columns: Floats


def stacked_design(sample: StackedSample, term: Term) -> Design:
    """Return the regressors of the average (`att`) or of the event study (`event`).

    `att`: treated x (event time >= 0). Years between the reference year and entry, which exist
    under anticipation, get a term of their own: they are neither before nor after.
    `event`: treated x one dummy per event time observed, the reference event time left out.
    """
    event_time, treated = sample.event_time, sample.treated
    if term == "event":
        times = tuple(int(e) for e in np.unique(event_time) if e != sample.stacks.reference)
        columns = [treated & (event_time == e) for e in times]
        return Design(tuple(f"event[{e}]" for e in times), times, _matrix(columns, len(treated)))
    anticipated = treated & (event_time > sample.stacks.reference) & (event_time < 0)
    columns = [treated & (event_time >= 0)] + [anticipated] * bool(anticipated.any())
    names = ("att", "anticipation")[: len(columns)]
    return Design(names, (), _matrix(columns, len(treated)))


def fit_stacked(
    sample: StackedSample,
    term: Term,
    year_cell: Codes,
    clusters: Codes,
    second_clusters: Codes | None = None,
) -> Fit:
    """Fit y on the design with firm x stack and `year_cell` effects, weighted and clustered."""
    design = stacked_design(sample, term)
    return fit_absorbed(
        sample.y,
        design.columns,
        design.names,
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
    design = stacked_design(sample, term)
    values = coefficients(y, design.columns, sample.unit, year_cell, sample.weight)
    named = {name: float(value) for name, value in zip(design.names, values, strict=True)}
    if term == "event":
        after = after_entry(design.event_times, np.isfinite(values))
        named["event_average"] = float(values[after].mean()) if len(after) else float("nan")
    return named


def after_entry(event_times: tuple[int, ...], estimable: np.ndarray) -> Codes:
    """Return the positions of the estimable event times from entry on."""
    return np.flatnonzero((np.array(event_times, dtype=np.int64) >= 0) & estimable)


def year_cells(sample: StackedSample, panel: pd.DataFrame, by: str | None) -> Codes:
    """Return codes (n,) of year x stack, or of year x stack x base-year value of column `by`.

    Raises DataError where a firm has no value of `by` in its base year.
    """
    code = _pair(sample.stack, sample.event_time)
    return code if by is None else _pair(_base_year_codes(sample, panel[by]), code)


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
    occurs = np.bincount(key) > 0
    return np.asarray((np.cumsum(occurs) - 1)[key], dtype=np.intp)


def _matrix(columns: list[np.ndarray], n_rows: int) -> Floats:
    """Stack flags as float columns, one after the other in memory."""
    matrix = np.empty((n_rows, len(columns)), order="F")
    for position, column in enumerate(columns):
        matrix[:, position] = column
    return matrix
