"""A small simulated programme of clusters, evaluated by arm in memory, as an evaluator maps it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from monte_carlo import Evaluation, evaluation_of
from recovery_worlds import NOTHING
from simulation import cluster_settings
from workspace import section

from pipeline.analyses.recovery import recover
from pipeline.analyses.specs import estimate_specs
from pipeline.commands.in_memory import match_in_memory
from pipeline.datasets.exposure import LINKS
from pipeline.datasets.store import conform
from pipeline.effects.collected import Results
from pipeline.effects.study import Study
from pipeline.inference.between_arms import between_arms
from pipeline.inference.own_exposure import arm_effects
from pipeline.panel.clean import clean_panel
from pipeline.params.arm_faults import ArmSections
from pipeline.selection.arms import firm_arms, panels_by_arm
from pipeline.selection.exposure import exposure_tables
from pipeline.simulation.simulate import SimulatedProgramme, simulate_programme

CELL = ["municipality", "sector"]
EDGE = 0.4
SHARE = {"kind": "share", "columns": CELL, "of": "firms", "edges": [EDGE]}
SUPPLY = {"kind": "link", "links": ["supply"], "direction": "source", "measure": "any"}
LABOUR = {"kind": "link", "links": ["labour_flow"], "direction": "target", "measure": "any"}
PROGRAMMES = {
    "cdp": {"source": "register", "programme": ["cdp"]},
    "other": {"source": "register", "programme": ["other"]},
    "both": {"source": "joint", "of": ["cdp", "other"]},
}
EXPOSURES = {"neighbours": SHARE, "suppliers": SUPPLY, "joined": LABOUR}
ARMS = PROGRAMMES | {
    "few_around": {"source": "exposure", "exposure": "neighbours", "classes": [1]},
    "many_around": {"source": "exposure", "exposure": "neighbours", "classes": [2]},
    "suppliers": {"source": "exposure", "exposure": "suppliers"},
}
# Strong effects on others, that do not grow in proportion to the share, and little noise.
SPILLS = {
    "spill_percent": {"tradable": [4, 30], "non_tradable": [4, 30]},
    "link_percent": {"supply": 20, "labour_flow": -10},
    "horizontal_percent": 0,
}
QUIET = {
    "firms": 2500,
    "last_year": 2013,
    "municipalities": 40,
    "sectors": 6,
    "treated_clusters": 60,
    "sales_shock_sd_log": 0.1,
    "sector_shock_sd_log": 0.01,
    "cluster_shock_sd_log": 0.02,
    "unobserved_trend_sd_percent_per_year": 0.5,
    "other_programme_share": 0.2,
    "selection_log_odds": NOTHING | {"log_employment": 0},
    "trend_percent_per_year": NOTHING,
}
KEYS = ["firm_id", "year"]


def mapped(arms: dict[str, Any], exposures: dict[str, Any], controls_from: str) -> Evaluation:
    """Return the sections of an evaluation of log sales among all firms, without matching."""
    block = section("simulated")
    block["data"]["register_columns"] |= {"component": "component", "role": "role"}
    block["clean"]["register_values"] = {"texts": "join"}
    block["outcomes"] = {"sales_log": block["outcomes"]["sales_log"]}
    block["treatment"] |= {
        "entry": {"source": "register", "programme": None, "other_programmes": "keep"},
        "window": {"first_event_time": -2, "last_event_time": 3},
        "arms": {"headline": "cdp", "several": "first_named", "named": arms},
        "exposure": exposures,
    }
    block["score"] |= {"models": {}, "unmatched": {"controls_from": controls_from}}
    block["match"]["designs"] = {}
    spec = {"designs": ["unmatched"], "outcomes": ["sales_log"], "terms": ["att"]}
    spec |= {"estimator": "stacked", "average": "event", "cluster": "assignment"}
    block["estimate"] |= {
        "specs": {"stacked": spec},
        "analyses": {},
        "headline": {"spec": "stacked", "design": "unmatched", "term": "att"},
    }
    return evaluation_of(block)


def drawn(seed: int, **programme: Any) -> SimulatedProgramme:
    asked = cluster_settings(SPILLS | programme, **QUIET)
    return simulate_programme(asked, np.random.default_rng(seed))


@dataclass(frozen=True)
class Evaluated:
    """Hold the study of each arm and its results, ARMS and EXPOSURE, of one draw of firms."""

    studies: dict[str, Study]
    results: dict[str, Results]
    arms: pd.DataFrame
    exposure: pd.DataFrame | None


def evaluated(study: Evaluation, firms: SimulatedProgramme) -> Evaluated:
    cleaned = clean_panel(
        firms.panel,
        firms.register,
        {},
        data=study.data,
        clean=study.clean,
        treatment=study.treatment,
    )
    exposed = None
    if study.treatment.exposure:
        links = conform(LINKS, firms.links.rename(columns={"amount": "weight"}))
        found = exposure_tables(cleaned.frame, study.treatment.exposure, links=links)
        exposed = found.firms
    of_firms = firm_arms(cleaned.arm_entries, cleaned.panel, study.treatment.arms, exposed)
    seen_by = of_firms.arms, of_firms.contacts
    studies = {
        arm: match_in_memory(
            seen,
            outcomes=study.outcomes,
            treatment=study.treatment,
            score=study.score,
            match=study.match,
            estimate=study.estimate,
            arm=arm,
        ).study
        for arm, seen in panels_by_arm(cleaned.panel, seen_by, study.treatment)
    }
    results = {arm: estimate_specs(own) for arm, own in studies.items()}
    return Evaluated(studies, results, of_firms.arms, exposed)


def by_arm(study: Evaluation, firms: SimulatedProgramme) -> pd.DataFrame:
    """Return RECOVERY of every arm, with the mean share of neighbours that expose the arm's firms.

    The share is missing for other arms.
    """
    found = evaluated(study, firms)
    parts = [
        recover(own, firms.truth, found.results[arm].estimates).assign(arm=arm)
        for arm, own in found.studies.items()
    ]
    share = _mean_shares(found.arms, found.exposure)
    return pd.concat(parts, ignore_index=True).assign(share=lambda rows: rows["arm"].map(share))


def own_of(study: Evaluation, firms: SimulatedProgramme, arm: str) -> dict[str, float]:
    """Return the own effect on the participants of an arm, and what it truly is."""
    found = evaluated(study, firms)
    effects = {name: arm_effects(own, found.results[name]) for name, own in found.studies.items()}
    sections = ArmSections(study.treatment, study.score, study.match, study.estimate)
    rows = between_arms(effects, found.exposure, sections).contrasts
    rows = rows[(rows["estimand"] == "own") & (rows["contrast"] == arm)]
    (estimate,) = rows.loc[rows["exposure"] == "neighbours", "estimate"]
    truth = firms.truth.assign(sales_untreated=firms.truth["sales_exposed"])
    own = recover(found.studies[arm], truth, found.results[arm].estimates)
    return {"estimate": estimate, "truth": own["truth"].item()}


def _mean_shares(arms: pd.DataFrame, exposed: pd.DataFrame | None) -> dict[str, float]:
    if exposed is None or "neighbours" not in set(exposed["exposure"]):
        return {}
    neighbours = exposed[exposed["exposure"] == "neighbours"].set_index("firm_id")["value"]
    rows = arms[arms["arm"].isin(["few_around", "many_around"])]
    return dict(rows["firm_id"].map(neighbours).groupby(rows["arm"]).mean())


def over_seeds(study: Evaluation, seeds: Iterable[int]) -> pd.DataFrame:
    """Return what `by_arm` does for each seed, with the error of each estimate."""
    table = pd.concat([by_arm(study, drawn(seed)).assign(seed=seed) for seed in seeds])
    return table.assign(error=table["estimate"] - table["truth"])


def in_mc_errors(error: pd.Series) -> float:
    """Return the mean error over seeds in standard errors of that mean."""
    return float(error.mean() / (error.std() / np.sqrt(len(error))))
