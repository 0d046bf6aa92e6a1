"""What an estimate is of: a family of effects, and where in time it stands."""

from dataclasses import dataclass, replace
from typing import Any

from pipeline.effects.families import family_traits


@dataclass(frozen=True, order=True)
class Term:
    """Name one estimated quantity by its family and its coordinates, as ESTIMATES holds them.

    `cohort` is an entry year, `year` a calendar year, `event_time` years since entry, with
    `last_event_time` the end of a range of them; None where the family has no such coordinate.
    """

    family: str
    cohort: int | None = None
    year: int | None = None
    event_time: int | None = None
    last_event_time: int | None = None

    @property
    def columns(self) -> dict[str, Any]:
        """Return the columns of ESTIMATES."""
        return {
            "term": self.family,
            "cohort": self.cohort,
            "year": self.year,
            "event_time": self.event_time,
            "last_event_time": self.last_event_time,
        }

    @property
    def is_average(self) -> bool:
        """Say whether it speaks of all entry years and of no single year."""
        return self.cohort is None and self.year is None and self.event_time is None


ATT = Term("att")
EVENT_AVERAGE = Term("event_average")


def bounds_on(effect: Term) -> tuple[Term, Term]:
    """Return the lower and the upper bound on an effect; ValueError where it may have none."""
    families = family_traits(effect.family).bounds
    if families is None:
        raise ValueError(f"{effect.family} does not declare `bounds` in effects/families.py")
    return replace(effect, family=families[0]), replace(effect, family=families[1])


def event(event_time: int, family: str = "event") -> Term:
    """Return the effect at one event time."""
    return Term(family, event_time=event_time)
