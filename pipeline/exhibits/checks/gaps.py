"""Gaps of the data as delivered, from ISSUES: those that readers must know, and small ones."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.datasets.panel import (
    CLUSTER_CHANGES,
    EMPTY_YEAR,
    FEW_COMPARISON,
    FEW_FIRMS,
    FEW_IN_FILE,
    FEW_TREATED,
    GONE_ONE_YEAR,
    HALF_YEAR,
    NO_VALUE_IN_YEAR,
    NO_VALUE_OF_COMPARISON,
    NO_VALUE_OF_TREATED,
    ZERO_BEFORE,
    ZERO_IN_PART,
    ZERO_ROWS,
)
from pipeline.exhibits.inputs import StudyResults

# Years and columns that matter whoever is concerned; columns that outcomes or covariates read.
_YEARS = (EMPTY_YEAR, HALF_YEAR, FEW_FIRMS, FEW_TREATED, FEW_COMPARISON, FEW_IN_FILE)
_COLUMNS = (NO_VALUE_IN_YEAR, NO_VALUE_OF_TREATED, NO_VALUE_OF_COMPARISON)
# Rows of zeros, unless a rule settled them.
_ZEROS = (ZERO_ROWS, ZERO_BEFORE, ZERO_IN_PART)
# What matters where more than this share of firms is concerned.
_FIRMS, _MANY = (GONE_ONE_YEAR, CLUSTER_CHANGES), 0.05
# What was looked at and left as it is; rows that a rule took out or emptied are no gap any more.
_ACCEPTED, _LEFT = "accepted", ("accepted", "kept")


@dataclass(frozen=True)
class CoverageGap:
    """Hold a gap: its row of ISSUES, what its sentence counts, and whether it matters."""

    row: "pd.Series"
    counts: str | None
    matters: bool

    @property
    def of_column(self) -> bool:
        """Say whether it is of a column, which its sentence then names."""
        return self.row["rule"] in _COLUMNS


def coverage_gaps(results: StudyResults) -> list[CoverageGap]:
    """Return the gaps that ISSUES tells, in its order."""
    left = results.sample_flow["firms"].astype("Float64").tail(1)
    firms = float(left.iloc[0]) if left.notna().any() else np.nan
    rows = results.issues.sort_values("issue")
    return [gap for _, row in rows.iterrows() for gap in _gaps(row, firms)]


def _gaps(row: "pd.Series", firms: float) -> Iterator[CoverageGap]:
    rule, accepted = row["rule"], row["action"] == _ACCEPTED
    if rule in _YEARS or (rule in _COLUMNS and accepted):
        yield CoverageGap(row, None, True)
    elif rule in _ZEROS and row["action"] in _LEFT:
        yield CoverageGap(row, "count", False)
    elif rule in _FIRMS:
        known = pd.notna(row["firms"])
        yield CoverageGap(row, "firms", known and bool(row["firms"] > _MANY * firms))
