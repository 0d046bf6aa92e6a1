"""Small studies with arms and exposure, run from raw tables through the stages into a folder."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import pandas as pd

from pipeline.datasets.arms import ARM_CONTRASTS, ARM_FLOW, OWN_EXPOSURE
from pipeline.datasets.results import ESTIMATES
from pipeline.datasets.store import read
from pipeline.params.settings import parse_section
from stages.run import Folders

STAGES = ("obtain", "clean", "score", "match", "estimate")

STACKED = {
    "estimator": "stacked",
    "designs": ["unmatched"],
    "outcomes": "all",
    "terms": ["att", "event"],
    "average": "event",
    "cluster": "assignment",
}


def block(columns: dict, arms: dict | None, exposure: dict, **changes: dict) -> dict:
    """Return the section of a study: outcome `y` in levels, cells as clusters, entry by register.

    `columns` are further columns of the panel by kind. `changes` go into the sections named.
    """
    named = {"y": "number", "cell": "text"} | columns
    described = {
        name: {"kind": kind, "column": name, "label": name}
        | ({"unit": "US$"} if kind == "number" else {})
        for name, kind in named.items()
    }
    sections = {
        "data": {
            "source": {"kind": "files", "panel": "panel.csv", "register_file": "register.csv"},
            "firm_id": "firm",
            "year": "year",
            "cluster": ["cell"],
            "columns": described,
            "register_columns": {"firm_id": "firm", "entry_year": "entry", "component": "part"},
        },
        "clean": {"duplicates": {"identical": "collapse", "conflicting": "refuse"}},
        "outcomes": {"y": {"column": "y", "transform": "level", "unit": "US$", "label": "y"}},
        "treatment": {
            "entry": {"source": "register", "programme": None, "other_programmes": "keep"},
            "anticipation_years": 0,
            "comparison": "never_treated",
            "window": {"first_event_time": -1, "last_event_time": 0},
            "exposure": exposure,
        },
        "score": {"covariates": {}, "unmatched": {"controls_from": "all"}, "models": {}},
        "match": {"designs": {}, "balance": {"denominator": "pooled", "threshold": 0.1}},
        "estimate": {
            "conf_level": 0.95,
            "power": 0.8,
            "missing": "renormalise",
            "headline": {"spec": "stacked", "design": "unmatched", "term": "att"},
            "specs": {"stacked": STACKED},
        },
    }
    if arms is not None:
        sections["treatment"]["arms"] = arms
    for name, more in changes.items():
        sections[name] |= more
    return sections


def participants_and(**exposed: dict) -> dict:
    """Return arms: whom the register lists, the headline, and exposed firms as named."""
    named = {"participants": {"source": "register", "component": ["grant"]}}
    arms = {name: {"source": "exposure"} | arm for name, arm in exposed.items()}
    return {"headline": "participants", "named": named | arms}


@dataclass(frozen=True)
class ArmStudy:
    """Hold where a study ran."""

    folders: Folders
    arms: Sequence[str]

    def estimates(self, arm: str = "", spec: str = "stacked") -> pd.DataFrame:
        """Return ESTIMATES of a spec by term and event time; of the headline's arm without one."""
        found = read(ESTIMATES, self.folders.of("estimate", arm))
        own = found[(found["estimator"] == spec) & (found["inference"] == "analytic")]
        return own.set_index(["term", "event_time"]).sort_index()

    def att(self, arm: str = "", spec: str = "stacked") -> pd.Series:
        """Return the average effect."""
        return self.estimates(arm, spec).loc[("att", pd.NA)]

    def contrasts(self, estimand: str, contrast: str, spec: str = "stacked") -> pd.DataFrame:
        """Return the rows of one contrast by term and event time."""
        found = read(ARM_CONTRASTS, self.folders.of("estimate"))
        own = (found["estimand"] == estimand) & (found["contrast"] == contrast)
        own &= found["estimator"] == spec
        return found[own].set_index(["term", "event_time"]).sort_index()

    def own_exposure(self) -> pd.DataFrame:
        return read(OWN_EXPOSURE, self.folders.of("estimate"))

    def flow(self) -> pd.DataFrame:
        return read(ARM_FLOW, self.folders.of("score")).set_index("arm")


def run_arms(
    root: Path,
    panel: pd.DataFrame,
    register: pd.DataFrame,
    sections: dict,
    stages: Sequence[str] = STAGES,
) -> ArmStudy:
    """Write raw tables (firm, year, y, cell ...; firm, entry, part), and run up to `estimate`."""
    folders = Folders("firms", root)
    folders.raw.mkdir(parents=True, exist_ok=True)
    panel.to_csv(folders.raw / "panel.csv", index=False)
    register.to_csv(folders.raw / "register.csv", index=False)
    plain = json.loads(json.dumps(sections))
    for stage in stages:
        module = import_module(f"stages.{stage}")
        wanted = module.SECTIONS.items()
        module.main(
            folders, **{name: parse_section(plain, "firms", name, kind) for name, kind in wanted}
        )
    arms = sections["treatment"].get("arms") or {"named": {}}
    return ArmStudy(folders, list(arms["named"]))
