"""Why a column of the panel is not used."""

import pandas as pd

from pipeline.commands.start.numbers import is_number
from pipeline.commands.start.roles import OUTCOMES, role_of

NAMES_SOMEBODY = "names somebody"
_MOST_MISSING = 0.2


def left_out(
    names: list[str], standard: dict[str, str], decided: dict[str, str], table: pd.DataFrame
) -> dict[str, str]:
    """Return the reason of each column without a standard name, `decided` ones' own first."""
    found = {}
    for name in names:
        if name in standard:
            continue
        if name in decided:
            found[name] = decided[name]
        elif role_of(name) == "person":
            found[name] = NAMES_SOMEBODY
        elif table[name].isna().mean() > _MOST_MISSING:
            found[name] = f"{table[name].isna().mean():.0%} missing"
        else:
            found[name] = _why_idle(table, name)
    return found


def _why_idle(table: pd.DataFrame, name: str) -> str:
    """Say why a column is not used that nothing keeps from it; one that names a size says more."""
    if (role := role_of(name)) not in OUTCOMES:
        return "not needed"
    if not is_number(table, name):
        return f"{role} by its name, but its cells are no numbers"
    return f"{role} by its name; another column is taken"
