"""The results tables, collected row by row."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from pipeline.datasets.arrays import Floats
from pipeline.datasets.details import OF_ESTIMATE
from pipeline.datasets.reasons import packed, packed_remarks
from pipeline.datasets.results import (
    ESTIMATES,
    EVENT_COVARIANCE,
    INFLUENCE,
    OUTCOME_PATHS,
    TESTS,
)
from pipeline.datasets.store import Dataset, TableError, conform, empty
from pipeline.effects.populations import Members
from pipeline.effects.regression import Solver
from pipeline.effects.rows import Row
from pipeline.params.analyses import clustering_code


@dataclass(frozen=True)
class Results:
    """Hold effects, tests and what later stages need of them, and by name tables of details.

    `members` are the firms of the samples, for counts that name none.
    """

    estimates: pd.DataFrame
    tests: pd.DataFrame
    event_covariance: pd.DataFrame
    influence: pd.DataFrame
    paths: pd.DataFrame
    details: dict[str, pd.DataFrame]
    members: Members


@dataclass
class Collected:
    """Collect rows of the results tables.

    `influences` holds, by design, estimator and outcome, each cluster's influence on the average
    effect (G,), by cluster code: what tests over several outcomes draw on. `solved_by` holds,
    by design, outcome and spec, who solved what could be estimated.
    """

    estimates: list[Row] = field(default_factory=list)
    tests: list[Row] = field(default_factory=list)
    event_covariance: list[pd.DataFrame] = field(default_factory=list)
    influence: list[pd.DataFrame] = field(default_factory=list)
    paths: list[pd.DataFrame] = field(default_factory=list)
    details: dict[Dataset, dict[tuple[Any, ...], Row]] = field(
        default_factory=lambda: {table: {} for table in OF_ESTIMATE}
    )
    members: Members = field(default_factory=Members)
    influences: dict[tuple[str, str, str], Floats] = field(default_factory=dict)
    solved_by: dict[tuple[str, str, str], Solver] = field(default_factory=dict)

    def add(self, table: Dataset, **figures: Any) -> None:
        """Add figures to the row of their key in a table of details.

        Several specs say the same of one sample; TableError where they say something else.
        """
        key = tuple(figures[name] for name in table.key)
        known = self.details[table].setdefault(key, {})
        other = [n for n, v in figures.items() if n in known and not _is_same(known[n], v)]
        if other:
            raise TableError(f"{table.name}: {other} of {key} are told twice, and differ")
        known.update(figures)

    def figure(self, table: Dataset, column: str, **key: Any) -> float:
        """Return a figure added before, missing where there is none."""
        row = self.details[table].get(tuple(key[name] for name in table.key), {})
        return float(row.get(column, np.nan))

    def tables(self) -> Results:
        """Return the collected rows as declared tables."""
        return Results(
            estimates=_table(ESTIMATES, pd.DataFrame(map(_plain, self.estimates))),
            tests=_table(TESTS, pd.DataFrame(map(_plain, self.tests))),
            event_covariance=_joined(EVENT_COVARIANCE, self.event_covariance),
            influence=_joined(INFLUENCE, self.influence),
            paths=_joined(OUTCOME_PATHS, self.paths),
            members=self.members,
            details={
                table.name: _table(table, pd.DataFrame(list(rows.values())))
                for table, rows in self.details.items()
            },
        )


def _is_same(one: Any, other: Any) -> bool:
    return bool(one == other) or (pd.isna(one) and pd.isna(other))


def _plain(row: Row) -> Row:
    """Return a row with its clustering, reason and remarks as the columns of tables."""
    cluster = {"cluster": clustering_code(row["cluster"])} if "cluster" in row else {}
    told = packed(row["reason"]) | {"remarks": packed_remarks(row["remarks"])}
    return row | cluster | told


def _joined(dataset: Dataset, parts: list[pd.DataFrame]) -> pd.DataFrame:
    return _table(dataset, pd.concat(parts) if parts else pd.DataFrame())


def _table(dataset: Dataset, frame: pd.DataFrame) -> pd.DataFrame:
    """Return the declared table; columns that no row fills are missing."""
    if frame.empty:
        return empty(dataset)
    return conform(dataset, frame.reindex(columns=list(dataset.columns)))
