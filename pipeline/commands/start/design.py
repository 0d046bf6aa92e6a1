"""The design that a started study begins with, as far as its firms and cells allow.

Growth before entry over two spans, age, the exact sector or its broader class, and comparison firms
from elsewhere: `benchmarks/blind_programmes.py` measures what these do beside levels alone.
"""

from dataclasses import dataclass
from functools import reduce

import pandas as pd

from pipeline.commands.start.broader import broader_class, classes_of
from pipeline.commands.start.columns import Columns, StartColumn, slug
from pipeline.commands.start.covariates import (
    Covariates,
    dated_setting,
    offered_covariates,
    tells_trend,
)
from pipeline.commands.start.entered import Entered
from pipeline.commands.start.keys import Keys
from pipeline.commands.start.numbers import numbers
from pipeline.inference.cautions import FEW_TREATED_CLUSTERS
from pipeline.panel.values import text
from pipeline.params.score import Covariate

# Comparison firms that a cell needs, and the share of treated firms that must be in such cells.
_CELL = 5
_IN_CELLS = 0.95
# No error can be told from fewer clusters.
_FEWEST_CLUSTERS = 5
# Treated firms per covariate of a score (Vittinghoff and McCulloch 2007 find five enough), and per
# slope of an entry year.
_PER_COVARIATE, _PER_SLOPE = 5, 8
# Trends that an effect on all firms is adjusted for.
_MOST_TRENDS = 3
# Effects are estimated by entry year: treated clusters of each below which errors are too small.
FEW_IN_A_YEAR = 10
_FEWEST_COVARIATES, _MOST_COVARIATES = 2, 8


@dataclass(frozen=True)
class ProposedDesign:
    """Hold covariates by name with their settings, cells, pool, and what inference needs.

    `adjusted` are those of `scored`, trends first, whose slopes the smallest entry year bears once
    it is matched; `adjusted_all` those that all comparison firms bear. `broader` holds the column
    of `exact` that is the first digits of a code.
    """

    cluster: list[str]
    covariates: Covariates
    scored: list[str]
    adjusted: list[str]
    adjusted_all: list[str]
    exact: list[str]
    broader: dict[str, StartColumn]
    controls_from: str
    fit: str
    first_event_time: int
    last_event_time: int
    n_treated: int
    n_clusters: int
    n_treated_clusters: int
    fewest_treated_clusters: int

    @property
    def few_treated_clusters(self) -> bool:
        """Say whether errors need a correction for few treated clusters, in all or in a year."""
        few_in_a_year = self.fewest_treated_clusters < FEW_IN_A_YEAR
        return few_in_a_year or self.n_treated_clusters < FEW_TREATED_CLUSTERS

    @property
    def without_free_lead(self) -> dict[str, list[str]]:
        """Return columns that covariates read in every year before entry, as growth does.

        Effects on them before entry are alike by construction: no trend before entry can be seen.
        With each come the covariates that alone read some year, which would then be free.
        """
        leads = set(range(self.first_event_time, -1))
        read: dict[str, dict[str, set[int]]] = {}
        for name in self.scored:
            covariate = Covariate.model_validate(self.covariates[name])
            read.setdefault(str(covariate.column), {})[name] = leads & {*covariate.event_times}
        found = {}
        for column, times in read.items():
            if set().union(*times.values()) == leads:
                others = {n: set().union(*(t for o, t in times.items() if o != n)) for n in times}
                found[column] = [name for name, own in times.items() if own - others[name]]
        return found


@dataclass(frozen=True)
class _Firms:
    """Hold one row a firm: entry year, cluster, and the classes of its last row before entry."""

    table: pd.DataFrame
    entry: pd.Series
    cluster: pd.Series
    years_before: pd.Series

    @property
    def treated(self) -> pd.Series:
        return self.entry.notna()

    @property
    def outside(self) -> pd.Series:
        """Flag never-treated firms outside clusters with participants."""
        inside = self.cluster.isin(self.cluster[self.treated].unique())
        return ~self.treated & ~inside


def propose_design(
    table: pd.DataFrame, keys: Keys, entered: Entered, columns: Columns, cluster: list[str]
) -> ProposedDesign:
    """Return the design for a panel in long layout; `cluster` are delivered columns."""
    firms = _firms(table, keys, entered, cluster)
    apart = cluster != [keys.firm_id]
    n_treated = int(firms.treated.sum())
    elsewhere = apart and int(firms.outside.sum()) >= max(n_treated, _CELL)
    pool = firms.outside if elsewhere else ~firms.treated
    classes = _exact(firms, pool, columns)
    exact = list(classes)
    offered = offered_covariates(table, columns, firms.years_before[firms.treated])
    most = max(_FEWEST_COVARIATES, min(_MOST_COVARIATES, n_treated // _PER_COVARIATE))
    scored = list(offered)[:most]
    covariates = {name: offered[name] for name in scored}
    covariates |= {name: dated_setting(column.label, name, "category")
                   for name, column in classes.items()}  # fmt: skip
    cohorts = firms.entry.value_counts()
    small = len(cohorts) > 1 and cohorts.min() < _PER_SLOPE * max(1, len(scored))
    adjusted, adjusted_all = _adjusted(scored, offered, columns, firms, pool)
    before, after = _window(table, keys, firms)
    return ProposedDesign(
        cluster=cluster,
        covariates=covariates,
        scored=scored,
        adjusted=adjusted,
        adjusted_all=adjusted_all,
        exact=exact,
        broader={name: column for name, column in classes.items() if column.digits is not None},
        controls_from="outside_treated_clusters" if elsewhere else "all",
        fit="pooled" if small else "per_stack",
        first_event_time=before,
        last_event_time=after,
        n_treated=n_treated,
        n_clusters=int(firms.cluster.nunique()),
        n_treated_clusters=int(firms.cluster[firms.treated].nunique()),
        fewest_treated_clusters=_fewest_treated_clusters(firms),
    )


def _adjusted(
    scored: list[str], offered: Covariates, columns: Columns, firms: _Firms, pool: pd.Series
) -> tuple[list[str], list[str]]:
    """Return what matched effects, and effects on all firms, are adjusted for: trends first."""
    of_trend = [name for name in scored if tells_trend(offered[name], columns)]
    ordered = [*of_trend, *(name for name in scored if name not in of_trend)]
    cohorts = firms.entry.value_counts()
    matched = int(cohorts.min()) // _PER_SLOPE if len(cohorts) else 0
    all_firms = min(_MOST_TRENDS, len(of_trend), int(pool.sum()) // _PER_SLOPE)
    return ordered[:matched], ordered[: max(matched, all_firms)]


def _fewest_treated_clusters(firms: _Firms) -> int:
    by_year = firms.cluster[firms.treated].groupby(firms.entry[firms.treated]).nunique()
    return int(by_year.min()) if len(by_year) else 0


def choose_cluster(
    table: pd.DataFrame, keys: Keys, columns: Columns, asked: list[str]
) -> list[str]:
    """Return the columns of the assignment cluster: as asked, a place and a sector, or the firm."""
    if asked:
        return asked
    places = [columns.used[name].name for name in columns.places[:1]]
    sectors = [columns.used[name].name for name in columns.sectors[:1]]
    for chosen in ([*places, *sectors], places):
        if places and _groups(table, keys, chosen):
            return chosen
    return [keys.firm_id]


def _groups(table: pd.DataFrame, keys: Keys, chosen: list[str]) -> bool:
    """Say whether columns group firms: into groups enough for errors, of two firms on average."""
    if not chosen:
        return False
    last = table.drop_duplicates(keys.firm_id, keep="last")
    n_cells = last.groupby(chosen).ngroups
    return _FEWEST_CLUSTERS <= n_cells <= len(last) / 2


def _firms(table: pd.DataFrame, keys: Keys, entered: Entered, cluster: list[str]) -> _Firms:
    years = numbers(table[keys.year])
    since = years - table[keys.firm_id].map(entered.by_firm)
    at_base = table.assign(_year=years, _late=(since >= 0).to_numpy()).sort_values(
        ["_late", "_year"], kind="stable", ascending=[False, True]
    )
    last = at_base.drop_duplicates(keys.firm_id, keep="last").set_index(keys.firm_id, drop=False)
    named = [text(last[name]).astype("str") for name in cluster]
    joined = reduce(lambda left, right: left.str.cat(right, sep="|"), named)
    entry = pd.Series(entered.by_firm.reindex(last.index).to_numpy(), last.index, dtype=float)
    first = years.groupby(table[keys.firm_id]).min().reindex(last.index)
    return _Firms(last, entry, joined, entry - first)


def _exact(firms: _Firms, pool: pd.Series, columns: Columns) -> dict[str, StartColumn]:
    """Return the finest sector in whose cells nearly all treated firms find comparison firms.

    It is a delivered column, or the first digits of one, by its standard name.
    """
    offered = {name: columns.used[name] for name in columns.sectors}
    for name, column in list(offered.items()):
        broader = broader_class(firms.table[column.name], column)
        if broader is not None:
            offered[slug(f"{name}_{broader.digits}", {*columns.used})] = broader
    classes = {n: classes_of(firms.table[column.name], column) for n, column in offered.items()}
    for name in sorted(classes, key=lambda n: -classes[n].nunique()):
        counts = classes[name][pool].value_counts()
        reached = classes[name][firms.treated].map(counts).fillna(0) >= _CELL
        if classes[name].nunique() > 1 and len(reached) and reached.mean() >= _IN_CELLS:
            return {name: offered[name]}
    return {}


def _window(table: pd.DataFrame, keys: Keys, firms: _Firms) -> tuple[int, int]:
    """Return first and last event time: up to five years before entry, four years from it on."""
    last = float(numbers(table[keys.year]).max())
    first_entry = firms.entry.min()
    after = 0 if pd.isna(first_entry) else int(max(0, min(3, last - first_entry)))
    median = firms.years_before[firms.treated].median()
    return -(2 if pd.isna(median) else int(max(2, min(5, median)))), after
