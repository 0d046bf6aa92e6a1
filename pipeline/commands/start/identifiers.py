"""How identifiers are to be written for a register to find its firms in the panel."""

from typing import Any

import pandas as pd

from pipeline.errors import DataError
from pipeline.panel.identifiers import LONGEST_PREFIX
from pipeline.panel.values import firm_identifier, text
from pipeline.params.identifier import AS_DELIVERED, Identifier

# From this share of the register on, those that are not found are for `clean` to tell of.
FEW_FOUND = 0.5
_LEAST_GAIN = 2.0


def guess_identifier(panel: pd.Series, register: pd.Series) -> dict[str, Any]:
    """Return the fewest settings of clean.identifier by which most of a register is in the panel.

    None where most are as delivered, or where no way of writing finds at least twice as many.
    """
    delivered = share_found(panel, register, {})
    if delivered >= FEW_FOUND:
        return {}
    try:
        settings = _every_way(panel, register)
    except DataError:  # of identifiers that lost digits, which clean refuses by row
        return {}
    best = share_found(panel, register, settings)
    if best < max(FEW_FOUND, _LEAST_GAIN * delivered):
        return {}
    for name in list(settings):
        fewer = {key: value for key, value in settings.items() if key != name}
        if share_found(panel, register, fewer) >= best:
            settings = fewer
    return settings


def share_found(panel: pd.Series, register: pd.Series, settings: dict[str, Any]) -> float:
    """Return the share of a register's firms that are in the panel, written by these settings."""
    try:
        known, asked = (set(written(ids, settings).dropna()) for ids in (panel, register))
    except DataError:  # longer than the width, once less is removed
        return 0.0
    return len(known & asked) / len(asked) if asked else 0.0


def written(ids: pd.Series, settings: dict[str, Any]) -> pd.Series:
    """Return identifiers as settings write them, missing where there are none."""
    given = text(ids)
    rule = Identifier(**settings) if settings else AS_DELIVERED
    return firm_identifier(given.dropna(), str(ids.name), rule).reindex(given.index)


def _every_way(panel: pd.Series, register: pd.Series) -> dict[str, Any]:
    """Return every setting that may make identifiers alike: prefixes, marks, letters, zeros."""
    before = [letters for ids in (panel, register) if (letters := _letters_before(ids))]
    settings: dict[str, Any] = {}
    if before:
        short = max(map(len, before)) <= LONGEST_PREFIX
        settings = (
            {"prefix": "remove"} if short else {"remove": "".join(dict.fromkeys("".join(before)))}
        )
    settings |= {"spaces": "remove", "decimals": "remove", "characters": "remove", "case": "upper"}
    longest = max(int(written(ids, settings).str.len().max()) for ids in (panel, register))
    return {**settings, "width": longest}


def _letters_before(ids: pd.Series) -> str:
    """Return the letters before the digits of identifiers, where they are the same in all."""
    before = text(ids).dropna().str.extract(r"^([A-Za-z]+)")[0].unique()
    return str(before[0]) if len(before) == 1 and isinstance(before[0], str) else ""
