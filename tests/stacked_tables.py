"""Small studies written as text tables, for tests of the effect estimators."""

from dataclasses import dataclass
from io import StringIO

import numpy as np
import pandas as pd

from pipeline.datasets.matches import MATCHES, WEIGHTS
from pipeline.datasets.panel import PANEL
from pipeline.datasets.store import conform, empty
from pipeline.effects.sample import StackedSample, stacked_sample
from pipeline.effects.stacks import Stacks, join_stacks
from pipeline.panel.panel_index import index_panel
from pipeline.panel.treated_clusters import cluster_entry
from pipeline.params.estimate import EstimateSection
from pipeline.params.outcomes import OutcomesSection
from pipeline.params.treatment import TreatmentSection

# Two treated firms that enter in 2002, and the comparison firm of each.
TWO_PAIRS_PANEL = """
firm_id cluster 2001 2002 2003
T1      a       10   15   18
T2      b       10   11   20
C1      c       20   21   22
C2      d       30   31   33
"""
TWO_PAIRS = """
stack set_id firm_id treated
2002  A      T1      1
2002  A      C1      0
2002  B      T2      1
2002  B      C2      0
"""


def text_table(text: str) -> pd.DataFrame:
    """Read a table with columns separated by blanks; `.` is missing."""
    return pd.read_csv(StringIO(text), sep=r"\s+", na_values=".", dtype={"firm_id": "str"})


def panel_from(text: str, stack_of: dict[str, int] | None = None) -> pd.DataFrame:
    """Return PANEL with column `sales` from a wide table: firm_id, cluster, one column a year.

    `stack_of` gives the entry years of treated firms; a year with `x` has no row at all.
    """
    wide = text_table(text).melt(["firm_id", "cluster"], var_name="year", value_name="sales")
    long = wide[wide["sales"].astype("str") != "x"].copy()
    long["sales"] = pd.to_numeric(long["sales"]).astype("float64")
    long["year"] = long["year"].astype(int)
    long["cohort"] = long["firm_id"].map(stack_of or {}).astype("Float64").astype("Int64")
    return conform(PANEL, long.assign(cluster_entry=cluster_entry(long)))


def matches_from(text: str) -> pd.DataFrame:
    """Return MATCHES of design `matched` from columns stack, set_id, firm_id, treated."""
    sets = text_table(text).assign(design="matched", distance=0.0)
    sets["treated"] = sets["treated"].astype(bool)
    n_control = (~sets["treated"]).groupby([sets["stack"], sets["set_id"]]).transform("sum")
    sets["set_weight"] = np.where(sets["treated"], 1.0, 1 / n_control)
    return conform(MATCHES, sets)


def weights_from(matches: pd.DataFrame, panel: pd.DataFrame) -> pd.DataFrame:
    """Return WEIGHTS that the sets of MATCHES imply; clusters are PANEL's first."""
    keys = ["design", "stack", "firm_id", "treated"]
    weights = matches.groupby(keys)["set_weight"].sum().rename("weight").reset_index()
    weights["base_year"] = weights["stack"] - 1
    weights["cluster"] = weights["firm_id"].map(panel.groupby("firm_id")["cluster"].first())
    return conform(WEIGHTS, weights.assign(in_treated_cluster=False, estimand="att"))


def treatment(first: int, last: int, anticipation: int = 0) -> TreatmentSection:
    return TreatmentSection.model_validate(
        {
            "entry": {"source": "indicator", "column": "d", "switches_off": "refuse"},
            "anticipation_years": anticipation,
            "comparison": "never_treated",
            "window": {"first_event_time": first, "last_event_time": last},
        }
    )


def outcomes(**named: dict) -> OutcomesSection:
    default = {"column": "sales", "transform": "level", "unit": "US$", "label": "Sales"}
    return OutcomesSection.model_validate(named or {"sales": default})


def estimation(missing: str = "renormalise", **first_spec: object) -> EstimateSection:
    spec = {
        "name": "main",
        "estimator": "stacked",
        "average": "pooled",
        "designs": ["matched"],
        "outcomes": "all",
        "terms": ["att", "event"],
        "cluster": "firm",
    }
    return EstimateSection.model_validate(
        {
            "conf_level": 0.95,
            "power": 0.8,
            "missing": missing,
            "headline": {"spec": "main", "design": "matched", "term": "att"},
            "specs": [spec | first_spec],
        }
    )


def joined(
    panel: pd.DataFrame, weights: pd.DataFrame, matches: pd.DataFrame, window: tuple[int, int]
) -> Stacks:
    return join_stacks(index_panel(panel), weights, matches, "matched", treatment(*window))


def sample_of(
    panel: pd.DataFrame, matches: pd.DataFrame, window: tuple[int, int], missing: str
) -> StackedSample:
    stacks = joined(panel, weights_from(matches, panel), matches, window)
    return stacked_sample(stacks, panel["sales"].to_numpy(), missing)


def as_text(sample: StackedSample, panel: pd.DataFrame) -> list[tuple[int, str, int, float]]:
    """Return (stack, firm, year, weight) of every row, sorted."""
    firm = panel["firm_id"].to_numpy()[sample.panel_row]
    rows = zip(sample.stack, firm, sample.year, sample.weight.round(12), strict=True)
    return sorted((int(s), str(f), int(y), float(w)) for s, f, y, w in rows)


def random_study(seed: int, missing_share: float = 0.15, n_firms: int = 40) -> tuple:
    """Return PANEL, MATCHES and WEIGHTS: two entry years, unequal sets, holes in the panel."""
    rng = np.random.default_rng(seed)
    ids = [f"F{i:03d}" for i in range(n_firms)]
    cohort = {f: (2004 if i < 6 else 2005) for i, f in enumerate(ids[:12])}
    years = range(2001, 2009)
    panel = pd.DataFrame([(f, y) for f in ids for y in years], columns=["firm_id", "year"])
    panel["cohort"] = panel["firm_id"].map(cohort).astype("Float64").astype("Int64")
    panel["cluster"] = "c" + (pd.factorize(panel["firm_id"])[0] % 9).astype(str)
    panel["sector"] = "s" + (pd.factorize(panel["firm_id"])[0] % 2).astype(str)
    panel["sales"] = rng.normal(size=len(panel)) + 0.3 * (panel["year"] - 2001)
    hole = rng.random(len(panel)) < missing_share
    panel.loc[hole & (panel["year"] % 2 == 0), "sales"] = np.nan
    panel = panel[~(hole & (panel["year"] % 2 == 1))]
    panel = conform(PANEL, panel.assign(cluster_entry=cluster_entry(panel)))
    rows = []
    for i, (firm, stack) in enumerate(cohort.items()):
        controls = rng.choice(ids[12:], size=1 + i % 3, replace=False)
        rows += [(stack, f"{stack}-{i}", firm, 1)]
        rows += [(stack, f"{stack}-{i}", str(control), 0) for control in controls]
    table = pd.DataFrame(rows, columns=["stack", "set_id", "firm_id", "treated"])
    matches = matches_from(table.to_string(index=False))
    return panel, matches, weights_from(matches, panel)


def no_matches() -> pd.DataFrame:
    return empty(MATCHES)


@dataclass(frozen=True)
class StackedRows:
    """Hold rows of firm x stack x year for dense regressions, two entry years of `random_study`.

    `unit` and `year` are codes of the absorbed effects, `treated_at` the columns treated x entry
    year x event time less the reference, `at` the same without treatment, by entry year and event
    time.
    """

    rows: pd.DataFrame
    unit: np.ndarray
    year: np.ndarray
    cells: list[tuple[int, int]]
    at: dict[tuple[int, int], np.ndarray]

    @property
    def treated_at(self) -> list[np.ndarray]:
        treated = self.rows["treated"].to_numpy()
        return [self.at[cell] * treated for cell in self.cells]


def stacked_rows(panel: pd.DataFrame, weights: pd.DataFrame, covariates: pd.DataFrame):
    """Return a full panel's rows at event times -3 to 2, with weights and covariates."""
    rows = weights.merge(covariates, on=["stack", "firm_id"]).merge(
        panel[["firm_id", "year", "sales"]], on="firm_id"
    )
    event = rows["year"] - rows["stack"]
    rows = rows[(event >= -3) & (event <= 2)].assign(event=event)
    unit = pd.factorize(rows["firm_id"] + rows["stack"].astype(str))[0]
    year = pd.factorize(rows["stack"].astype(str) + rows["event"].astype(str))[0]
    cells = [(g, e) for g in (2004, 2005) for e in range(-3, 3) if e != -1]
    at = {c: ((rows["stack"] == c[0]) & (rows["event"] == c[1])).to_numpy() for c in cells}
    return StackedRows(rows, unit, year, cells, at)
