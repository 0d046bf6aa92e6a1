"""Counts of firms by score: what the overlap figure is made of."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from pipeline.datasets.selection import SCORE_BINS

_N_BINS = 30


def count_score_bins(scores: pd.DataFrame) -> pd.DataFrame:
    """Return SCORE_BINS of SCORES: equal bins from 0 to a model's largest score, stacks together.

    A model without any score, as the risk sets `unmatched`, has no bins.
    """
    known = scores[scores["propensity_score"].notna()]
    parts = [part for model, rows in known.groupby("model") for part in _bins(str(model), rows)]
    return pd.concat([pd.DataFrame(columns=list(SCORE_BINS.columns)), *parts], ignore_index=True)


def _bins(model: str, scores: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """Yield the bins of treated and of comparison firms."""
    top = float(scores["propensity_score"].max())
    edges = np.linspace(0.0, min(1.0, np.ceil(20 * top) / 20), _N_BINS + 1)
    for treated in (True, False):
        group = scores.loc[scores["treated"] == treated, "propensity_score"].to_numpy()
        yield pd.DataFrame(
            {
                "model": model,
                "treated": treated,
                "bin": np.arange(1, _N_BINS + 1),
                "low": edges[:-1],
                "high": edges[1:],
                "n_firms": np.histogram(group, edges)[0],
            }
        )
