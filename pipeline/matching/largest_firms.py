"""The largest firm in what the balance tables publish."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.datasets.arrays import Codes, Floats
from pipeline.datasets.dominance import COVARIATE_DOMINANCE
from pipeline.matching.balance_rows import BalanceRows, balance_rows
from pipeline.params.match import MatchSection
from pipeline.params.score import ScoreSection
from pipeline.selection.firm_stacks import FirmStacks
from pipeline.selection.support import treated_by_fate


def covariate_dominance(
    tables: FirmStacks, score: ScoreSection, match: MatchSection
) -> pd.DataFrame:
    """Return COVARIATE_DOMINANCE.

    Before matching each firm counts once, after it by its weight; the treated by what became of
    them count once.
    """
    names = [name for name, c in score.covariates.items() if c.transform == "level"]
    parts = [pd.DataFrame(columns=list(COVARIATE_DOMINANCE.columns))]
    if names:
        rows = balance_rows(tables)
        sizes = {name: np.abs(np.nan_to_num(tables.covariates[name].to_numpy())) for name in names}
        for design, sample, row, weight in _samples(tables, match):
            shares = _shares(rows, sizes, row, weight)
            parts.append(shares.assign(design=design, sample=sample))
    return pd.concat(parts)[list(COVARIATE_DOMINANCE.columns)]


def _samples(
    tables: FirmStacks, match: MatchSection
) -> Iterator[tuple[str, str, Codes, Floats | None]]:
    """Yield every sample and fate of the treated: rows of COVARIATES and, if any, weights."""
    models = {"unmatched": "unmatched"} | {name: d.score for name, d in match.designs.items()}
    for design, model in models.items():
        risk_set, used = tables.of_model(model), tables.of_design(design)
        yield design, "before", risk_set["row"].to_numpy(), None
        yield design, "on_support", risk_set.loc[risk_set["on_support"], "row"].to_numpy(), None
        yield design, "after", used["row"].to_numpy(), used["weight"].to_numpy()
    for design, row, fates in treated_by_fate(tables, match):
        for fate in np.unique(fates):
            yield design, str(fate), row[fates == fate], None


def _shares(
    rows: BalanceRows, sizes: dict[str, Floats], row: Codes, weight: Floats | None
) -> pd.DataFrame:
    """Return the largest shares by stack and all together, covariate and group.

    Percent of the sum of absolute contributions; missing where all are zero.
    """
    cell, n_cells = rows.cell[rows.place[row]], 2 * len(rows.stacks)
    counts = _with_all(np.bincount(cell, minlength=n_cells), np.sum)
    stacks = np.repeat([*rows.stacks, "all"], 2)
    parts = []
    for name, size in sizes.items():
        contributions = size[row] if weight is None else size[row] * weight
        largest = np.zeros(n_cells)
        np.maximum.at(largest, cell, contributions)
        total = _with_all(np.bincount(cell, contributions, n_cells), np.sum)
        share = np.full(len(total), np.nan)
        np.divide(100 * _with_all(largest, np.max), total, out=share, where=total > 0)
        group = {"stack": stacks, "treated": np.arange(len(total)) % 2 == 1, "share": share}
        parts.append(pd.DataFrame(group | {"covariate": name})[counts > 0])
    return pd.concat(parts)


def _with_all(by_cell: NDArray[Any], together: Callable[..., Any]) -> NDArray[Any]:
    """Append what holds of both groups in all stacks to what does in each."""
    return np.concatenate([by_cell, together(by_cell.reshape(-1, 2), axis=0)])
