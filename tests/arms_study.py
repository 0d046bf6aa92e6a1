"""A small cluster programme with two arms, neighbours in two rings, and a clean pool; its results.

Sixty municipalities, thirty with participants: training and credit raise sales by 12 and 6
percent, and sales of neighbours by 5 percent within 5 km of one and by 2 up to 15 km.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from marked_study import STAGES, run
from matched_sets import nearest_design
from workspace import project

from pipeline.datasets.aggregates import read_aggregates, read_of_all_arms
from pipeline.exhibits.inputs import StudyResults, StudySettings
from pipeline.params.settings import load_yaml, parse_section
from pipeline.publishing.publication import gathered_arms, publish
from stages.exhibit import SECTIONS

STUDY = "clusters"
YEARS = range(2007, 2014)
_PLACES, _EACH, _TREATED = 60, 14, 30
_KM = 111.2  # km in a degree of latitude


def delivered(seed: int = 16) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the panel and the register as delivered."""
    rng = np.random.default_rng(seed)
    firms = _firms(rng)
    parts = [_in_year(firms, year, rng) for year in YEARS]
    panel = pd.concat(parts, ignore_index=True)
    register = firms.loc[firms["part"] != "", ["firm", "entry", "part"]]
    return panel[["firm", "year", "sales", "jobs", "lat", "lon", "place", "sector"]], register


def _firms(rng: np.random.Generator) -> pd.DataFrame:
    """Return firms on a line of municipalities 40 km apart, participants near the first."""
    n = _PLACES * _EACH
    place = np.repeat(np.arange(_PLACES), _EACH)
    within = np.tile(np.arange(_EACH), _PLACES)
    joins = (place < _TREATED) & (within < 4)
    part = np.where(joins, np.where(within < 2, "training", "credit"), "")
    km = np.select([within < 4, within < 9], [0.5 * rng.random(n), 1 + 3.4 * rng.random(n)], 7.0)
    km = np.where(within >= 9, 6 + 7 * rng.random(n), km)
    return pd.DataFrame(
        {
            "firm": [f"F{i:04d}" for i in range(n)],
            "place": [f"m{p:02d}" for p in place],
            "sector": rng.choice(["food", "metal", "textiles"], n),
            "lat": -30 + (40 * place) / _KM / 4 + km / _KM,
            "lon": -60 + 3.0 * (place % 4),
            "size": rng.normal(5, 0.8, n),
            "entry": np.where(place < _TREATED, 2010 + place % 2, 0),
            "part": part,
            "gain": np.select(
                [part == "training", part == "credit", within < 9], [0.12, 0.06, 0.05], 0.02
            ),
        }
    )


def _in_year(firms: pd.DataFrame, year: int, rng: np.random.Generator) -> pd.DataFrame:
    after = (firms["entry"] > 0) & (year >= firms["entry"])
    level = firms["size"] + 0.02 * (year - 2007) + firms["gain"] * after
    noise = rng.normal(0, 0.06, len(firms))
    sales = np.round(np.exp(level + noise), 4)
    jobs = np.round(np.exp(firms["size"] / 2 + 0.3 * firms["gain"] * after + noise), 4)
    return firms.assign(year=year, sales=sales, jobs=jobs)


def section(**treatment: dict) -> dict:
    """Return the study's block of params.yaml; `treatment` replaces blocks of that section."""
    entry = {"source": "register", "programme": None, "other_programmes": "keep"}
    return {
        "data": {
            "source": {"kind": "files", "panel": "panel.csv", "register_file": "register.csv"},
            "firm_id": "firm",
            "year": "year",
            "cluster": ["place"],
            "columns": {
                "sales": _number("sales", "US$ thousand"),
                "employment": _number("jobs", "jobs"),
                "lat": _number("lat", "degrees"),
                "lon": _number("lon", "degrees"),
                "place": _text("place", "Municipality"),
                "sector": _text("sector", "Sector"),
            },
            "register_columns": {"firm_id": "firm", "entry_year": "entry", "component": "part"},
        },
        "clean": {"duplicates": {"identical": "collapse", "conflicting": "refuse"}},
        "outcomes": {
            "sales_log": _outcome("sales", "log", "US$ thousand", "Log sales"),
            "employment_log": _outcome("employment", "log", "jobs", "Log jobs"),
        },
        "treatment": {
            "entry": entry,
            "anticipation_years": 0,
            "comparison": "never_treated",
            "window": {"first_event_time": -3, "last_event_time": 2},
            "arms": ARMS,
            "exposure": EXPOSURES,
            **treatment,
        },
        "score": {
            "covariates": {
                "size": {
                    "label": "Log sales",
                    "column": "sales",
                    "transform": "log",
                    "at": -1,
                }
            },
            "unmatched": {"controls_from": "all"},
            "models": {
                "logit": {
                    "controls_from": "all",
                    "covariates": ["size"],
                    "fit": "pooled",
                    "link": "logit",
                    "missing": "drop_firm",
                    "support": "none",
                }
            },
        },
        "match": {
            "designs": {"matched": nearest_design("logit", caliper_sd=0.5, tie_tolerance=1e-07)},
            "balance": {"denominator": "pooled", "threshold": 0.1},
        },
        "estimate": {
            "conf_level": 0.95,
            "power": 0.8,
            "missing": "renormalise",
            "headline": {"spec": "stacked", "design": "unmatched", "term": "att"},
            "specs": {
                "stacked": {
                    "estimator": "stacked",
                    "designs": ["unmatched", "matched"],
                    "outcomes": "all",
                    "terms": ["att", "event"],
                    "average": "event",
                    "cluster": "assignment",
                }
            },
        },
        "exhibit": {
            "title": "Made-up clusters",
            "programme": "training and credit for clusters",
            "firms": "firms",
            "cluster": "municipality",
            "source": "made up",
            "panels": [
                {"design": "unmatched", "spec": "stacked", "label": "All firms"},
                {"design": "matched", "spec": "stacked", "label": "Matched"},
            ],
            "design_labels": {"unmatched": "all firms", "matched": "matched"},
            "stars": False,
            "arm_labels": ARM_LABELS,
        },
    }


EXPOSURES = {
    "near": {
        "kind": "ring",
        "latitude": "lat",
        "longitude": "lon",
        "edges_km": [5.0, 15.0],
        "precision_km": 0.1,
    }
}
ARMS = {
    "headline": "training",
    "named": {
        "training": {"source": "register", "component": ["training"]},
        "credit": {"source": "register", "component": ["credit"]},
        "within_5": {"source": "exposure", "exposure": "near", "classes": [1]},
        "within_15": {"source": "exposure", "exposure": "near", "classes": [2]},
    },
    "contrasts": {"training_less_credit": {"training": 1.0, "credit": -1.0}},
}
ARM_LABELS = {
    "training": "Training",
    "credit": "Credit",
    "within_5": "Within 5 km",
    "within_15": "5 to 15 km",
    "training_less_credit": "Training less credit",
}


def _number(column: str, unit: str) -> dict:
    return {"kind": "number", "column": column, "unit": unit, "label": column.title()}


def _text(column: str, label: str) -> dict:
    return {"kind": "text", "column": column, "label": label}


def _outcome(column: str, transform: str, unit: str, label: str) -> dict:
    return {"column": column, "transform": transform, "unit": unit, "label": label}


def estimated_project(folder: Path, block: dict | None = None) -> Path:
    """Write the study into a project and run its stages up to `estimate`."""
    project(folder, {STUDY: section() if block is None else block})
    panel, register = delivered()
    raw = folder / "data" / "raw" / STUDY
    panel.to_csv(raw / "panel.csv", index=False)
    register.to_csv(raw / "register.csv", index=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr("sys.argv", ["stage", STUDY])
        for verb in list(STAGES)[:-1]:
            run(verb)
    return folder


def results_of(folder: Path) -> StudyResults:
    """Return the study's results as published, the headline arm's with those of every arm."""
    block, place = load_yaml(folder / "params.yaml")[STUDY], folder / "data" / STUDY
    sections = {name: parse_section(block, STUDY, name, kind) for name, kind in SECTIONS.items()}
    settings = StudySettings(**sections)

    def folder_of(stage: str) -> Path:
        return place / stage

    arm_folders = settings.treatment.arm_folders.items()
    by_arm = {arm: read_aggregates(folder_of, of_arm) for arm, of_arm in arm_folders}
    told = gathered_arms(STUDY, settings, by_arm, read_of_all_arms(folder_of))
    return publish(told).results
