"""Made-up results tables of a small study, for tests of exhibits: no stage is run."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, get_args

import numpy as np
import pandas as pd
from matched_sets import nearest_design

from pipeline.analyses.rests_on import rests_on
from pipeline.analyses.what_ran import Given, outcomes_made, specs_ran
from pipeline.datasets.balance import BALANCE, BALANCE_SUMMARY
from pipeline.datasets.designs import DATED_COVARIATES, SCORE_MODELS
from pipeline.datasets.designs import DESIGNS as DESIGNS_RAN
from pipeline.datasets.details import DETAILS
from pipeline.datasets.fits import DETECTABLE
from pipeline.datasets.matches import LOSSES, MATCHED, UNMATCHED
from pipeline.datasets.panel import (
    BEFORE_FIRST_ENTRY,
    ENTRY_YEAR,
    FROM_FIRST_ENTRY,
    ISSUES,
    PROFILE,
    SAMPLE_FLOW,
    YEAR,
)
from pipeline.datasets.reasons import packed, packed_remarks
from pipeline.datasets.results import ESTIMATES, OUTCOME_PATHS, RECOVERY, TESTS
from pipeline.datasets.rules import DATA_RULES
from pipeline.datasets.samples import BASELINES, SAMPLES
from pipeline.datasets.selection import SCORE_BINS, SCORE_COEFFICIENTS, SCORE_LOSSES, SCORES, STACKS
from pipeline.datasets.specs import ANALYSES, SPECS
from pipeline.datasets.specs import OUTCOMES as OUTCOMES_RAN
from pipeline.datasets.store import Dataset, conform
from pipeline.effects.study import Study
from pipeline.errors import Reason
from pipeline.exhibits.details import Details
from pipeline.exhibits.inputs import StudyResults, StudySettings
from pipeline.matching.balance_of_designs import summarise_balance
from pipeline.matching.matched_lags import matched_times
from pipeline.matching.redo import Redo
from pipeline.matching.what_matched import designs_matched
from pipeline.panel.what_cleaned import data_rules
from pipeline.params.clean import CleanSection
from pipeline.params.data import DataSection
from pipeline.params.estimate import EstimateSection
from pipeline.params.exhibit import ExhibitSection, TableName
from pipeline.params.match import MatchSection
from pipeline.params.outcomes import OutcomesSection
from pipeline.params.score import ScoreSection
from pipeline.params.treatment import TreatmentSection
from pipeline.publishing.disclosure.score_shares import headline_score_shares
from pipeline.publishing.publication import as_published
from pipeline.selection.score_bins import count_score_bins
from pipeline.selection.what_scored import covariates_dated, score_models

DESIGNS = ("unmatched", "covariates", "covariates_lags")
EVENT_TIMES = range(-3, 4)

# scale of one standard error by transform
_STD_ERROR = {"log": 0.031, "any": 0.0092, "level": 4.21}
_STD_ERROR |= {"asinh": 0.031, "proportional": 0.031, "percent_of_mean": 1.3}

OUTCOMES: dict[str, dict[str, Any]] = {
    "sales_log": {
        "column": "sales",
        "transform": "log",
        "unit": "US$ million",
        "label": "Log sales",
    },
    "employment_log": {
        "column": "employment",
        "transform": "log",
        "unit": "jobs",
        "label": "Log employment",
    },
    "exports_any": {
        "column": "exports",
        "transform": "any",
        "unit": "share",
        "label": "Any exports",
        "family": "exports",
    },
    "exports_value": {
        "label": "Export value",
        "unit": "US$ million",
        "family": "exports",
        "observed": False,
        "reason": "no customs data in this register",
    },
}


def many_outcomes(n_outcomes: int, label: str = "Outcome with a label of forty characters") -> Any:
    """Return outcomes of all three transforms in turn, with long labels."""
    transforms = ["log", "any", "level"]
    return {
        f"outcome_{i}": {
            "column": f"column_{i}",
            "transform": transforms[i % 3],
            "unit": "US$ thousand of 2015",
            "label": label,
        }
        for i in range(n_outcomes)
    }


def settings(outcomes: dict[str, Any] | None = None, **exhibit: Any) -> StudySettings:
    """Return the settings of the made-up study; `exhibit` replaces exhibit settings."""
    return StudySettings(
        outcomes=OutcomesSection.model_validate(OUTCOMES if outcomes is None else outcomes),
        treatment=_treatment(),
        score=_score(),
        match=_match(),
        estimate=_estimate(),
        exhibit=ExhibitSection.model_validate(_EXHIBIT | exhibit),
    )


def study_results(
    outcomes: dict[str, Any] | None = None, seed: int = 1, **exhibit: Any
) -> StudyResults:
    """Return results tables that fit together: every observed outcome, design and spec."""
    chosen = settings(outcomes, **exhibit)
    rng = np.random.default_rng(seed)
    rows = _estimate_rows(chosen, rng)
    estimates = _table(ESTIMATES, rows)
    paths = _table(OUTCOME_PATHS, _path_rows(chosen, rng))
    balance = _table(BALANCE, _balance_rows(rng))
    return StudyResults(
        study="madeup",
        settings=chosen,
        estimates=estimates,
        tests=_table(TESTS, _test_rows(chosen)),
        paths=paths,
        details=_details(chosen, rows, balance),
        balance=balance,
        sample_flow=_table(SAMPLE_FLOW, _FLOW),
        issues=_table(ISSUES, _ISSUES),
        score_shares=headline_score_shares(made_score_bins(rng), chosen),
        coefficients=_table(SCORE_COEFFICIENTS, _coefficient_rows()),
        recovery=_recovery(estimates),
        profile=_table(PROFILE, _profile_rows()),
    )


def made_score_bins(rng: np.random.Generator) -> pd.DataFrame:
    """Return SCORE_BINS of made-up scores."""
    return _table(SCORE_BINS, count_score_bins(_table(SCORES, score_rows(rng))))


def _treatment() -> TreatmentSection:
    return TreatmentSection.model_validate(
        {
            "entry": {"source": "indicator", "column": "grant", "switches_off": "absorbing"},
            "anticipation_years": 0,
            "comparison": "never_treated",
            "window": {"first_event_time": -3, "last_event_time": 3},
        }
    )


def _score() -> ScoreSection:
    model = {
        "controls_from": "outside_treated_clusters",
        "fit": "per_stack",
        "link": "logit",
        "missing": "drop_firm",
        "support": "comparison_maximum",
    }
    return ScoreSection.model_validate(
        {
            "covariates": {
                "age": {"label": "Age", "column": "age", "transform": "level", "at": -1},
                "r_and_d": {
                    "label": "R&D spending (% of sales)",
                    "column": "r_and_d",
                    "transform": "level",
                    "average": [-3, -1],
                },
                "sector": {
                    "label": "Sector",
                    "column": "sector",
                    "transform": "category",
                    "at": -1,
                },
                "sales_lag": {
                    "label": "Log sales",
                    "column": "sales",
                    "transform": "log",
                    "at": -2,
                },
                "distance": {
                    "label": "Distance to seat (km)",
                    "column": "distance",
                    "transform": "level",
                    "at": -1,
                },
            },
            "unmatched": {"controls_from": "outside_treated_clusters"},
            "models": {
                "covariates": {**model, "covariates": ["age", "r_and_d", "sector"]},
                "lags": {**model, "covariates": ["age", "r_and_d", "sales_lag"]},
            },
        }
    )


def _match() -> MatchSection:
    design = nearest_design(ratio=3, caliper_sd=0.2, exact=["sector"])
    return MatchSection.model_validate(
        {
            "designs": {
                "covariates": {**design, "score": "covariates"},
                "covariates_lags": {**design, "score": "lags"},
            },
            "balance": {"denominator": "pooled", "threshold": 0.1},
        }
    )


def _estimate() -> EstimateSection:
    return EstimateSection.model_validate(
        {
            "conf_level": 0.95,
            "power": 0.8,
            "missing": "drop_set",
            "headline": {"spec": "stacked", "design": "covariates_lags", "term": "att"},
            "specs": [
                {
                    "name": "stacked",
                    "estimator": "stacked",
                    "average": "event",
                    "designs": list(DESIGNS),
                    "outcomes": "all",
                    "terms": ["att", "event"],
                    "cluster": "assignment",
                },
                {
                    "name": "flat",
                    "estimator": "twoway",
                    "designs": ["unmatched"],
                    "outcomes": "all",
                    "terms": ["att"],
                    "cluster": "assignment",
                },
            ],
        }
    )


_EXHIBIT: dict[str, Any] = {
    "title": "A made-up programme",
    "programme": "Programme",
    "firms": "firms",
    "cluster": "municipality x sector",
    "source": "made-up numbers",
    "panels": [
        {"design": "unmatched", "spec": "stacked", "label": "Difference-in-differences, all firms"},
        {"design": "covariates", "spec": "stacked", "label": "Matched on covariates"},
        {
            "design": "covariates_lags",
            "spec": "stacked",
            "label": "Matched on covariates and lags (main specification)",
        },
        {"design": "unmatched", "spec": "flat", "label": "Flat two-way fixed effects"},
    ],
    "design_labels": {
        "unmatched": "all firms",
        "covariates": "matched on covariates",
        "covariates_lags": "matched on covariates and lags",
    },
    "stars": False,
    "notes": "full",
    "tables": list(get_args(TableName)),
}


def _table(dataset: Dataset, rows: list[dict[str, Any]]) -> pd.DataFrame:
    return conform(dataset, pd.DataFrame(rows, columns=list(dataset.columns)))


def with_details(results: StudyResults, table: Dataset, rows: list[dict[str, Any]]) -> StudyResults:
    """Return the results with rows of a table of details, in place of those of the same key."""
    key = list(table.key)
    new = pd.DataFrame(rows).reindex(columns=list(table.columns))
    both = pd.concat([results.details.of(table).astype(object), new.astype(object)])
    latest = conform(as_published(table), both[~both.duplicated(key, keep="last")])
    return replace(results, details=results.details.replaced(table, latest))


def with_figures(
    results: StudyResults, table: Dataset, chosen: dict[str, Any], **figures: Any
) -> StudyResults:
    """Return the results with figures replaced in the rows that agree with a part of the key."""
    frame = results.details.of(table).copy()
    rows = (frame[list(chosen)] == pd.Series(chosen)).all(axis=1)
    assert rows.any(), f"{table.name} has no row with {chosen}"
    frame.loc[rows, list(figures)] = list(figures.values())
    return replace(results, details=results.details.replaced(table, frame))


def _estimate_rows(chosen: StudySettings, rng: np.random.Generator) -> list[dict[str, Any]]:
    rows = []
    for name, outcome in chosen.outcomes.root.items():
        for spec in chosen.estimate.specs:
            for design in spec.designs:
                key = {"outcome": name, "design": design, "estimator": spec.name}
                if not outcome.observed:
                    rows.append(_unobserved(key, outcome.reason, outcome.scale))
                    continue
                scale = _STD_ERROR[str(outcome.transform)]
                rows.append(_estimated(key, None, scale, outcome.scale, rng))
                for time in EVENT_TIMES if "event" in spec.terms else ():
                    rows.append(_estimated(key, time, scale, outcome.scale, rng))
    return rows


EVERYONE = {"arm": "all", "sample": "all", "grouping": "all", "subgroup": "all"}
_KEY = {**EVERYONE, "inference": "analytic", "band": "pointwise"}


def remarked(table: pd.DataFrame, rows: Any, *remarks: Reason) -> pd.DataFrame:
    """Return a table whose marked rows have these remarks, and no reason."""
    changed = table.copy()
    for name, value in said(None, *remarks).items():
        changed.loc[rows, name] = value
    return changed


def said(reason: Reason | None = None, *remarks: Reason) -> dict[str, Any]:
    """Return the columns in which rows hold a reason and remarks."""
    return {**packed(reason), "remarks": packed_remarks(remarks)}


def _unobserved(key: dict[str, str], reason: str | None, scale: str) -> dict[str, Any]:
    row = {**key, **_KEY, "term": "att", "estimand": "att", "scale": scale}
    return row | said(Reason("not_observed", {"reason": reason}))


def _estimated(
    key: dict[str, str], time: int | None, std_error: float, scale: str, rng: np.random.Generator
) -> dict[str, Any]:
    row = {
        **key,
        **_KEY,
        "term": "att" if time is None else "event",
        "event_time": time,
        "estimand": "att" if key["design"] == "unmatched" else "att_matched",
        "scale": scale,
        "conf_level": 0.95,
        "n_treated": 398,
        "n_control": 1071 if key["design"] != "unmatched" else 9836,
        "n_obs": 11752 if key["design"] != "unmatched" else 81984,
        "n_clusters": 216,
        "n_treated_clusters": 64,
        "cluster": "assignment",
        "df": 215,
    }
    if time == -1:
        return {**row, "estimate": 0.0, **said(Reason("reference_period"))}
    ramp = 2.0 if time is None else max(0, time + 1) * 0.8
    estimate = std_error * (ramp + rng.normal())
    return {
        **row,
        "estimate": estimate,
        "std_error": std_error,
        "statistic": estimate / std_error,
        "p_value": 2 * np.exp(-abs(estimate / std_error)) / 2,
        "conf_low": estimate - 1.97 * std_error,
        "conf_high": estimate + 1.97 * std_error,
    }


def _test_rows(chosen: StudySettings) -> list[dict[str, Any]]:
    rows = []
    for i, name in enumerate(n for n, o in chosen.outcomes.root.items() if o.observed):
        for design in DESIGNS:
            key = {"outcome": name, "design": design, "estimator": "stacked"}
            row = {
                **key,
                **EVERYONE,
                "test": "pre_trends",
                "statistic": 1.1,
                "df": 2,
                "df_denominator": 215,
            }
            if i == 1:
                row |= {"statistic": None, "df": None, "df_denominator": None}
                row |= said(Reason("no_pre_year"))
            rows.append({**row, "p_value": None if i == 1 else 0.412})
    return rows


def _path_rows(chosen: StudySettings, rng: np.random.Generator) -> list[dict[str, Any]]:
    rows = []
    for name, outcome in chosen.outcomes.root.items():
        for design in DESIGNS if outcome.observed else ():
            for treated in (True, False):
                for time in EVENT_TIMES:
                    level = 3 + 0.05 * time + (0.05 * max(0, time) if treated else 0)
                    gap = 0.4 if design == "unmatched" and not treated else 0.0
                    rows.append(
                        {
                            "outcome": name,
                            "design": design,
                            "treated": treated,
                            "event_time": time,
                            "mean": level - gap + 0.01 * rng.normal(),
                            "n_firms": 398,
                        }
                    )
    return rows


_STACKS = (2009, 2010)


def _details(
    chosen: StudySettings, estimates: list[dict[str, Any]], balance: pd.DataFrame
) -> Details:
    rows = {
        **_outcome_details(chosen),
        SPECS.name: _specs_ran(chosen, estimates, []),
        ANALYSES.name: _analyses_ran(chosen),
        BALANCE_SUMMARY.name: summarise_balance(balance, [], chosen.match).to_dict("records"),
        **_designs_ran(chosen),
        STACKS.name: [
            {"stack": s, "n_entrants": 210, "n_entrants_not_active": 4, "n_candidates": 5000}
            for s in _STACKS
        ],
        SCORE_LOSSES.name: [
            {"model": model, "stack": stack, "treated": treated}
            | {"n_without_covariates": stack - 2006 if treated else 40}
            | {"n_in_untreated_categories": 0, "n_off_support": 1 if treated else 50}
            for model in ("covariates", "lags")
            for stack in _STACKS
            for treated in (True, False)
        ],
        MATCHED.name: [row for design in DESIGNS for row in _matched_rows(design)],
        LOSSES.name: [
            {"design": design, "stack": "all", "reason": UNMATCHED}
            | {"n_firms": 0 if design == "unmatched" else 7}
            for design in DESIGNS
        ],
    }
    return Details({table.name: _table(table, rows.get(table.name, [])) for table in DETAILS})


def _specs_ran(
    chosen: StudySettings, estimates: list[dict[str, Any]], tests: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Return SPECS as the stage makes it from settings; designs have sets but without matching."""
    designs = {design: None for spec in chosen.estimate.specs for design in spec.designs}
    stacks = {d: SimpleNamespace(sets=None if d == "unmatched" else ()) for d in designs}
    study = Study(
        panel=pd.DataFrame(),
        stacks=stacks,  # type: ignore[arg-type]
        estimand={},
        outcomes=chosen.outcomes.root,
        matched_times=matched_times(chosen.score, chosen.match),
        treatment=chosen.treatment,
        estimate=chosen.estimate,
        covariates=None,
    )
    pool = Redo(pd.DataFrame(), pd.DataFrame(), chosen.score, chosen.match).controls_from
    return list(specs_ran(study, Given(estimates, tests, {}, {}), pool))


def _designs_ran(chosen: StudySettings) -> dict[str, list[dict[str, Any]]]:
    """Return how scores and designs ran, as the stages make it from settings."""
    frames = {
        SCORE_MODELS: score_models(chosen.score),
        DATED_COVARIATES: covariates_dated(chosen.score),
        DESIGNS_RAN: designs_matched(chosen.match),
        OUTCOMES_RAN: _table(OUTCOMES_RAN, list(outcomes_made(chosen.outcomes.root))),
        DATA_RULES: data_rules(_data(), _clean(), chosen.treatment),
    }
    return {table.name: frame.to_dict("records") for table, frame in frames.items()}


def _data() -> DataSection:
    numbers = {"grant": "Grant", "sales": "Sales", "employment": "Employment"}
    columns = {
        name: {"kind": "number", "column": name.upper(), "unit": "units", "label": label}
        for name, label in numbers.items()
    }
    place = {"kind": "text", "column": "place", "label": "Municipality"}
    return DataSection.model_validate(
        {
            "source": {"kind": "files", "panel": "firms.csv"},
            "firm_id": "id",
            "year": "year",
            "cluster": ["municipality"],
            "columns": columns | {"municipality": place},
        }
    )


def _clean() -> CleanSection:
    rows = {"identical": "collapse", "conflicting": "refuse"}
    return CleanSection.model_validate({"duplicates": rows})


def _analyses_ran(chosen: StudySettings) -> list[dict[str, Any]]:
    """Return ANALYSES as the stage makes it from settings."""
    return list(rests_on(chosen.estimate.analyses, chosen.treatment.reference_event_time))


def with_settings(results: StudyResults, chosen: StudySettings) -> StudyResults:
    """Return results under other settings, with what ran as they make it."""
    found = (results.estimates.to_dict("records"), results.tests.to_dict("records"))
    details = results.details.replaced(SPECS, _table(SPECS, _specs_ran(chosen, *found)))
    details = details.replaced(ANALYSES, _table(ANALYSES, _analyses_ran(chosen)))
    for table in (SCORE_MODELS, DATED_COVARIATES, DESIGNS_RAN, OUTCOMES_RAN, DATA_RULES):
        details = details.replaced(table, _table(table, _designs_ran(chosen)[table.name]))
    return replace(results, settings=chosen, details=details)


def _outcome_details(chosen: StudySettings) -> dict[str, list[dict[str, Any]]]:
    """Return what is told of every observed outcome under every design."""
    counts = {name: 0 for name, column in SAMPLES.columns.items() if column.tells == "count"}
    counts |= {"stack_years_dropped": 0, "n_stacks": 2, "first_year": 2006, "last_year": 2013}
    rows: dict[str, list[dict[str, Any]]] = {t.name: [] for t in (SAMPLES, BASELINES, DETECTABLE)}
    for name, outcome in chosen.outcomes.root.items():
        for design in DESIGNS if outcome.observed else ():
            place = {"design": design, "outcome": name}
            mean = {"mean": 0.118 if outcome.transform == "any" else 23.64}
            mean |= {"unit": "units", "of_all": True}
            smallest = {"effect": 2.8 * _STD_ERROR[str(outcome.transform)], "scale": outcome.scale}
            rows[SAMPLES.name].append(place | counts)
            rows[BASELINES.name].append(place | {"treated": False} | mean)
            told = place | {"estimator": "stacked", "grouping": "all"} | smallest
            rows[DETECTABLE.name] += [told, told | {"event_time": -3}, told | {"event_time": -2}]
    return rows


def _matched_rows(design: str) -> list[dict[str, Any]]:
    """Return a design's row of all entry years, and those of each."""
    everyone = design == "unmatched"
    together = {
        "design": design,
        "stack": "all",
        "n_treated": 412 if everyone else 405,
        "n_comparison": 9916 if everyone else 9836,
        "n_treated_matched": 412 if everyone else 398,
        "n_comparison_used": 9916 if everyone else 1194,
        "n_comparison_distinct": 5012 if everyone else 1071,
        "n_comparison_reused": 0 if everyone else 123,
        "n_comparison_in_treated_clusters": 0,
        "ess": 5012.0 if everyone else 950.3,
    }
    of_all = ("n_comparison_distinct", "n_comparison_reused")
    in_stack = {name: value for name, value in together.items() if name not in of_all}
    in_stack |= {"n_treated_matched": 199}
    return [together, *(in_stack | {"stack": str(stack)} for stack in _STACKS)]


def _balance_rows(rng: np.random.Generator) -> list[dict[str, Any]]:
    covariates = {
        ("propensity_score", None): True,
        ("age", None): True,
        ("r_and_d", None): True,
        ("sector", "food & drink"): True,
        ("sector", "metal"): True,
        ("sales_lag", None): True,
        ("distance", None): False,
    }
    rows = []
    for design in DESIGNS:
        for (covariate, category), used in covariates.items():
            before = rng.normal(0.3, 0.3)
            for sample in ("before", "after") if design != "unmatched" else ("before",):
                difference = before if sample == "before" else before / 12
                rows.append(
                    {
                        "design": design,
                        "stack": "all",
                        "covariate": covariate,
                        "category": category,
                        "sample": sample,
                        "in_score": used,
                        "of_matched": False,
                        "mean_treated": 14.2,
                        "mean_control": 14.2 - 5 * difference,
                        "std_diff": difference,
                        "percent_bias": 100 * difference,
                        "variance_ratio": 1.04 if sample == "after" else 1.3,
                        "n_treated": 412 if sample == "before" else 398,
                        "n_control": 9836 if sample == "before" else 1071,
                        "ess_control": 9836.0 if sample == "before" else 950.3,
                    }
                )
    return rows


_ISSUES: list[dict[str, Any]] = [
    {
        "issue": 1,
        "rule": "missing_value",
        "column": "sales",
        "count": 900,
        "firms": 310,
        "first_year": 2006,
        "last_year": 2013,
        "action": "kept_missing",
    },
    {
        "issue": 2,
        "rule": "prices",
        "rule_fields": '{"file": "cpi.csv"}',
        "column": "sales",
        "count": 81000,
        "firms": 10000,
        "first_year": 2006,
        "last_year": 2013,
        "action": "deflated_by_index",
        "action_fields": '{"year": 2010}',
    },
]

_FLOW: list[dict[str, Any]] = [
    {
        "step": 1,
        "rule": "delivered",
        "firms_lost": 0,
        "firm_years_lost": 0,
        "treated_firms_lost": 0,
        "comparison_firms_lost": 0,
        "treated_firm_years_lost": 0,
        "comparison_firm_years_lost": 0,
        "firms": 10612,
        "firm_years": 84210,
        "treated_firms": 420,
        "comparison_firms": 10192,
    },
    {
        "step": 2,
        "rule": "filtered",
        "rule_fields": '{"label": "assignment cluster known in every year"}',
        "firms_lost": 364,
        "firm_years_lost": 2226,
        "treated_firms_lost": 8,
        "comparison_firms_lost": 356,
        "treated_firm_years_lost": 60,
        "comparison_firm_years_lost": 2166,
        "sales_lost_share": 0.012,
        "employment_lost_share": 0.014,
        "firms": 10248,
        "firm_years": 81984,
        "treated_firms": 412,
        "comparison_firms": 9836,
    },
]


def score_rows(rng: np.random.Generator) -> list[dict[str, Any]]:
    rows = []
    for model in ("covariates", "lags"):
        for i in range(600):
            treated = i % 6 == 0
            score = round(float(rng.beta(4 if treated else 1.5, 8)), 10)
            rows.append(
                {
                    "model": model,
                    "stack": 2009,
                    "firm_id": f"F{i:04d}",
                    "treated": treated,
                    "base_year": 2008,
                    "cluster": f"c{i % 40}",
                    "in_treated_cluster": treated,
                    "propensity_score": score,
                    "linear_score": float(np.log(score / (1 - score))),
                    "on_support": True,
                }
            )
    return rows


def _coefficient_rows() -> list[dict[str, Any]]:
    fit = {"n_obs": 9900, "n_treated": 405, "pseudo_r2": 0.0412, "auc": 0.701}
    terms = (
        ("const", None, None),
        ("covariate", "age", None),
        ("covariate", "r_and_d", None),
        ("covariate", "sector", "food & drink"),
        ("covariate", "sales_lag", None),
    )
    return [
        dict(zip(("term", "covariate", "category"), term, strict=True))
        | {"model": "lags", "fit": year, "estimate": 0.1 * i - 0.2, "std_error": 0.05}
        | fit
        for year in ("2009", "2010")
        for i, term in enumerate(terms)
        if (year, term[2]) != ("2010", "food & drink")
    ]


def _profile_rows() -> list[dict[str, Any]]:
    columns = (("sales", "Annual sales", "US$ million"), ("founded", "Founding year", "year"))
    scopes = [
        (BEFORE_FIRST_ENTRY, 2006, 2008),
        (FROM_FIRST_ENTRY, 2009, 2013),
        *((YEAR, year, year) for year in range(2006, 2014)),
    ]
    rows = [
        {
            "column": column,
            "scope": scope,
            "first_year": first,
            "last_year": last,
            "treated": treated,
            "label": label,
            "unit": unit,
            "n_rows": 9000,
            "n_missing": 900,
            "missing_share": 0.1,
            "mean": 23.6,
            "std_dev": 40.2,
            "p50": 11.9,
        }
        for column, label, unit in columns
        for scope, first, last in scopes
        for treated in (True, False)
    ]
    cohorts = [
        {
            "column": "cohort",
            "scope": ENTRY_YEAR,
            "first_year": year,
            "last_year": year,
            "treated": True,
            "n_rows": 210,
        }
        for year in (2009, 2010)
    ]
    return [*rows, *cohorts]


def _recovery(estimates: pd.DataFrame) -> pd.DataFrame:
    rows = estimates[(estimates["term"] == "att") & estimates["estimate"].notna()]
    known = rows.assign(truth=rows["estimate"] * 0.9)
    return conform(RECOVERY, known[list(RECOVERY.columns)])
