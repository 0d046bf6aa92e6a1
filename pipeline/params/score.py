"""Section `score`: dated covariates, comparison pools, and propensity-score models."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from pipeline.params.settings import IntegerPair, Settings

ScoreErrors = Literal["conventional", "robust", "clustered"]

ControlsFrom = Literal["outside_treated_clusters", "all"]


# Transforms of text columns; all others are of numbers.
TEXT = ("category", "indicator")


class Covariate(Settings):
    """Define a covariate: a dated column of the panel, or a product of other covariates.

    Exactly one date, relative to entry: `at: -1` is the value one year before; `average: [-3, -1]`
    the mean over those years; `change: [-3, -1]` the last minus the first (growth, of a log);
    `trend: [-4, -1]` the least-squares slope per year. `constant: true`, in place of a date, is for
    what never changes (a sampling weight, a region): it is read in whichever year the firm has it,
    so that gaps in the panel do not lose it, and refused where it does change.
    `transform: category` keeps text as categories; `indicator` is 1 where the text is `value` and 0
    where it is another; `years_since` is the year of the date minus a column that holds years (age,
    say).
    `product_of: [age, size]` is an interaction, `product_of: [age, age]` a square; the product of
    categories is their combination.
    """

    label: str
    column: str | None = None
    transform: Literal["log", "level", "any", "years_since", "category", "indicator"] | None = None
    value: str | None = None
    at: int | None = None
    average: IntegerPair | None = None
    change: IntegerPair | None = None
    trend: IntegerPair | None = None
    constant: bool = False
    product_of: list[str] | None = Field(default=None, min_length=2)

    @model_validator(mode="after")
    def _one_definition(self) -> "Covariate":
        dates: list[object] = [
            d for d in (self.at, self.average, self.change, self.trend) if d is not None
        ]
        if self.constant:
            dates.append("constant")
        dated = [self.column, self.transform, self.value, *dates]
        if self.product_of is not None:
            if any(part is not None for part in dated):
                raise ValueError("product_of takes its columns and dates from its factors")
            return self
        if self.column is None or self.transform is None:
            raise ValueError("give column and transform, or product_of")
        if len(dates) != 1:
            raise ValueError("give exactly one of at, average, change, trend, constant")
        self._check_span()
        return self

    def _check_span(self) -> None:
        span = self.span
        if span is not None and span[0] >= span[1]:
            raise ValueError("average, change and trend go from an earlier to a later year")
        if self.trend is not None and self.trend[1] - self.trend[0] < 2:
            raise ValueError("a trend needs three years or more; two make a change")
        undated = self.at is None and not (self.constant and self.transform in TEXT)
        if self.transform in {*TEXT, "years_since"} and undated:
            raise ValueError(f"{self.transform} is dated by `at`")
        if (self.transform == "indicator") != (self.value is not None):
            raise ValueError("indicator needs value, the text that counts as 1; others have none")

    @property
    def span(self) -> tuple[int, int] | None:
        """Return first and last event time of a covariate over several years."""
        return self.average or self.change or self.trend

    @property
    def last_event_time(self) -> int:
        """Return the latest event time that the covariate uses."""
        return self.span[1] if self.span is not None else int(self.at or 0)

    @property
    def event_times(self) -> list[int]:
        """Return the event times that the covariate reads; none for a constant one."""
        if self.constant:
            return []
        if self.change is not None:
            return list(self.change)
        if self.span is not None:
            return list(range(self.span[0], self.span[1] + 1))
        return [int(self.at or 0)]


class Pool(Settings):
    """Say from where comparison firms may come."""

    controls_from: ControlsFrom


class ScoreModel(Pool):
    """Define who may be compared with whom, and on what.

    `support`, within each stack: `min_max` keeps both groups where their scores overlap;
    `comparison_maximum` drops treated firms above every comparison firm; `comparison_range` treated
    firms outside the range of comparison firms' scores; `treated_range` comparison firms outside
    that of the treated; `trim` drops the share `trim_share` of treated firms with the highest
    scores, `density` those where comparison firms' scores are least dense; `bound` drops firms of
    both groups with a probability above `score_bound`, and below `score_floor` those of
    `score_floor_of`: `both`, `comparison` firms alone, or `treated` ones.
    `refit: true` fits the score once more on the firms that the rule keeps.

    `untreated_categories`: comparison firms in a category (a sector, say) without a treated firm
    stop the fit (`refuse`), or leave the model and are counted (`leave_out`).

    `errors` of the coefficients: `conventional` of maximum likelihood, `robust` where the model is
    an approximation, by firm, `clustered` by assignment cluster. They change no score and no
    effect.
    """

    covariates: list[str] = Field(min_length=1)
    fit: Literal["per_stack", "pooled"]
    link: Literal["logit", "probit"]
    missing: Literal["drop_firm", "refuse"]
    untreated_categories: Literal["refuse", "leave_out"] = "refuse"
    errors: ScoreErrors = "conventional"
    support: Literal[
        "none",
        "min_max",
        "comparison_maximum",
        "comparison_range",
        "treated_range",
        "trim",
        "density",
        "bound",
    ]
    trim_share: float | None = Field(default=None, gt=0, lt=0.5)
    score_bound: float | None = Field(default=None, gt=0, lt=1)
    score_floor: float | None = Field(default=None, gt=0, lt=1)
    score_floor_of: Literal["both", "comparison", "treated"] | None = None
    refit: bool = False

    @model_validator(mode="after")
    def _rule_has_its_number(self) -> "ScoreModel":
        if (self.support in ("trim", "density")) != (self.trim_share is not None):
            raise ValueError("support: trim and density need trim_share, and other rules have none")
        bounded = self.score_bound is not None or self.score_floor is not None
        if (self.support == "bound") != bounded:
            raise ValueError(
                "support: bound needs score_bound, score_floor or both, and other rules have none"
            )
        if (self.score_floor is None) != (self.score_floor_of is None):
            raise ValueError(
                "score_floor and score_floor_of (both, comparison, treated) go together"
            )
        if (self.score_floor or 0) >= (self.score_bound or 1):
            raise ValueError("score_floor must be below score_bound")
        if self.refit and self.support == "none":
            raise ValueError("refit: true needs a support rule; with support: none nobody is lost")
        return self


class ScoreSection(Settings):
    """Hold covariates by name, the pool of the unmatched design, and the score models."""

    covariates: dict[Annotated[str, Field(pattern="^[a-z][a-z0-9_]*$")], Covariate]
    unmatched: Pool
    models: dict[Annotated[str, Field(pattern="^[a-z][a-z0-9_]*$")], ScoreModel]

    @model_validator(mode="after")
    def _factors_fit(self) -> "ScoreSection":
        for name, covariate in self.covariates.items():
            factors = covariate.product_of or []
            for factor in factors:
                known = self.covariates.get(factor)
                if known is None or known.transform is None:
                    raise ValueError(
                        f"covariates.{name}.product_of names {factor}, which is not a dated "
                        "covariate of this section"
                    )
            text = [f for f in factors if self.covariates[f].transform == "category"]
            if text and len(text) < len(factors):
                raise ValueError(
                    f"covariates.{name}.product_of mixes numbers with the category {text[0]}; "
                    "define transform: indicator, value: <category> for each category but one, "
                    "and give each its product"
                )
        return self

    def is_category(self, name: str) -> bool:
        """Say whether a covariate is text, or the product of texts."""
        covariate = self.covariates[name]
        factors = covariate.product_of or [name]
        return any(self.covariates[factor].transform == "category" for factor in factors)

    def dated(self, names: list[str]) -> list[Covariate]:
        """Return the dated covariates behind these names, products by their factors."""
        factors = [
            factor for name in names for factor in self.covariates[name].product_of or [name]
        ]
        return [self.covariates[factor] for factor in dict.fromkeys(factors)]

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
