"""Turn numbers into text: one rule for minus signs, zeros and thousands.

Text carries a real minus sign (U+2212) and groups thousands from 1,000 on; the decimal mark and the
mark between groups are those of the report (`exhibits.words.language`). A number that rounds to
zero has no sign.
"""

import math

from pipeline.exhibits.words.language import MINUS, marked, speech

# Beyond six decimals a table is unreadable; a smaller standard error is shown as a bound.
MOST_DECIMALS = 6


def fixed(value: float, decimals: int) -> str:
    """Return `value` with `decimals` digits after the point, never `-0.000`."""
    text = f"{abs(value):,.{decimals}f}"
    negative = value < 0 and any(digit in text for digit in "123456789")
    return f"{MINUS if negative else ''}{marked(text)}"


def general(value: float) -> str:
    """Return a setting as it is written, 0.2 or 95: up to six significant digits."""
    return marked(f"{value:g}").replace("-", MINUS)


def signed(value: float) -> str:
    """Return a whole number with its sign, +1 or \u22121; zero has a plus."""
    return f"{value:+.0f}".replace("-", MINUS)


def canonical(text: str) -> str:
    """Return a printed number as programs read it: point, ASCII minus, no grouping."""
    marks = speech()
    bare = text.replace(marks.group_mark, "").replace(marks.decimal_mark, ".")
    return bare.replace(MINUS, "-")


def positive(value: float, decimals: int) -> str:
    """Return a positive quantity; one that would read 0.000 becomes the bound `<0.001`."""
    if reads_zero(value, decimals):
        return f"<{least(decimals)}"
    return fixed(value, decimals)


def reads_zero(value: float, decimals: int) -> bool:
    """Say whether a positive quantity would read 0.000."""
    return round(value, decimals) == 0


def least(decimals: int) -> str:
    """Return the least quantity that does not read 0.000: 0.001."""
    return fixed(10**-decimals, decimals)


def in_significant_digits(value: float, digits: int = 3) -> str:
    """Return `value` with `digits` significant digits, without exponents: 1.84, 23.6, 9,836."""
    if value == 0:
        return "0"
    return fixed(value, max(0, digits - 1 - _exponent(value)))


def whole(value: float) -> str:
    """Return a whole number with thousands grouped."""
    return fixed(round(value), 0)


def decimals_for(std_errors: list[float], digits: int, least: int) -> int:
    """Return the decimals of a column: its smallest standard error shows `digits` digits.

    At least `least`, at most `MOST_DECIMALS`; without a positive standard error, `least`.
    """
    positive_errors = [error for error in std_errors if error > 0]
    if not positive_errors:
        return least
    needed = digits - 1 - _exponent(min(positive_errors))
    return min(MOST_DECIMALS, max(least, needed))


def _exponent(value: float) -> int:
    return math.floor(math.log10(abs(value)))
