"""Seconds of a draw of each kind that makes weights again: `python -m benchmarks.draws`.

The study is `benchmarks/large.yaml` with three outcomes, unmatched and, on a score of each entry
year, weighted by odds or matched one to one without or with replacement; on simulated firms
(`--firms`), or on the PANEL that the stage clean wrote (`--clean data/large/clean`). A method runs
with one draw and with more; the difference is what draws cost, the rest what they share. Seconds of
this process' processor time; memory is its peak so far. `--write` keeps them for docs/speed.md.
"""

import argparse
import resource
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.endtoend import ROOT, SEED, settings_for
from benchmarks.result_file import HERE, Measured, Run, today, versions
from pipeline.commands.in_memory import InMemory, match_in_memory
from pipeline.datasets.arrays import Floats
from pipeline.datasets.panel import PANEL
from pipeline.datasets.store import read
from pipeline.effects.rows import spec_label
from pipeline.inference.bootstrap import bootstrap_terms
from pipeline.inference.match_order import order_effects
from pipeline.inference.randomisation import randomise
from pipeline.panel.clean import clean_panel
from pipeline.params.clean import CleanSection
from pipeline.params.data import DataSection
from pipeline.params.estimate import EstimateSection
from pipeline.params.inference import Randomisation
from pipeline.params.match import MatchSection
from pipeline.params.outcomes import OutcomesSection
from pipeline.params.score import ScoreSection
from pipeline.params.settings import load_yaml
from pipeline.params.treatment import TreatmentSection
from pipeline.simulation.simulate import simulate_programme

ODDS = {"score": "covariates", "method": "odds"}


def bootstrap(prepared: InMemory, draws: int) -> None:
    """Make score, weights and effects of every outcome again in samples of clusters."""
    spec = prepared.study.estimate.specs[0].model_copy(update={"draws": draws})
    outcomes = list(prepared.study.outcomes)
    found = bootstrap_terms(prepared.study, prepared.redo, spec, "odds", outcomes)
    assert found.failure is None, found.failure


def randomisation(design: str, prepared: InMemory, draws: int) -> None:
    """Re-assign entry among clusters; make scores, matches and t statistics of it again."""
    drawn = {"randomisation": Randomisation.model_construct(draws=draws, seed=1)}
    study = prepared.study
    spec = study.estimate.specs[0].model_copy(update=drawn | {"inference": "analytic"})
    labels = [spec_label(study, spec, design, outcome) for outcome in study.outcomes]
    found = randomise(study, prepared.redo, spec, labels)
    assert np.isfinite(found.statistics).all()


def orders(prepared: InMemory, draws: int) -> None:
    """Match pairs in other orders; make the effect on every outcome again."""
    asked = prepared.study.estimate.model_copy(update={"match_orders": draws})
    rows = order_effects(replace(prepared.study, estimate=asked), prepared.redo)
    assert len(rows) == len(prepared.study.outcomes)


KINDS: dict[str, Callable[[InMemory, int], None]] = {
    "cluster bootstrap, odds": bootstrap,
    "entry re-assigned, unmatched": partial(randomisation, "unmatched"),
    "entry re-assigned, odds": partial(randomisation, "odds"),
    "entry re-assigned, pairs": partial(randomisation, "pairs"),
    "entry re-assigned, with replacement": partial(randomisation, "shared"),
    "order of matching, pairs": orders,
}


def sections() -> dict[str, Any]:
    """Return the sections of the study: its designs, and a spec that draws."""
    study: dict[str, Any] = load_yaml(ROOT / "benchmarks" / "large.yaml")["large"]
    score, estimate = study["score"], study["estimate"]
    score["models"] = {"covariates": score["models"]["covariates"]}
    pairs = study["match"]["designs"]["covariates"]
    study["match"]["designs"] = {
        "odds": ODDS,
        "pairs": pairs,
        "shared": pairs | {"replacement": True},
    }
    designs = ["unmatched", *study["match"]["designs"]]
    spec = estimate["specs"]["stacked"] | {"designs": designs, "inference": "cluster_bootstrap"}
    estimate["specs"] = {"stacked": spec | {"draws": 50, "seed": 1}}
    estimate["headline"] |= {"design": "odds"}
    estimate["analyses"] = {}
    return study


def simulated_panel(study: dict[str, Any], firms: int) -> pd.DataFrame:
    """Return PANEL of simulated firms, as cleaned."""
    drawn = simulate_programme(settings_for(firms), np.random.default_rng(SEED))
    return clean_panel(
        drawn.panel,
        drawn.register,
        {},
        data=DataSection.model_validate(study["data"]),
        clean=CleanSection.model_validate(study["clean"]),
        treatment=TreatmentSection.model_validate(study["treatment"]),
    ).panel


def prepared_study(study: dict[str, Any], panel: pd.DataFrame) -> InMemory:
    """Score, match and prepare the study's estimates."""
    return match_in_memory(
        panel,
        outcomes=OutcomesSection.model_validate(study["outcomes"]),
        treatment=TreatmentSection.model_validate(study["treatment"]),
        score=ScoreSection.model_validate(study["score"]),
        match=MatchSection.model_validate(study["match"]),
        estimate=EstimateSection.model_validate(study["estimate"]),
    )


def seconds(run: Callable[[InMemory, int], None], prepared: InMemory, draws: int) -> Floats:
    """Return the seconds, and those of processor time, that draws take with what they share."""
    started, used = time.perf_counter(), time.process_time()
    run(prepared, draws)
    return np.array([time.perf_counter() - started, time.process_time() - used])


def measured(firms: int, panel: pd.DataFrame, draws: int) -> list[Run]:
    """Return what a draw of each kind takes, and print what draws share."""
    prepared = prepared_study(sections(), panel)
    units = prepared.matched.weights["design"].eq("odds").sum()
    print(f"{firms:,} firms, {len(panel):,} firm-years, {units:,} firms x stacks")
    runs = []
    for kind, run in KINDS.items():
        one = seconds(run, prepared, 1)
        each = (seconds(run, prepared, 1 + draws) - one) / draws
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        spent = [[round(float(part), 4)] for part in each]
        runs.append(Run(HERE, f"{kind}, a draw", firms, *spent, [round(memory, 1)]))
        before = (one - each)[1]
        print(
            f"{kind}: {each[1]:.3f} s a draw, {before:.2f} s before; {memory:.0f} MiB", flush=True
        )
    return runs


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--firms", type=int, nargs="+", default=[100_000])
    parser.add_argument("--clean", type=Path)
    parser.add_argument("--draws", type=int, default=10)
    parser.add_argument("--write", action="store_true", help="write benchmarks/measured/")
    chosen = parser.parse_args()
    if chosen.clean is not None:
        panel = read(PANEL, chosen.clean)
        measured(panel["firm_id"].nunique(), panel, chosen.draws)
        return
    runs: list[Run] = []
    for firms in chosen.firms:
        runs += measured(firms, simulated_panel(sections(), firms), chosen.draws)
    sizes = " ".join(map(str, chosen.firms))
    found = Measured(
        what="draws that make weights again",
        command=f"python -m benchmarks.draws --firms {sizes} --draws {chosen.draws}",
        counted="firms",
        runs=runs,
        versions={HERE: versions("numpy", "pandas", "scipy")},
        **today(),
    )
    if chosen.write:
        found.write("draws")


if __name__ == "__main__":
    main()
