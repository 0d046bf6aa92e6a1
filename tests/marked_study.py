"""A small study whose identifiers, texts and numbers cannot be mistaken for anything else."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matched_sets import nearest_design
from workspace import project

from stages import balance as balance_stage
from stages import check, clean, estimate, exhibit, index, match, obtain, score
from stages.run import run_stage

STUDY = "firms"
STAGES = {
    "obtain": obtain,
    "clean": clean,
    "score": score,
    "match": match,
    "balance": balance_stage,
    "estimate": estimate,
    "exhibit": exhibit,
}
YEARS = range(2006, 2013)
# Part of every identifier and text cell, and the last digits of every number.
MARK = "ZQX"
DIGITS = "7193"
_FIRMS = 60


def marked_panel() -> pd.DataFrame:
    """Return 60 firms over seven years, of which 24 enter in 2009 or 2010."""
    rng = np.random.default_rng(4)
    size, growth = rng.normal(4, 1, _FIRMS), rng.normal(0, 0.1, (_FIRMS, len(YEARS)))
    rows = [
        {
            "firm": f"{MARK}{firm:03d}",
            "year": year,
            "sales": _marked(np.exp(size[firm] + growth[firm, t] + 0.02 * t)),
            "jobs": _marked(np.exp(size[firm] / 2)),
            "sector": f"{MARK}-{'abc'[firm % 3]}",
            "place": f"{MARK}-{firm % 30}",
            "entry": (2009 if firm % 2 else 2010) if firm % 30 < 12 else 9999,
        }
        for firm in range(_FIRMS)
        for t, year in enumerate(YEARS)
    ]
    return pd.DataFrame(rows)


def _marked(value: float) -> str:
    """Write a number with two decimals, then the mark: any print of it keeps its first digits."""
    return f"{value:.2f}{DIGITS}"


def marked_project(folder: Path, panel: pd.DataFrame, **sections: dict) -> Path:
    """Make a project with the panel as delivered; `sections` change its settings."""
    block = {name: {**content, **sections.get(name, {})} for name, content in _section().items()}
    project(folder, {STUDY: block})
    panel.to_csv(folder / "data" / "raw" / STUDY / "panel.csv", index=False)
    return folder


def finished_project(folder: Path) -> Path:
    """Write the small study into a project and run every stage of it once."""
    marked_project(folder, marked_panel())
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr("sys.argv", ["stage", STUDY])
        for verb in STAGES:
            run(verb)
        patch.setattr("sys.argv", ["stage"])
        check.main()
        index.main()
    return folder


def run(verb: str) -> None:
    """Run one stage here, in this process."""
    run_stage(STAGES[verb].main, STAGES[verb].SECTIONS)


def _number(column: str, unit: str) -> dict:
    return {"kind": "number", "column": column, "unit": unit, "label": column.title(), "minimum": 0}


def _text(column: str) -> dict:
    return {"kind": "text", "column": column, "label": column.title()}


def _covariate(column: str, transform: str) -> dict:
    return {"label": column.title(), "column": column, "transform": transform, "at": -1}


def _section() -> dict:
    return {
        "data": {
            "source": {"kind": "files", "panel": "panel.csv"},
            "firm_id": "firm",
            "year": "year",
            "cluster": ["firm_id"],
            "columns": {
                "sales": _number("sales", "US$"),
                "employment": _number("jobs", "jobs"),
                "sector": _text("sector"),
                "place": _text("place"),
                "entry": {"kind": "number", "column": "entry", "unit": "year", "label": "Entry"},
            },
        },
        "clean": {"duplicates": {"identical": "collapse", "conflicting": "refuse"}},
        "outcomes": {
            "sales_log": {
                "column": "sales",
                "transform": "log",
                "unit": "US$",
                "label": "Log sales",
            }
        },
        "treatment": {
            "entry": {"source": "entry_year", "column": "entry", "never": [9999]},
            "anticipation_years": 0,
            "comparison": "never_treated",
            "window": {"first_event_time": -2, "last_event_time": 2},
        },
        "score": {
            "covariates": {
                "turnover": _covariate("sales", "log"),
                "jobs": _covariate("employment", "log"),
                "sector": _covariate("sector", "category"),
            },
            "unmatched": {"controls_from": "all"},
            "models": {
                "logit": {
                    "controls_from": "all",
                    "covariates": ["turnover", "jobs"],
                    "fit": "per_stack",
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
            "headline": {"spec": "stacked", "design": "matched", "term": "att"},
            "specs": [
                {
                    "name": "stacked",
                    "estimator": "stacked",
                    "designs": ["unmatched", "matched"],
                    "outcomes": "all",
                    "terms": ["att", "event"],
                    "average": "event",
                    "cluster": "assignment",
                }
            ],
        },
        "exhibit": {
            "title": "Made-up programme",
            "programme": "Programme",
            "firms": "firms",
            "cluster": "firm",
            "source": "made up",
            "panels": [{"design": "matched", "spec": "stacked", "label": "Matched"}],
            "design_labels": {"unmatched": "all", "matched": "matched"},
            "tables": ["main_effects", "sample_flow"],
            "figures": [],
            "decimals": 3,
            "stars": False,
            "language": "en",
            "disclosure": {"min_cell_firms": 5, "dominance_percent": 50},
        },
    }
