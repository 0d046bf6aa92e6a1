"""The four results tables, collected row by row."""

from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from pipeline.datasets.results import ESTIMATES, FACTS, OUTCOME_PATHS, TESTS
from pipeline.datasets.store import Dataset, conform, empty
from pipeline.effects.description import Fact, facts_rows
from pipeline.effects.keyed import keyed_tables
from pipeline.effects.rows import Row
from pipeline.effects.stacks import Floats


@dataclass(frozen=True)
class Results:
    """Hold the tables ESTIMATES, TESTS and OUTCOME_PATHS, and by name those of details."""

    estimates: pd.DataFrame
    tests: pd.DataFrame
    paths: pd.DataFrame
    facts: pd.DataFrame
    details: dict[str, pd.DataFrame]


@dataclass
class Ledger:
    """Collect rows of the four results tables.

    `influences` holds, by design, estimator and outcome, each cluster's influence on the average
    effect (G,), by cluster code: what tests over several outcomes draw on.
    """

    estimates: list[Row] = field(default_factory=list)
    tests: list[Row] = field(default_factory=list)
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
            estimates=_table(ESTIMATES, pd.DataFrame(self.estimates)),
            tests=_table(TESTS, pd.DataFrame(self.tests)),
            paths=_table(OUTCOME_PATHS, pd.concat([pd.DataFrame(), *self.paths])),
            facts=_table(FACTS, pd.DataFrame(self.facts)),
            details=keyed_tables(self.facts, headline_spec),
        )


def _table(dataset: Dataset, frame: pd.DataFrame) -> pd.DataFrame:
    """Return the declared table; columns that no row fills are missing."""
    if frame.empty:
        return empty(dataset)
    return conform(dataset, frame.reindex(columns=list(dataset.columns)))
