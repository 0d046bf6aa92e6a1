"""Own effects of participants come back where neighbours gain from each other, class by class."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from cluster_worlds import ARMS, PROGRAMMES, QUIET, SHARE, SPILLS, in_mc_errors, mapped
from monte_carlo import Evaluation
from simulation import cluster_settings

from pipeline.analyses.recovery import recover
from pipeline.analyses.specs import estimate_specs
from pipeline.commands.in_memory import match_in_memory
from pipeline.inference.between_arms import between_arms
from pipeline.inference.own_exposure import arm_effects
from pipeline.panel.clean import clean_panel
from pipeline.params.arm_faults import ArmSections
from pipeline.selection.arms import firm_arms, panels_by_arm
from pipeline.selection.exposure import exposure_tables
from pipeline.simulation.simulate import SimulatedProgramme, simulate_programme

# Neighbours alone spill over.
SPILT = SPILLS | {"link_percent": {"supply": 0, "labour_flow": 0}}
SEEDS = range(6)


def by_event_time() -> Evaluation:
    """Return what neighbours' classes are evaluated by, with effects by event time as well."""
    arms = {name: ARMS[name] for name in [*PROGRAMMES, "few_around", "many_around"]}
    study = mapped(arms, {"neighbours": SHARE}, "outside_treated_clusters")
    (spec,) = study.estimate.specs
    specs = [spec.model_copy(update={"terms": ["att", "event"]})]
    return replace(study, estimate=study.estimate.model_copy(update={"specs": specs}))


def own_effect(study: Evaluation, firms: SimulatedProgramme) -> dict[str, float]:
    """Return the own effect of the programme, the total one, and the true own effect.

    The truth is what the estimator finds of T(observed) - T(had the firm alone stayed out).
    """
    cleaned = clean_panel(
        firms.panel,
        firms.register,
        {},
        data=study.data,
        clean=study.clean,
        treatment=study.treatment,
    )
    exposed = exposure_tables(cleaned.frame, study.treatment.exposure).firms
    of_firms = firm_arms(cleaned.arm_entries, cleaned.panel, study.treatment.arms, exposed)
    alone = firms.truth.assign(sales_untreated=firms.truth["sales_exposed"])
    sections = ArmSections(study.treatment, study.score, study.match, study.estimate)
    effects, found = {}, {}
    seen_by = of_firms.arms, of_firms.contacts
    for arm, seen in panels_by_arm(cleaned.panel, seen_by, study.treatment):
        own = match_in_memory(seen, outcomes=study.outcomes, arm=arm, **vars(sections)).study
        results = estimate_specs(own)
        effects[arm] = arm_effects(own, results)
        recovered = recover(own, alone, results.estimates).set_index("term")
        found[arm] = recovered.loc["att", ["truth", "estimate"]]
    contrasts = between_arms(effects, exposed, sections).contrasts
    row = contrasts.set_index(["estimand", "contrast", "term"]).loc[("own", "cdp", "att")]
    truth, total = found["cdp"]
    return {"own": row["estimate"], "truth": truth, "total": total}


@pytest.mark.slow
def test_own_effects_are_total_ones_less_spillover_at_each_class():
    """Own effects are some 8 percent, of totals of some 30; a few are exposed years later."""
    study = by_event_time()
    draws = [
        own_effect(study, simulate_programme(cluster_settings(SPILT, **QUIET), rng))
        for rng in map(np.random.default_rng, SEEDS)
    ]
    table = pd.DataFrame(draws)
    assert abs(in_mc_errors(table["own"] - table["truth"])) < 3
    assert (table["total"] > 2 * table["truth"]).all()
    assert table["truth"].between(0.04, 0.12).all()
