"""How delivered files, and the years in them, are written."""

import codecs
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from pipeline.params.settings import Settings

# The form of dates that are numbers of days, as spreadsheets hold them: 40179 is 2010-01-01.
SERIAL = "serial"


def _with_year(date_format: str) -> str:
    if date_format != SERIAL and not ("%Y" in date_format or "%y" in date_format):
        raise ValueError(
            f"a form of dates holds %Y or %y ('%d/%m/%Y' is 31/10/2009), or is {SERIAL} (40179)"
        )
    return date_format


DateFormat = Annotated[str, AfterValidator(_with_year)]
FirstYear = Annotated[int, Field(ge=1800, le=2100)]


@dataclass(frozen=True)
class YearsWritten:
    """Say how the years of a table are written; `section` is where params say it."""

    date_format: str | None = None
    two_digit_years_from: int | None = None
    section: str = "data"


# One column, or several whose combination is a firm.
FirmKey = str | Annotated[list[str], Field(min_length=2)]


def key_columns(key: FirmKey) -> list[str]:
    """Return the columns of a key."""
    return [key] if isinstance(key, str) else key


def key_name(key: FirmKey) -> str:
    """Return the name under which a table has the key: that of its column, or all of them."""
    return key if isinstance(key, str) else " + ".join(key)


def require_century(written: YearsWritten) -> None:
    """Raise ValueError where dates have years of two digits and nothing says of which century."""
    if "%y" in (written.date_format or "") and written.two_digit_years_from is None:
        raise ValueError(
            "date_format has years of two digits (%y): declare two_digit_years_from, the first "
            "year that they can be (1950: 50 is 1950, 49 is 2049)"
        )


Thousands = Literal[".", ",", " ", "'"]


class FileFormat(Settings):
    """Say how files are written.

    `delimiter`, `encoding`, `decimal` and `thousands` are of text files; `sheet` of a workbook,
    null for its only one; `header_row` counts from 1, and `header_rows` says over how many rows
    names go on (`2005` above `ventas` is `2005 ventas`); `hidden` rows and columns of a sheet are
    refused, or declared to be read or left out; `footer: leave_out` takes away rows at the end
    that lack what every row has and are called a total, a source or a note, or are one text alone;
    `value_labels` takes the labels of Stata's coded columns instead of their codes.
    """

    delimiter: str = Field(default=",", min_length=1, max_length=1)
    encoding: str = "utf-8"
    decimal: Literal[".", ","] = "."
    thousands: Thousands | None = None
    sheet: str | None = None
    header_row: int = Field(default=1, ge=1)
    header_rows: int = Field(default=1, ge=1, le=5)
    hidden: Literal["refuse", "read", "leave_out"] = "refuse"
    footer: Literal["keep", "leave_out"] = "keep"
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
