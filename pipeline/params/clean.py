"""Section `clean`: the rules between delivered rows and the panel, in the order in which they run.

A rule that is not named is not applied. Files lie in data/rules/<study>/: they are written by
whoever evaluates, while data/raw/<study>/ holds what others delivered.
"""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, Strict, model_validator

from pipeline.params.gaps import Absent, CoverageGaps
from pipeline.params.identifier import Identifier
from pipeline.params.nouns import LanguageCode
from pipeline.params.rule_marks import ColumnName, ColumnNames, InRules, Mark, OfKind, RulesFile
from pipeline.params.settings import Settings


class Duplicates(Settings):
    """Say what happens to a firm with several rows in a year.

    `identical` rows agree in every column. `conflicting` rows are refused, or one is kept: the
    first, the last, or that with the largest value of `by`.
    """

    identical: Literal["collapse", "refuse"]
    conflicting: Literal["refuse", "first", "last", "largest"]
    by: Annotated[ColumnName | None, OfKind("number")] = None

    @model_validator(mode="after")
    def _by_goes_with_largest(self) -> "Duplicates":
        if (self.conflicting == "largest") != (self.by is not None):
            raise ValueError("`by` names the column of conflicting: largest, and only of it")
        return self


class Links(Settings):
    """Join the history of firms whose identifier changed: columns old_id, new_id of `file`.

    Firms that merged then share years: `add_up` names the columns that are summed, others are
    those of the first row; null refuses. A firm that split (one old_id, several new_id) is
    refused, or `join` treats its parts as the one firm that they were.
    """

    file: RulesFile
    add_up: Annotated[list[ColumnName] | None, OfKind("number")]
    split: Literal["join", "refuse"]


class Recode(Settings):
    """Recode a text column through a concordance: columns from, to and, optionally, years.

    `first_year` and `last_year` bound the years in which a row applies. A code that becomes
    several is refused, or takes the `first` row. Codes that the table lacks are kept, or refused.
    """

    column: Annotated[ColumnName, OfKind("text")]
    file: RulesFile
    one_to_many: Literal["refuse", "first"]
    unknown: Literal["keep", "refuse"]


class FirstDigits(Settings):
    """Shorten the codes of a text column to their first digits: ISIC 1071 to its division, 10.

    Letters and marks are no digits, zeros in front are. `code_digits` says how many digits a code
    has: one with fewer lost zeros in front, as numbers do, and gets them back. Null takes codes as
    they are. To keep the whole code too, name its delivered column twice in data.columns.
    """

    column: Annotated[ColumnName, OfKind("text")]
    digits: int = Field(ge=1)
    code_digits: int | None = None

    @model_validator(mode="after")
    def _codes_are_longer(self) -> "FirstDigits":
        if self.code_digits is not None and self.code_digits <= self.digits:
            raise ValueError(
                f"code_digits {self.code_digits}: a code has more digits than the {self.digits} "
                "that are taken of it"
            )
        return self


class UnitFactor(Settings):
    """Multiply a column by a factor in the years in which it was delivered in another unit."""

    column: Annotated[ColumnName, OfKind("number")]
    years: list[int] = Field(min_length=1)
    factor: float = Field(gt=0)


class ScaleCheck(Settings):
    """Look for years or columns delivered in another unit.

    The median of each column may not move by one of the `factors` from one year to the next;
    nor may the median ratio of two columns of a pair, both in the same unit, be such a factor.
    `tolerance_factor` 2 means anything from half to twice the factor.
    """

    columns: Annotated[ColumnNames, OfKind("number")]
    pairs: Annotated[
        list[Annotated[tuple[ColumnName, ColumnName], Strict(False)]], OfKind("number")
    ] = Field(default=[])
    factors: list[float] = Field(min_length=1)
    tolerance_factor: float = Field(gt=1)
    action: Literal["refuse", "report"]


class Price(Settings):
    """Convert columns by the values of `file`: columns year, value and, where named, `by`.

    `index` deflates to prices of `base_year`; `inflation_percent` is yearly inflation, chained
    to an index first; `exchange_rate` divides by units of local currency per unit wanted. An
    index that moves by more than `largest_move_percent` in a year is refused: it may be inflation.
    """

    columns: Annotated[ColumnNames, OfKind("number")]
    file: RulesFile
    kind: Literal["index", "inflation_percent", "exchange_rate"]
    base_year: int | None = None
    by: Annotated[ColumnName | None, OfKind("text")] = None
    largest_move_percent: float = Field(default=60, gt=0)

    @model_validator(mode="after")
    def _base_year_goes_with_prices(self) -> "Price":
        if (self.kind == "exchange_rate") != (self.base_year is None):
            raise ValueError("base_year goes with index and inflation_percent, and only with them")
        return self


class Customs(Settings):
    """Tell zero, missing and "not in customs" apart.

    `matched` is 1 for firm-years found in the customs register. For the others `column` is left
    missing, or set to zero and counted.
    """

    column: Annotated[ColumnName, OfKind("number")]
    matched: Annotated[ColumnName, OfKind("number")]
    unmatched: Literal["missing", "zero"]


# The column of PANEL that holds the years of exit told by a flag.
EXIT_YEAR = "exit_year"


class ExitFlag(Settings):
    """Take firms for gone in the rows in which `column` has a value of `gone`: closed, say, or 1.

    Such rows are left out and counted. A firm without another row later is gone from the first of
    them on: `exit_year` of the panel, which survival reads with `known_by: flag`. Before a row in
    which the firm is back they are gaps.
    """

    column: Annotated[ColumnName, OfKind("delivered")]
    gone: list[str] = Field(min_length=1)


class Filter(Settings):
    """Keep firm-years by a text column; `label` is what the sample flow calls the step.

    Words, or words by language; without it the step is told by column and values.
    """

    column: Annotated[ColumnName, OfKind("text")]
    label: str | dict[LanguageCode, str] | None = None
    keep: list[str] | None = None
    drop: list[str] | None = None

    @model_validator(mode="after")
    def _one_list(self) -> "Filter":
        if (self.keep is None) == (self.drop is None):
            raise ValueError("give exactly one of keep, drop")
        return self


class PanelWindow(Settings):
    """Bound the panel. A balanced window and minimum post-years select on survival.

    Minimum years count observed firm-years: of treated firms before or from entry on, of
    comparison firms in the whole window, so that both face the same length.
    """

    first_year: int | None = None
    last_year: int | None = None
    balanced: bool = False
    minimum_pre_years: int = Field(default=0, ge=0)
    minimum_post_years: int = Field(default=0, ge=0)

    @property
    def selects_on_survival(self) -> bool:
        """Say whether the window looks at years after entry."""
        return self.balanced or self.minimum_post_years > 0

    @property
    def asks_for_years(self) -> bool:
        """Say whether firms leave that are not seen in so many years."""
        return self.selects_on_survival or self.minimum_pre_years > 0


class Jumps(Settings):
    """Look for values more than `factor` times above, or below, both the year before and after."""

    columns: Annotated[ColumnNames, OfKind("number")]
    factor: float = Field(gt=1)
    action: Literal["report", "set_missing", "refuse"]


class Tails(Settings):
    """Winsorise (pull to the threshold) or trim (set missing) the tails of columns.

    Percentiles are taken within groups of `by` over comparison firms and treated firms before
    entry, so that an effect cannot move them. Null leaves a tail alone.
    """

    columns: Annotated[ColumnNames, OfKind("number")]
    method: Literal["winsorise", "trim"]
    lower_percentile: float | None = Field(ge=0, lt=50)
    upper_percentile: float | None = Field(gt=50, le=100)
    by: Annotated[list[str], OfKind("text", or_year=True)]


class RegisterValues(Settings):
    """Say what holds for a firm with several rows in the register, in words and in numbers.

    `refuse` stops; `first` takes the row of the earliest entry; `join` writes all, in order of the
    alphabet; `sum` and `largest` are of numbers.
    """

    texts: Literal["refuse", "first", "join"] = "refuse"
    numbers: Literal["refuse", "first", "sum", "largest"] = "refuse"


class CleanSection(Settings):
    """Hold the rules, in order.

    `missing_as_zero` names columns whose missing values are zero (firms without exports leave them
    blank) in rows that have another size, but for years in which nobody has a value.
    `minimum_count` is the smallest count that the published data profile may show: the same number
    as `exhibit.disclosure.min_cell_firms`, since what one hides the other may not tell.
    """

    identifier: Identifier = Identifier()
    links: Links | None = None
    corrections: Annotated[str | None, InRules()] = None
    missing_codes: Annotated[dict[ColumnName, list[str]], OfKind("delivered")] = Field(default={})
    duplicates: Duplicates
    recodes: list[Recode] = Field(default=[])
    first_digits: list[FirstDigits] = Field(default=[])
    unit_factors: list[UnitFactor] = Field(default=[])
    scale_checks: list[ScaleCheck] = Field(default=[])
    prices: list[Price] = Field(default=[])
    customs: Customs | None = None
    missing_as_zero: Annotated[list[ColumnName], OfKind("number")] = Field(default=[])
    exit: ExitFlag | None = None
    absent: Absent | None = None
    filters: list[Filter] = Field(default=[])
    window: PanelWindow = PanelWindow()
    coverage: CoverageGaps | None = None
    jumps: list[Jumps] = Field(default=[])
    tails: list[Tails] = Field(default=[])
    register_values: RegisterValues = RegisterValues()
    minimum_count: int = Field(default=5, ge=1)

    @property
    def files(self) -> list[str]:
        """Return the rules files that the section names."""
        return [file for _, file, _ in self.marked(InRules)]

    def marked(self, kind: type[Mark]) -> Iterator[tuple[str, str, Mark]]:
        """Yield path, value and mark of every value of a setting that carries such a mark."""
        for path, block in self._blocks():
            for name, field in type(block).model_fields.items():
                for mark in (mark for mark in field.metadata if isinstance(mark, kind)):
                    for value in _texts(getattr(block, name)):
                        yield f"{path}{name}", value, mark

    def _blocks(self) -> Iterator[tuple[str, Settings]]:
        """Yield the section and each rule's settings with their path."""
        yield "", self
        for name in type(self).model_fields:
            value = getattr(self, name)
            if isinstance(value, Settings):
                yield f"{name}.", value
            elif isinstance(value, list):
                rules = ((i, rule) for i, rule in enumerate(value) if isinstance(rule, Settings))
                yield from ((f"{name}.{i}.", rule) for i, rule in rules)


def _texts(value: object) -> Iterator[str]:
    """Yield the texts of a setting, however it holds them; keys of a dictionary."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | tuple | dict):
        for item in value:
            yield from _texts(item)
