"""Say in words how an estimator compares, adjusts, averages and infers."""

from collections.abc import Callable

from pipeline.estimators.registry import ESTIMATORS
from pipeline.exhibits.inputs import StudyResults, StudySettings
from pipeline.exhibits.tables.panels import absorbed
from pipeline.exhibits.words.designs import dated_label, score_covariates
from pipeline.exhibits.words.estimator_names import name_in_words
from pipeline.exhibits.words.language import join_words, say


def estimator_words(results: StudyResults, spec: str) -> str:
    """Return what a spec estimates, and how it averages; an estimator's name where that says all.

    The registry's trait `words` is the key.
    """
    words = ESTIMATORS[results.settings.spec(spec).estimator].words
    return _COMPOSED[words](results, spec) if words in _COMPOSED else name_in_words(words)


def _stacked_words(results: StudyResults, spec: str) -> str:
    average = getattr(results.settings.spec(spec), "average", "pooled")
    return say(
        "estimator_words.stacked",
        firms=results.settings.exhibit.firms,
        absorbed=join_words([*absorbed(results, spec)]),
        stacked_averages=say(f"stacked_average.{average}"),
    )


def _twoway_words(results: StudyResults, spec: str) -> str:
    return say("estimator_words.twoway", absorbed=join_words([*absorbed(results, spec)]))


def _difference_words(results: StudyResults, spec: str) -> str:
    return say("estimator_words.matched_difference", firms=results.settings.exhibit.firms)


def _group_time_words(results: StudyResults, spec: str) -> str:
    settings = results.settings
    rule = settings.spec(spec)
    assert rule.estimator == "group_time", "the caller chose the spec by its estimator"
    words = say(
        "estimator_words.group_time",
        methods=say(f"group_time_method.{rule.method}"),
        adjusted=_adjusted(settings, rule.covariates),
        averages=say(f"group_time_average.{rule.average}"),
    )
    if rule.firms == "risk_sets":
        return words
    return say(
        "estimator_words.every_firm",
        words=words,
        firms=settings.exhibit.firms,
        seen=say(f"gaps.{rule.gaps}"),
    )


def _adjusted(settings: StudySettings, covariates: list[str]) -> str:
    """Return ` on the covariates of <a design>` where one conditions on the same, else a list."""
    labels = [dated_label(settings.score.covariates[name]) for name in covariates]
    for design in settings.match.designs:
        if labels and set(labels) == set(score_covariates(settings, design)):
            return say(
                "estimator_words.covariates_of_design", design_label=settings.design_label(design)
            )
    return say("estimator_words.on_covariates", labels=", ".join(labels)) if labels else ""


def _cohort_words(results: StudyResults, spec: str) -> str:
    rule = results.settings.spec(spec)
    average = getattr(rule, "average", "")
    over = say("cohort_average.event") if average == "event" else say("cohort_average.simple")
    return say(
        "estimator_words.cohort",
        cohort_estimators=say(f"estimator_words.{rule.estimator}"),
        over=over,
    )


_COMPOSED: dict[str, Callable[[StudyResults, str], str]] = {
    "stacked": _stacked_words,
    "twoway": _twoway_words,
    "group_time": _group_time_words,
    "cohort": _cohort_words,
    "matched_difference": _difference_words,
}
