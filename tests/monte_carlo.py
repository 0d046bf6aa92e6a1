"""Run the evaluation on simulated firms seed by seed, in memory, without DVC."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from workspace import section

from pipeline.analyses.recovery import RECOVERY_KEY, recover
from pipeline.analyses.specs import estimate_specs
from pipeline.commands.in_memory import match_in_memory
from pipeline.effects.collected import Results
from pipeline.effects.study import Study
from pipeline.panel.clean import clean_panel
from pipeline.params.clean import CleanSection
from pipeline.params.data import DataSection
from pipeline.params.estimate import EstimateSection
from pipeline.params.match import MatchSection
from pipeline.params.outcomes import OutcomesSection
from pipeline.params.score import ScoreSection
from pipeline.params.simulation import Simulation
from pipeline.params.treatment import TreatmentSection
from pipeline.simulation.simulate import SimulatedProgramme, simulate_programme

Change = Callable[[SimulatedProgramme], SimulatedProgramme]


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


def evaluation(
    designs: list[str], outcomes: list[str], analyses: dict[str, Any] | None = None
) -> Evaluation:
    """Return the simulated study's settings, for some designs and outcomes only.

    `analyses` replaces those beside the specs.
    """
    block = section("simulated")
    kept = [d for d in designs if d != "unmatched"]
    block["match"]["designs"] = {d: block["match"]["designs"][d] for d in kept}
    models = {block["match"]["designs"][d]["score"] for d in kept}
    block["score"]["models"] = {m: block["score"]["models"][m] for m in sorted(models)}
    block["outcomes"] = {o: block["outcomes"][o] for o in outcomes}
    for spec in block["estimate"]["specs"]:
        spec["designs"] = [d for d in spec["designs"] if d in designs]
        spec["terms"] = ["att"]
        spec.pop("bands", None)
    block["estimate"]["specs"] = [
        spec
        for spec in block["estimate"]["specs"]
        if spec["designs"] and spec["estimator"] in {"stacked", "twoway"}
    ]
    block["estimate"]["headline"]["design"] = designs[-1]
    block["estimate"]["analyses"] = analyses or {}
    return evaluation_of(block)


def evaluation_of(block: dict[str, Any]) -> Evaluation:
    """Return the sections of one study's block."""
    return Evaluation(
        data=DataSection.model_validate(block["data"]),
        clean=CleanSection.model_validate(block["clean"]),
        outcomes=OutcomesSection.model_validate(block["outcomes"]),
        treatment=TreatmentSection.model_validate(block["treatment"]),
        score=ScoreSection.model_validate(block["score"]),
        match=MatchSection.model_validate(block["match"]),
        estimate=EstimateSection.model_validate(block["estimate"]),
    )


@dataclass(frozen=True)
class Evaluated:
    """Hold one seed's firms and what was estimated on them."""

    firms: SimulatedProgramme
    study: Study
    results: Results


def evaluate(
    study: Evaluation, settings: Simulation, seed: int, entry_year: int | None = None
) -> pd.DataFrame:
    """Simulate, evaluate and return the recovery table of one seed, with intervals.

    With `entry_year` the evaluation takes every participant to have entered in that year.
    """
    found = estimate_seed(study, settings, seed, entry_year)
    recovery = recover(found.study, found.firms.truth, found.results.estimates)
    estimates = found.results.estimates
    plain = (estimates["sample"] == "all") & (estimates["subgroup"] == "all")
    counts = estimates.loc[plain, [*RECOVERY_KEY, "conf_low", "conf_high", "n_treated_clusters"]]
    keyed = recovery.merge(counts, on=RECOVERY_KEY)
    return keyed.assign(seed=seed)


def estimate_seed(
    study: Evaluation,
    settings: Simulation,
    seed: int,
    entry_year: int | None = None,
    change: Change | None = None,
) -> Evaluated:
    """Simulate firms, clean, score, match and estimate; `change` alters what was simulated."""
    firms = simulate_programme(settings, np.random.default_rng(seed))
    firms = firms if change is None else change(firms)
    register = firms.register
    if entry_year is not None:
        register = register.assign(entry_year=entry_year)
    panel = clean_panel(
        firms.panel,
        register,
        {},
        data=study.data,
        clean=study.clean,
        treatment=study.treatment,
    ).panel
    found = match_in_memory(
        panel,
        outcomes=study.outcomes,
        treatment=study.treatment,
        score=study.score,
        match=study.match,
        estimate=study.estimate,
    )
    redo = found.redo if study.estimate.analyses.asked() else None
    return Evaluated(firms, found.study, estimate_specs(found.study, redo))


def summarise(draws: pd.DataFrame) -> pd.DataFrame:
    """Return bias, its Monte-Carlo error, coverage and more for each estimate over seeds."""
    error = draws["estimate"] - draws["truth"]
    covered = (draws["conf_low"] <= draws["truth"]) & (draws["truth"] <= draws["conf_high"])
    cells = draws.assign(error=error, covered=covered.astype(float)).groupby(
        ["outcome", "design", "estimator"], sort=False
    )
    n = cells.size()
    sd = cells["error"].std()
    return pd.DataFrame(
        {
            "seeds": n,
            "truth": cells["truth"].mean(),
            "bias": cells["error"].mean(),
            "bias_mc_se": sd / np.sqrt(n),
            "bias_in_mc_se": cells["error"].mean() / (sd / np.sqrt(n)),
            "sd": sd,
            "mean_std_error": cells["std_error"].mean(),
            "coverage": cells["covered"].mean(),
            "treated_clusters": cells["n_treated_clusters"].min(),
        }
    ).reset_index()
