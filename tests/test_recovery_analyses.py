"""Known truth for survival and for effects by group, over seeds fixed before looking.

Gates are Monte-Carlo standard errors, which few seeds tell badly: the 99.9% band of Student's t.
"""

from concurrent.futures import ProcessPoolExecutor

import numpy as np
import pandas as pd
import pytest
import simulation
from monte_carlo import Evaluated, estimate_seed, evaluation
from scipy.stats import t

SEEDS = range(6)
FACTORS = {2009: 3.0, 2010: 1.0, 2011: 0.0}
SALES_PERCENT = np.array([0, 16, 11, 9, 9])
BASICS = {"designs": ["covariates"], "outcomes": ["sales_log"], "cluster": "assignment"}
ANALYSES = {
    "survival": BASICS | {"exit": {"known_by": "last_year", "least_years_absent": 1}},
    "groups": BASICS
    | {
        "match": "within",
        "least_firms": 5,
        "by": {
            "cohort": {"label": "Entry year", "transform": "entry_year"},
        },
    },
}


def true_survival(found: Evaluated) -> float:
    """Return the share of matched treated firms that live on only by the programme."""
    stacks = found.study.stacks["covariates"]
    keys = found.study.panel[["firm_id", "year"]]
    truth = keys.merge(found.firms.truth, on=["firm_id", "year"], how="left", validate="1:1")
    saved = ~truth["alive_untreated"].to_numpy(dtype=bool)
    used = stacks.treated & (stacks.weight > 0)
    rows = stacks.panel_row[np.ix_(used, stacks.event_times >= 1)]
    return float(np.mean(np.where(rows >= 0, saved[rows], False)))


def one(seed: int) -> list[tuple[str, float, float]]:
    """Return what was estimated of one seed: name, estimate, truth."""
    settings = simulation.settings(firms=3000, cohort_effect_factors=list(FACTORS.values()))
    found = estimate_seed(evaluation(["covariates"], ["sales_log"], ANALYSES), settings, seed)
    rows = found.results.estimates
    att = rows[(rows["term"] == "att") & (rows["sample"] == "all")]
    value = att.set_index(["estimator", "subgroup"])["estimate"]
    effect = np.log1p(SALES_PERCENT / 100).mean()
    return [
        ("survival", value["survival", "all"], true_survival(found)),
        *(
            (f"cohort={year}", value["groups", f"cohort={year}"], factor * effect)
            for year, factor in FACTORS.items()
        ),
    ]


@pytest.fixture(scope="module")
def found() -> pd.DataFrame:
    with ProcessPoolExecutor(max_workers=2) as workers:
        rows = [row for rows in workers.map(one, SEEDS) for row in rows]
    table = pd.DataFrame(rows, columns=["name", "estimate", "truth"])
    table["error"] = table["estimate"] - table["truth"]
    errors = table.groupby("name")["error"]
    cells = table.groupby("name")[["estimate", "truth", "error"]].mean()
    cells["in_mc_se"] = errors.mean() / (errors.std() / np.sqrt(len(SEEDS)))
    print(f"\n{cells.to_string(float_format='%.4f')}")
    return cells


@pytest.mark.slow
@pytest.mark.parametrize("name", ["survival", *(f"cohort={year}" for year in FACTORS)])
def test_survival_and_effects_by_entry_year_are_recovered(found, name):
    assert abs(found.loc[name, "in_mc_se"]) < t.ppf(0.9995, len(SEEDS) - 1)


@pytest.mark.slow
def test_groups_with_other_effects_are_told_apart(found):
    effect = found["estimate"]
    assert effect["cohort=2009"] > effect["cohort=2010"] > effect["cohort=2011"]
