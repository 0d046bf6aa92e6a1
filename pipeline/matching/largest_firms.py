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
    them count once. Where firms have sampling weights they count by them in place of once, and a
    share is the largest of weights where that is more.
    """
    names = [name for name, c in score.covariates.items() if c.transform == "level"]
    parts = [pd.DataFrame(columns=list(COVARIATE_DOMINANCE.columns))]
    sizes = {name: np.abs(np.nan_to_num(tables.covariates[name].to_numpy())) for name in names}
    weighed = {} if tables.sampling is None else _known(tables.covariates)
    if sizes or weighed:
        rows = balance_rows(tables)
        for design, sample, row, weight in _samples(tables, match):
            found = [_shares(rows, of, row, weight) for of in (weighed, sizes) if of]
            shares = found[0] if len(found) == 1 else _larger(*found)
            parts.append(shares.assign(design=design, sample=sample))
    return pd.concat(parts)[list(COVARIATE_DOMINANCE.columns)]


def _known(covariates: pd.DataFrame) -> dict[str, Floats]:
    """Return one for each firm that has a covariate, or a score, of which weights tell a mean."""
    known: dict[str, Floats] = {"propensity_score": np.ones(len(covariates))}
    for name in covariates.columns[2:]:
        known[str(name)] = np.asarray(covariates[name].notna(), dtype=np.float64)
    return known


def _larger(weights: pd.DataFrame, sizes: pd.DataFrame) -> pd.DataFrame:
    """Return the shares of weights, or those of weighted sizes where these are more."""
    key = ["stack", "treated", "covariate"]
    both = weights.merge(sizes, on=key, how="left", suffixes=("", "_of_size"))
    larger = np.fmax(both["share"], both["share_of_size"])
    return both[key].assign(share=larger)


def _samples(
    tables: FirmStacks, match: MatchSection
) -> Iterator[tuple[str, str, Codes, Floats | None]]:
    """Yield every sample and fate of the treated: rows of COVARIATES and, if any, weights."""

    def sampling(row: Codes) -> Floats | None:
        return None if tables.sampling is None else tables.sampling[row]

    models = {"unmatched": "unmatched"} | {name: d.score for name, d in match.designs.items()}
    for design, model in models.items():
        risk_set, used = tables.of_model(model), tables.of_design(design)
        row = risk_set["row"].to_numpy()
        supported = row[risk_set["on_support"].to_numpy()]
        yield design, "before", row, sampling(row)
        yield design, "on_support", supported, sampling(supported)
        yield design, "after", used["row"].to_numpy(), used["weight"].to_numpy()
    for design, row, fates in treated_by_fate(tables, match):
        for fate in np.unique(fates):
            own = row[fates == fate]
            yield design, str(fate), own, sampling(own)


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
