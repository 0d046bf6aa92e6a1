"""The results tables, collected row by row."""

from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from pipeline.datasets.reasons import packed, packed_remarks
from pipeline.datasets.results import (
    ESTIMATES,
    EVENT_COVARIANCE,
    FACTS,
    INFLUENCE,
    OUTCOME_PATHS,
    TESTS,
)
from pipeline.datasets.store import Dataset, conform, empty
from pipeline.effects.description import Fact, facts_rows
from pipeline.effects.keyed import keyed_tables
from pipeline.effects.rows import Row
from pipeline.effects.stacks import Floats


@dataclass(frozen=True)
class Results:
    """Hold effects, tests and what later stages need of them, and by name tables of details."""

    estimates: pd.DataFrame
    tests: pd.DataFrame
    event_covariance: pd.DataFrame
    influence: pd.DataFrame
    paths: pd.DataFrame
    facts: pd.DataFrame
    details: dict[str, pd.DataFrame]


@dataclass
class Collected:
    """Collect rows of the results tables.

    `influences` holds, by design, estimator and outcome, each cluster's influence on the average
    effect (G,), by cluster code: what tests over several outcomes draw on.
    """

    estimates: list[Row] = field(default_factory=list)
    tests: list[Row] = field(default_factory=list)
    event_covariance: list[pd.DataFrame] = field(default_factory=list)
    influence: list[pd.DataFrame] = field(default_factory=list)
    paths: list[pd.DataFrame] = field(default_factory=list)
    facts: list[dict[str, Any]] = field(default_factory=list)
    influences: dict[tuple[str, str, str], Floats] = field(default_factory=dict)

    def fact(self, design: str, outcome: str, name: str) -> float:
        """Return a fact added before, missing where there is none."""
        key = {"design": design, "outcome": outcome, "name": name}
        found = (row["value"] for row in self.facts if key.items() <= row.items())
        return float(next(found, float("nan")))

    def add_facts(self, design: str, outcome: str, facts: list[Fact]) -> None:
        """Add facts of one design and outcome; what several specs say of one sample, once."""
        new = [row for row in facts_rows(design, outcome, facts) if row not in self.facts]
        self.facts += new

    def tables(self, headline_spec: str) -> Results:
        """Return the collected rows as declared tables."""
        return Results(
            estimates=_table(ESTIMATES, pd.DataFrame(map(_plain, self.estimates))),
            tests=_table(TESTS, pd.DataFrame(map(_plain, self.tests))),
            event_covariance=_joined(EVENT_COVARIANCE, self.event_covariance),
            influence=_joined(INFLUENCE, self.influence),
            paths=_joined(OUTCOME_PATHS, self.paths),
            facts=_table(FACTS, pd.DataFrame(self.facts)),
            details=keyed_tables(self.facts, headline_spec),
        )


def _plain(row: Row) -> Row:
    """Return a row with its reason and remarks as the columns of tables."""
    return row | packed(row["reason"]) | {"remarks": packed_remarks(row["remarks"])}


def _joined(dataset: Dataset, parts: list[pd.DataFrame]) -> pd.DataFrame:
    return _table(dataset, pd.concat(parts) if parts else pd.DataFrame())


def _table(dataset: Dataset, frame: pd.DataFrame) -> pd.DataFrame:
    """Return the declared table; columns that no row fills are missing."""
    if frame.empty:
        return empty(dataset)
    return conform(dataset, frame.reindex(columns=list(dataset.columns)))
