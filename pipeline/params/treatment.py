"""Section `treatment`: who entered when, who is a comparison, which years are compared."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from pipeline.params.settings import Settings


class IndicatorEntry(Settings):
    """Take the entry year from a 0/1 column of the panel: the first year in which it is 1.

    `switches_off: refuse` stops where the indicator returns to 0; `absorbing` declares that a
    firm stays treated from its first year of support.
    """

    source: Literal["indicator"]
    column: str
    switches_off: Literal["refuse", "absorbing"]


class RegisterEntry(Settings):
    """Take the entry year from the register, one row per firm and programme.

    `programme` selects the programme that is evaluated, null where the register has one only.
    Firms that appear only under other programmes are kept, or excluded and counted.
    """

    source: Literal["register"]
    programme: str | None
    other_programmes: Literal["keep", "exclude"]


Entry = Annotated[IndicatorEntry | RegisterEntry, Field(discriminator="source")]


class Window(Settings):
    """Bound the event times that are compared, in years since entry."""

    first_event_time: int = Field(le=-1)
    last_event_time: int = Field(ge=0)


class TreatmentSection(Settings):
    """Define cohorts, the comparison group and the event window."""

    entry: Entry
    anticipation_years: int = Field(ge=0)
    comparison: Literal["never_treated", "not_yet_treated"]
    window: Window

    @model_validator(mode="after")
    def _reference_in_window(self) -> "TreatmentSection":
        if self.window.first_event_time > self.reference_event_time:
            raise ValueError(
                f"window.first_event_time must be {self.reference_event_time} or earlier: "
                "the reference year is entry - 1 - anticipation_years"
            )
        return self

    @property
    def reference_event_time(self) -> int:
        """Return the event time of the base year: -1 - anticipation."""
        return -1 - self.anticipation_years
