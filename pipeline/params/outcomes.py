"""Section `outcomes`: what the programme was meant to change, and on which scale."""

from typing import Annotated, Literal

from pydantic import Field, PrivateAttr, RootModel, model_validator

from pipeline.params.settings import Settings

# Family of the negative controls, where params.yaml names none.
PLACEBO_FAMILY = "negative controls"

# Scales of effects that are in no unit.
LOG_SCALE = "log_points"
SHARE_SCALE = "share"
PERCENT_OF_MEAN = "percent_of_mean"

ASINH_SCALE = "asinh_points"

Transform = Literal["log", "level", "any", "proportional", "asinh", "percent_of_mean"]


class Outcome(Settings):
    """Describe one outcome: a column of PANEL, its transform, unit, label and family.

    `log` leaves zeros missing, `any` is 1 where the column is above zero, `level` changes nothing.
    `proportional` keeps the level with its zeros and asks for the effect in proportion to it (by
    Poisson; stacked estimator only).
    `asinh` keeps zeros, and negative values, on a scale on which effects depend on the unit of the
    column and are no percentage (Chen & Roth 2024, doi:10.1093/qje/qjad054); notes show how much.
    `percent_of_mean` divides the level by the mean of the headline design's comparison firms in the
    reference year, taken as fixed: effects are in percent of it.
    `post_only` says that it is first observed after entry: no change can be measured, and it is
    compared in levels, by specs with `estimator: cross_section` only.
    An outcome that is not observed keeps its place in every table, with the reason.
    `negative_control` makes it a placebo outcome and says why the programme cannot move it: it runs
    through the same specs, stands in the table of placebos only, and has a family of its own.
    `relevant` is the smallest effect that would matter, in the unit in which effects are told:
    percent for `log`, `proportional` and `percent_of_mean`, percentage points for `any`, its own
    for `level`, asinh points for `asinh`.
    An interval within it, zero included, reads "no sizeable change"; without it, "cannot tell".
    """

    label: str
    unit: str
    negative_control: str | None = Field(default=None, min_length=1)
    family: str = Field(
        default_factory=lambda data: PLACEBO_FAMILY if data.get("negative_control") else "main"
    )
    column: str | None = None
    transform: Transform | None = None
    observed: bool = True
    reason: str | None = None
    post_only: bool = False
    relevant: float | None = Field(default=None, gt=0)
    _comparison_mean: float | None = PrivateAttr(default=None)

    @model_validator(mode="after")
    def _complete(self) -> "Outcome":
        if self.observed and (self.column is None or self.transform is None):
            raise ValueError("an observed outcome needs column and transform")
        if not self.observed and not self.reason:
            raise ValueError("an outcome with observed: false needs a reason")
        if self.post_only and self.in_percent_of_mean:
            raise ValueError("percent_of_mean needs the mean before entry, which post_only lacks")
        if not self.observed and self.post_only:
            raise ValueError("post_only says when an outcome is observed, and it is not observed")
        return self

    @property
    def scale(self) -> str:
        """Return the scale of an effect: a code where it is no unit, else the outcome's unit."""
        scales = {"log": LOG_SCALE, "any": SHARE_SCALE, "proportional": LOG_SCALE}
        scales |= {"asinh": ASINH_SCALE, "percent_of_mean": PERCENT_OF_MEAN}
        return scales.get(self.transform or "", self.unit)

    @property
    def in_logs(self) -> bool:
        """Say whether an effect is in log points."""
        return self.transform in ("log", "proportional")

    @property
    def in_levels(self) -> bool:
        """Say whether an effect is in the column's unit, or tells that effect in another unit.

        In a large unit asinh of a level is the level.
        """
        return self.transform in ("level", "percent_of_mean", "asinh")

    @property
    def in_ratios(self) -> bool:
        """Say whether effects are asked for in proportion to the level, zeros among them."""
        return self.transform == "proportional"

    @property
    def in_percent_of_mean(self) -> bool:
        """Say whether effects are asked for in percent of the comparison firms' mean."""
        return self.transform == "percent_of_mean"

    @property
    def comparison_mean(self) -> float:
        """Return that mean, which is known once firms are compared."""
        assert self._comparison_mean is not None, "a study says which mean"
        return self._comparison_mean

    def relative_to(self, mean: float) -> "Outcome":
        """Return the outcome with the mean that it is told in percent of."""
        found = self.model_copy()
        found._comparison_mean = mean
        return found


OutcomeName = Annotated[str, Field(pattern="^[a-z][a-z0-9_]*$")]


class OutcomesSection(RootModel[dict[OutcomeName, Outcome]]):
    """Hold every outcome by name, in the order in which tables show them."""

    root: dict[OutcomeName, Outcome] = Field(min_length=1)

    @model_validator(mode="after")
    def _controls_apart(self) -> "OutcomesSection":
        if not self.intended:
            raise ValueError("every outcome is a negative control; declare one that is not")
        families = {outcome.family: name for name, outcome in self.intended.items()}
        for name, outcome in self.negative_controls.items():
            if outcome.family in families:
                raise ValueError(
                    f"{name} is a negative control in the family {outcome.family} of "
                    f"{families[outcome.family]}: p-values of a family are corrected together, so "
                    "give it another family, or none"
                )
        return self

    @property
    def intended(self) -> dict[str, Outcome]:
        """Return the outcomes that the programme may move."""
        return {k: o for k, o in self.root.items() if o.negative_control is None}

    @property
    def negative_controls(self) -> dict[str, Outcome]:
        """Return the placebo outcomes, which it cannot move."""
        return {k: o for k, o in self.root.items() if o.negative_control is not None}
