"""Look-ups of single figures by table, key and column."""

import math
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd

from pipeline.datasets.fits import DETECTABLE
from pipeline.datasets.store import Dataset


@dataclass(frozen=True)
class Figure:
    """Hold one figure; NaN where there is none, which says whether it is `hidden` from readers."""

    value: float
    hidden: bool = False

    @property
    def known(self) -> bool:
        """Say whether there is a number to show."""
        return not math.isnan(self.value)


@dataclass(frozen=True)
class Details:
    """Hold the tables of `pipeline.datasets.details` by name.

    A figure that a row has and that is missing is not published, unless it does not apply to the
    row, which who asks must know.
    """

    tables: Mapping[str, pd.DataFrame]

    def of(self, table: Dataset) -> pd.DataFrame:
        """Return one table."""
        return self.tables[table.name]

    def rows(self, table: Dataset, **key: Any) -> pd.DataFrame:
        """Return the rows of one table that agree with a part of its key."""
        rows = self.of(table)
        for name, value in key.items():
            rows = rows[rows[name] == value]
        return rows

    def records(self, table: Dataset, **key: Any) -> list[dict[Hashable, Any]]:
        """Return the same rows as mappings from column to value."""
        rows = self._rows(table).values()
        return [row for row in rows if all(row[name] == value for name, value in key.items())]

    def figure(self, table: Dataset, column: str, **key: Any) -> Figure:
        """Return one figure by the whole key of its table."""
        if key.keys() != set(table.key):
            raise KeyError(f"the key of {table.name} is {table.key}, not {tuple(key)}")
        row = self._rows(table).get(tuple(_plain(key[name]) for name in table.key))
        if row is None:
            return Figure(math.nan)
        value = known_or_nan(row[column])
        return Figure(value, math.isnan(value))

    def total(self, table: Dataset, column: str, **key: Any) -> Figure:
        """Return the sum over the rows that agree with a part of the key; hidden where one is."""
        values = [known_or_nan(value) for value in self.rows(table, **key)[column]]
        return Figure(sum(values) if values else math.nan, any(math.isnan(v) for v in values))

    def detectable(
        self,
        column: str,
        place: Mapping[str, str],
        treated_clusters: int | None = None,
        event_time: int | None = None,
    ) -> float:
        """Return a column of DETECTABLE, of as many treated clusters as there are unless told.

        `place` is design, outcome and estimator, and the grouping if there is one; the effect is
        the average one, or that at an event time.
        """
        key: dict[str, Any] = {"grouping": "all", **place, "treated_clusters": treated_clusters}
        key["event_time"] = event_time
        return self.figure(DETECTABLE, column, **key).value

    def replaced(self, table: Dataset, frame: pd.DataFrame) -> "Details":
        """Return the same tables but for one."""
        others = Details({**self.tables, table.name: frame})
        others._read.update({name: r for name, r in self._read.items() if name != table.name})
        return others

    def _rows(self, table: Dataset) -> dict[tuple[Any, ...], dict[Hashable, Any]]:
        """Return the rows of one table by key, made once."""
        if table.name not in self._read:
            self._read[table.name] = {
                tuple(_plain(row[name]) for name in table.key): row
                for row in self.of(table).to_dict("records")
            }
        return self._read[table.name]

    @cached_property
    def _read(self) -> dict[str, dict[tuple[Any, ...], dict[Hashable, Any]]]:
        """Hold the rows of tables that were asked for."""
        return {}


def _plain(value: Any) -> Any:
    return None if pd.isna(value) else value


def known_or_nan(value: Any) -> float:
    """Return a cell of a table as a float, NaN where it is missing."""
    return math.nan if pd.isna(value) else float(value)
