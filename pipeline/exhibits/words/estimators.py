"""Say in words how an estimator compares, adjusts, averages and infers."""

from pipeline.exhibits.inputs import StudyResults, StudySettings
from pipeline.exhibits.tables.panels import absorbed
from pipeline.exhibits.words.designs import dated_label, score_covariates
from pipeline.exhibits.words.estimator_names import name_in_words
from pipeline.exhibits.words.language import join_words, say


def estimator_words(results: StudyResults, spec: str) -> str:
    """Return what a spec estimates, and how it averages."""
    estimator = results.settings.spec(spec).estimator
    if estimator == "stacked":
        return _stacked_words(results, spec)
    if estimator == "twoway":
        return _twoway_words(results, spec)
    if estimator == "matched_difference":
        return _difference_words(results.settings)
    if estimator == "group_time":
        return _group_time_words(results.settings, spec)
    if estimator in ("sun_abraham", "extended_twoway", "imputation"):
        return _cohort_words(results.settings, spec)
    return name_in_words(estimator)


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


def _difference_words(settings: StudySettings) -> str:
    return say("estimator_words.matched_difference", firms=settings.exhibit.firms)


def _group_time_words(settings: StudySettings, spec: str) -> str:
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


def _cohort_words(settings: StudySettings, spec: str) -> str:
    rule = settings.spec(spec)
    average = getattr(rule, "average", "")
    over = say("cohort_average.event") if average == "event" else say("cohort_average.simple")
    return say(
        "estimator_words.cohort",
        cohort_estimators=say(f"estimator_words.{rule.estimator}"),
        over=over,
    )
