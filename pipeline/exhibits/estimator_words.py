"""Say in words how an estimator of staggered effects compares, adjusts, averages and infers."""

from pipeline.exhibits.design_words import dated_label
from pipeline.exhibits.inputs import StudySettings

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


def group_time_words(settings: StudySettings, spec: str) -> str:
    """Return how a spec of group-time effects compares, adjusts, averages and infers."""
    rule = settings.spec(spec)
    assert rule.estimator == "group_time", "the caller chose the spec by its estimator"
    labels = [dated_label(settings.score.covariates[name]) for name in rule.covariates]
    adjusted = f" on {', '.join(labels)}" if labels else ""
    return (
        f"effects by entry year and year (Callaway and Sant'Anna) by {_METHODS[rule.method]}"
        f"{adjusted}, averaged over {_AVERAGES[rule.average]}; standard errors from influence "
        "functions, normal intervals"
    )


_COHORT_ESTIMATORS = {
    "sun_abraham": "the interaction-weighted estimator of Sun and Abraham",
    "extended_twoway": "extended two-way fixed effects (Wooldridge)",
    "imputation": "the imputation estimator of Borusyak, Jaravel and Spiess, normal intervals",
}


def cohort_words(settings: StudySettings, spec: str) -> str:
    """Return which estimator by cohort a spec is, and how it averages."""
    rule = settings.spec(spec)
    assert rule.estimator in _COHORT_ESTIMATORS, "the caller chose the spec by its estimator"
    over = "event times from entry on" if rule.average == "event" else "treated firm-years"  # type: ignore[union-attr]
    return f"{_COHORT_ESTIMATORS[rule.estimator]}, averaged over {over}"
