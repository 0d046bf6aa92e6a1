"""The scale on which an outcome is compared: log, level, any, level in proportion, asinh."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.errors import DataError
from pipeline.params.outcomes import Outcome, Transform

# Sums of squares beyond this overflow.
LARGEST = 1e100
# Values nearer to zero than this, zero left out, have squares that underflow.
SMALLEST = 1 / LARGEST


def transform(values: pd.Series, kind: Transform) -> NDArray[np.float64]:
    """Return the outcome on its scale, shape (n,); a missing level stays missing.

    `log`: natural logarithm, zeros become missing. `level`, `percent_of_mean` (whose mean a study
    has) and `proportional`: unchanged. `any`: 1 above zero, 0 at zero. `asinh`: inverse hyperbolic
    sine, on request, since its effects depend on the unit of the column (Chen & Roth 2024,
    doi:10.1093/qje/qjad054). Raises DataError where any but `level`, `percent_of_mean` and `asinh`
    meets a negative value, where a value is infinite or too large to be squared.
    """
    levels = values.to_numpy(dtype=np.float64, na_value=np.nan)
    _refuse_beyond(levels, str(values.name))
    if kind in ("level", "percent_of_mean"):
        return levels.copy()
    if kind == "asinh":
        return np.asarray(np.arcsinh(levels), dtype=np.float64)
    if (levels < 0).any():
        raise DataError(
            f"{values.name}: {int((levels < 0).sum())} values are negative, which `{kind}` "
            "cannot take; correct them or use transform: level"
        )
    if kind == "proportional":
        return levels.copy()
    if kind == "any":
        return np.where(np.isnan(levels), np.nan, (levels > 0).astype(np.float64))
    logs = np.full_like(levels, np.nan)
    np.log(levels, out=logs, where=levels > 0)
    return logs


def _refuse_beyond(levels: NDArray[np.float64], name: str) -> None:
    beyond = int((np.abs(levels) > LARGEST).sum())
    if beyond:
        raise DataError(
            f"{name}: {beyond} values are infinite or beyond {LARGEST:g}, which variances cannot "
            "take; correct them, or give the column in a larger unit"
        )


def on_scale(levels: pd.Series, outcome: Outcome) -> NDArray[np.float64]:
    """Return levels (n,) on the scale of an observed outcome."""
    assert outcome.transform is not None, "an outcome that is not observed has no scale"
    values = transform(levels, outcome.transform)
    return values * (100 / outcome.comparison_mean) if outcome.in_percent_of_mean else values
