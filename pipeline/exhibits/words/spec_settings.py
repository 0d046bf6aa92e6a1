"""Say of each spec how it ran on its designs and outcomes; what differs among them is joined."""

from typing import Any

from pipeline.exhibits.inputs import StudyResults
from pipeline.exhibits.ran import Ran, each, ran_on, takes_every_year
from pipeline.exhibits.words.covariates import covariate_labels
from pipeline.exhibits.words.designs import gap_rules, pool_that_ran
from pipeline.exhibits.words.estimators import estimator_words
from pipeline.exhibits.words.inference import level_words
from pipeline.exhibits.words.language import say
from pipeline.exhibits.words.rules import rule_words

_RULE = "estimate_specs"
_WINDOW = ("first_event_time", "last_event_time")
_CODES = ("event_base", "firm_years")


def spec_words(results: StudyResults, spec: str) -> dict[str, str]:
    """Return by heading how a spec estimated, in which years, with which firms and errors."""
    rows = ran_on(results, spec, [], [])
    told = {
        say("settings.estimated"): [estimator_words(results, rows), _in_proportion(rows)],
        say("settings.weights"): [each(rows, lambda row: _weights(results, row))],
        say("settings.years"): [
            each(rows, lambda row: _years(results, row)),
            each(rows, lambda row: _matched_in(results, row)),
        ],
        say("settings.pool"): [pool_that_ran(results, rows), gap_rules(results.settings, rows)],
        say("settings.errors"): [each(rows, lambda row: _errors(results, row))],
    }
    joined = {heading: "; ".join(filter(None, parts)) for heading, parts in told.items()}
    return {heading: words for heading, words in joined.items() if words}


def _in_proportion(rows: list[Ran]) -> str:
    """Say of specs of several methods where they are by Poisson."""
    by_poisson = any("poisson" in row.listed("method") for row in rows)
    return say("option_estimate_specs.method_poisson") if by_poisson else ""


def _weights(results: StudyResults, row: Ran) -> str:
    options: dict[str, Any] = {"weights": row.code("weights")}
    options["weight_by"] = ", ".join(covariate_labels(results, row.listed("weight_by")))
    return rule_words(results, _RULE, options)


def _years(results: StudyResults, row: Ran) -> str:
    every_year = takes_every_year(row)
    window = {"firms": "panel"} if every_year else {name: row.number(name) for name in _WINDOW}
    options: dict[str, Any] = {**window, **_measured_from(row)}
    options |= {name: row.code(name) for name in _CODES if row.has(name)}
    for name in ("anticipation_years", "placebo_entry_years"):
        options |= {name: row.number(name)} if row.has(name) else {}
    return rule_words(results, _RULE, options)


def _measured_from(row: Ran) -> dict[str, Any]:
    """Return from what the average and effects by year are measured, where there is such a base."""
    reference = row.number("base_event_time")
    if row.code("base") == "reference_year":
        return {"base_event_time": reference}
    by_year = {"single_base_event_time": reference} if row.has("event_base") else {}
    return {"base": row.code("base"), **by_year} if row.has("base") else by_year


def _matched_in(results: StudyResults, row: Ran) -> str:
    names = ("matched_event_times", "adjusted_event_times")
    times = {name: row.listed(name) for name in names}
    return rule_words(results, _RULE, times)


def _errors(results: StudyResults, row: Ran) -> str:
    levels = [name for name in ("cluster", "other_cluster") if row.has(name)]
    options: dict[str, Any] = {"variance": row.code("variance")}
    if row.code("variance") == "clustered":
        options |= {name: level_words(results, row.code(name), row) for name in levels}
    options |= {name: 100 * row.value(name) for name in ("conf_level", "power")}
    return rule_words(results, _RULE, options)
