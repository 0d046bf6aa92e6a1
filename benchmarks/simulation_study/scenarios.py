"""The worlds of the simulation study: one assumption at a time holds or fails.

Every world is the study `simulated` of params.yaml, smaller, with entry and growth that depend on
nothing observed unless the scenario says so: what else goes wrong is then due to the scenario.
"""

from dataclasses import dataclass, field
from typing import Any

EXPORTS = ("exports_any", "exports_value")


@dataclass(frozen=True)
class Scenario:
    """Hold a scenario's names, what it asks in words, and its changes to the smaller world.

    `outcomes` are those estimated; `few_clusters` adds the inference for few treated clusters,
    `all_firms` the wider comparison pool, `flat_on_sets` the flat two-way figure on matched sets.
    """

    name: str
    title: str
    short: str
    question: str
    changes: dict[str, Any] = field(default_factory=dict)
    outcomes: tuple[str, ...] = ("sales_log",)
    few_clusters: bool = False
    all_firms: bool = False
    flat_on_sets: bool = False


NOTHING_OBSERVED = {
    "selection_log_odds": {
        "log_employment": 0.0,
        "age_years": 0.0,
        "foreign_owned": 0.0,
        "manager_education_years": 0.0,
        "distance_km": 0.0,
    },
    "trend_percent_per_year": {
        "age_years": 0.0,
        "foreign_owned": 0.0,
        "manager_education_years": 0.0,
        "distance_km": 0.0,
    },
}

# Nobody is saved from exit unless a scenario says so: with and without effect, the same firms live.
EFFECTS = {
    "sales_percent": [0, 16, 11, 9],
    "employment_percent": [0],
    "exporting_points": [0, 0, 4, 5],
    "export_value_percent": [0, 5, 10, 10],
    "survival_points": [0],
}

SMALLER = {
    "firms": 600,
    "first_year": 2005,
    "last_year": 2012,
    "municipalities": 15,
    "sectors": 4,
    "cohort_years": [2008, 2009],
    "cohort_effect_factors": [1.0, 1.0],
    "treated_clusters": 24,
    "effects": EFFECTS,
    **NOTHING_OBSERVED,
}


def _cluster_shocks(treated: int) -> Scenario:
    return Scenario(
        name=f"cluster_shocks_{treated}",
        title=f"Cluster shocks, {treated} treated clusters of 80",
        short=f"shocks, {treated}",
        question="Do tests hold where clusters have shocks of their own and few are treated?",
        changes={
            "firms": 800,
            "last_year": 2011,
            "municipalities": 20,
            "cohort_years": [2008],
            "cohort_effect_factors": [1.0],
            "participation_share": 0.5,
            "cluster_shock_sd_log": 0.2,
            "treated_clusters": treated,
        },
        few_clusters=True,
    )


SCENARIOS = (
    Scenario(
        name="parallel_trends",
        title="Parallel trends hold",
        short="parallel",
        question="Is everything right where every assumption holds for all firms?",
    ),
    Scenario(
        name="selection",
        title="Parallel trends hold between firms alike",
        short="selection",
        question=(
            "Is the bias of a naive comparison removed where growth and entry depend on what "
            "the score observes?"
        ),
        changes={"selection_log_odds": {}, "trend_percent_per_year": {}},
    ),
    Scenario(
        name="growing_effects",
        title="Staggered entry, growing effects",
        short="growing",
        question="Who goes wrong where effects grow by the year and differ by entry year?",
        changes={
            "last_year": 2013,
            "cohort_years": [2008, 2010],
            "cohort_effect_factors": [1.5, 0.5],
            "effects": EFFECTS | {"sales_percent": [5, 15, 25, 35, 45, 55]},
        },
        flat_on_sets=True,
    ),
    _cluster_shocks(4),
    _cluster_shocks(10),
    _cluster_shocks(40),
    Scenario(
        name="rare_exports",
        title="Rare exports",
        short="rare exports",
        question="What can be learnt about exports where one firm in twenty exports?",
        changes={
            "firms": 800,
            "municipalities": 20,
            "treated_clusters": 32,
            "exporter_share": 0.05,
        },
        outcomes=EXPORTS,
    ),
    Scenario(
        name="informative_exit",
        title="Informative exit",
        short="exit",
        question="What do survivors show where bad years drive exit and the programme saves firms?",
        changes={
            "exit_share_per_year": 0.1,
            "informative_exit_log_hazard": 1.5,
            "effects": EFFECTS | {"survival_points": [0, 6, 10, 12]},
        },
    ),
    Scenario(
        name="small_sample",
        title="Small sample",
        short="small",
        question="Do tests hold with 150 firms in 24 clusters, 10 of them treated?",
        changes={
            "firms": 150,
            "last_year": 2011,
            "municipalities": 8,
            "sectors": 3,
            "cohort_years": [2008],
            "cohort_effect_factors": [1.0],
            "treated_clusters": 10,
        },
        few_clusters=True,
    ),
    Scenario(
        name="spillovers",
        title="Spillovers within clusters",
        short="spillovers",
        question="Does the comparison pool matter where neighbours of participants gain too?",
        changes={"spillover_percent": 8.0},
        all_firms=True,
    ),
)
