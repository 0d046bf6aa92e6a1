"""Section `outcomes`: what the programme was meant to change, and on which scale."""

from typing import Annotated, Literal

from pydantic import Field, RootModel, model_validator

from pipeline.params.settings import Settings

Transform = Literal["log", "level", "any", "proportional"]


class Outcome(Settings):
    """Describe one outcome: a column of PANEL, its transform, unit, label and family.

    `log` leaves zeros missing, `any` is 1 where the column is above zero, `level` changes nothing.
    `proportional` keeps the level with its zeros and asks for the effect in proportion to it (by
    Poisson; stacked estimator only).
    An outcome that is not observed keeps its place in every table, with the reason.
    """

    label: str
    unit: str
    family: str = "main"
    column: str | None = None
    transform: Transform | None = None
    observed: bool = True
    reason: str | None = None

    @model_validator(mode="after")
    def _complete(self) -> "Outcome":
        if self.observed and (self.column is None or self.transform is None):
            raise ValueError("an observed outcome needs column and transform")
        if not self.observed and not self.reason:
            raise ValueError("an outcome with observed: false needs a reason")
        return self

    @property
    def scale(self) -> str:
        """Return the scale of an effect: log points, share, or the outcome's unit."""
        scales = {"log": "log points", "any": "share", "proportional": "log points"}
        return scales.get(self.transform or "", self.unit)

    @property
    def in_logs(self) -> bool:
        """Say whether an effect is in log points."""
        return self.transform in ("log", "proportional")


OutcomeName = Annotated[str, Field(pattern="^[a-z][a-z0-9_]*$")]


class OutcomesSection(RootModel[dict[OutcomeName, Outcome]]):
    """Hold every outcome by name, in the order in which tables show them."""

    root: dict[OutcomeName, Outcome] = Field(min_length=1)
