"""Say in words how an estimator compares, adjusts, averages and infers."""

from pipeline.exhibits.design_words import dated_label, score_covariates
from pipeline.exhibits.inputs import StudyResults, StudySettings
from pipeline.exhibits.panels import absorbed

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
    return _cohort_words(results.settings, spec)


def _stacked_words(results: StudyResults, spec: str) -> str:
    average = getattr(results.settings.spec(spec), "average", "pooled")
    return (
        "stacked difference-in-differences, each entry year against its own comparison "
        f"{results.settings.exhibit.firms}, with {' and '.join(absorbed(results, spec))} effects; "
        f"the average is {_STACKED_AVERAGES[average]}"
    )


def _twoway_words(results: StudyResults, spec: str) -> str:
    return (
        f"flat two-way fixed effects ({' and '.join(absorbed(results, spec))}), event window only, "
        "same weights, for comparability only: under staggered entry it uses treated units as "
        "comparisons"
    )


def _difference_words(settings: StudySettings) -> str:
    firms = settings.exhibit.firms
    return (
        f"matching of {firms} on one difference each, the mean from entry on less the reference "
        f"year, by the design's rules among {firms} that have it; standard errors of Abadie and "
        f"Imbens, which take {firms} to be independent, normal intervals"
    )


def _group_time_words(settings: StudySettings, spec: str) -> str:
    rule = settings.spec(spec)
    assert rule.estimator == "group_time", "the caller chose the spec by its estimator"
    return (
        f"effects by entry year and year (Callaway and Sant'Anna) by {_METHODS[rule.method]}"
        f"{_adjusted(settings, rule.covariates)}, averaged over {_AVERAGES[rule.average]}; "
        "standard errors from influence functions, normal intervals"
    )


def _adjusted(settings: StudySettings, covariates: list[str]) -> str:
    """Return ` on the covariates of <a design>` where one conditions on the same, else a list."""
    labels = [dated_label(settings.score.covariates[name]) for name in covariates]
    for design in settings.match.designs:
        if labels and set(labels) == set(score_covariates(settings, design)):
            return f" on the covariates of the design {settings.design_label(design)}"
    return f" on {', '.join(labels)}" if labels else ""


def _cohort_words(settings: StudySettings, spec: str) -> str:
    rule = settings.spec(spec)
    assert rule.estimator in _COHORT_ESTIMATORS, "the caller chose the spec by its estimator"
    over = "event times from entry on" if rule.average == "event" else "treated firm-years"  # type: ignore[union-attr]
    return f"{_COHORT_ESTIMATORS[rule.estimator]}, averaged over {over}"
