"""Bias, coverage and rejection of every estimator on simulated firms with a known effect.

    nice python -m benchmarks.simulation_study run --store DIR [--seeds 500] [--scenarios a,b]
    python -m benchmarks.simulation_study write --store DIR      # docs/simulation_study.md

`run` appends each seed of a scenario to DIR and leaves out what is there already, so that it can be
stopped and started again. Every outcome is evaluated twice, as observed and as it would be had the
programme no effect on participants: bias, error and coverage come from the first, rejection of no
effect from the second. Firms, entrants, matches and shocks of both are the same.
"""

import argparse
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.simulation_scenarios import SCENARIOS, Evaluation, evaluation, settings
from benchmarks.simulation_tables import document
from pipeline.cohorts import pooled_risk_sets, risk_sets
from pipeline.covariates import dated_covariates
from pipeline.effects.bootstrap import Redo
from pipeline.effects.specs import estimate_specs
from pipeline.effects.study import prepare_study
from pipeline.errors import EvaluationError
from pipeline.matched_lags import matched_times
from pipeline.matching.designs import match_designs
from pipeline.panel import clean_panel
from pipeline.params.simulation import Simulation
from pipeline.propensity import score_risk_sets
from pipeline.recovery import RECOVERY_KEY, recover
from pipeline.simulate import simulate_programme

ROOT = Path(__file__).parent.parent
DOCUMENT = ROOT / "docs" / "simulation_study.md"
SEEDS = 500
COLUMNS = [
    *RECOVERY_KEY,
    "inference",
    "truth",
    "estimate",
    "std_error",
    "p_value",
    "conf_low",
    "conf_high",
    "n_treated_clusters",
]
KEPT_INFERENCE = ["analytic", "bias_reduced", "wild_bootstrap", "randomisation"]


def evaluate(study: Evaluation, world: Simulation, seed: int) -> pd.DataFrame:
    """Simulate, evaluate, and return COLUMNS of every estimate of the average effect."""
    firms = simulate_programme(world, np.random.default_rng(seed))
    cleaned = clean_panel(
        firms.panel,
        firms.register,
        {},
        data=study.data,
        clean=study.clean,
        treatment=study.treatment,
    ).panel
    panel, truth = without_effects(cleaned, firms.truth)
    candidates = risk_sets(panel, study.treatment).firms
    covariates = dated_covariates(panel, candidates, study.score.covariates)
    pools = pooled_risk_sets(candidates, study.score)
    scores = score_risk_sets(pools, covariates, study.score).scores
    matched = match_designs(scores, covariates, study.match)
    prepared = prepare_study(
        panel,
        matched.matches,
        matched.weights,
        outcomes=study.outcomes,
        treatment=study.treatment,
        matched_times=matched_times(study.score, study.match),
        estimate=study.estimate,
        covariates=covariates,
    )
    redo = Redo(scores, covariates, study.score, study.match) if _is_randomised(study) else None
    estimates = estimate_specs(prepared, redo).estimates
    recovered = recover(prepared, truth, estimates)[[*RECOVERY_KEY, "truth"]]
    rows = estimates[
        (estimates["term"] == "att")
        & (estimates["sample"] == "all")
        & estimates["inference"].isin(KEPT_INFERENCE)
    ]
    return rows.merge(recovered, on=RECOVERY_KEY)[COLUMNS]


def _is_randomised(study: Evaluation) -> bool:
    return any(getattr(spec, "randomisation", None) for spec in study.estimate.specs)


def without_effects(panel: pd.DataFrame, truth: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Add `<column>_none`, the outcome had the programme no effect on participants, to both tables.

    Effects on firms beside participants stay.
    """
    untreated = panel[["firm_id", "year"]].merge(truth, on=["firm_id", "year"], how="left")
    untreated = untreated.set_axis(panel.index)
    entered = (panel["year"] >= panel["cohort"]).fillna(False).to_numpy(dtype=bool)
    for name in ("sales", "exports"):
        none = panel[name].mask(entered, untreated[f"{name}_untreated"])
        panel = panel.assign(**{f"{name}_none": none})
        truth = truth.assign(**{f"{name}_none_untreated": truth[f"{name}_untreated"]})
    return panel, truth


def run_one(name: str, seed: int) -> pd.DataFrame:
    """Return the rows of one seed; a seed that cannot be estimated gives one row that says so."""
    scenario = SCENARIOS[name]
    try:
        rows = evaluate(evaluation(scenario), settings(scenario), seed)
    except EvaluationError as error:
        rows = pd.DataFrame(
            [{"estimator": "failed", "inference": str(error)[:80]}], columns=COLUMNS
        )
    return rows.assign(scenario=name, seed=seed)


def run(store: Path, seeds: int, names: list[str]) -> None:
    """Draw what the store lacks, scenario by scenario within each seed, one file per scenario."""
    store.mkdir(parents=True, exist_ok=True)
    done = {name: _done(store / f"{name}.csv") for name in names}
    started, drawn = time.perf_counter(), 0
    for seed in range(seeds):
        for name in names:
            if seed in done[name] or seed >= SCENARIOS[name].most_seeds:
                continue
            path = store / f"{name}.csv"
            run_one(name, seed).to_csv(path, mode="a", header=not path.exists(), index=False)
            drawn += 1
        if seed % 10 == 9:
            minutes = (time.perf_counter() - started) / 60
            print(f"seed {seed + 1} of {seeds}: {drawn} drawn in {minutes:.1f} min", flush=True)


def _done(path: Path) -> set[int]:
    if not path.exists():
        return set()
    return set(pd.read_csv(path, usecols=["seed"])["seed"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("action", choices=["run", "write"])
    parser.add_argument("--store", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--scenarios", default=",".join(SCENARIOS))
    options: Any = parser.parse_args()
    warnings.simplefilter("ignore")
    if options.action == "run":
        run(options.store, options.seeds, options.scenarios.split(","))
    else:
        DOCUMENT.write_text(document(options.store, SCENARIOS), encoding="utf-8")


if __name__ == "__main__":
    main()
