"""Who is alive when: exit is told from a gap in the panel and from the panel's end."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.datasets.arms import LEFT_ARM
from pipeline.datasets.arrays import Flags, Floats
from pipeline.effects.stacks import Stacks
from pipeline.errors import DataError
from pipeline.panel.panel_index import NO_ROW
from pipeline.params.analyses import ColumnExit, FlagExit, LastYearExit
from pipeline.params.clean import EXIT_YEAR

# Later than any year: a firm whose exit is not seen.
NEVER = np.inf


@dataclass(frozen=True)
class ExitStatus:
    """Hold, by unit and event time (u, event times), 1 alive, 0 gone, missing where unknown.

    `observed` marks a row in PANEL, `covered` the years that PANEL has at all.
    """

    alive: Floats
    observed: Flags
    covered: Flags

    @property
    def gone(self) -> Flags:
        """Return whether a firm is gone, in a year that PANEL has."""
        return np.asarray((self.alive == 0) & self.covered)

    @property
    def gap(self) -> Flags:
        """Return whether a firm is alive but has no row."""
        return np.asarray((self.alive == 1) & ~self.observed & self.covered)

    @property
    def known(self) -> Flags:
        """Return whether exit can be known in the year, of any firm."""
        return np.asarray(np.isfinite(self.alive))


def exit_status(
    stacks: Stacks, panel: pd.DataFrame, rule: LastYearExit | ColumnExit | FlagExit
) -> ExitStatus:
    """Say who is alive at each event time; firms are alive in base and entry year by construction.

    Exit is known up to one year for all firms: the panel's last, or, where a firm must be absent
    for k years, k - 1 years before it. Later only firms with rows would count, all alive. Of a firm
    that leaves an arm for another nothing is known from there: it has no rows, and is not gone.

    Raises DataError where a firm has rows in or after its year of exit, or where PANEL lacks the
    column that says when firms exit.
    """
    code = np.asarray(pd.factorize(panel["firm_id"])[0], dtype=np.intp)
    year = panel["year"].to_numpy(dtype=np.float64)
    last_row = np.full(int(code.max()) + 1, -np.inf)
    np.maximum.at(last_row, code, year)
    known_to, left = float(year.max()), _left_arm(panel, code)
    if isinstance(rule, LastYearExit):
        known_to -= rule.least_years_absent - 1
        is_known = (last_row + 1 <= known_to) & (last_row + 1 < left)
        exit_year = np.where(is_known, last_row + 1, NEVER)
    else:
        column = EXIT_YEAR if isinstance(rule, FlagExit) else rule.column
        exit_year = _exit_years(panel, column, code)
        _check_rows(column, exit_year, last_row)
    calendar = (stacks.stack[:, None] + stacks.event_times).astype(np.float64)
    alive = (calendar < exit_year[stacks.firm][:, None]).astype(np.float64)
    alive[(calendar > known_to) | (calendar >= left[stacks.firm][:, None])] = np.nan
    return ExitStatus(alive, stacks.panel_row != NO_ROW, stacks.covered)


def _left_arm(panel: pd.DataFrame, code: np.ndarray) -> Floats:
    """Return the year from which each firm (F,) is in another arm, infinite where it never is."""
    left = np.full(int(code.max()) + 1, NEVER)
    if LEFT_ARM in panel:
        left[code] = panel[LEFT_ARM].to_numpy(dtype=np.float64, na_value=NEVER)
    return left


def _exit_years(panel: pd.DataFrame, column: str, code: np.ndarray) -> Floats:
    if column not in panel.columns:
        raise DataError(f"estimate.analyses.survival.exit reads {column}, which the panel lacks")
    given = panel[column].to_numpy(dtype=np.float64, na_value=np.nan)
    exit_year = np.full(int(code.max()) + 1, NEVER)
    known = np.isfinite(given)
    np.minimum.at(exit_year, code[known], given[known])
    return exit_year


def _check_rows(column: str, exit_year: Floats, last_row: Floats) -> None:
    n_after = int((last_row >= exit_year).sum())
    if n_after:
        raise DataError(
            f"estimate.analyses.survival.exit.column: {n_after} firms have rows in or after the "
            f"year that `{column}` gives, the first year in which a firm is gone; correct the "
            "years or use known_by: last_year"
        )
