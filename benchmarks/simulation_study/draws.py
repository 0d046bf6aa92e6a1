"""One seed of one scenario: simulate, match and estimate, with the effect and without it."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.simulation_study.estimators import (
    DESIGNS,
    EFFECT,
    ESTIMATORS,
    NO_EFFECT,
    SCORED,
    Estimator,
)
from benchmarks.simulation_study.scenarios import SMALLER, Scenario
from pipeline.analyses.recovery import recover
from pipeline.analyses.specs import estimate_specs
from pipeline.commands.in_memory import match_in_memory
from pipeline.datasets.reasons import unpacked, unpacked_remarks
from pipeline.effects.study import Study
from pipeline.errors import EvaluationError
from pipeline.exhibits.words.language import tell
from pipeline.matching.redo import Redo
from pipeline.panel.clean import clean_panel
from pipeline.params.clean import CleanSection
from pipeline.params.data import DataSection
from pipeline.params.estimate import EstimateSection
from pipeline.params.match import MatchSection
from pipeline.params.outcomes import OutcomesSection
from pipeline.params.score import ScoreSection
from pipeline.params.settings import load_yaml
from pipeline.params.simulation import Simulation
from pipeline.params.treatment import TreatmentSection
from pipeline.simulation.simulate import SimulatedProgramme, simulate_programme

SIMULATED = Path(__file__).parents[2] / "tests" / "studies" / "simulated.yaml"
WINDOW = {"first_event_time": -3, "last_event_time": 3}
KEY = ["seed", "effect", "outcome", "estimator"]
COLUMNS = [
    *KEY,
    "truth",
    "estimate",
    "std_error",
    "conf_low",
    "conf_high",
    "p_value",
    "n_treated",
    "n_treated_clusters",
    "note",
]


@dataclass(frozen=True)
class World:
    """Hold what the seeds of a scenario share: the simulator's settings and the sections."""

    scenario: Scenario
    estimators: tuple[Estimator, ...]
    simulation: Simulation
    data: DataSection
    clean: CleanSection
    outcomes: OutcomesSection
    treatment: TreatmentSection
    score: ScoreSection
    match: MatchSection
    estimate: EstimateSection


def world(scenario: Scenario, estimators: Sequence[Estimator] = ESTIMATORS) -> World:
    """Return the study `simulated`, as tests have it, as the scenario changes it."""
    block = copy.deepcopy(_simulated())
    chosen = tuple(estimator for estimator in estimators if estimator.runs_in(scenario))
    designs = list(dict.fromkeys(estimator.design for estimator in chosen))
    matched = {design: DESIGNS[design] for design in designs if design in DESIGNS}
    models = {design["score"] for design in matched.values()}
    block["score"]["models"] = {m: block["score"]["models"][m] for m in sorted(models)}
    block["score"]["covariates"] = {name: block["score"]["covariates"][name] for name in SCORED}
    block["outcomes"] = {name: block["outcomes"][name] for name in scenario.outcomes}
    block["match"]["designs"] = matched
    block["treatment"]["window"] = WINDOW
    block["estimate"] = {
        "conf_level": 0.95,
        "power": 0.8,
        "missing": "renormalise",
        "specs": [_spec(estimator, scenario) for estimator in chosen],
        "headline": {"spec": chosen[0].name, "design": chosen[0].design, "term": "att"},
    }
    return World(
        scenario=scenario,
        estimators=chosen,
        simulation=_simulation(block["data"]["source"]["settings"], scenario),
        data=DataSection.model_validate(block["data"]),
        clean=CleanSection.model_validate(block["clean"]),
        outcomes=OutcomesSection.model_validate(block["outcomes"]),
        treatment=TreatmentSection.model_validate(block["treatment"]),
        score=ScoreSection.model_validate(block["score"]),
        match=MatchSection.model_validate(block["match"]),
        estimate=EstimateSection.model_validate(block["estimate"]),
    )


@cache
def _simulated() -> dict[str, Any]:
    return dict(load_yaml(SIMULATED)["simulated"])


def _simulation(defaults: dict[str, Any], scenario: Scenario) -> Simulation:
    """Return the settings; an empty mapping in a scenario stands for that of params.yaml."""
    changed = {key: value for key, value in scenario.changes.items() if value != {}}
    kept = {key: value for key, value in SMALLER.items() if scenario.changes.get(key) != {}}
    return Simulation.model_validate({**defaults, **kept, **changed})


def _spec(estimator: Estimator, scenario: Scenario) -> dict[str, Any]:
    outcomes = [name for name in scenario.outcomes if estimator.estimates(name)]
    return estimator.spec | {
        "name": estimator.name,
        "designs": [estimator.design],
        "outcomes": outcomes,
    }


def draw(world: World, seed: int) -> pd.DataFrame:
    """Return COLUMNS for every estimator and outcome of one seed, with the effect and without.

    Estimators that only test have rows without the effect only. Where the score or the matching
    stops, unmatched estimators go on. An estimator without an estimate is a row with the reason.
    """
    firms = simulate_programme(world.simulation, np.random.default_rng(seed))
    alike: dict[tuple[bool, bool], list[Estimator]] = {}
    for estimator in world.estimators:
        alike.setdefault((estimator.redone, estimator.tests_only), []).append(estimator)
    found = [_drawn(only(world, part), firms) for part in alike.values()]
    return pd.concat(found, ignore_index=True).assign(seed=seed).reindex(columns=COLUMNS)


def only(world: World, kept: Sequence[Estimator]) -> World:
    """Return the world with some of its estimators, and the designs and scores they need."""
    names = {estimator.name for estimator in kept}
    wanted = {estimator.design for estimator in kept}
    designs = {name: of for name, of in world.match.designs.items() if name in wanted}
    scores = {design.score for design in designs.values()}
    models = {name: of for name, of in world.score.models.items() if name in scores}
    specs = [spec for spec in world.estimate.specs if spec.name in names]
    first = {"spec": kept[0].name, "design": kept[0].design}
    headline = world.estimate.headline.model_copy(update=first)
    return replace(
        world,
        estimators=tuple(kept),
        score=world.score.model_copy(update={"models": models}),
        match=world.match.model_copy(update={"designs": designs}),
        estimate=world.estimate.model_copy(update={"specs": specs, "headline": headline}),
    )


def _drawn(world: World, firms: SimulatedProgramme) -> pd.DataFrame:
    try:
        return _estimated(world, firms)
    except EvaluationError as stopped:
        unmatched = [e for e in world.estimators if e.design == "unmatched"]
        goes_on = 0 < len(unmatched) < len(world.estimators)
        found = [_drawn(only(world, unmatched), firms)] if goes_on else []
        stays = [e for e in world.estimators if not goes_on or e not in unmatched]
        lost = _wanted(only(world, stays)).assign(note=_told(stopped))
        return pd.concat([*found, *(lost.assign(effect=name) for name in stays[0].effects)])


def _estimated(world: World, firms: SimulatedProgramme) -> pd.DataFrame:
    """Estimate twice: with the effect, and on the same firms and matches without it.

    The estimators of `world` run in the same worlds.
    """
    study, redo = _prepared(world, firms)
    found = []
    if EFFECT in world.estimators[0].effects:
        results = estimate_specs(study, redo).estimates
        true = recover(study, firms.truth, results)
        truth = true.loc[true["term"] == "att", ["outcome", "estimator", "truth"]]
        rows = _rows(world, results).merge(truth, how="left", on=["outcome", "estimator"])
        found.append(rows.assign(effect=EFFECT))
    untreated = replace(study, panel=without_effect(study.panel, firms.truth))
    without = estimate_specs(untreated, redo).estimates
    found.append(_rows(world, without).assign(effect=NO_EFFECT, truth=0.0))
    return pd.concat(found, ignore_index=True)


def without_effect(panel: pd.DataFrame, truth: pd.DataFrame) -> pd.DataFrame:
    """Return the panel had participants not been treated; what reaches others stays.

    Participants whom the programme kept alive have missing outcomes from their exit on.
    """
    aligned = panel[["firm_id", "year"]].merge(truth, on=["firm_id", "year"], how="left")
    treated = panel["cohort"].notna().to_numpy()
    gone = treated & ~aligned["alive_untreated"].to_numpy(dtype=bool)
    outcomes = {}
    for column in ("sales", "employment", "exports"):
        untreated = aligned[f"{column}_untreated"].to_numpy(dtype=np.float64)
        observed = panel[column].to_numpy(dtype=np.float64)
        outcomes[column] = np.where(gone, np.nan, np.where(treated, untreated, observed))
    return panel.assign(**outcomes)


def _prepared(world: World, firms: SimulatedProgramme) -> tuple[Study, Redo | None]:
    """Return the study, and what it takes to make weights again where an estimator does."""
    panel = clean_panel(
        firms.panel,
        firms.register,
        {},
        data=world.data,
        clean=world.clean,
        treatment=world.treatment,
    ).panel
    found = match_in_memory(
        panel,
        outcomes=world.outcomes,
        treatment=world.treatment,
        score=world.score,
        match=world.match,
        estimate=world.estimate,
    )
    redone = any(estimator.redone for estimator in world.estimators)
    return found.study, found.redo if redone else None


def _wanted(world: World) -> pd.DataFrame:
    """Return the outcome and estimator of each row that the scenario asks for."""
    rows = [
        (outcome, estimator.name, estimator.inference)
        for outcome in world.scenario.outcomes
        for estimator in world.estimators
        if estimator.estimates(outcome)
    ]
    return pd.DataFrame(rows, columns=["outcome", "estimator", "inference"])


def _rows(world: World, estimates: pd.DataFrame) -> pd.DataFrame:
    whole = estimates[(estimates["term"] == "att") & (estimates["sample"] == "all")]
    whole = whole.assign(note=[_note(row) for row in whole.to_dict("records")])
    return _wanted(world).merge(whole, how="left", on=["outcome", "estimator", "inference"])


def _note(row: dict[Any, Any]) -> str | None:
    """Return the remarks of a row of ESTIMATES and its reason, in English."""
    reason = unpacked(row["reason"], row["reason_fields"])
    said = [*unpacked_remarks(row["remarks"]), *([] if reason is None else [reason])]
    return "; ".join(map(tell, said)) or None


def _told(stopped: EvaluationError) -> str:
    return str(stopped) if stopped.has_words else tell(stopped.reason)
