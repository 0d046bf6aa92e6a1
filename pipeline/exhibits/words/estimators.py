"""Say in words how an estimator compared, adjusted, averaged and inferred, from what ran."""

from collections.abc import Callable
from functools import partial

from pipeline.estimators.registry import ESTIMATORS
from pipeline.exhibits.inputs import StudyResults
from pipeline.exhibits.ran import Ran, each, matching_designs, takes_every_year
from pipeline.exhibits.tables.panels import absorbed
from pipeline.exhibits.words.covariates import covariate_labels
from pipeline.exhibits.words.designs import score_covariates
from pipeline.exhibits.words.end_bins import with_end_bins
from pipeline.exhibits.words.estimator_names import name_in_words
from pipeline.exhibits.words.inference import conditional_words
from pipeline.exhibits.words.language import join_words, say

_Rows = list[Ran]


def estimator_words(results: StudyResults, rows: list[Ran]) -> str:
    """Return what a spec estimated, and how it averaged; an estimator's name if that says all.

    `rows` are those of one spec in SPECS. The registry's trait `words` is the key.
    """
    estimator = rows[0].code("kind")
    words = ESTIMATORS[estimator].words
    return name_in_words(estimator) if words is None else COMPOSED[words](results, rows)


def _stacked_words(results: StudyResults, rows: _Rows) -> str:
    words = say(
        "estimator_words.stacked",
        firms=results.settings.exhibit.firms,
        absorbed=each(rows, lambda row: join_words([*absorbed(results, row)])),
        stacked_averages=each(rows, lambda row: say(f"stacked_average.{row.code('average')}")),
    )
    return adjusted_for(results, rows, words)


def _twoway_words(results: StudyResults, rows: _Rows) -> str:
    every_year = any(map(takes_every_year, rows))
    words = say(
        f"estimator_words.{'twoway_every_firm' if every_year else 'twoway'}",
        absorbed=each(rows, lambda row: join_words([*absorbed(results, row)])),
        weights=each(rows, lambda row: say(f"flat_weights.{row.code('weights')}")),
    )
    return with_end_bins(rows, words)


def _difference_words(results: StudyResults, rows: _Rows) -> str:
    words = say("estimator_words.matched_difference", firms=results.settings.exhibit.firms)
    labels = each(rows, lambda row: _labels(results, row.listed("bias_adjustment")))
    return say("estimator_words.bias_adjusted", words=words, labels=labels) if labels else words


def _cross_section_words(results: StudyResults, rows: _Rows) -> str:
    exhibit = results.settings.exhibit
    named = {"firms": exhibit.firms, "unit": exhibit.firm}
    words = each(rows, lambda row: say(f"cross_section.{row.code('base')}", **named))
    told = say("estimator_words.cross_section", words=words, firms=exhibit.firms)
    by_firm = any(row.code("variance") == "hc3" for row in rows)
    if not by_firm:
        return told
    given = conditional_words(results, "estimator_words", {row.code("design") for row in rows})
    return say("estimator_words.hc3", words=told, firms=exhibit.firms, conditional=given)


def _group_time_words(results: StudyResults, rows: _Rows) -> str:
    firms = results.settings.exhibit.firms
    words = say(
        "estimator_words.group_time",
        methods=each(rows, lambda row: row.told("method", _method)),
        adjusted=each(rows, lambda row: _adjusted(results, row.listed("covariates"))),
        averages=each(rows, lambda row: say(f"group_time_average.{row.code('average')}")),
    )
    if any(row.has("weight_matched_again") for row in rows):
        words = say("estimator_words.weighted_again", words=words, firms=firms)
    if any(row.code("untreated_categories") == "leave_out" for row in rows):
        words = say("estimator_words.without_untreated_categories", words=words, firms=firms)
    every_firm = [row for row in rows if row.code("firms") == "panel"]
    if not every_firm:
        return words
    seen = each(every_firm, lambda row: row.told("gaps", _seen))
    return say("estimator_words.every_firm", words=words, firms=firms, seen=seen)


def _method(code: str) -> str:
    return say(f"group_time_method.{code}")


def _seen(code: str) -> str:
    return say(f"gaps.{code}")


def _adjusted(results: StudyResults, covariates: list[str]) -> str:
    """Return ` on the covariates of <a design>` where one conditions on the same, else a list."""
    labels = covariate_labels(results, covariates)
    for design in matching_designs(results):
        if labels and set(labels) == set(score_covariates(results, design)):
            return say(
                "estimator_words.covariates_of_design",
                design_label=results.settings.design_label(design),
            )
    return say("estimator_words.on_covariates", labels=", ".join(labels)) if labels else ""


def _cohort_words(results: StudyResults, rows: _Rows) -> str:
    words = say(
        "estimator_words.cohort",
        cohort_estimators=say(f"estimator_words.{rows[0].code('kind')}"),
        over=each(rows, lambda row: say(f"cohort_average.{row.code('average')}")),
    )
    if any(row.code("firm_effects") == "cohort" for row in rows):
        firms = results.settings.exhibit.firms
        words = say("estimator_words.cohort_effects", words=words, firms=firms)
    if any(map(takes_every_year, rows)):
        words = say("estimator_words.flat_every_firm", words=words)
    return adjusted_for(results, rows, with_end_bins(rows, words))


def name_with_covariates(results: StudyResults, rows: _Rows) -> str:
    """Return what an estimator is called, and on which covariates it conditions, if on any.

    A cross-section is called by what it makes of the outcome before entry.
    """
    if rows[0].code("kind") == "cross_section":
        return each(rows, partial(_name_by_base, results.settings.exhibit.firm))
    name = name_in_words(rows[0].code("kind"))
    return name + each(rows, lambda row: _adjusted(results, row.listed("covariates")))


def _name_by_base(unit: str, row: Ran) -> str:
    name = say(f"cross_section_name.{row.code('base')}", unit=unit)
    return say("short_notes.hc3", words=name) if row.code("variance") == "hc3" else name


def adjusted_for(results: StudyResults, rows: _Rows, words: str) -> str:
    """Return words for an estimator with the covariates that it adjusts for, if any."""
    labels = each(rows, lambda row: _labels(results, row.listed("covariates")))
    return say("estimator_words.with_covariates", words=words, labels=labels) if labels else words


def _labels(results: StudyResults, covariates: list[str]) -> str:
    return ", ".join(covariate_labels(results, covariates))


COMPOSED: dict[str, Callable[[StudyResults, _Rows], str]] = {
    "stacked": _stacked_words,
    "twoway": _twoway_words,
    "group_time": _group_time_words,
    "cohort": _cohort_words,
    "matched_difference": _difference_words,
    "cross_section": _cross_section_words,
}
