"""Say how rules were set, one clause an option, from the records of what ran."""

from collections.abc import Mapping
from typing import Any

from pipeline.exhibits.inputs import StudyResults
from pipeline.exhibits.ran import Ran, covariate_ran, data_rules_ran, design_ran, score_ran
from pipeline.exhibits.render import rounding
from pipeline.exhibits.words.covariates import covariate_labels, dated_label
from pipeline.exhibits.words.designs import (
    design_pool,
    design_rule,
    out_of_contact,
    score_covariates,
)
from pipeline.exhibits.words.language import MINUS, say, sentences, speech
from pipeline.exhibits.words.options import silent

# Options that name columns of PANEL, which readers know by their labels.
_OF_COLUMNS = frozenset(
    {"columns", "column", "by", "add_up", "pairs", "matched", "of", "cluster", "missing_codes"}
    | {"flag", "name_column", "weight", "missing_as_zero"}
)


def rule_title(rule: str) -> str:
    """Return what readers call a rule."""
    return say(f"option_{rule}.title")


def rule_words(results: StudyResults, rule: str, options: Mapping[str, Any]) -> str:
    """Return a clause for each option of a rule that is set and that is said."""
    labels = column_labels(results) if _OF_COLUMNS & options.keys() else {}
    clauses = [
        _clause(results, rule, name, _told(results, rule, name, value, labels))
        if code is None
        else _clause(results, rule, code, "")
        for name, value in _in_contact(results, rule, _in_language(options)).items()
        if _is_set(value) and silent(f"{rule}.{name}") is None
        for code in [_code(rule, name, value)]
    ]
    return "; ".join(clause for clause in clauses if clause)


def _told(
    results: StudyResults, rule: str, name: str, value: Any, labels: Mapping[str, str]
) -> str:
    """Return the words of a value; of a list of codes those of each code that has a sentence."""
    if isinstance(value, list):
        codes = [_code(rule, name, item) for item in value]
        if all(codes):
            return ", ".join(_clause(results, rule, str(code), "") for code in codes)
    return _value_words(value, labels if name in _OF_COLUMNS else {})


def _in_language(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return options with a label that is given by language in that of the report."""
    label = options.get("label")
    own = {"label": label[speech().language]} if isinstance(label, Mapping) else {}
    return {**options, **own}


def _in_contact(results: StudyResults, rule: str, options: dict[str, Any]) -> dict[str, Any]:
    """Return options with the comparison of a study with arms: with whom no arm is in contact."""
    without = out_of_contact(results)
    if rule != "treatment" or without is None:
        return options
    return {**options, "comparison": f"{options['comparison']}_{without}"}


def column_labels(results: StudyResults) -> dict[str, str]:
    """Return what readers call columns of PANEL."""
    columns = [rule for rule in data_rules_ran(results) if rule.code == "data_columns"]
    labels = {rule.place: str(rule.options["label"]) for rule in columns}
    return labels | {"firm_id": results.settings.exhibit.firm, "year": say("settings.period")}


def outcome_words(results: StudyResults, outcome: Ran) -> str:
    """Return from what an outcome was made; empty where it is not observed."""
    if not outcome.has("column"):
        return ""
    return rule_words(results, "outcomes", _set_in(outcome, "column", "transform", "family"))


def covariate_words(results: StudyResults, covariate: Ran) -> str:
    """Return from what a covariate was made; its date stands in its label."""
    options = _set_in(covariate, "column", "transform", "value")
    if covariate.has("product_of"):
        options["product_of"] = covariate_labels(results, covariate.listed("product_of"))
    if covariate.code("dated_by") == "constant":
        options["dated_by"] = "constant"
    return rule_words(results, "score_covariates", options)


def design_words(results: StudyResults, design: str) -> dict[str, str]:
    """Return how a design picked or weighted firms and who chose, on what, and from which pool."""
    rule, on = design_ran(results, design), score_covariates(results, design)
    own = _set_in(rule, "order", "covariance_of")
    own |= {"tie_tolerance": rule.value("tie_tolerance")} if rule.known("tie_tolerance") else {}
    picked = [design_rule(results, design), *_cut(results, rule)]
    model = score_ran(results, design)
    own_model = _set_in(model, "missing")
    if model.code("untreated_categories") == "leave_out":
        own_model["untreated_categories"] = "leave_out"
    if model.code("errors") in ("robust", "clustered"):
        own_model["errors"] = model.code("errors")
    told = {
        say("settings.picked"): [*picked, rule_words(results, "match_designs", own)],
        say("settings.on"): [", ".join(on), rule_words(results, "score_models", own_model)],
        say("settings.pool"): [design_pool(results, design)],
    }
    joined = {heading: "; ".join(filter(None, parts)) for heading, parts in told.items()}
    return {heading: words for heading, words in joined.items() if words}


def _cut(results: StudyResults, rule: Ran) -> list[str]:
    """Say where covariates are cut whose bins are never crossed."""
    return [
        say(
            f"option_match_designs_bins.{how}",
            name=dated_label(covariate_ran(results, name)),
            value=_value_words(value, {}),
        )
        for name, bins in rule.mapping("bins").items()
        for how, value in bins.items()
    ]


def _set_in(row: Ran, *columns: str) -> dict[str, Any]:
    return {name: row.code(name) for name in columns if row.has(name)}


def _is_set(value: Any) -> bool:
    """Say whether an option asks for something: it is not null, false or empty."""
    return value is not None and value is not False and value not in ("", [], {})


def _code(rule: str, option: str, value: Any) -> str | None:
    """Return the code of an option's sentence for this very value, None where it has none."""
    if value is True:
        return option
    code = f"{option}_{value}"
    known = f"option_{rule}.{code}" in sentences(speech().language)
    return code if isinstance(value, str | int | float) and known else None


def _clause(results: StudyResults, rule: str, code: str, value: str) -> str:
    firms = results.settings.exhibit.firms
    return say(f"option_{rule}.{code}", value=value, firms=firms)


def _value_words(value: Any, labels: Mapping[str, str]) -> str:
    """Return a value as readers know it: columns by their labels, numbers by the report's marks."""
    if isinstance(value, dict):
        parts = (f"{labels.get(key, key)}: {_value_words(v, {})}" for key, v in value.items())
        return "; ".join(parts)
    if isinstance(value, list):
        return ", ".join(_value_words(item, labels) for item in value)
    if value is None:  # of a range without a bound at this end
        return "…"
    if isinstance(value, int):
        return f"{value}".replace("-", MINUS)
    if isinstance(value, float):
        return rounding.general(value)
    return labels.get(str(value), str(value))
