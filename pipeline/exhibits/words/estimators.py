"""Say in words how an estimator compares, adjusts, averages and infers."""

from pipeline.exhibits.inputs import StudyResults, StudySettings
from pipeline.exhibits.tables.panels import absorbed
from pipeline.exhibits.words.designs import dated_label, score_covariates
from pipeline.exhibits.words.estimator_names import name_in_words
from pipeline.exhibits.words.language import join_words, say

_METHODS = {
    "difference": "differences of mean changes",
    "outcome_regression": "outcome regression",
    "ipw": "inverse probability weighting",
    "doubly_robust": "the doubly robust estimator",
    "doubly_robust_improved": "the improved doubly robust estimator",
}
_AVERAGES = {
    "event": "event times from entry on",
    "simple": "all entry years and years",
    "cohort": "entry years",
    "year": "calendar years",
}
_STACKED_AVERAGES = {
    "event": "the equal-weight mean over event times from entry on, each against the reference "
    "year",
    "pooled": "treated \u00d7 post, against all years before entry pooled",
}
_SEEN = {
    "pairs": "with data in the two years compared",
    "balanced": "with data in every year",
    "every_row": "with data in either of the two years compared",
}
_COHORT_ESTIMATORS = {
    "sun_abraham": "the interaction-weighted estimator of Sun and Abraham",
    "extended_twoway": "extended two-way fixed effects (Wooldridge)",
    "imputation": "the imputation estimator of Borusyak, Jaravel and Spiess, normal intervals",
}


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
    if estimator in _COHORT_ESTIMATORS:
        return _cohort_words(results.settings, spec)
    return name_in_words(estimator)


def _stacked_words(results: StudyResults, spec: str) -> str:
    average = getattr(results.settings.spec(spec), "average", "pooled")
    return say(
        "stacked difference-in-differences, each entry year against its own comparison "
        "{firms}, with {absorbed} effects; the average is {stacked_averages}",
        firms=results.settings.exhibit.firms,
        absorbed=join_words([*absorbed(results, spec)]),
        stacked_averages=say(_STACKED_AVERAGES[average]),
    )


def _twoway_words(results: StudyResults, spec: str) -> str:
    return say(
        "flat two-way fixed effects ({absorbed}), event window only, same weights, for "
        "comparability only: under staggered entry it uses treated units as comparisons",
        absorbed=join_words([*absorbed(results, spec)]),
    )


def _difference_words(settings: StudySettings) -> str:
    return say(
        "matching of {firms} on one difference each, the mean from entry on less the reference "
        "year, by the design's rules among {firms} that have it; standard errors of Abadie and "
        "Imbens, which take {firms} to be independent, normal intervals",
        firms=settings.exhibit.firms,
    )


def _group_time_words(settings: StudySettings, spec: str) -> str:
    rule = settings.spec(spec)
    assert rule.estimator == "group_time", "the caller chose the spec by its estimator"
    words = say(
        "effects by entry year and year (Callaway and Sant'Anna) by "
        "{methods}{adjusted}, averaged over {averages}; standard errors from influence "
        "functions, normal intervals",
        methods=say(_METHODS[rule.method]),
        adjusted=_adjusted(settings, rule.covariates),
        averages=say(_AVERAGES[rule.average]),
    )
    if rule.firms == "risk_sets":
        return words
    return say(
        "{words}; comparisons are among all {firms} of the panel {seen}",
        words=words,
        firms=settings.exhibit.firms,
        seen=say(_SEEN[rule.gaps]),
    )


def _adjusted(settings: StudySettings, covariates: list[str]) -> str:
    """Return ` on the covariates of <a design>` where one conditions on the same, else a list."""
    labels = [dated_label(settings.score.covariates[name]) for name in covariates]
    for design in settings.match.designs:
        if labels and set(labels) == set(score_covariates(settings, design)):
            return say(
                " on the covariates of the design {design_label}",
                design_label=settings.design_label(design),
            )
    return say(" on {labels}", labels=", ".join(labels)) if labels else ""


def _cohort_words(settings: StudySettings, spec: str) -> str:
    rule = settings.spec(spec)
    average = getattr(rule, "average", "")
    over = say("event times from entry on") if average == "event" else say("treated firm-years")
    return say(
        "{cohort_estimators}, averaged over {over}",
        cohort_estimators=say(_COHORT_ESTIMATORS[rule.estimator]),
        over=over,
    )
