"""An arm of exposed firms: of few, or in few cells, estimates stand without an interval."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline.datasets.results import PLACE
from pipeline.errors import Reason
from pipeline.params.exposure import FEWEST_CELLS, FEWEST_FIRMS

# What is not told of an effect, or of a test, that rests on too few exposed firms.
_OF_EFFECT = ("std_error", "statistic", "df", "p_value", "conf_low", "conf_high")
_OF_TEST = ("statistic", "df", "df_denominator", "p_value")


@dataclass(frozen=True)
class ExposedArm:
    """Hold how many firms are in an arm of exposed firms, and in how many cells they are."""

    n_firms: int
    n_cells: int

    def effects(self, rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
        """Return rows of ESTIMATES, without interval where the exposed firms behind one are few."""
        return [_without(row, _OF_EFFECT, self._why_none(_n_behind(row))) for row in rows]

    def places(self, rows: Iterable[dict[str, Any]]) -> set[tuple[str, ...]]:
        """Return where rows of ESTIMATES stand that have no interval since firms are few."""
        return {
            tuple(row[name] for name in PLACE)
            for row in rows
            if self._why_none(_n_behind(row)) is not None
        }

    def tests(self, rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
        """Return rows of TESTS, without a result where the arm's firms are few."""
        return [_without(row, _OF_TEST, self._why_none(None)) for row in rows]

    def _why_none(self, n_behind: int | None) -> Reason | None:
        n = self.n_firms if n_behind is None else min(self.n_firms, n_behind)
        if n < FEWEST_FIRMS:
            return Reason("few_exposed_firms", {"least": FEWEST_FIRMS})
        if self.n_cells < FEWEST_CELLS:
            return Reason("few_exposed_cells", {"least": FEWEST_CELLS})
        return None


OfExposed = ExposedArm | None


def exposed_arm(counts: tuple[int, int] | None) -> OfExposed:
    """Return the arm of so many firms and cells; None of an arm of participants."""
    return None if counts is None else ExposedArm(*counts)


def _n_behind(row: dict[str, Any]) -> int | None:
    """Return how many treated firms are behind a row; None where it does not say."""
    n = row.get("n_treated")
    return None if n is None or np.isnan(n) else int(n)


def _without(row: dict[str, Any], columns: Iterable[str], why: Reason | None) -> dict[str, Any]:
    if why is None or row["reason"] is not None:
        return row
    return row | dict.fromkeys(columns, np.nan) | {"reason": why}
