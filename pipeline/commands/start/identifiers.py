"""How identifiers are to be written for a register to find its firms in the panel."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from pydantic import ValidationError

from pipeline.errors import DataError
from pipeline.panel.drawn_alike import drawn_alike
from pipeline.panel.identifiers import LONGEST_PREFIX
from pipeline.panel.near_misses import ABOVE_CHANCE, LEAST_DRAWN
from pipeline.panel.values import firm_identifier, text
from pipeline.params.identifier import AS_DELIVERED, Identifier, Side

# From this share of the register on, those that are not found are for `clean` to tell of.
FEW_FOUND = 0.5
_LEAST_GAIN = 2.0
# A mark before the last character parts a check digit where most identifiers of a table have it.
_MARK_BEFORE_LAST, _MOST = r"([^\w\s])\w\s*$", 0.5


def guess_identifier(
    panel: pd.Series, register: pd.Series, earlier: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Return the fewest settings of clean.identifier by which most of a register is in the panel.

    The rule of an earlier study, where it finds most, goes first and stays whole. None where most
    are as delivered, or where no way of writing finds at least twice as many.
    """
    if earlier and share_found(panel, register, earlier) >= FEW_FOUND:
        return earlier
    delivered = share_found(panel, register, {})
    if delivered >= FEW_FOUND:
        return {}
    try:
        every = _every_way(panel, register)
    except DataError:  # of identifiers that lost digits, which clean refuses by row
        return {}
    least = max(FEW_FOUND, _LEAST_GAIN * delivered)
    for ways in ([every], _without_check_digits(panel, register, every)):
        found = [(share_found(panel, register, way), way) for way in ways]
        best, settings = max(found, key=lambda pair: pair[0], default=(0.0, {}))
        if best >= least:
            return _fewest(panel, register, settings, best)
    return {}


def _fewest(
    panel: pd.Series, register: pd.Series, settings: dict[str, Any], best: float
) -> dict[str, Any]:
    """Return the settings without those that find no further firm."""
    for name in list(settings):
        fewer = {key: value for key, value in settings.items() if key != name}
        if share_found(panel, register, fewer) >= best:
            settings = fewer
    return settings


def share_found(panel: pd.Series, register: pd.Series, settings: dict[str, Any]) -> float:
    """Return the share of a register's firms that are in the panel, written by these settings."""
    try:
        known = set(written(panel, settings).dropna())
        asked = set(written(register, settings, "register").dropna())
    except (DataError, ValidationError):  # longer than the width, or no rule without another one
        return 0.0
    return len(known & asked) / len(asked) if asked else 0.0


def written(ids: pd.Series, settings: dict[str, Any], side: Side = "panel") -> pd.Series:
    """Return identifiers of a table as settings write them, missing where there are none."""
    given = text(ids)
    rule = Identifier(**settings) if settings else AS_DELIVERED
    return firm_identifier(given.dropna(), str(ids.name), rule, side).reindex(given.index)


def _without_check_digits(
    panel: pd.Series, register: pd.Series, every: dict[str, Any]
) -> Iterator[dict[str, Any]]:
    """Yield every way of writing with each rule that drops check digits.

    A check digit counts as one where no firms of a table become one without it, and where the
    register is found five times as often as identifiers drawn from the panel's range.
    """
    forms = {key: value for key, value in every.items() if key != "width"}
    for rule in _check_digits(panel, register, every["width"]):
        try:
            width = _longest(panel, register, {**forms, **rule})
            settings = {**forms, "width": width, **rule}
            apart = _keeps_apart(panel, register, settings, forms)
        except DataError:  # a rule that leaves an identifier empty, or longer than the width
            continue
        if apart and _above_chance(panel, register, settings):
            yield settings


def _check_digits(panel: pd.Series, register: pd.Series, longest: int) -> Iterator[dict[str, Any]]:
    """Yield the rules for tables of which one has check digits: behind a mark, all, or some."""
    for ids in (panel, register):
        marks = text(ids).dropna().str.extract(_MARK_BEFORE_LAST)[0]
        if marks.notna().mean() > _MOST and marks.nunique() == 1:
            yield {"cut_at": str(marks.dropna().iloc[0])}
    yield {"drop_check_digit": "register"}
    yield {"drop_check_digit": "panel"}
    yield {"drop_check_digit": "longer", "width": max(1, longest - 1)}


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
    return {**settings, "width": _longest(panel, register, settings)}


def _both(
    panel: pd.Series, register: pd.Series, settings: dict[str, Any]
) -> tuple[pd.Series, pd.Series]:
    return written(panel, settings), written(register, settings, "register")


def _longest(panel: pd.Series, register: pd.Series, settings: dict[str, Any]) -> int:
    """Return the length of the longest identifier of either table, once written so."""
    return max(int(ids.str.len().max()) for ids in _both(panel, register, settings))


def _keeps_apart(
    panel: pd.Series, register: pd.Series, settings: dict[str, Any], forms: dict[str, Any]
) -> bool:
    """Say whether each table has as many firms by these settings as with its check digits."""
    before, after = _both(panel, register, forms), _both(panel, register, settings)
    return all(
        ids.nunique() >= whole.str.lstrip("0").nunique()
        for ids, whole in zip(after, before, strict=True)
    )


def _above_chance(panel: pd.Series, register: pd.Series, settings: dict[str, Any]) -> bool:
    """Say whether a register is found far more often than identifiers drawn from the range."""
    known = pd.Index(written(panel, settings).dropna().unique())
    drawn = drawn_alike(known, LEAST_DRAWN, np.random.default_rng(0))
    chance = float(pd.Index(drawn).isin(known).mean())
    return share_found(panel, register, settings) >= ABOVE_CHANCE * chance


def _letters_before(ids: pd.Series) -> str:
    """Return the letters before the digits of identifiers, where they are the same in all."""
    before = text(ids).dropna().str.extract(r"^([A-Za-z]+)")[0].unique()
    return str(before[0]) if len(before) == 1 and isinstance(before[0], str) else ""
