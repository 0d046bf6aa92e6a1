"""The results tables, collected row by row."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from pipeline.datasets.arrays import Floats
from pipeline.datasets.details import OF_ESTIMATE
from pipeline.datasets.reasons import packed, packed_remarks
from pipeline.datasets.results import ESTIMATES, EVENT_COVARIANCE, OUTCOME_PATHS, TESTS
from pipeline.datasets.store import Dataset, TableError, conform, empty
from pipeline.effects.kept import Kept, covariance_table, influence_table
from pipeline.effects.populations import Members
from pipeline.effects.regression import Solver
from pipeline.effects.rows import Label, Row, place_of
from pipeline.effects.study import Study
from pipeline.effects.terms import Term
from pipeline.params.analyses import clustering_levels
from pipeline.params.inference_methods import method_named


@dataclass(frozen=True)
class Results:
    """Hold effects, tests and what later stages need of them, and by name tables of details.

    `members` are the firms of the samples, for counts that name none; `kept` is what contrasts with
    other arms are made of.
    """

    estimates: pd.DataFrame
    tests: pd.DataFrame
    event_covariance: pd.DataFrame
    influence: pd.DataFrame
    paths: pd.DataFrame
    details: dict[str, pd.DataFrame]
    members: Members
    kept: Sequence[Kept] = ()

    def of_no_firm(self) -> Iterator[tuple[Dataset, pd.DataFrame]]:
        """Yield all tables but INFLUENCE, which names firms and clusters, with declarations."""
        yield ESTIMATES, self.estimates
        yield TESTS, self.tests
        yield EVENT_COVARIANCE, self.event_covariance
        yield OUTCOME_PATHS, self.paths
        yield from ((table, self.details[table.name]) for table in OF_ESTIMATE)


@dataclass
class Collected:
    """Collect rows of the results tables.

    `kept` holds what EVENT_COVARIANCE and INFLUENCE are made of, result by result: what tests over
    groups and outcomes, and the power of pre-trend tests, read. `solved_by` holds, by design,
    outcome and spec, who solved what could be estimated.
    """

    study: Study
    estimates: list[Row] = field(default_factory=list)
    tests: list[Row] = field(default_factory=list)
    kept: list[Kept] = field(default_factory=list)
    paths: list[pd.DataFrame] = field(default_factory=list)
    details: dict[Dataset, dict[tuple[Any, ...], Row]] = field(
        default_factory=lambda: {table: {} for table in OF_ESTIMATE}
    )
    members: Members = field(default_factory=Members)
    solved_by: dict[tuple[str, str, str], Solver] = field(default_factory=dict)
    _by_key: dict[tuple[tuple[str, ...], Term], Kept] = field(default_factory=dict)

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

    def add_all(self, other: "Collected") -> None:
        """Add everything that was collected apart, after what there is."""
        self.estimates += other.estimates
        self.tests += other.tests
        self.paths += other.paths
        self.solved_by |= other.solved_by
        self.members.add_all(other.members)
        for result in other.kept:
            self.keep(result)
        for table, rows in other.details.items():
            for row in rows.values():
                self.add(table, **row)

    def figure(self, table: Dataset, column: str, **key: Any) -> float:
        """Return a figure added before, missing where there is none."""
        row = self.details[table].get(tuple(key[name] for name in table.key), {})
        return float(row.get(column, np.nan))

    def keep(self, result: Kept) -> None:
        """Keep a result's covariances and influences, to be found by its label and terms."""
        self.kept.append(result)
        self._by_key |= {(_place(result.label), term): result for term in result.terms}

    def kept_of(self, label: Label, term: Term) -> Kept | None:
        """Return the result that holds a term, None where it has no standard error."""
        return self._by_key.get((_place(label), term))

    def covariance_of(self, label: Label, terms: Sequence[Term]) -> Floats:
        """Return the covariance of terms of one result, missing where one has no standard error."""
        kept = self.kept_of(label, terms[0])
        unknown = np.full((len(terms), len(terms)), np.nan)
        return unknown if kept is None else kept.covariance_of(terms)

    def tables(self) -> Results:
        """Return the collected rows as declared tables.

        Raises ValueError where a row is of a method of inference that nobody knows.
        """
        for name in {row["inference"] for row in self.estimates}:
            method_named(name)
        return Results(
            estimates=_table(ESTIMATES, pd.DataFrame(map(_plain, self.estimates))),
            tests=_table(TESTS, pd.DataFrame(map(_plain, self.tests))),
            event_covariance=covariance_table(self.kept),
            influence=influence_table(self.kept),
            paths=_joined(OUTCOME_PATHS, self.paths),
            members=self.members,
            kept=self.kept,
            details={
                table.name: _table(table, pd.DataFrame(list(rows.values())))
                for table, rows in self.details.items()
            },
        )


def _place(label: Label) -> tuple[str, ...]:
    return tuple(place_of(label).values())


def _is_same(one: Any, other: Any) -> bool:
    return bool(one == other) or (pd.isna(one) and pd.isna(other))


def _plain(row: Row) -> Row:
    """Return a row with its clustering, reason and remarks as the columns of tables."""
    told = packed(row["reason"]) | {"remarks": packed_remarks(row["remarks"])}
    if "cluster" not in row:
        return row | told
    first, second = clustering_levels(row["cluster"])
    return row | told | {"cluster": first, "other_cluster": second}


def _joined(dataset: Dataset, parts: list[pd.DataFrame]) -> pd.DataFrame:
    return _table(dataset, pd.concat(parts) if parts else pd.DataFrame())


def _table(dataset: Dataset, frame: pd.DataFrame) -> pd.DataFrame:
    """Return the declared table; columns that no row fills are missing.

    Raises TableError where a row fills a column that the declaration lacks.
    """
    if frame.empty:
        return empty(dataset)
    undeclared = [name for name in frame.columns if name not in dataset.columns]
    return conform(dataset, frame.reindex(columns=[*dataset.columns, *undeclared]))
