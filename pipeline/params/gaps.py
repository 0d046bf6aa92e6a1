"""Settings of section `clean` on what a delivery lacks: absent firms, years delivered in part."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from pipeline.params.rule_marks import ColumnName, ColumnNames, OfKind
from pipeline.params.settings import Settings


class Absent(Settings):
    """Say which rows are of firms that are not there (closed, not asked), and what becomes of them.

    `flag` is a column that says so by one of `flag_values`; `flagged` rows are left out, or their
    `columns` set missing. `all_zero` is of rows with zero in each of `columns` (null: in every
    size), of firms that had more before or nothing yet; `keep` declares that these zeros are
    values. Null counts them, and stops where those of firms that had more before are more than one
    percent.
    """

    flag: Annotated[ColumnName | None, OfKind("delivered")] = None
    flag_values: list[str] = Field(default=[])
    flagged: Literal["drop_rows", "set_missing"] | None = None
    all_zero: Literal["drop_rows", "set_missing", "keep"] | None = None
    columns: Annotated[ColumnNames | None, OfKind("number")] = None

    @model_validator(mode="after")
    def _complete(self) -> "Absent":
        if len({self.flag is None, not self.flag_values, self.flagged is None}) > 1:
            raise ValueError("flag, flag_values and flagged go together")
        if "set_missing" in (self.all_zero, self.flagged) and self.columns is None:
            raise ValueError("set_missing needs columns: those that are emptied")
        return self


Gap = Literal["half_year", "missing_year", "missing_group"]


class CoverageGaps(Settings):
    """Declare gaps of the delivery that the evaluation knows of.

    `leave_out_years` takes years out of the panel, such as one that was delivered in part.
    `accept` goes on where `clean` would stop, and says so: at a year inside the window with fewer
    than half of the firms of the years around it, at an outcome or covariate that no firm has in a
    year, or that no treated or no comparison firm has at all.
    """

    leave_out_years: list[int] = Field(default=[])
    accept: list[Gap] = Field(default=[])
