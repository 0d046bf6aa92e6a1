"""Section `exhibit`: titles, panels and rounding; nothing here changes an estimate."""

from typing import Annotated, Any, Literal, get_args

from pydantic import Discriminator, Field, Tag, field_validator, model_validator

from pipeline.params.nouns import LanguageCode, one_of
from pipeline.params.settings import Settings

TableName = Literal[
    "main_effects",
    "variants",
    "checks",
    "estimators",
    "dynamic_effects",
    "inference",
    "detectable_effects",
    "placebos",
    "twoway_weights",
    "balance",
    "balance_summary",
    "matching_choices",
    "score",
    "cohorts",
    "sample_flow",
    "summary_statistics",
    "missingness",
    "issues",
    "support",
    "group_time",
    "export_margins",
    "survival",
    "heterogeneity",
    "size_weighted",
    "recovery",
    "settings",
    "arms",
    "arm_contrasts",
    "exposed",
    "arm_flow",
    "pools",
]

# What a study shows that names no tables, in the order of a report.
DEFAULT_TABLES: tuple[TableName, ...] = (
    "sample_flow",
    "cohorts",
    "missingness",
    "balance",
    "main_effects",
    "dynamic_effects",
    "heterogeneity",
    "variants",
    "checks",
)

# What a study with arms shows besides.
ARM_TABLES: tuple[TableName, ...] = ("arms", "arm_contrasts", "exposed", "arm_flow")

# What a study with pools shows besides.
POOL_TABLES: tuple[TableName, ...] = ("pools",)
FigureName = Literal[
    "outcome_paths",
    "event_study",
    "love_plot",
    "overlap",
    "sample_flow",
    "cohorts",
    "choices",
    "forest",
    "att_gt",
    "pre_trend_power",
    "coverage",
    "arms",
    "pools",
]


Mark = Literal[".", ",", " ", "\u202f", "'"]

# Marks of a language where params.yaml names none: decimal, between groups of digits.
_MARKS: dict[LanguageCode, tuple[Mark, Mark]] = {
    "en": (".", ","),
    "es": (",", "."),
    "pt": (",", "."),
}


# Outcomes that the page shows side by side.
MOST_CARDS = 3


# Words for the period of which the languages know all forms.
PeriodName = Literal[
    "year", "half_year", "quarter", "month", "week", "wave", "round", "season"
]  # fmt: skip

# The two indefinite articles of a language, by which own words for the period are told apart.
ARTICLES: dict[LanguageCode, tuple[str, str]] = {
    "en": ("a", "an"),
    "es": ("un", "una"),
    "pt": ("um", "uma"),
}


class PeriodWord(Settings):
    """Give the forms of a word for the period that the languages do not know: una campaña."""

    one: str = Field(min_length=1)
    many: str = Field(min_length=1)
    article: str = Field(description="a or an, un or una, um or uma: which of them it takes")


def _kind_of_period(value: Any) -> str:
    return "name" if isinstance(value, str) else "forms"


class PanelSection(Settings):
    """Name one panel of the main table: a design under one estimation spec."""

    design: str
    spec: str
    label: str


class Disclosure(Settings):
    """Say what is too little to publish.

    Counts of one to `min_cell_firms - 1` firms and statistics that rest on, or tell of, so few are
    not shown; nor is a mean of magnitudes of which one firm is more than `dominance_percent`.
    """

    min_cell_firms: int = Field(default=5, ge=1)
    dominance_percent: float = Field(default=50, gt=0, le=100)


class ExhibitSection(Settings):
    """Say what readers see: names, source line, panels in order, rounding.

    `cards` are the outcomes, three at most, that the page shows first; without it the first three
    that have an effect. `tables` and `figures` choose and order the exhibits; without them a study
    has DEFAULT_TABLES, with arms ARM_TABLES, with pools POOL_TABLES too, and every figure. One
    whose inputs a study does not have (a known truth, a score) is left out. `language` is that of
    everything the pipeline writes, labels excepted: they are the user's. Marks are apart from it:
    Mexico writes Spanish with a decimal point.
    """

    title: str
    programme: str
    firms: str = Field(description="what units are called in prose: firms, plants")
    cluster: str = Field(description="what an assignment cluster is: plant, municipality x sector")
    period: Annotated[
        Annotated[PeriodName, Tag("name")] | Annotated[PeriodWord, Tag("forms")],
        Discriminator(_kind_of_period),
    ] = Field(default="year", description="what a column `year` counts, as readers call it: wave")
    source: str
    panels: list[PanelSection] = Field(min_length=1)
    design_labels: dict[str, str]
    arm_labels: dict[str, str] = Field(
        default={}, description="what arms and contrasts of arms are called; absent, by their names"
    )
    decimals: int = Field(default=0, ge=0, le=6, description="least decimals of effects")
    stars: bool
    language: LanguageCode = "en"
    decimal_mark: Mark = Field(default_factory=lambda data: _MARKS[data.get("language", "en")][0])
    group_mark: Mark = Field(default_factory=lambda data: _MARKS[data.get("language", "en")][1])
    firm: str = Field(
        default_factory=lambda data: one_of(data.get("firms", ""), data.get("language", "en")),
        description="what one of them is called; where absent the word known for it, else a unit",
    )
    notes: Literal["short", "full"] = Field(
        default="short", description="short: conventions stand once, in methods.tex; full: in notes"
    )
    quote: list[str] = Field(
        default=[],
        description="keys of numbers_all.json that numbers.json and numbers.tex have too",
    )
    cards: list[str] = Field(default=[], max_length=MOST_CARDS)
    tables: list[TableName] = Field(default=list(DEFAULT_TABLES))
    figures: list[FigureName] = Field(default=list(get_args(FigureName)))
    disclosure: Disclosure = Disclosure()

    @field_validator("period", mode="before")
    @classmethod
    def _forms_are_known(cls, period: Any) -> Any:
        known = get_args(PeriodName)
        if isinstance(period, str) and period not in known:
            raise ValueError(
                f"its forms are not known, as those of {', '.join(known)} are; give them, "
                f"period: {{one: {period}, many: ..., article: ...}}"
            )
        return period

    @model_validator(mode="after")
    def _article_is_of_the_language(self) -> "ExhibitSection":
        articles = ARTICLES[self.language]
        if isinstance(self.period, PeriodWord) and self.period.article not in articles:
            raise ValueError(
                f"period.article is {self.period.article}: with language {self.language} it is "
                f"{' or '.join(articles)}"
            )
        return self

    @model_validator(mode="after")
    def _different_marks(self) -> "ExhibitSection":
        if self.decimal_mark == self.group_mark:
            raise ValueError("decimal_mark and group_mark are the same")
        return self
