"""Rows of a results table before and after, by their key: which figures moved, and how much."""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from pipeline.commands.audit.comparison import same_number
from pipeline.datasets.arms import ARM_CONTRASTS, CONTRAST
from pipeline.datasets.pools import POOLS
from pipeline.datasets.results import ESTIMATES, TERM
from pipeline.datasets.store import Dataset
from pipeline.effects.terms import Term
from pipeline.exhibits.numbers import term_key
from pipeline.params.arms import ONLY_ARM
from pipeline.params.inference_methods import primary_methods

# Coordinates are part of a term's name: `event[-2]`.
_COORDINATES = TERM[1:]
# Values of a table's key: text, integers where the term stands in time, None where one is missing.
_Key = tuple[Any, ...]


@dataclass(frozen=True)
class Estimate:
    """Hold what one revision says of one effect; NaN where it says nothing."""

    estimate: float = math.nan
    std_error: float = math.nan
    p_value: float = math.nan
    conf_level: float = math.nan

    @property
    def significant(self) -> bool:
        """Say whether zero lies outside the interval."""
        return self.p_value < 1 - self.conf_level


@dataclass(frozen=True)
class Moved:
    """Hold one effect before and after; `place` is its key in ESTIMATES, `name` its words."""

    place: dict[str, Any]
    name: str
    before: Estimate
    after: Estimate
    headline: bool = False

    @property
    def change(self) -> float:
        """Return after less before, in the units of the effect."""
        return self.after.estimate - self.before.estimate

    @property
    def change_in_errors(self) -> float:
        """Return the change in standard errors of the estimate before."""
        return self.change / self.before.std_error if self.before.std_error > 0 else math.nan

    @property
    def _same_interval(self) -> bool:
        one, two = self.before, self.after
        pairs = ((one.std_error, two.std_error), (one.p_value, two.p_value))
        return all(same_number(a, b) or (math.isnan(a) and math.isnan(b)) for a, b in pairs)

    @property
    def marks(self) -> list[str]:
        """Return what a reader must not overlook: another sign, a threshold, the interval alone."""
        if math.isnan(self.before.estimate) or math.isnan(self.after.estimate):
            return ["no longer estimated" if math.isnan(self.after.estimate) else "new"]
        if same_number(self.before.estimate, self.after.estimate):
            return [] if self._same_interval else ["interval only"]
        marks = ["sign flips"] if self.before.estimate * self.after.estimate < 0 else []
        if self.before.significant != self.after.significant:
            level = f"{100 * (1 - self.after.conf_level):.3g} percent"
            verb = "becomes" if self.after.significant else "is no longer"
            marks.append(f"{verb} significant at {level}")
        return marks


@dataclass(frozen=True)
class Compared:
    """Say of a results table which parts of its key are named only where unlike most rows'.

    `usual` holds what most rows have; rows with anything else in `of_all` are no headline.
    """

    table: Dataset
    usual: Mapping[str, str] = field(default_factory=dict)
    of_all: frozenset[str] = frozenset()

    @property
    def figures(self) -> list[str]:
        """Return the columns that are compared."""
        known = (*self.table.key, *_COORDINATES)
        columns = self.table.columns.items()
        kinds = ("number", "integer")
        return [name for name, column in columns if column.kind in kinds and name not in known]


EFFECTS = Compared(
    ESTIMATES,
    {
        "arm": ONLY_ARM,
        "sample": "all",
        "grouping": "all",
        "subgroup": "all",
        "inference": "analytic",
        "band": "pointwise",
    },
    frozenset({"sample", "grouping", "subgroup", "band"}),
)
BETWEEN_ARMS = Compared(ARM_CONTRASTS, {"estimand": CONTRAST})
UNDER_POOLS = Compared(POOLS)


@dataclass(frozen=True)
class HeadlineRows:
    """Hold design, estimator and term of a study's headline, empty where it has none.

    The outcomes `placebos` are no headlines; `conf_level` is that of intervals whose table does not
    say.
    """

    place: dict[str, str] = field(default_factory=dict)
    placebos: Collection[str] = ()
    conf_level: float = math.nan


def moved_rows(
    before: pd.DataFrame, after: pd.DataFrame, quoted: HeadlineRows, compared: Compared = EFFECTS
) -> list[Moved]:
    """Return the rows with any figure that moved, headline effects, of every arm, first.

    Rows are joined by the table's key, in the order of the table after; rows that only one side has
    are among the moved.
    """
    old, new = _by_key(before, compared), _by_key(after, compared)
    moved = []
    for key in [*new, *(key for key in old if key not in new)]:
        one, two = old.get(key, {}), new.get(key, {})
        if not _same(one, two, compared.figures):
            moved.append(_moved(key, one, two, quoted, compared=compared))
    return sorted(moved, key=lambda row: not row.headline)


def count_estimates(before: pd.DataFrame, after: pd.DataFrame) -> int:
    """Return how many rows of ESTIMATES have a standard error before or after."""
    old, new = _by_key(before, EFFECTS), _by_key(after, EFFECTS)
    return sum(
        any(not math.isnan(side.get(key, {}).get("std_error", math.nan)) for side in (old, new))
        for key in old | new
    )


def _by_key(table: pd.DataFrame, compared: Compared) -> dict[_Key, dict[str, float]]:
    """Return the figures of each row by its key; the reference period has none and is left out.

    A table that an earlier version wrote with another key has no rows to compare.
    """
    key = compared.table.key
    if not {*key, "reason"} <= set(table.columns):
        return {}
    kept = table[table["reason"].ne("reference_period").fillna(True)]
    figures = kept.reindex(columns=compared.figures).to_dict("records")
    keys = kept[list(key)].to_dict("records")
    return {
        tuple(_part(str(name), value) for name, value in key.items()): {
            str(k): float(v) for k, v in row.items()
        }
        for key, row in zip(keys, figures, strict=True)
    }


def _part(name: str, value: Any) -> str | int | None:
    if pd.isna(value):
        return None
    return int(value) if name in _COORDINATES else str(value)


def _same(one: dict[str, float], two: dict[str, float], figures: list[str]) -> bool:
    """Say whether all figures agree; what neither side could estimate has not moved."""
    if math.isnan(one.get("estimate", math.nan)) and math.isnan(two.get("estimate", math.nan)):
        return True
    if not one or not two:
        return False
    return all(
        same_number(one[name], two[name]) or (math.isnan(one[name]) and math.isnan(two[name]))
        for name in figures
    )


def _moved(
    key: _Key,
    one: dict[str, float],
    two: dict[str, float],
    quoted: HeadlineRows,
    *,
    compared: Compared,
) -> Moved:
    place = dict(zip(compared.table.key, key, strict=True))
    shown = [_named(place, name, compared.usual) for name in place if name not in _COORDINATES]
    return Moved(
        place=place,
        name=" ".join(word for word in shown if word),
        before=_estimate(one, quoted.conf_level),
        after=_estimate(two, quoted.conf_level),
        headline=_is_headline(place, quoted, compared),
    )


def _is_headline(place: dict[str, Any], quoted: HeadlineRows, compared: Compared) -> bool:
    """Say whether a row is of the headline's design, spec and term, on all firms."""
    if not quoted.place or place["outcome"] in quoted.placebos:
        return False
    method = place.get("inference")
    usual = method is None or method in primary_methods()
    usual &= all(place[name] == compared.usual[name] for name in compared.of_all)
    asked = {name: value for name, value in quoted.place.items() if name in place}
    return usual and asked.items() <= place.items()


def _named(place: dict[str, Any], name: str, usual: Mapping[str, str]) -> str:
    """Return what a part of the key is called; empty where it is what most rows have."""
    if name == "term":
        return term_key(Term(place["term"], *(place.get(n) for n in _COORDINATES)))
    value = place[name]
    return "" if value is None or usual.get(name) == value else str(value)


def _estimate(row: dict[str, float], conf_level: float) -> Estimate:
    known = {"conf_level": conf_level} | row
    return Estimate(**{name: known[name] for name in Estimate.__annotations__ if name in known})
