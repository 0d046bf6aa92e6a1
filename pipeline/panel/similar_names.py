"""Names of unfound beneficiaries that are like those of firms of the panel, where params ask."""

from typing import Any

import numpy as np
import pandas as pd

from pipeline.errors import DataError

# Firms whose names are compared with those of all others, to know how alike any two are.
_DRAWN = 200


def similar_names(
    wanted: pd.Series, firms: pd.DataFrame, least_score: float, rng: np.random.Generator
) -> pd.DataFrame:
    """Return pairs `wanted`, `firm_id` with like names; none where any two firms' are as like.

    `wanted` has names by identifier, `firms` the columns firm_id and name.
    Raises DataError where the extra that compares names is not installed.
    """
    known = firms.dropna().drop_duplicates().reset_index(drop=True)
    asked = wanted.dropna()
    if known.empty or asked.empty:
        return pd.DataFrame({"wanted": [], "firm_id": []}, dtype="str")
    pairs = _alike(asked.reset_index(drop=True), known["name"], least_score)
    found = pd.DataFrame(
        {
            "wanted": asked.index.take(pairs[0]),
            "firm_id": known["firm_id"].array.take(pairs[1]),
        }
    ).drop_duplicates()
    return found if _above_chance(found, asked, known, least_score, rng) else found.head(0)


def _above_chance(
    found: pd.DataFrame,
    asked: pd.Series,
    known: pd.DataFrame,
    least_score: float,
    rng: np.random.Generator,
) -> bool:
    """Say whether names are alike five times as often as that of a firm and another's."""
    drawn = known.iloc[np.sort(rng.permutation(len(known))[:_DRAWN])].reset_index(drop=True)
    one, other = _alike(drawn["name"], known["name"], least_score)
    firm = drawn["firm_id"].array.take(one)
    others = np.asarray(firm != known["firm_id"].array.take(other), dtype=bool)
    by_chance = len(np.unique(one[others])) / len(drawn)
    return found["wanted"].nunique() / len(asked) >= 5 * by_chance


def _alike(names: pd.Series, known: pd.Series, least_score: float) -> Any:
    """Return places of like names: words in any order, letter case and marks aside."""
    try:
        from rapidfuzz import fuzz, process, utils
    except ImportError:
        raise DataError(
            "clean.identifier.name_column compares names by RapidFuzz, which is not installed: "
            'install the extra, python -m pip install -c constraints.txt -e ".[ids]"'
        ) from None
    plain = [
        series.str.normalize("NFKD").str.replace("[\u0300-\u036f]", "", regex=True).tolist()
        for series in (names, known)
    ]
    rows = [
        process.cdist(
            [name],
            plain[1],
            scorer=fuzz.token_sort_ratio,
            processor=utils.default_process,
            score_cutoff=least_score,
        )[0].nonzero()[0]
        for name in plain[0]
    ]
    place = np.repeat(np.arange(len(rows)), [len(row) for row in rows])
    return place, np.concatenate([*rows, np.array([], dtype=np.intp)]).astype(np.intp)
