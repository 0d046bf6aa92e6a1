"""A small study for spoiling on purpose, asked for every estimator that does not match again."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from stacked_tables import matches_from, treatment, weights_from
from told import estimate_specs

from pipeline.datasets.matches import WEIGHTS
from pipeline.datasets.panel import PANEL
from pipeline.datasets.store import conform
from pipeline.effects.collected import Results
from pipeline.effects.study import Study, prepare_study
from pipeline.panel.treated_clusters import cluster_entry
from pipeline.params.estimate import EstimateSection
from pipeline.params.outcomes import OutcomesSection
from pipeline.params.treatment import TreatmentSection

YEARS = range(2001, 2008)
LEVEL = {"column": "sales", "transform": "level", "unit": "US$", "label": "Sales"}
OUTCOMES = {
    "sales": LEVEL,
    "exports_any": LEVEL | {"column": "exports", "transform": "any", "unit": "share"},
    "sales_log": LEVEL | {"transform": "log"},
    "exports": LEVEL | {"column": "exports", "transform": "proportional"},
}
DRAWS = {"draws": 99, "seed": 1}
BOTH = ["matched", "unmatched"]


def spec(name: str, estimator: str, **settings: object) -> dict:
    """Return a spec with what most of them share."""
    shared = {"designs": BOTH, "outcomes": "all", "terms": ["att"], "cluster": "assignment"}
    return {"name": name, "estimator": estimator} | shared | settings


def group_time(method: str, base: str, average: str, **settings: object) -> dict:
    covariates = [] if method == "difference" else ["size"]
    again = method not in ("difference", "outcome_regression")
    return spec(
        f"gt_{method}",
        "group_time",
        **{"method": method, "base": base, "average": average, "covariates": covariates}
        | {"weight_matched_again": again, "bands": DRAWS, "terms": ["att", "event"]}
        | settings,
    )


EVENTS = ["att", "event"]
SPECS = [
    spec("pooled", "stacked", average="pooled", terms=EVENTS, cluster="firm")
    | {"bias_reduced": True, "wild_bootstrap": DRAWS, "placebo_entry_years": 1, "bands": DRAWS}
    | {"event_bins": [{"first_event_time": 0, "last_event_time": 1}]},
    spec("main", "stacked", average="event", terms=EVENTS)
    | {"bias_reduced": True, "wild_bootstrap": DRAWS, "placebo_entry_years": 2, "bands": DRAWS},
    spec("adjusted", "stacked", average="event", terms=EVENTS, covariates=["size"]),
    spec("two_ways", "stacked", average="event", terms=EVENTS, designs=["matched"])
    | {"cluster": "set_and_assignment"},
    spec("components", "stacked", average="pooled", designs=["matched"], cluster="components"),
    spec("by_sector", "stacked", average="event", year_effects_by="sector"),
    spec("twoway", "twoway", bias_reduced=True),
    group_time("difference", "varying", "simple", balanced_last_event_time=1, cluster="firm")
    | {"terms": ["att", "att_gt", "event", "event_balanced", "simple", "cohort", "year"]},
    group_time("outcome_regression", "universal", "event"),
    group_time("ipw", "universal", "cohort"),
    group_time("doubly_robust", "varying", "year"),
    group_time("doubly_robust_improved", "universal", "event"),
    group_time("difference", "universal", "event", designs=["unmatched"], weight_by="size")
    | {"name": "gt_weighted"},
    spec("sun_abraham", "sun_abraham", average="event", terms=EVENTS),
    spec("imputation", "imputation", average="simple", terms=EVENTS),
    spec("wooldridge", "extended_twoway", average="event", terms=EVENTS, covariates=["size"]),
    spec("by_cohort", "extended_twoway", average="simple", effects="cohort"),
    spec("levels", "cross_section", base_value="unused", terms=EVENTS),
    spec("bounds", "lee_bounds"),
]
WHICH = {"designs": BOTH, "outcomes": ["sales", "sales_log", "exports"], "cluster": "assignment"}
GROUPS = {
    "sector": {"label": "Sector", "transform": "category", "column": "sector"},
    "size": {"label": "Size", "transform": "level", "column": "size", "edges": [1.0]},
    "year": {"label": "Year", "transform": "entry_year"},
}
ANALYSES = {
    "margins": WHICH | {"outcomes": ["exports"], "unit_dependent": ["asinh", "log1p"]},
    "survival": WHICH
    | {"exit": {"known_by": "last_year", "least_years_absent": 1}}
    | {"limits": {"sales": {"lowest": 0.0, "highest": 100.0}}},
    "groups": WHICH | {"match": "common", "least_firms": 2, "by": GROUPS},
    "size_weighted": WHICH | {"by": {"jobs": {"column": "sales"}}, "comparison": "own_size"},
}


def estimate_section(**changes: object) -> EstimateSection:
    section = {"conf_level": 0.95, "power": 0.8, "missing": "renormalise", "romano_wolf": DRAWS}
    headline = {"spec": "main", "design": "matched", "term": "att"}
    section |= {"headline": headline, "specs": SPECS, "analyses": ANALYSES}
    return EstimateSection.model_validate(section | changes)


def plain_panel(n_firms: int = 24, years: range = YEARS, seed: int = 3) -> pd.DataFrame:
    """Return PANEL: entry in 2004 and 2005, four firms each, others never, two firms a cluster."""
    rng = np.random.default_rng(seed)
    firm = np.repeat(np.arange(n_firms), len(years))
    year = np.tile(np.array(years), n_firms)
    size = np.exp(rng.normal(size=n_firms))[firm]
    sales = np.exp(1 + 0.1 * size + 0.05 * (year - 2001) + 0.3 * rng.normal(size=len(firm)))
    entry = np.where(firm < 8, np.where(firm < 4, 2004, 2005), 0)
    panel = pd.DataFrame(
        {
            "firm_id": [f"F{i:03d}" for i in firm],
            "year": year,
            "cohort": pd.array(np.where(entry > 0, entry, np.nan), dtype="Float64").astype("Int64"),
            "cluster": [f"c{i // 2:02d}" for i in firm],
            "sales": sales,
            "exports": sales * (rng.random(len(firm)) < 0.7),
            "size": size,
            "sector": [f"s{i % 2}" for i in firm],
        }
    )
    return with_entries(panel)


def with_entries(panel: pd.DataFrame) -> pd.DataFrame:
    """Return PANEL as declared, `cluster_entry` made from cohorts and clusters."""
    rest = panel.drop(columns="cluster_entry", errors="ignore")
    return conform(PANEL, rest.assign(cluster_entry=cluster_entry(rest)))


@dataclass(frozen=True)
class Inputs:
    """Hold what `prepare_study` takes."""

    panel: pd.DataFrame
    matches: pd.DataFrame
    weights: pd.DataFrame
    covariates: pd.DataFrame
    treatment: TreatmentSection
    outcomes: OutcomesSection
    estimate: EstimateSection

    def but(self, **changes: object) -> "Inputs":
        return replace(self, **changes)

    def results(self) -> Results:
        """Estimate everything."""
        return estimate_specs(self.study())

    def study(self) -> Study:
        """Join the tables."""
        return prepare_study(
            self.panel,
            self.matches,
            self.weights,
            outcomes=self.outcomes,
            treatment=self.treatment,
            matched_times={},
            estimate=self.estimate,
            covariates=self.covariates,
        )


def of_reused_firms(specs: list[dict]) -> list[dict]:
    """Return the specs that allow comparison firms in several sets or entry years."""
    return [spec for spec in specs if spec["name"] not in ("two_ways", "components")]


def inputs(
    panel: pd.DataFrame | None = None,
    *,
    window: tuple[int, int] = (-3, 2),
    anticipation: int = 0,
    outcomes: dict | None = None,
    pairs: int = 2,
    **estimate: object,
) -> Inputs:
    """Match each treated firm to `pairs` never-treated ones in order, or compare it with all."""
    panel = plain_panel() if panel is None else with_entries(panel)
    first = panel.drop_duplicates("firm_id")
    entry = first.set_index("firm_id")["cohort"]
    treated, others = entry[entry.notna()], list(entry[entry.isna()].index)
    matches = _sets(treated, others, pairs)
    weights = pd.concat([weights_from(matches, panel), _everyone(panel, treated, others)])
    weights["base_year"] = weights["stack"] - 1 - anticipation
    size = first.set_index("firm_id")["size"]
    covariates = weights[["stack", "firm_id"]].drop_duplicates()
    return Inputs(
        panel=panel,
        matches=matches,
        weights=conform(WEIGHTS, weights),
        covariates=covariates.assign(size=covariates["firm_id"].map(size)),
        treatment=treatment(*window, anticipation),
        outcomes=OutcomesSection.model_validate(outcomes or OUTCOMES),
        estimate=estimate_section(**estimate),
    )


def _sets(treated: pd.Series, others: list[str], pairs: int) -> pd.DataFrame:
    rows = []
    for number, (firm, stack) in enumerate(treated.items()):
        controls = {others[(number * pairs + k) % len(others)] for k in range(pairs)}
        rows += [(int(stack), f"{stack}-{number}", firm, 1)]
        rows += [(int(stack), f"{stack}-{number}", other, 0) for other in sorted(controls)]
    table = pd.DataFrame(rows, columns=["stack", "set_id", "firm_id", "treated"])
    return matches_from(table.to_string(index=False))


def _everyone(panel: pd.DataFrame, treated: pd.Series, others: list[str]) -> pd.DataFrame:
    """Return WEIGHTS of the design `unmatched`: every never-treated firm in every stack."""
    cluster = panel.groupby("firm_id")["cluster"].first()
    parts = []
    for stack in sorted(treated.unique()):
        own = list(treated[treated == stack].index)
        part = pd.DataFrame({"firm_id": own + others, "stack": int(stack)})
        part["treated"] = part["firm_id"].isin(own)
        part["weight"] = np.where(part["treated"], 1.0, len(own) / len(others))
        parts.append(part)
    weights = pd.concat(parts).assign(design="unmatched", estimand="att", in_treated_cluster=False)
    return weights.assign(base_year=weights["stack"] - 1, cluster=weights["firm_id"].map(cluster))
