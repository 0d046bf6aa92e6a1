"""Families of terms: what the pipeline must know of each that an estimator or analysis gives.

A family that is not here is an error where a row is made of it, never a silent default.
"""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Family:
    """Hold what the pipeline must know of one family of terms.

    `banded` says whether it has a simultaneous band of its own. `overall` says whether it is an
    average over all entry years and event times, of which detectable effects are told. `stands_in`
    is the family of the row that stands for its terms, where none can be estimated. `bounds` are
    the families of the lower and the upper bound on it (None: it has none).
    """

    banded: bool
    overall: bool
    stands_in: str
    bounds: tuple[str, str] | None


def _plain(name: str) -> Family:
    """Return a family of which only rows are wanted."""
    return Family(banded=False, overall=False, stands_in=name, bounds=None)


def _in_time(name: str) -> Family:
    """Return a family of effects by event time, entry year or year, of which an average is told."""
    return Family(banded=True, overall=False, stands_in=f"{name}_average", bounds=None)


def _bounded(name: str, *, overall: bool) -> dict[str, Family]:
    """Return a family that may have bounds, and those of its bounds."""
    bounds = (f"{name}_lower", f"{name}_upper")
    own = Family(banded=False, overall=overall, stands_in=name, bounds=bounds)
    return {name: own, **{bound: _plain(bound) for bound in bounds}}


FAMILIES: dict[str, Family] = {
    **_bounded("att", overall=True),
    "event": Family(banded=True, overall=False, stands_in="event_average", bounds=None),
    "event_average": Family(banded=False, overall=True, stands_in="event_average", bounds=None),
    "att_gt": Family(banded=True, overall=False, stands_in="att_gt", bounds=None),
    **{name: _in_time(name) for name in ("event_balanced", "cohort", "year")},
    **{
        name: _plain(name)
        for name in (
            "event_balanced_average",
            "cohort_average",
            "year_average",
            "simple",
            "event_bin",
            "event_or_earlier",
            "event_or_later",
            "anticipation",
        )
    },
    # Analyses: survivors bounded; levels and their parts, on other scales too; weights by size.
    **_bounded("lee", overall=False),
    **_bounded("manski", overall=False),
    **{
        name: _plain(name)
        for name in (
            "level",
            "firms_above_zero",
            "level_per_firm",
            "asinh",
            "log1p",
            "att_by",
            "total",
        )
    },
}


def family_traits(name: str) -> Family:
    """Return the traits of a family of terms; raise ValueError where it has none."""
    if name not in FAMILIES:
        raise ValueError(
            f"{name} is not a family of terms: {', '.join(FAMILIES)}; add it to effects/families.py"
        )
    return FAMILIES[name]


def families_that(holds: Callable[[Family], bool]) -> tuple[str, ...]:
    """Return the names of families with a trait, in order."""
    return tuple(name for name, family in FAMILIES.items() if holds(family))
