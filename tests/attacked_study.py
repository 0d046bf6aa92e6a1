"""A study made to be attacked: heavy tails, lone firms, and every analysis published.

Among about 300 firms are one that enters alone in its year, one entrant too large to be matched,
one exporter with nearly all exports, two entrants that exit, three without a covariate, and a
sector of two entrants.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from marked_study import STAGES, run
from matched_sets import nearest_design
from workspace import project

from pipeline.datasets.aggregates import arms_told, read_aggregates, read_of_all_arms
from pipeline.exhibits.inputs import StudyResults, StudySettings
from pipeline.params.exhibit import Disclosure
from pipeline.params.settings import load_yaml, parse_section
from pipeline.publishing.publication import gathered, gathered_arms, published_csvs
from stages.exhibit import SECTIONS

STUDY = "attacked"
YEARS = range(2008, 2016)
# Entrants by year; the first entered alone, so that the last event time is its own.
ENTRANTS = {2010: 1, 2011: 16, 2012: 21, 2013: 25}
LONE, EXPORTER, GIANT = 0, 3, 20
EXITS = {7: 2013, 25: 2014}
WITHOUT_SCHOOLING = (9, 30, 45)
IN_MINING = (11, 40)
_N_TREATED, _N_COMPARISON = sum(ENTRANTS.values()), 240
_N = _N_TREATED + _N_COMPARISON


def delivered_panel(seed: int = 20261129) -> pd.DataFrame:
    """Return the raw panel: heavy-tailed sales, exports of few, exits, values missing."""
    rng = np.random.default_rng(seed)
    firms = _firms(rng)
    last = np.where(rng.random(_N) < 0.05, rng.integers(2012, 2015, _N), max(YEARS))
    last[:_N_TREATED] = max(YEARS)
    for firm, year in EXITS.items():
        last[firm] = year
    parts = []
    shock = np.zeros(_N)
    for place, year in enumerate(YEARS):
        shock = 0.6 * shock + rng.normal(0, 0.3, _N)
        effect = 0.15 * (year >= firms["entry"].to_numpy())
        level = firms["size"] + 0.02 * place + shock + effect
        part = firms[["firm", "entry", "sector", "place", "schooling", "foreign", "status"]].assign(
            year=year,
            sales=np.round(np.exp(level), 2),
            jobs=np.round(1 + np.exp(0.5 * firms["size"] + rng.normal(0, 0.2, _N) - 1)),
            exports=np.round(firms["exports"] * np.exp(shock + rng.normal(0, 0.2, _N)), 2),
        )
        parts.append(part[year <= last])
    panel = pd.concat(parts, ignore_index=True)
    # three values that stand for "not known", of two firms
    panel.loc[panel.index[[70, 71, 900]], "jobs"] = -9
    return panel.sort_values(["firm", "year"], ignore_index=True)


def _firms(rng: np.random.Generator) -> pd.DataFrame:
    """Return what firms keep: entry, size, place, and who stands out."""
    entry = np.full(_N, 9999)
    entry[:_N_TREATED] = np.repeat(list(ENTRANTS), list(ENTRANTS.values()))
    size = rng.normal(5, 2, _N)
    size[:_N_TREATED] += 0.3
    size[GIANT] = 13.5
    exports = np.where(rng.random(_N) < 0.25, np.exp(rng.normal(3, 2, _N)), 0.0)
    exports[EXPORTER] = 0.0
    exports[EXPORTER] = 97 / 3 * exports.sum()
    foreign = (rng.random(_N) < 0.1).astype(int)
    foreign[:_N_TREATED] = 0
    foreign[[5, 22, 50]] = 1
    sector = rng.choice(["food", "metal", "textiles"], _N)
    sector[list(IN_MINING)] = "mining"
    sector[_N_TREATED + 5 : _N_TREATED + 14] = "mining"
    schooling = np.round(rng.normal(11, 3, _N))
    schooling[list(WITHOUT_SCHOOLING)] = np.nan
    status = np.full(_N, "active")
    status[[12, _N_TREATED + 30, _N_TREATED + 31]] = "holding"
    return pd.DataFrame(
        {
            "firm": [f"K{i:04d}" for i in range(_N)],
            "entry": entry,
            "size": size,
            "exports": exports,
            "foreign": foreign,
            "sector": sector,
            "schooling": schooling,
            "status": status,
            "place": [f"m{i % 60:02d}" for i in range(_N)],
        }
    )


def _column(column: str, label: str, unit: str = "US$", **more: object) -> dict:
    return {"kind": "number", "column": column, "unit": unit, "label": label, **more}


def _text(column: str, label: str) -> dict:
    return {"kind": "text", "column": column, "label": label}


def _outcome(column: str, transform: str, label: str, unit: str = "US$") -> dict:
    return {"column": column, "transform": transform, "label": label, "unit": unit}


def _covariate(column: str, transform: str, label: str) -> dict:
    return {"column": column, "transform": transform, "label": label, "at": -1}


def _spec(estimator: str, designs: list[str], **settings: object) -> dict:
    shared = {"estimator": estimator, "designs": designs, "outcomes": "all", "cluster": "firm"}
    return shared | {"terms": ["att", "event"]} | settings


_BOTH = ["unmatched", "matched"]
_EVERY = [*_BOTH, "lags", "weighted"]


def section() -> dict:
    """Return the study's block of params.yaml, threshold 5."""
    return {
        "data": {
            "source": {"kind": "files", "panel": "panel.csv"},
            "firm_id": "firm",
            "year": "year",
            "cluster": ["firm_id"],
            "columns": {
                "sales": _column("sales", "Sales", minimum=0),
                "employment": _column("jobs", "Jobs", "jobs", minimum=0),
                "exports": _column("exports", "Exports", minimum=0),
                "schooling": _column("schooling", "Schooling", "years"),
                "foreign": _column("foreign", "Foreign-owned", "share"),
                "sector": _text("sector", "Sector"),
                "place": _text("place", "Place"),
                "status": _text("status", "Status"),
                "entry": _column("entry", "Entry", "year"),
            },
        },
        "clean": {
            "missing_codes": {"employment": ["-9"]},
            "duplicates": {"identical": "collapse", "conflicting": "refuse"},
            "filters": [{"column": "status", "label": "No holdings", "keep": ["active"]}],
        },
        "outcomes": {
            "sales": _outcome("sales", "level", "Sales"),
            "sales_log": _outcome("sales", "log", "Log sales"),
            "employment_log": _outcome("employment", "log", "Log employment", "jobs"),
            "exports": _outcome("exports", "level", "Exports"),
            "exports_any": _outcome("exports", "any", "Any exports", "share"),
            "exports_value": _outcome("exports", "proportional", "Export value"),
        },
        "treatment": {
            "entry": {"source": "entry_year", "column": "entry", "never": [9999]},
            "anticipation_years": 0,
            "comparison": "never_treated",
            "window": {"first_event_time": -3, "last_event_time": 5},
        },
        "score": _score(),
        "match": _match(),
        "estimate": _estimate(),
        "exhibit": _exhibit(),
    }


def _score() -> dict:
    model = {"controls_from": "all", "fit": "pooled", "link": "logit", "missing": "drop_firm"}
    model |= {"support": "none"}
    return {
        "covariates": {
            "sales_log": _covariate("sales", "log", "Log sales"),
            "sales": _covariate("sales", "level", "Sales"),
            "exports": _covariate("exports", "level", "Exports"),
            "jobs": _covariate("employment", "level", "Jobs"),
            "schooling": _covariate("schooling", "level", "Schooling"),
            "foreign": _covariate("foreign", "level", "Foreign-owned"),
            "exporter": _covariate("exports", "any", "Exporter"),
            "sector": _covariate("sector", "category", "Sector"),
        },
        "unmatched": {"controls_from": "all"},
        "models": {
            "basic": {**model, "covariates": ["sales_log", "schooling"]},
            "lags": {**model, "covariates": ["sales_log", "schooling", "exporter"]},
            "inside": {**model, "covariates": ["sales_log"], "support": "comparison_maximum"},
        },
    }


def _match() -> dict:
    near = {"caliper_sd": 0.2, "tie_tolerance": 1e-7}
    kernel = {"method": "kernel", "distance": "linear", "bandwidth": 0.06, "exact": []}
    return {
        "designs": {
            "matched": nearest_design("basic", **near),
            "lags": nearest_design("lags", **near, ratio=2),
            "weighted": {"score": "inside", **kernel},
        },
        "balance": {"denominator": "pooled", "threshold": 0.1},
    }


def _estimate() -> dict:
    asked = {"designs": ["matched"], "cluster": "firm"}
    group_time = {"method": "difference", "covariates": [], "base": "universal"}
    group_time |= {"terms": ["att", "att_gt", "event"], "average": "event", "bands": True}
    return {
        "conf_level": 0.95,
        "power": 0.8,
        "missing": "renormalise",
        "headline": {"spec": "stacked", "design": "matched", "term": "att"},
        "specs": {
            "stacked": _spec("stacked", _EVERY, average="event", bands=True),
            "twoway": _spec("twoway", _BOTH, terms=["att"]),
            "group_time": _spec("group_time", _BOTH, **group_time),
        },
        "analyses": {
            "margins": asked | {"outcomes": ["exports_value"]},
            "survival": asked
            | {"outcomes": ["sales", "sales_log"]}
            | {"exit": {"known_by": "last_year", "least_years_absent": 1}},
            "groups": asked
            | {"outcomes": ["sales", "sales_log"], "match": "common", "least_firms": 2}
            | {
                "by": {
                    "sector": {"label": "Sector", "transform": "category", "column": "sector"},
                    "year": {"label": "Entry year", "transform": "entry_year"},
                    "size": {
                        "label": "Jobs",
                        "transform": "level",
                        "column": "employment",
                        "edges": [5, 30],
                    },
                }
            },
            "size_weighted": asked
            | {"outcomes": ["sales", "sales_log"], "comparison": "own_size"}
            | {"by": {"jobs": {"column": "employment"}, "sales": {"column": "sales"}}},
        },
    }


def _exhibit() -> dict:
    return {
        "title": "A programme under attack",
        "programme": "Programme",
        "firms": "firms",
        "cluster": "firm",
        "source": "made up",
        "panels": [
            {"design": "unmatched", "spec": "stacked", "label": "All"},
            {"design": "matched", "spec": "stacked", "label": "Matched"},
        ],
        "design_labels": {name: name for name in _EVERY},
        "decimals": 3,
        "stars": False,
        "language": "en",
        "disclosure": {"min_cell_firms": 5, "dominance_percent": 50},
    }


@dataclass(frozen=True)
class Attacked:
    """Hold the project's folder: raw data, what stages wrote, and what is published."""

    folder: Path

    @property
    def private(self) -> Path:
        """Return the folder of the stages' tables."""
        return self.folder / "data" / STUDY

    @property
    def reports(self) -> Path:
        """Return the folder of what is published."""
        return self.folder / "reports" / STUDY

    def files(self) -> dict[str, bytes]:
        """Return every published file by its path in reports/attacked/."""
        return {
            path.relative_to(self.reports).as_posix(): path.read_bytes()
            for path in sorted(self.reports.rglob("*"))
            if path.is_file()
        }

    def settings(self) -> StudySettings:
        """Return the study's settings."""
        block = load_yaml(self.folder / "params.yaml")[STUDY]
        sections = {
            name: parse_section(block, STUDY, name, kind) for name, kind in SECTIONS.items()
        }
        return StudySettings(**sections)

    def results(self) -> StudyResults:
        """Return the results before disclosure control, of every arm where there are some."""
        settings = self.settings()

        def folder_of(stage: str) -> Path:
            return self.private / stage

        if settings.treatment.arms is None:
            return gathered(STUDY, settings, read_aggregates(folder_of))
        of_all, folders = read_of_all_arms(folder_of), settings.treatment.arm_folders
        by_arm = {arm: read_aggregates(folder_of, folders[arm]) for arm in arms_told(of_all)}
        return gathered_arms(STUDY, settings, by_arm, of_all)

    def unprotected(self) -> dict[str, bytes]:
        """Return results tables as a threshold of one firm would publish them."""
        results = self.results()
        exhibit = results.settings.exhibit
        open_rule = Disclosure(min_cell_firms=1, dominance_percent=100)
        object.__setattr__(exhibit, "disclosure", open_rule)
        return {f"results/{name}.csv": text for name, text in published_csvs(results).items()}


def attacked_project(folder: Path) -> Attacked:
    """Write the study into a project and run every stage of it once."""
    project(folder, {STUDY: section()})
    delivered_panel().to_csv(folder / "data" / "raw" / STUDY / "panel.csv", index=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr("sys.argv", ["stage", STUDY])
        for verb in STAGES:
            run(verb)
    return Attacked(folder)
