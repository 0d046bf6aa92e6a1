"""Marks of settings of cleaning that name columns of the panel, or rules files."""

from dataclasses import dataclass
from typing import Annotated, Literal, TypeVar

from pydantic import Field

ColumnName = Annotated[str, Field(pattern="^[a-z][a-z0-9_]*$")]
ColumnNames = Annotated[list[ColumnName], Field(min_length=1)]


@dataclass(frozen=True)
class OfKind:
    """Mark a setting that names columns of data.columns: `check` asks for this kind.

    `delivered` columns are all but sums of others; `or_year` allows the year beside them.
    """

    kind: Literal["number", "text", "delivered"]
    or_year: bool = False


@dataclass(frozen=True)
class InRules:
    """Mark a setting that names a file of data/rules/<study>/, which `clean` reads as a table."""


RulesFile = Annotated[str, InRules()]
Mark = TypeVar("Mark", OfKind, InRules)
