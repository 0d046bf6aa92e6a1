"""What analyses of one simulated study should find, from the untreated outcomes of its firms.

Worked out from the treated firms alone, with nothing of the estimators but whom they use.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from monte_carlo import Evaluated

from pipeline.panel.panel_index import NO_ROW

COHORTS = [2008, 2010]


def truths(found: Evaluated) -> Iterator[tuple[str, tuple[str, ...], float]]:
    """Yield name, place in ESTIMATES and truth of estimates that `recover` leaves out.

    A place is estimator, outcome, sample, grouping, subgroup and term.
    """
    lee = _true_among_exporters(found)
    for part in ("att", "att_lower", "att_upper"):
        place = ("lee_bounds", "exports_value", "base_exporters", "all", "all", part)
        yield part.replace("att", "lee"), place, lee
    yield "survival", ("survival", "survival", "all", "all", "all", "att"), _true_survival(found)
    for part in ("lee_lower", "lee_upper", "lee"):
        place = ("survival", "sales_log", "survivors", "all", "all", part)
        yield part.replace("lee", "exit_lee"), place, _true_by_firm(found)
    for cohort in COHORTS:
        place = ("groups", "sales_log", "all", "cohort", str(cohort), "att")
        yield f"cohort={cohort}", place, _true_by_firm(found, cohort)
    sized = ("size_weighted", "sales_log", "all")
    yield "by_jobs", (*sized, "jobs", "all", "att_by"), _true_by_size(found, "employment", -2)
    yield "by_sales", (*sized, "sales", "all", "att_by"), _true_by_size(found, "sales", -1)
    yield "total", (*sized, "sales", "all", "total"), _true_total(found)


@dataclass(frozen=True)
class Treated:
    """Hold columns of the treated firms of a design by year: firms x event times -3 to 3."""

    cohort: np.ndarray
    weight: np.ndarray
    event_times: np.ndarray
    row: np.ndarray

    def values(self, column: pd.Series) -> np.ndarray:
        """Return a column of PANEL, missing where a firm has no row."""
        levels = column.to_numpy(dtype=np.float64, na_value=np.nan)
        return np.where(self.row == NO_ROW, np.nan, levels[self.row])

    def at(self, values: np.ndarray, event_time: int) -> np.ndarray:
        """Return the values of one event time."""
        return values[:, np.flatnonzero(self.event_times == event_time)[0]]

    def mean_after(self, values: np.ndarray, weight: np.ndarray) -> float:
        """Return the mean over event times from entry on of weighted means of what is known."""
        known = np.isfinite(values) & np.isfinite(weight)[:, None]
        mass = np.where(known, weight[:, None], 0.0)
        means = (np.where(known, values, 0.0) * mass).sum(axis=0) / mass.sum(axis=0)
        return float(means[self.event_times >= 0].mean())


def _treated(found: Evaluated) -> tuple[Treated, pd.DataFrame]:
    """Return the matched treated firms, and PANEL with the untreated outcomes beside it."""
    stacks = found.study.stacks["covariates"]
    used = stacks.treated & (stacks.weight > 0)
    panel = found.study.panel.merge(
        found.firms.truth, on=["firm_id", "year"], how="left", validate="1:1"
    )
    of = Treated(
        stacks.stack[used], stacks.weight[used], stacks.event_times, stacks.panel_row[used]
    )
    return of, panel


def _true_by_firm(found: Evaluated, cohort: int | None = None) -> float:
    """Return the mean effect on log sales over treated firms, of one entry year or of all."""
    treated, panel = _treated(found)
    effect = treated.values(np.log(panel["sales"] / panel["sales_untreated"]))
    kept = treated.cohort == cohort if cohort else np.ones(len(effect), dtype=bool)
    return treated.mean_after(effect[kept], treated.weight[kept])


def _true_by_size(found: Evaluated, column: str, at: int) -> float:
    """Return the mean effect on log sales over treated firms weighted by size."""
    treated, panel = _treated(found)
    size = treated.at(treated.values(panel[column]), at)
    effect = treated.values(np.log(panel["sales"] / panel["sales_untreated"]))
    return treated.mean_after(effect, treated.weight * size)


def _true_total(found: Evaluated) -> float:
    """Return the sales that treated firms gain in a year, in the mean over event times."""
    treated, panel = _treated(found)
    gain = treated.values(panel["sales"] - panel["sales_untreated"])
    after = treated.event_times >= 0
    return float(np.nansum(treated.weight[:, None] * gain[:, after], axis=0).mean())


def _true_survival(found: Evaluated) -> float:
    """Return the share of treated firms that live on only by the programme, from year 1 on.

    These are the firms saved, not the share that would be saved among many; standard errors are
    for that share.
    """
    treated, panel = _treated(found)
    saved = treated.values(~panel["alive_untreated"].astype(bool))[:, treated.event_times >= 1]
    return float(np.average(np.nan_to_num(saved).mean(axis=1), weights=treated.weight))


def _true_among_exporters(found: Evaluated) -> float:
    """Return the mean effect on log exports over exporters at base that export either way."""
    treated, panel = _treated(found)
    exports, without = (treated.values(panel[c]) for c in ("exports", "exports_untreated"))
    base = treated.at(exports, -1) > 0
    both = (exports > 0) & (without > 0) & base[:, None]
    effect = np.log(np.where(both, exports, np.nan) / np.where(both, without, np.nan))
    return treated.mean_after(effect, treated.weight)
