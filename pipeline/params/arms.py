"""Block `treatment.arms`: which treatments one study compares with one clean pool."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, model_validator

from pipeline.params.settings import Settings

AmountRange = Annotated[tuple[float | None, float | None], Field(strict=False)]

_NAMED = ("programme", "component", "role")


class RegisterArm(Settings):
    """Take the firms that the register lists in some way; a row must fulfil all that is given.

    `programme`, `component` and `role` list values of the register's columns. `amount` bounds the
    support of a row, in money, above the first and up to the second number, null for no bound: a
    dose fixed at entry.
    """

    source: Literal["register"]
    programme: list[str] | None = Field(default=None, min_length=1)
    component: list[str] | None = Field(default=None, min_length=1)
    role: list[str] | None = Field(default=None, min_length=1)
    amount: AmountRange | None = None

    @model_validator(mode="after")
    def _says_something(self) -> "RegisterArm":
        if self.amount is None and not self.values:
            raise ValueError("an arm says which programme, component, role or amount it takes")
        low, high = self.amount or (None, None)
        if low is not None and high is not None and high <= low:
            raise ValueError(f"amount {low:g} to {high:g} holds nothing: write the lower end first")
        return self

    @property
    def values(self) -> dict[str, list[str]]:
        """Return the values that each named column of the register may have."""
        given = {name: getattr(self, name) for name in _NAMED}
        return {name: values for name, values in given.items() if values is not None}


class JointArm(Settings):
    """Take the firms that enter several arms in one year.

    They belong to none of these. Who enters them one after the other stays in the first until it
    enters the next: that a later entry came is known only of firms that lived to see it.
    """

    source: Literal["joint"]
    of: list[str] = Field(min_length=2)


class ExposureArm(Settings):
    """Take firms that never took part by then, from the year in which they are first exposed.

    `exposure` names a block of treatment.exposure, `classes` some of its classes by number, from 1
    in the order of params, null all.
    """

    source: Literal["exposure"]
    exposure: str
    classes: list[int] | None = Field(default=None, min_length=1)


# The one arm of a study that names none.
ONLY_ARM = "all"

Arm = Annotated[RegisterArm | JointArm | ExposureArm, Field(discriminator="source")]


class Arms(Settings):
    """Name the arms of a study, and what holds for a firm that enters several.

    `headline` is the arm of the headline and of all exhibits that show one. `several`: `refuse`
    firms that enter two arms in one year without an arm for both, or let them stay in each
    (`in_each`): arms by role beside arms by component speak of the same firms, and none is left at
    entry into another; or take them into the arm that is named first (`first_named`), as where
    firms come to be exposed in two ways at once. Arms of the register with fewer than `least_firms`
    firms, but the headline's, have no results, and the reason. `contrasts` are weighted sums of the
    arms' effects, by name: credit 1 and training -1 is their difference, both 1, credit -1 and
    training -1 what they bring together beyond what each brings alone. `triple_differences` names
    contrasts, participants 1 and an arm of exposed firms of other sectors -1, that are one: (target
    - other sectors) x (places reached - others). With each the covariate (the sector) within whose
    values each arm is compared.
    """

    headline: str
    several: Literal["refuse", "in_each", "first_named"] = "refuse"
    least_firms: int = Field(default=20, ge=1)
    named: dict[str, Arm] = Field(min_length=1)
    contrasts: dict[str, dict[str, float]] = Field(default={})
    triple_differences: dict[str, str] = Field(default={})

    @model_validator(mode="after")
    def _names_known(self) -> "Arms":
        for fault in arm_faults(self):
            raise ValueError(fault)
        return self

    def of(self, source: str) -> dict[str, Arm]:
        """Return the arms of one source, by name."""
        return {name: arm for name, arm in self.named.items() if arm.source == source}


def arm_faults(arms: Arms) -> Iterator[str]:
    """Yield one line for each arm that names what does not exist, or says what another says."""
    if arms.headline not in arms.named:
        yield f"headline: {arms.headline} is no arm; arms are {', '.join(arms.named)}"
    single = arms.of("register")
    for name, arm in arms.named.items():
        if isinstance(arm, JointArm):
            absent = [part for part in arm.of if part not in single]
            if absent or len(set(arm.of)) < len(arm.of):
                yield (
                    f"named.{name}.of: write each once and only arms of the register, "
                    f"{', '.join(single) or 'of which there is none'}"
                )
    for name, weights in arms.contrasts.items():
        if absent := [arm for arm in weights if arm not in arms.named]:
            known = ", ".join(arms.named)
            yield f"contrasts.{name}: {', '.join(absent)} is no arm; arms are {known}"
        if sum(weight != 0 for weight in weights.values()) < 2:
            yield f"contrasts.{name}: a contrast weighs two arms or more, none of them by 0"
    for name in arms.triple_differences:
        yield from _triple_faults(arms, name)
    told: dict[str, str] = {}
    for name, arm in arms.named.items():
        said = arm.model_dump_json()
        if said in told:
            yield f"named.{name}: says what {told[said]} says; two arms must differ"
        told[said] = name


def _triple_faults(arms: Arms, name: str) -> Iterator[str]:
    """Yield why a contrast is no triple difference: not participants less exposed firms."""
    path = f"triple_differences.{name}"
    if name not in arms.contrasts:
        known = ", ".join(arms.contrasts) or "none"
        yield f"{path} is no contrast; contrasts are {known}"
        return
    by_weight = {weight: arms.named.get(arm) for arm, weight in arms.contrasts[name].items()}
    less = by_weight.get(-1)
    if set(by_weight) != {1, -1} or len(arms.contrasts[name]) != 2:
        yield f"{path}: weigh the arm of the target sector by 1 and that of other sectors by -1"
    elif isinstance(by_weight[1], ExposureArm) or not isinstance(less, ExposureArm):
        yield (
            f"{path}: the arm weighed by 1 is one of participants, and that by -1 one of firms of "
            "other sectors in places where some take part (source: exposure)"
        )
