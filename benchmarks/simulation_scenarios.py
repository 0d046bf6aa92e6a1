"""The worlds of the simulation study, and what is estimated in each.

All start from the study `simulated` of params.yaml, on smaller panels, so that hundreds of seeds
are affordable. Numbers were chosen before any result was seen.
"""

import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.params.clean import CleanSection
from pipeline.params.data import DataSection
from pipeline.params.estimate import EstimateSection
from pipeline.params.match import MatchSection
from pipeline.params.outcomes import OutcomesSection
from pipeline.params.score import ScoreSection
from pipeline.params.settings import load_yaml
from pipeline.params.simulation import Simulation
from pipeline.params.treatment import TreatmentSection

PARAMS = load_yaml(Path(__file__).parent.parent / "params.yaml")["simulated"]
WORLD = PARAMS["data"]["source"]["settings"]

SMALL = {
    "firms": 1500,
    "first_year": 2005,
    "last_year": 2012,
    "municipalities": 25,
    "sectors": 4,
    "cohort_years": [2008, 2009, 2010],
    "treated_clusters": 36,
    # nobody is kept alive by the programme, so that firms are the same with and without effects
    "effects": WORLD["effects"] | {"survival_points": [0.0]},
}
WINDOW = {"first_event_time": -3, "last_event_time": 2}
ONE_COHORT = {"cohort_years": [2009], "cohort_effect_factors": [1.0]}
COVARIATES = ["employment_log", "age", "foreign_owned", "manager_education", "distance"]

# Nothing decides who enters, and nothing observed drives growth: only estimators can be wrong.
RANDOM_ENTRY = {
    "selection_log_odds": dict.fromkeys(WORLD["selection_log_odds"], 0.0),
    "trend_percent_per_year": dict.fromkeys(WORLD["trend_percent_per_year"], 0.0),
}
GROWING = {
    "sales_percent": [5.0, 15.0, 25.0, 35.0, 45.0],
    "employment_percent": [0.0],
    "exporting_points": [0.0],
    "export_value_percent": [0.0],
    "survival_points": [0.0],
}
CLUSTER_SHOCKS = RANDOM_ENTRY | ONE_COHORT | {"cluster_shock_sd_log": 0.2}

STACKED = {"estimator": "stacked", "terms": ["att"], "average": "event", "cluster": "assignment"}
WILD = {"wild_bootstrap": {"draws": 399, "seed": 1}}
MATCHED = STACKED | {"name": "stacked", "designs": ["covariates"]}
FIRM = STACKED | {"name": "firm_clusters", "designs": ["covariates"], "cluster": "firm"}
UNMATCHED = STACKED | {"name": "stacked_unmatched", "designs": ["unmatched"]}
ALL_FIRMS = STACKED | {"name": "stacked_all_firms", "designs": ["covariates_all_firms"]}
FLAT = {"terms": ["att"], "designs": ["unmatched"], "cluster": "assignment"}
TWOWAY = FLAT | {"name": "twoway", "estimator": "twoway"}
GROUP_TIME = FLAT | {
    "name": "group_time",
    "estimator": "group_time",
    "average": "event",
    "method": "doubly_robust",
    "covariates": COVARIATES,
    "base": "universal",
    "bands": None,
}
SUN_ABRAHAM = FLAT | {"name": "sun_abraham", "estimator": "sun_abraham", "average": "event"}
IMPUTATION = FLAT | {"name": "imputation", "estimator": "imputation", "average": "event"}
EVERY = [MATCHED, FIRM, UNMATCHED, GROUP_TIME, SUN_ABRAHAM, IMPUTATION, TWOWAY]
CR2 = {"bias_reduced": True}
RANDOM = {"randomisation": {"draws": 99, "seed": 1}}
# A draw of the randomisation test is an evaluation of its own, so that seeds are fewer.
RANDOMISED_SEEDS = 100
FEW = [
    MATCHED | CR2 | WILD,
    FIRM,
    UNMATCHED,
    TWOWAY,
]


@dataclass(frozen=True)
class Scenario:
    """Describe one world: what is changed, the specs, the outcomes, and the most seeds."""

    title: str
    changes: dict[str, Any]
    specs: list[dict[str, Any]]
    outcomes: tuple[str, ...] = ("sales_log",)
    most_seeds: int = 500


SCENARIOS = {
    "parallel_trends": Scenario(
        "Parallel trends hold given covariates; entrants select themselves on these", {}, EVERY
    ),
    "growing_effects": Scenario(
        "Staggered entry, effects that grow and differ by entry year, random entry",
        RANDOM_ENTRY | {"effects": GROWING, "cohort_effect_factors": [1.5, 1.0, 0.5]},
        EVERY,
    ),
    "clusters_4": Scenario(
        "Cluster shocks, 4 treated clusters of 100", CLUSTER_SHOCKS | {"treated_clusters": 4}, FEW
    ),
    "clusters_4_randomised": Scenario(
        "Cluster shocks, 4 treated clusters of 100: every few-cluster method, without matching",
        CLUSTER_SHOCKS | {"treated_clusters": 4},
        [UNMATCHED | CR2 | WILD | RANDOM],
        most_seeds=RANDOMISED_SEEDS,
    ),
    "clusters_10": Scenario(
        "Cluster shocks, 10 treated clusters of 100",
        CLUSTER_SHOCKS | {"treated_clusters": 10},
        FEW,
    ),
    "clusters_10_randomised": Scenario(
        "Cluster shocks, 10 treated clusters of 100: every few-cluster method, without matching",
        CLUSTER_SHOCKS | {"treated_clusters": 10},
        [UNMATCHED | CR2 | WILD | RANDOM],
        most_seeds=RANDOMISED_SEEDS,
    ),
    "clusters_40": Scenario(
        "Cluster shocks, 40 treated clusters of 100",
        CLUSTER_SHOCKS | {"treated_clusters": 40},
        FEW,
    ),
    "rare_exports": Scenario(
        "Rare exports: 5 percent of firms export",
        {"exporter_share": 0.05},
        [MATCHED, UNMATCHED, GROUP_TIME],
        ("exports_any", "exports_value"),
    ),
    "informative_exit": Scenario(
        "Informative exit: 8 percent of firms exit a year, more of them after bad years",
        {"exit_share_per_year": 0.08, "informative_exit_log_hazard": 0.8},
        EVERY,
    ),
    "small_sample": Scenario(
        "Small sample: 300 firms, 40 clusters, 12 treated, one entry year",
        ONE_COHORT | {"firms": 300, "municipalities": 10, "treated_clusters": 12},
        [*FEW, GROUP_TIME, IMPUTATION],
    ),
    "spillovers": Scenario(
        "Spillovers of 8 percent on firms beside participants",
        {"spillover_percent": 8.0},
        [MATCHED, ALL_FIRMS, UNMATCHED, GROUP_TIME, TWOWAY],
    ),
}


@dataclass(frozen=True)
class Evaluation:
    """Hold the sections that an in-memory evaluation needs."""

    data: DataSection
    clean: CleanSection
    outcomes: OutcomesSection
    treatment: TreatmentSection
    score: ScoreSection
    match: MatchSection
    estimate: EstimateSection


def settings(scenario: Scenario) -> Simulation:
    """Return the simulated world of a scenario."""
    return Simulation.model_validate(WORLD | SMALL | scenario.changes)


def evaluation(scenario: Scenario) -> Evaluation:
    """Return the settings of the study `simulated`, cut down to what the scenario estimates."""
    block = copy.deepcopy(PARAMS)
    designs = {d for spec in scenario.specs for d in spec["designs"]} - {"unmatched"}
    block["match"]["designs"] = {d: block["match"]["designs"][d] for d in sorted(designs)}
    models = {rule["score"] for rule in block["match"]["designs"].values()}
    block["score"]["models"] = {m: block["score"]["models"][m] for m in sorted(models)}
    outcomes = {}
    for name in scenario.outcomes:
        outcome = block["outcomes"][name]
        outcomes[name] = outcome
        outcomes[f"{name}_none"] = outcome | {"column": f"{outcome['column']}_none"}
    first = scenario.specs[0]
    estimate = {
        "conf_level": 0.95,
        "power": 0.8,
        "missing": "drop_set",
        "headline": {"spec": first["name"], "design": first["designs"][0], "term": "att"},
        "specs": [{"outcomes": "all"} | spec for spec in scenario.specs],
    }
    return Evaluation(
        data=DataSection.model_validate(block["data"]),
        clean=CleanSection.model_validate(block["clean"]),
        outcomes=OutcomesSection.model_validate(outcomes),
        treatment=TreatmentSection.model_validate(block["treatment"] | {"window": WINDOW}),
        score=ScoreSection.model_validate(block["score"]),
        match=MatchSection.model_validate(block["match"]),
        estimate=EstimateSection.model_validate(estimate),
    )
