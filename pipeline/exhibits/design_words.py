"""Say in words what the parameters made the code do: who was compared with whom, and how.

Every sentence is built from the settings that ran; none is typed for a study.
"""

from pipeline.exhibits.inputs import StudySettings
from pipeline.params.match import NearestDesign
from pipeline.params.score import ControlsFrom, Covariate

_NUMBER_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")

_POOLS: dict[ControlsFrom, str] = {
    "outside_treated_clusters": "outside clusters with participants",
    "all": "in any cluster, with participants or without",
}

_SUPPORT = {
    "none": [],
    "min_max": ["common support by minimum and maximum"],
    "comparison_maximum": ["treated above the comparison maximum dropped"],
}


def in_words(count: int) -> str:
    """Return a small count in words, a larger one in digits."""
    return _NUMBER_WORDS[count] if count < len(_NUMBER_WORDS) else str(count)


def comparison_pool(settings: StudySettings, controls_from: ControlsFrom) -> str:
    """Return who may be a comparison firm: `never-treated plants outside clusters ...`."""
    kind = {
        "never_treated": "never-treated",
        "not_yet_treated": "not-yet-treated",
    }[settings.treatment.comparison]
    return f"{kind} {settings.exhibit.firms} {_POOLS[controls_from]}"


def design_rule(settings: StudySettings, design: str) -> str:
    """Return the rule by which a design picks and weights comparison firms."""
    if design == "unmatched":
        pool = comparison_pool(settings, settings.score.unmatched.controls_from)
        return f"all {pool}, with equal weights"
    rule = settings.match.designs[design]
    model = settings.score.models[rule.score]
    fit = "per entry year" if model.fit == "per_stack" else "pooled over entry years"
    parts = [
        _neighbours(rule, settings.exhibit.firms),
        _caliper(rule),
        *_exact(settings, rule),
        *_SUPPORT[model.support],
    ]
    pool = comparison_pool(settings, model.controls_from)
    return f"{', '.join(parts)}, among {pool}; score by {model.link}, {fit}"


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


def score_covariates(settings: StudySettings, design: str) -> str:
    """Return the dated covariates of a design's score; empty for the design without a score."""
    if design not in settings.match.designs:
        return ""
    model = settings.score.models[settings.match.designs[design].score]
    return ", ".join(dated_label(settings.score.covariates[name]) for name in model.covariates)


def dated_label(covariate: Covariate) -> str:
    """Return a covariate's label with its date relative to entry year t."""
    if covariate.average is not None:
        first, last = map(_year, covariate.average)
        return f"{covariate.label} (mean of {first} to {last})"
    if covariate.change is not None:
        first, last = map(_year, covariate.change)
        return f"{covariate.label} (change, {first} to {last})"
    return f"{covariate.label} ({_year(covariate.last_event_time)})"


def matched_event_times(settings: StudySettings, outcome: str, design: str) -> set[int]:
    """Return the event times at which the design's score reads the outcome's own column."""
    if design not in settings.match.designs:
        return set()
    column = settings.outcome(outcome).column
    model = settings.score.models[settings.match.designs[design].score]
    used = [settings.score.covariates[name] for name in model.covariates]
    return {time for item in used if item.column == column for time in item.event_times}


def _neighbours(rule: NearestDesign, firms: str) -> str:
    scale = {"linear": "linear propensity score", "probability": "propensity score"}[rule.distance]
    replacement = "with" if rule.replacement else "without"
    count = in_words(rule.ratio)
    return f"{count} nearest comparison {firms} on the {scale}, {replacement} replacement"


def _exact(settings: StudySettings, rule: NearestDesign) -> list[str]:
    labels = [dated_label(settings.score.covariates[name]) for name in rule.exact]
    return [f"exact within {' and '.join(labels)}"] if labels else []


def _caliper(rule: NearestDesign) -> str:
    if rule.caliper_sd is None:
        return "no caliper"
    over = {"all": "all units", "pooled": "the two groups pooled", "treated": "the treated"}
    return f"caliper {rule.caliper_sd:g} standard deviations of {over[rule.caliper_sd_of]}"


def _year(event_time: int) -> str:
    if event_time == 0:
        return "t"
    return f"t{'+' if event_time > 0 else chr(0x2212)}{abs(event_time)}"
