"""The estimators of the simulation study: one row of the table each."""

from dataclasses import dataclass
from typing import Any, Literal

from benchmarks.simulation_study.scenarios import Scenario
from pipeline.params.inference_methods import METHODS

SCORED = ["employment_log", "age", "foreign_owned", "manager_education", "distance"]
EFFECT, NO_EFFECT = "as set", "none"
Needed = Literal["always", "few_clusters", "all_firms", "flat_on_sets"]


@dataclass(frozen=True)
class Estimator:
    """Name a row: its words, the design it runs on, its spec beside name, designs and outcomes.

    `inference` is the row of ESTIMATES read; `wanted` says in which scenarios it runs.
    """

    name: str
    words: str
    design: str
    spec: dict[str, Any]
    inference: str = "analytic"
    wanted: Needed = "always"
    ratios: bool = False

    @property
    def redone(self) -> bool:
        """Say whether the inference makes score and weights again in each of its draws."""
        return METHODS[self.inference].redoes

    @property
    def tests_only(self) -> bool:
        """Say whether the inference has a p-value and no interval: it runs without effect only."""
        return self.inference == "randomisation"

    @property
    def effects(self) -> tuple[str, ...]:
        """Return the worlds in which the estimator runs."""
        return (NO_EFFECT,) if self.tests_only else (EFFECT, NO_EFFECT)

    def runs_in(self, scenario: Scenario) -> bool:
        """Say whether the scenario asks for this estimator."""
        return self.wanted == "always" or bool(getattr(scenario, self.wanted))

    def estimates(self, outcome: str) -> bool:
        """Say whether the estimator is defined for an outcome: ratios need the stacked one."""
        return self.ratios or outcome != "exports_value"


STACKED = {"estimator": "stacked", "terms": ["att"], "average": "event", "cluster": "assignment"}
WILD = {"wild_bootstrap": {"draws": 199, "seed": 1}}
ASSIGNMENTS = {"randomisation": {"draws": 99, "seed": 1}}
FLAT = {"terms": ["att"], "average": "event", "cluster": "assignment"}
GROUP_TIME = {
    "estimator": "group_time",
    "terms": ["att"],
    "cluster": "assignment",
    "average": "event",
    "method": "doubly_robust",
    "covariates": SCORED,
    "base": "universal",
    "bands": None,
}


def _stacked(name: str, words: str, design: str, **others: Any) -> Estimator:
    changes = others.pop("changes", {})
    return Estimator(name, words, design, STACKED | changes, **others)


# To add a row, add a line: the study then runs what the draws on file lack.
ESTIMATORS = (
    _stacked("nearest", "stacked, nearest neighbour", "nearest", ratios=True),
    _stacked(
        "nearest_two_way",
        "stacked, nearest neighbour, by set and cluster",
        "nearest",
        changes={"cluster": "set_and_assignment"},
        wanted="few_clusters",
    ),
    _stacked("caliper", "stacked, all firms within the caliper", "caliper"),
    _stacked("entropy", "stacked, entropy weights", "entropy", ratios=True),
    _stacked("unmatched", "stacked, unmatched", "unmatched", ratios=True),
    _stacked(
        "unmatched_by_firm",
        "stacked, unmatched, errors by firm",
        "unmatched",
        changes={"cluster": "firm"},
    ),
    _stacked(
        "unmatched_bias_reduced",
        "stacked, unmatched, CR2 and Satterthwaite",
        "unmatched",
        changes={"bias_reduced": True},
        inference="bias_reduced",
        wanted="few_clusters",
    ),
    _stacked(
        "unmatched_wild",
        "stacked, unmatched, wild cluster bootstrap",
        "unmatched",
        changes=WILD,
        inference="wild_bootstrap",
        wanted="few_clusters",
    ),
    _stacked(
        "unmatched_randomised",
        "stacked, unmatched, randomisation test",
        "unmatched",
        changes=ASSIGNMENTS,
        inference="randomisation",
        wanted="few_clusters",
    ),
    _stacked(
        "nearest_all_firms",
        "stacked, nearest neighbour, pool `all`",
        "nearest_all_firms",
        wanted="all_firms",
    ),
    Estimator("group_time", "group-time, doubly robust", "unmatched", GROUP_TIME),
    Estimator("sun_abraham", "Sun & Abraham", "unmatched", FLAT | {"estimator": "sun_abraham"}),
    Estimator("imputation", "imputation", "unmatched", FLAT | {"estimator": "imputation"}),
    Estimator(
        "extended_twoway",
        "extended two-way, covariates",
        "unmatched",
        FLAT | {"estimator": "extended_twoway", "covariates": SCORED},
    ),
    Estimator(
        "twoway",
        "flat two-way fixed effects",
        "unmatched",
        {"estimator": "twoway", "terms": ["att"], "cluster": "assignment"},
    ),
    Estimator(
        "twoway_nearest",
        "flat two-way fixed effects, nearest neighbour",
        "nearest",
        {"estimator": "twoway", "terms": ["att"], "cluster": "assignment"},
        wanted="flat_on_sets",
    ),
)

NEAREST = {
    "score": "covariates",
    "method": "nearest",
    "distance": "linear",
    "ratio": 1,
    "replacement": False,
    "caliper_sd": 0.2,
    "caliper_sd_of": "pooled",
    "exact": [],
    "order": "largest",
    "tie_tolerance": 4.0e-8,
}
DESIGNS: dict[str, dict[str, Any]] = {
    "nearest": NEAREST,
    "caliper": {
        "score": "covariates",
        "method": "radius",
        "distance": "linear",
        "caliper_sd": 0.2,
        "caliper_sd_of": "pooled",
        "exact": [],
    },
    "entropy": {
        "score": "covariates",
        "method": "entropy",
        "covariates": SCORED,
        "moments": 1,
        "base": "equal",
    },
    "nearest_all_firms": NEAREST | {"score": "covariates_all_firms"},
}
