"""Bias, RMSE, coverage and rejection of each estimator, each with its Monte-Carlo error."""

import numpy as np
import pandas as pd

from benchmarks.simulation_study.draws import KEY
from benchmarks.simulation_study.estimators import EFFECT, NO_EFFECT

CELL = ["outcome", "estimator"]
LEVEL, SIZE = 0.95, 0.05
# p-values of 99 assignments are hundredths, and 5 of them reject at 5 percent.
ROUNDING = 1e-9


def summarise(draws: pd.DataFrame) -> pd.DataFrame:
    """Return one row per outcome and estimator, in the order of first appearance.

    Over the n seeds with an estimate, error = estimate - truth: bias, its mean, with error
    sd / sqrt(n); rmse, the root of the mean square, with error sd(error^2) / (2 rmse sqrt(n)) by
    the delta method; sd, and the mean standard error beside it; coverage of the interval over the
    seeds that have one; rejection, p at most 5 percent, over the seeds of the world without effect,
    where alone an estimator that only tests runs; shares with error sqrt(p (1 - p) / n). Formulas:
    Morris, White & Crowther (2019), doi:10.1002/sim.8086.
    """
    unique = draws.drop_duplicates(KEY, keep="last")
    rows = [
        dict(zip(CELL, cell, strict=True)) | _cell(rows)
        for cell, rows in unique.groupby(CELL, sort=False)
    ]
    return pd.DataFrame(rows)


def _cell(rows: pd.DataFrame) -> dict[str, float]:
    effect, null = rows[rows["effect"] == EFFECT], rows[rows["effect"] == NO_EFFECT]
    error = (effect["estimate"] - effect["truth"]).dropna().to_numpy(dtype=np.float64)
    interval = effect[effect["conf_low"].notna() & effect["conf_high"].notna()]
    covered = interval["truth"].between(interval["conf_low"], interval["conf_high"])
    rejected = null["p_value"].dropna() <= SIZE + ROUNDING
    return {
        "seeds": rows["seed"].nunique(),
        "estimates": len(error),
        "truth": effect["truth"].mean(),
        "treated_clusters": (effect if len(effect) else null)["n_treated_clusters"].median(),
        **_with_error("bias", *_mean(error)),
        **_with_error("rmse", *_root_mean_square(error)),
        "sd": float(error.std(ddof=1)) if len(error) > 1 else float("nan"),
        "mean_std_error": effect["std_error"].mean(),
        "intervals": len(interval),
        **_with_error("coverage", *_share(covered)),
        "tests": len(rejected),
        **_with_error("rejection", *_share(rejected)),
    }


def _with_error(name: str, value: float, error: float) -> dict[str, float]:
    return {name: value, f"{name}_mc_error": error}


def _mean(values: np.ndarray) -> tuple[float, float]:
    if len(values) < 2:  # no spread to judge by
        return (float(values.mean()) if len(values) else float("nan")), float("nan")
    return float(values.mean()), float(values.std(ddof=1) / np.sqrt(len(values)))


def _root_mean_square(values: np.ndarray) -> tuple[float, float]:
    mean, error = _mean(values**2)
    root = float(np.sqrt(mean))
    return root, error / (2 * root) if root > 0 else float("nan")


def _share(flags: pd.Series) -> tuple[float, float]:
    if not len(flags):
        return float("nan"), float("nan")
    share = float(flags.mean())
    return share, float(np.sqrt(share * (1 - share) / len(flags)))
