"""Section `score`: dated covariates, comparison pools, and propensity-score models."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from pipeline.params.settings import Settings

ControlsFrom = Literal["outside_treated_clusters", "all"]


class Covariate(Settings):
    """Define a covariate dated relative to entry; exactly one of `at`, `average`, `change`.

    `at: -1` is the value one year before entry; `average: [-3, -1]` the mean over those years;
    `change: [-3, -1]` the last minus the first. `transform: category` keeps text as categories;
    `years_since` is the year of the date minus a column that holds years (age, say).
    """

    label: str
    column: str
    transform: Literal["log", "level", "any", "years_since", "category"]
    at: int | None = None
    average: tuple[int, int] | None = None
    change: tuple[int, int] | None = None

    @model_validator(mode="after")
    def _one_date(self) -> "Covariate":
        if sum(date is not None for date in (self.at, self.average, self.change)) != 1:
            raise ValueError("give exactly one of at, average, change")
        span = self.average or self.change
        if span is not None and span[0] >= span[1]:
            raise ValueError("average and change go from an earlier to a later year")
        if self.transform in {"category", "years_since"} and self.at is None:
            raise ValueError(f"{self.transform} is dated by `at`")
        return self

    @property
    def last_event_time(self) -> int:
        """Return the latest event time that the covariate uses."""
        span = self.average or self.change
        return span[1] if span is not None else int(self.at or 0)

    @property
    def event_times(self) -> list[int]:
        """Return the event times that the covariate reads."""
        if self.change is not None:
            return list(self.change)
        if self.average is not None:
            return list(range(self.average[0], self.average[1] + 1))
        return [int(self.at or 0)]


class Pool(Settings):
    """Say from where comparison firms may come."""

    controls_from: ControlsFrom


class ScoreModel(Pool):
    """Define who may be compared with whom, and on what."""

    covariates: list[str] = Field(min_length=1)
    fit: Literal["per_stack", "pooled"]
    link: Literal["logit", "probit"]
    missing: Literal["drop_firm", "refuse"]
    support: Literal["none", "min_max", "comparison_maximum"]


class ScoreSection(Settings):
    """Hold covariates by name, the pool of the unmatched design, and the score models."""

    covariates: dict[Annotated[str, Field(pattern="^[a-z][a-z0-9_]*$")], Covariate]
    unmatched: Pool
    models: dict[Annotated[str, Field(pattern="^[a-z][a-z0-9_]*$")], ScoreModel]

    @model_validator(mode="after")
    def _names_exist(self) -> "ScoreSection":
        if "unmatched" in self.models:
            raise ValueError("`unmatched` is the design without a score; name the model otherwise")
        reserved = {"stack", "firm_id", "propensity_score"} & set(self.covariates)
        if reserved:
            raise ValueError(f"covariates may not be called {', '.join(sorted(reserved))}")
        for name, model in self.models.items():
            if len(set(model.covariates)) < len(model.covariates):
                raise ValueError(f"models.{name}.covariates names a covariate twice")
            unknown = [c for c in model.covariates if c not in self.covariates]
            if unknown:
                raise ValueError(
                    f"models.{name}.covariates names {', '.join(unknown)}, "
                    f"which score.covariates does not define"
                )
        return self
