"""Say in words what the parameters made the code do: who was compared with whom, and how.

Every sentence is built from the settings that ran; none is typed for a study.
"""

from pipeline.exhibits.inputs import StudySettings
from pipeline.exhibits.render import rounding
from pipeline.exhibits.words.language import say
from pipeline.exhibits.words.methods import method_words
from pipeline.matching.matched_lags import matched_times
from pipeline.params.match import conditioning_covariates
from pipeline.params.score import ControlsFrom, Covariate, ScoreModel

_POOLS: dict[ControlsFrom, str] = {
    "outside_treated_clusters": "outside clusters with participants",
    "all": "in any cluster, with participants or without",
}


def capitalised(text: str) -> str:
    """Return text with a capital first letter; the rest keeps its own (R&D, not R&d)."""
    return text[:1].upper() + text[1:]


def comparison_pool(settings: StudySettings, controls_from: ControlsFrom) -> str:
    """Return who may be a comparison firm: `never-treated plants outside clusters ...`."""
    kind = {
        "never_treated": say("never-treated"),
        "not_yet_treated": say("not-yet-treated"),
    }[settings.treatment.comparison]
    return say(
        "{kind} {firms} {pool}",
        kind=kind,
        firms=settings.exhibit.firms,
        pool=say(_POOLS[controls_from]),
    )


def design_pool(settings: StudySettings, design: str) -> str:
    """Return the pool from which a design takes comparison firms."""
    if design == "unmatched":
        return comparison_pool(settings, settings.score.unmatched.controls_from)
    model = settings.score.models[settings.match.designs[design].score]
    return comparison_pool(settings, model.controls_from)


def design_rule(settings: StudySettings, design: str) -> str:
    """Return the rule by which a design picks and weights firms of its pool."""
    if design == "unmatched":
        return say(
            "no matching, comparison {firms} weighted to the treated of their entry year",
            firms=settings.exhibit.firms,
        )
    rule = settings.match.designs[design]
    model = settings.score.models[rule.score]
    fit = say("per entry year") if model.fit == "per_stack" else say("pooled over entry years")
    labels = {name: dated_label(item) for name, item in settings.score.covariates.items()}
    parts = [
        *method_words(rule, settings.exhibit.firms, labels),
        *_support(model),
        *([say("score fitted again on support")] if model.refit else []),
        *([say("score by {link} {fit}", link=model.link, fit=fit)] if rule.uses_score else []),
    ]
    return ", ".join(parts)


def score_covariates(settings: StudySettings, design: str) -> list[str]:
    """Return the dated covariates that a design scores or balances; none for `unmatched`."""
    if design not in settings.match.designs:
        return []
    rule = settings.match.designs[design]
    names = conditioning_covariates(rule, settings.score.models[rule.score].covariates)
    return [dated_label(settings.score.covariates[name]) for name in names]


def dated_label(covariate: Covariate) -> str:
    """Return a covariate's label with its date relative to entry year t, where it has one."""
    if covariate.average is not None:
        first, last = map(_year, covariate.average)
        return say(
            "{label} (mean of {first} to {last})", label=covariate.label, first=first, last=last
        )
    if covariate.change is not None:
        first, last = map(_year, covariate.change)
        return say(
            "{label} (change, {first} to {last})", label=covariate.label, first=first, last=last
        )
    if covariate.trend is not None:
        first, last = map(_year, covariate.trend)
        return say(
            "{label} (slope per year, {first} to {last})",
            label=covariate.label,
            first=first,
            last=last,
        )
    if covariate.product_of is not None or covariate.constant:
        return covariate.label
    return f"{covariate.label} ({_year(covariate.last_event_time)})"


def matched_event_times(settings: StudySettings, outcome: str, design: str) -> frozenset[int]:
    """Return the event times at which the design conditions on the outcome's own column."""
    by_column = matched_times(settings.score, settings.match).get(design, {})
    return by_column.get(settings.outcome(outcome).column or "", frozenset())


def _support(model: ScoreModel) -> list[str]:
    if model.trim_share is not None:
        share = say("{trim_share} percent", trim_share=rounding.general(100 * model.trim_share))
        if model.support == "density":
            return [
                say("{share} of treated where comparison scores are rarest dropped", share=share)
            ]
        return [say("{share} of treated with the highest scores dropped", share=share)]
    if model.score_bound is not None:
        return [
            say(
                "propensity scores above {score_bound} dropped",
                score_bound=rounding.general(model.score_bound),
            )
        ]
    return {
        "min_max": [say("common support by minimum and maximum")],
        "comparison_maximum": [say("treated above the comparison maximum dropped")],
        "comparison_range": [say("treated outside the range of comparison scores dropped")],
        "treated_range": [say("comparisons outside the range of treated scores dropped")],
    }.get(model.support, [])


def _year(event_time: int) -> str:
    if event_time == 0:
        return "t"
    return f"t{'+' if event_time > 0 else chr(0x2212)}{abs(event_time)}"
