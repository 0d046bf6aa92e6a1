"""A study of two entry years whose firms move between clusters, exit, and lack some values."""

import numpy as np
import pandas as pd
from matched_sets import nearest_design
from stacked_tables import estimation, outcomes, treatment

from pipeline.commands.in_memory import InMemory, match_in_memory
from pipeline.datasets.panel import PANEL
from pipeline.datasets.store import conform
from pipeline.panel.treated_clusters import cluster_entry
from pipeline.params.estimate import EstimateSection
from pipeline.params.match import MatchSection
from pipeline.params.score import ScoreSection

DESIGNS = {
    "pairs": nearest_design("own", caliper_sd=1.5),
    "cells": nearest_design("own", exact=["sector"], ratio=2),
    "shared": nearest_design("own", replacement=True),
    "random": nearest_design("own", order="random", order_seed=3),
    "odds": {"method": "odds", "score": "own"},
    "pooled": {"method": "odds", "score": "pooled"},
}
_MODEL = {
    "controls_from": "outside_treated_clusters",
    "covariates": ["size", "age"],
    "fit": "per_stack",
    "link": "logit",
    "missing": "drop_firm",
    "support": "none",
}
_OWN = {"label": "Own", "column": "size", "transform": "level", "at": -1}
SCORE = {
    "covariates": {
        "size": _OWN,
        "age": _OWN | {"column": "age"},
        "sector": _OWN | {"column": "sector", "transform": "category"},
    },
    "unmatched": {"controls_from": "all"},
    "models": {
        "own": _MODEL,
        "pooled": _MODEL
        | {
            "controls_from": "all",
            "covariates": ["size", "sector"],
            "fit": "pooled",
            "link": "probit",
            "support": "min_max",
            "refit": True,
        },
    },
}


def moving_panel(seed: int = 0, *, n_clusters: int = 24, per_cluster: int = 12) -> pd.DataFrame:
    """Return PANEL over 2001-2008: a third of the firms of six clusters enter in 2004 or 2005."""
    rng = np.random.default_rng(seed)
    n, years = n_clusters * per_cluster, np.arange(2001, 2009)
    firm = np.repeat(np.arange(n), len(years))
    year = np.tile(years, n)
    home = np.arange(n) // per_cluster
    moves = (rng.uniform(size=n) < 0.15)[firm] & (year >= 2004)
    cluster = np.where(moves, (home[firm] + 1) % n_clusters, home[firm])
    entry = np.select([home < 3, home < 6], [2004, 2005], 0)
    enters = (entry > 0) & (np.arange(n) % 3 == 0)
    cohort = pd.array(np.where(enters, entry, 0)[firm], dtype="Int64")
    size = rng.normal(size=n) + 0.3 * enters
    rows = pd.DataFrame(
        {
            "firm_id": [f"F{i}" for i in firm],
            "year": year,
            "cluster": [f"c{c}" for c in cluster],
            "cohort": cohort.astype("Float64"),
            "size": np.where(rng.uniform(size=n) < 0.03, np.nan, size)[firm],
            "age": rng.integers(1, 30, size=n)[firm].astype(float),
            "sector": rng.choice(["a", "b", "c"], size=n)[firm],
        }
    )
    rows["cohort"] = rows["cohort"].where(rows["cohort"] > 0).astype("Int64")
    shock = rng.normal(size=(n_clusters, len(years)))[cluster, year - 2001]
    sales = 0.5 * shock + rng.normal(size=len(rows)) + size[firm]
    rows["sales"] = np.where(rng.uniform(size=len(rows)) < 0.04, np.nan, sales)
    rows["jobs"] = shock + rng.normal(size=len(rows))
    exits = rng.integers(2006, 2015, size=n)[firm]
    rows = rows[year < exits]
    return conform(PANEL, rows.assign(cluster_entry=cluster_entry(rows)))


def moving_study(panel: pd.DataFrame, design: str, comparison: str, **spec: object) -> InMemory:
    """Return the study matched in memory, with one stacked spec of a design."""
    named = {
        name: {"column": name, "transform": "level", "unit": "$", "label": name}
        for name in ("sales", "jobs")
    }
    asked = estimation(missing="drop_set").model_dump(exclude_none=True)
    asked["headline"]["design"] = design
    asked["specs"][0] |= {"designs": [design], "terms": ["att"], "cluster": "assignment"}
    asked["specs"][0] |= {"average": "event"} | spec
    return match_in_memory(
        panel,
        outcomes=outcomes(**named),
        treatment=treatment(-3, 2).model_copy(update={"comparison": comparison}),
        score=ScoreSection.model_validate(SCORE),
        match=MatchSection.model_validate(
            {"designs": DESIGNS, "balance": {"denominator": "pooled", "threshold": 0.1}}
        ),
        estimate=EstimateSection.model_validate(asked),
    )
