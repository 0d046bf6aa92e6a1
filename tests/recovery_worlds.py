"""Small simulated worlds in which every estimator runs on the same firms, and what it should find.

Entry and growth depend on nothing observed unless a world says so. One draw serves every estimator.
"""

import copy
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import simulation
from monte_carlo import Change, Evaluated, Evaluation, estimate_seed, evaluation_of
from recovery_truths import COHORTS, truths
from scipy.stats import binom
from workspace import section

from pipeline.analyses.recovery import recover
from pipeline.simulation.simulate import SimulatedProgramme

SCORED = ["employment_log", "age", "foreign_owned", "manager_education", "distance"]
NOTHING = dict.fromkeys(["age_years", "foreign_owned", "manager_education_years", "distance_km"], 0)
SMALL = {
    "firms": 1000,
    "last_year": 2013,
    "municipalities": 24,
    "sectors": 4,
    "treated_clusters": 44,
    "participation_share": 0.5,
    "cohort_years": COHORTS,
    "cohort_effect_factors": [1.5, 0.5],
    "exporter_share": 0.4,
    "exporting_persistence": 0.8,
    "exit_share_per_year": 0.05,
    "selection_log_odds": NOTHING | {"log_employment": 0},
    "trend_percent_per_year": NOTHING,
    "effects": {
        "sales_percent": [0, 16, 11, 9],
        "employment_percent": [0],
        "exporting_points": [0, 5, 10, 10],
        "export_value_percent": [0, 10, 20, 20],
        "survival_points": [0, 2, 4, 6],
    },
}
FLAT = {"designs": ["unmatched"], "outcomes": ["sales_log"], "terms": ["att"]}
FLAT |= {"cluster": "assignment"}
EVENT = FLAT | {"average": "event"}
GROUP_TIME = EVENT | {"estimator": "group_time", "base": "universal", "bands": None}
SPECS = [
    GROUP_TIME | {"name": "doubly_robust", "method": "doubly_robust", "covariates": SCORED},
    GROUP_TIME | {"name": "difference", "method": "difference", "covariates": []},
    EVENT | {"name": "sun_abraham", "estimator": "sun_abraham"},
    EVENT | {"name": "imputation", "estimator": "imputation"},
    EVENT | {"name": "extended_twoway", "estimator": "extended_twoway", "covariates": SCORED},
    EVENT | {"name": "poisson", "estimator": "stacked", "outcomes": ["sales"]},
    {
        "name": "lee_bounds",
        "estimator": "lee_bounds",
        "designs": ["covariates"],
        "outcomes": ["exports_value"],
        "terms": ["att"],
        "cluster": "assignment",
    },
]
MATCHED = {"designs": ["covariates"], "outcomes": ["sales_log"], "cluster": "assignment"}
ANALYSES = {
    "survival": MATCHED | {"exit": {"known_by": "last_year", "least_years_absent": 1}},
    "groups": MATCHED
    | {
        "match": "within",
        "least_firms": 5,
        "by": {"cohort": {"label": "Entry year", "transform": "entry_year"}},
    },
    "size_weighted": MATCHED
    | {
        "comparison": "own_size",
        "by": {"jobs": {"column": "employment", "at": -2}, "sales": {"column": "sales"}},
    },
}
PLACE = ["estimator", "outcome", "sample", "grouping", "subgroup", "term"]
COLUMNS = ["name", "truth", "estimate", "std_error", "conf_low", "conf_high"]


@dataclass(frozen=True)
class World:
    """Hold the number of seeds, changes to the small world, and what is done to simulated firms."""

    seeds: int
    settings: dict[str, Any] = field(default_factory=dict)
    change: Change | None = None


def since_entry(firms: SimulatedProgramme) -> pd.Series:
    """Return the years since entry of every row of the panel, missing for others' rows."""
    register = firms.register[firms.register["programme"] == "cdp"]
    entry = firms.panel["firm_id"].map(register.set_index("firm_id")["entry_year"])
    return firms.panel["year"] - entry


def at_base(firms: SimulatedProgramme, column: str) -> pd.Series:
    """Return for every row what its firm had in the year before entry, missing for others."""
    before = firms.panel[since_entry(firms) == -1].set_index("firm_id")[column]
    return firms.panel["firm_id"].map(before)


def larger_gain_more(firms: SimulatedProgramme) -> SimulatedProgramme:
    """Give participants 20 percent of sales more for each log point of jobs above the usual."""
    jobs = np.log(at_base(firms, "employment"))
    extra = 0.2 * (jobs - jobs.mean()) * (since_entry(firms) >= 0)
    sales = firms.panel["sales"] * np.exp(extra.fillna(0.0))
    return replace(firms, panel=firms.panel.assign(sales=sales))


def more_exits(firms: SimulatedProgramme) -> SimulatedProgramme:
    """Let a tenth of participants close each year that would close without the programme too."""
    rng = np.random.default_rng(len(firms.panel))
    entrants = firms.panel["firm_id"].unique()
    closes = pd.Series(rng.geometric(0.1, len(entrants)), index=entrants)
    left = ~(since_entry(firms) >= firms.panel["firm_id"].map(closes))
    return replace(firms, panel=firms.panel[left], truth=firms.truth[left])


def growers_alone_export(firms: SimulatedProgramme) -> SimulatedProgramme:
    """Move exporters both ways: as many as without the programme, those whose sales grew most."""
    since, base = since_entry(firms), at_base(firms, "exports")
    growth = np.log(firms.truth["sales_untreated"] / at_base(firms, "sales"))
    moved = (since >= 0) & (base > 0)
    cells = [firms.panel.loc[moved, "year"], since[moved]]
    rank = growth[moved].groupby(cells).rank(pct=True)
    without = (firms.truth.loc[moved, "exports_untreated"] > 0).groupby(cells).transform("mean")
    exports = firms.panel["exports"].copy()
    exports[moved] = np.where(rank > 1 - without, base[moved] * np.exp(growth[moved]), 0.0)
    return replace(firms, panel=firms.panel.assign(exports=exports))


DEFAULTS = simulation.settings().model_dump()
WORLDS = {
    "assumptions hold": World(120),
    "treated firms grow faster": World(60, {"treated_trend_percent_per_year": 3.0}),
    "entry-year dip": World(40, {"entry_dip_percent": 20.0}),
    "selection on what is observed": World(
        60, {key: DEFAULTS[key] for key in ("selection_log_odds", "trend_percent_per_year")}
    ),
    "the programme saves weak firms": World(
        60,
        {
            "firms": 1600,
            "municipalities": 36,
            "treated_clusters": 70,
            "cohort_effect_factors": [1, 1],
            "exit_share_per_year": 0.2,
            "informative_exit_log_hazard": 2.0,
            "effects": SMALL["effects"] | {"survival_points": [0, 20, 36, 48.8]},
        },
    ),
    "larger firms gain more": World(40, change=larger_gain_more),
    "participants exit more": World(40, change=more_exits),
    "exporters move both ways": World(40, change=growers_alone_export),
}


def evaluation() -> Evaluation:
    """Return the simulated study with one matched design, all estimators and analyses."""
    block = section("simulated")
    block["treatment"]["window"] = {"first_event_time": -3, "last_event_time": 3}
    sales = block["outcomes"]["sales_log"]
    block["outcomes"]["sales"] = sales | {"transform": "proportional", "label": "Sales"}
    named = ("sales_log", "sales", "exports_value")
    block["outcomes"] = {name: block["outcomes"][name] for name in named}
    block["score"]["covariates"] = {c: block["score"]["covariates"][c] for c in [*SCORED, "sector"]}
    block["score"]["models"] = {"covariates": block["score"]["models"]["covariates"]}
    block["match"]["designs"] = {"covariates": block["match"]["designs"]["covariates"]}
    block["estimate"] |= {
        "missing": "renormalise",
        "specs": copy.deepcopy(SPECS),
        "headline": {"spec": "lee_bounds", "design": "covariates", "term": "att"},
        "analyses": copy.deepcopy(ANALYSES),
    }
    return evaluation_of(block)


@cache
def draws(name: str) -> pd.DataFrame:
    """Return COLUMNS and `seed` of every estimate in one world, over seeds from 0; two cores."""
    world = WORLDS[name]
    with ProcessPoolExecutor(max_workers=2) as workers:
        found = list(workers.map(_drawn, [world] * world.seeds, range(world.seeds), chunksize=5))
    return pd.concat(found, ignore_index=True)


@cache
def cells(name: str) -> pd.DataFrame:
    """Print and return, by estimate in one world, bias, its Monte-Carlo error and coverage.

    `coverage` is missing for what has no interval; the estimate of an interval is missing.
    """
    table = draws(name)
    covered = (table["conf_low"] <= table["truth"]) & (table["truth"] <= table["conf_high"])
    known = table.assign(
        error=table["estimate"] - table["truth"],
        covered=covered.astype(float).where(table["conf_low"].notna()),
    ).groupby("name", sort=False)
    found = known[["truth", "std_error"]].mean()
    found["bias"] = known["error"].mean()
    found["sd"] = known["error"].std()
    found["in_mc_se"] = found["bias"] / (found["sd"] / np.sqrt(known["error"].count()))
    found["intervals"] = known["covered"].count()
    found["coverage"] = known["covered"].mean()
    print(f"\n{name}, {WORLDS[name].seeds} seeds\n{found.to_string(float_format='%.4f')}")
    return found


def least_coverage(intervals: int, level: float = 0.95, band: float = 0.999) -> float:
    """Return the lowest coverage of exact intervals that chance explains, with 99.9 percent."""
    return float(binom.interval(band, intervals, level)[0] / intervals)


def _drawn(world: World, seed: int) -> pd.DataFrame:
    settings = simulation.settings(**SMALL | world.settings)
    found = estimate_seed(evaluation(), settings, seed, change=world.change)
    return pd.DataFrame(_rows(found), columns=COLUMNS).assign(seed=seed)


def _rows(found: Evaluated) -> Iterator[tuple]:
    """Yield COLUMNS of every estimate whose truth is known."""
    rows = found.results.estimates
    rows = rows[(rows["band"] == "pointwise")]
    interval = ["estimate", "std_error", "conf_low", "conf_high"]
    keyed = rows.set_index(PLACE)[interval]
    recovered = recover(found.study, found.firms.truth, found.results.estimates)
    for row in recovered[recovered["term"] == "att"].itertuples():
        place = (row.estimator, row.outcome, "all", "all", "all", "att")
        yield row.estimator, row.truth, *keyed.loc[[place]].iloc[0]
    for name, place, truth in truths(found):
        yield name, truth, *keyed.loc[[place]].iloc[0]
