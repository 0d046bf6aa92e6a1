"""Money and counts as prose has them: three significant digits and a scale word."""

from pipeline.exhibits.render import rounding
from pipeline.exhibits.words.language import say

MILLION, BILLION = 1e6, 1e9


def short_number(value: float, digits: int = 3) -> str:
    """Return `54.7`, `9,840`, `5.66 million`, `8.9 billion`."""
    if abs(value) >= BILLION:
        return say("page.billions", n=rounding.in_significant_digits(value / BILLION, digits))
    if abs(value) >= MILLION:
        return say("page.millions", n=rounding.in_significant_digits(value / MILLION, digits))
    return rounding.in_significant_digits(value, digits)
