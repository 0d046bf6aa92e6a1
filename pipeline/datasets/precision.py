"""Numbers to so many digits, alike on every machine: powers of ten by table, not by logarithm."""

from typing import Literal

import numpy as np

from pipeline.datasets.arrays import Floats

SIGNIFICANT_DIGITS = 10

# As stored and as matched: ties and order of scores must be the same on every machine, and an
# optimum is known to fewer digits than a number holds.
SCORE_DECIMALS = 8

# Powers of ten that floats hold exactly; a shift by more goes by way of text, number by number.
_EXACT = 22
_POWERS = np.array([float(f"1e{exponent}") for exponent in range(-_EXACT, _EXACT + 1)])


def rounded(values: Floats, stored: Literal["significant", "score"]) -> Floats:
    """Return numbers as stored: ten significant digits, or eight decimals for scores."""
    if stored == "score":
        return np.asarray(np.round(values, SCORE_DECIMALS))
    return significant(values, SIGNIFICANT_DIGITS)


def significant(values: Floats, digits: int) -> Floats:
    """Return numbers (n,) rounded to so many significant digits; missing ones stay missing.

    Each is the float nearest to its decimal number, as reading that from text gives.
    """
    size = np.abs(values)
    place = np.searchsorted(_POWERS, size, side="right") - 1 - _EXACT
    # Shifted by so many powers of ten, the digits kept stand before the point.
    shift = digits - 1 - place
    near = (np.abs(shift) <= _EXACT) & (size >= _POWERS[0]) & (size < _POWERS[-1])
    result = values.copy()
    power = _POWERS[np.abs(shift[near]) + _EXACT]
    left = shift[near] >= 0
    whole = np.rint(np.where(left, values[near] * power, values[near] / power))
    result[near] = np.where(left, whole / power, whole * power)
    far = ~near & (size > 0) & np.isfinite(values)
    result[far] = [float(f"{value:.{digits - 1}e}") for value in values[far]]
    return result
