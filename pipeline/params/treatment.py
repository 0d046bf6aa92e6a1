"""Section `treatment`: who entered when, who is a comparison, which years are compared."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from pipeline.errors import ParamsError
from pipeline.params.arms import ONLY_ARM, Arms, ExposureArm
from pipeline.params.exposure import Exposures
from pipeline.params.pools import Pools, undeclared_exposures
from pipeline.params.settings import Settings, nearest_known

# What effects are of where some firms are exposed to the participation of others.
TOTAL_ON_TREATED, SPILL = "total_on_treated", "spill"


class IndicatorEntry(Settings):
    """Take the entry year from a 0/1 column of the panel: the first year in which it is 1.

    `switches_off: refuse` stops where the indicator returns to 0; `absorbing` declares that a
    firm stays treated from its first year of support.
    """

    source: Literal["indicator"]
    column: str
    switches_off: Literal["refuse", "absorbing"]


class EntryYearEntry(Settings):
    """Take the entry year from a number column of the panel, the same in all rows of a firm.

    A firm that never enters has no value, or one of the codes in `never` (0, 9999).
    """

    source: Literal["entry_year"]
    column: str
    never: list[float] = Field(default=[])


class GroupEntry(Settings):
    """Take one entry year for all firms whose text column is `treated`: one adoption date."""

    source: Literal["group"]
    column: str
    treated: str
    entry_year: int


class RegisterEntry(Settings):
    """Take the entry year from the register, one row per firm and programme.

    `programme` selects the programme that is evaluated, null counts the first entry into any.
    `other_programmes`: keep firms as they are; `exclude` firms that are only in others, or
    `exclude_all` in others at all; `covariate` adds the PANEL column other_programme, 1 from
    entry into another programme on. `dated_by` picks one of data.register_columns.dates (approval,
    disbursement, first activity), null the column entry_year. An entry in `late_entry_month` or
    later counts from the next year. `accepted` lists decisions that count as entry, and `never`
    codes in the place of a date (0, 9999, nunca) of firms that never entered.
    `switches_off` says whether firms that leave are refused or stay treated.
    """

    source: Literal["register"]
    programme: str | None
    other_programmes: Literal["keep", "exclude", "exclude_all", "covariate"]
    dated_by: str | None = None
    late_entry_month: int | None = Field(default=None, ge=1, le=12)
    accepted: list[str] | None = None
    never: list[float | str] = Field(default=[])
    switches_off: Literal["refuse", "absorbing"] = "refuse"


Entry = Annotated[
    IndicatorEntry | EntryYearEntry | GroupEntry | RegisterEntry, Field(discriminator="source")
]


class Window(Settings):
    """Bound the event times that are compared, in years since entry."""

    first_event_time: int = Field(le=-1)
    last_event_time: int = Field(ge=0)


class TreatmentSection(Settings):
    """Define cohorts, the comparison group and the event window.

    `leave_out_entry_years` lists entry years that no design can use (too few entrants, say): their
    firms leave the sample with a step of their own, and still count as treated neighbours.
    `assignment: random` declares that support was given out by lot, which allows ANCOVA.
    `unfound` says in words why beneficiaries of the register are not in the panel, beside effects;
    it must be given where more than 20 percent are not. `arms` are treatments that are compared
    each with firms in none of them. `exposure` says by what firms that do not take part are exposed
    to those who do; whoever is exposed in some way is no comparison firm. `pools` are other firms
    to compare the headline's arm with, each beside that clean pool.
    """

    entry: Entry
    anticipation_years: int = Field(ge=0)
    comparison: Literal["never_treated", "not_yet_treated"]
    window: Window
    leave_out_entry_years: list[int] = Field(default=[])
    assignment: Literal["random"] | None = None
    unfound: str | None = Field(default=None, min_length=1)
    arms: Arms | None = None
    exposure: Exposures = Field(default={})
    pools: Pools = Field(default={})

    @model_validator(mode="after")
    def _reference_in_window(self) -> "TreatmentSection":
        if self.window.first_event_time > self.reference_event_time:
            raise ValueError(
                f"window.first_event_time must be {self.reference_event_time} or earlier: "
                "the reference year is entry - 1 - anticipation_years"
            )
        return self

    @model_validator(mode="after")
    def _unfound_goes_with_register(self) -> "TreatmentSection":
        if self.unfound is not None and not isinstance(self.entry, RegisterEntry):
            raise ValueError("unfound goes with entry.source: register, and only with it")
        return self

    @model_validator(mode="after")
    def _arms_of_a_register(self) -> "TreatmentSection":
        if self.arms is not None and not isinstance(self.entry, RegisterEntry):
            raise ValueError("arms go with entry.source: register, which says who took which part")
        return self

    @model_validator(mode="after")
    def _exposures_known(self) -> "TreatmentSection":
        for name, arm in ({} if self.arms is None else self.arms.named).items():
            if not isinstance(arm, ExposureArm):
                continue
            if arm.exposure not in self.exposure:
                known = ", ".join(self.exposure) or "none"
                raise ValueError(
                    f"arms.named.{name}.exposure is {arm.exposure}; treatment.exposure has {known}"
                )
            last = len(self.exposure[arm.exposure].classes)
            if arm.classes is not None and not set(arm.classes) <= set(range(1, last + 1)):
                raise ValueError(
                    f"arms.named.{name}.classes: {arm.exposure} has the classes 1 to {last}"
                )
        return self

    @model_validator(mode="after")
    def _pools_known(self) -> "TreatmentSection":
        for fault in undeclared_exposures(self.pools, self.exposure):
            raise ValueError(fault)
        return self

    @property
    def arm_folders(self) -> dict[str, str]:
        """Return the subfolder that each arm's tables are in, by name.

        The headline's arm, as the one of a study that names none, stands where tables of a study
        are, so that whatever shows one arm finds it there.
        """
        if self.arms is None:
            return {ONLY_ARM: ""}
        return {name: "" if name == self.arms.headline else name for name in self.arms.named}

    def estimand_of(self, arm: str) -> str | None:
        """Return what the effects of an arm are of, where the study asks who is exposed.

        With comparison firms out of reach the effect on participants is a total one, of their own
        participation and of that of others; that on the exposed is spillover. None without arms or
        exposure, where effects are on the treated and of them alone.
        """
        if self.arms is None or not self.exposure:
            return None
        is_exposed = isinstance(self.arms.named.get(arm), ExposureArm)
        return SPILL if is_exposed else TOTAL_ON_TREATED

    @property
    def headline_arm(self) -> str:
        """Return the arm of the headline, which is the one of a study that names none."""
        return ONLY_ARM if self.arms is None else self.arms.headline

    def one_arm(self, name: str | None) -> str:
        """Return an arm by name, the headline's without one; ParamsError where there is none."""
        if name is None:
            return self.headline_arm
        known = [] if self.arms is None else list(self.arms.named)
        if name not in known:
            told = ", ".join(known) or "none: treatment.arms names them"
            raise ParamsError(f"{name} is no arm{nearest_known(name, known)}; the study has {told}")
        return name

    @property
    def reference_event_time(self) -> int:
        """Return the event time of the base year: -1 - anticipation."""
        return -1 - self.anticipation_years
