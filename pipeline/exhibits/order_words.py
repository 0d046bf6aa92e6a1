"""Say in words what average effects owe to the order of greedy matching and to ties."""

import math

from pipeline.exhibits import rounding
from pipeline.exhibits.inputs import StudyResults


def order_words(results: StudyResults, design: str) -> str:
    """Say what the effects owe to who chose first and to ties; nothing where nobody takes turns."""
    settings = results.settings
    parts = []
    for name in settings.outcomes.root:
        low, high, reverse = (
            results.fact(design, name, f"att_{fact}")
            for fact in ("order_low", "order_high", "rows_reversed")
        )
        if not math.isnan(low):
            shown = [rounding.fixed(value, settings.exhibit.decimals) for value in (low, high)]
            ties = rounding.fixed(reverse, settings.exhibit.decimals)
            label = settings.outcome(name).label
            parts.append(f"{label} {shown[0]} to {shown[1]} ({ties})")
    if not parts:
        return ""
    return (
        "Average effects over 50 random orders of rows and of who chooses, in brackets with the "
        f"declared order and rows reversed, which only ties feel: {'; '.join(parts)}."
    )
