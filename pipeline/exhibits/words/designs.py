"""Say in words what the parameters made the code do: who was compared with whom, and how.

Every sentence is built from the settings that ran; none is typed for a study.
"""

from pipeline.exhibits.inputs import StudyResults, StudySettings
from pipeline.exhibits.ran import Ran, each, ran_on_design
from pipeline.exhibits.render import rounding
from pipeline.exhibits.words.language import say
from pipeline.exhibits.words.methods import method_words
from pipeline.params.match import conditioning_covariates
from pipeline.params.score import Covariate, ScoreModel


def capitalised(text: str) -> str:
    """Return text with a capital first letter; the rest keeps its own (R&D, not R&d)."""
    return text[:1].upper() + text[1:]


def pool_words(settings: StudySettings, comparison: str, controls_from: str) -> str:
    """Return who may be a comparison firm: `never-treated plants outside clusters ...`."""
    return say(
        "designs.pool",
        kind=say(f"comparison_kind.{comparison}"),
        firms=settings.exhibit.firms,
        pool=say(f"comparison_pool.{controls_from}"),
    )


def design_pool(results: StudyResults, design: str) -> str:
    """Return the pool from which a design takes comparison firms.

    A design that is matched but that no spec is of has no row in SPECS: its settings say it.
    """
    rows = ran_on_design(results, design)
    return pool_that_ran(results, rows) if rows else _pool_asked(results.settings, design)


def _pool_asked(settings: StudySettings, design: str) -> str:
    comparison = settings.treatment.comparison
    if design == "unmatched":
        return pool_words(settings, comparison, settings.score.unmatched.controls_from)
    model = settings.score.models[settings.match.designs[design].score]
    return pool_words(settings, comparison, model.controls_from)


def pool_that_ran(results: StudyResults, rows: list[Ran]) -> str:
    """Return the pool from which estimates took comparison firms."""
    return each(
        rows,
        lambda row: pool_words(results.settings, row.code("comparison"), row.code("controls_from")),
    )


def rule_that_ran(results: StudyResults, design: str, rows: list[Ran]) -> str:
    """Return the rule by which a design picks firms; without matching, how they were weighted."""
    settings = results.settings
    if design in settings.match.designs:
        return design_rule(settings, design)
    return each(rows, lambda row: _unmatched(settings, row))


def _unmatched(settings: StudySettings, row: Ran) -> str:
    firms = settings.exhibit.firms
    if row.has("weight_by"):
        labels = ", ".join(covariate_labels(settings, row.listed("weight_by")))
        return say("designs.no_matching_weighted_by", firms=firms, labels=labels)
    if row.code("weights") == "one":
        return say("designs.no_matching_no_weights", firms=firms)
    return say("designs.no_matching", firms=firms)


def gap_rules(settings: StudySettings, rows: list[Ran]) -> str:
    """Return by which rules those count whose outcomes are missing in some years."""
    firms = settings.exhibit.firms

    def rule(code: str) -> str:
        return say(f"gap_rule.{code}", firms=firms)

    return each(rows, lambda row: row.told("gaps", rule))


def covariate_labels(settings: StudySettings, names: list[str]) -> list[str]:
    """Return the dated labels of covariates of the score."""
    return [dated_label(settings.score.covariates[name]) for name in names]


def design_rule(settings: StudySettings, design: str) -> str:
    """Return the rule by which a design picks and weights firms of its pool."""
    if design == "unmatched":
        return say("designs.no_matching", firms=settings.exhibit.firms)
    rule = settings.match.designs[design]
    model = settings.score.models[rule.score]
    fit = say(f"score_fit.{model.fit}")
    labels = {name: dated_label(item) for name, item in settings.score.covariates.items()}
    parts = [
        *method_words(rule, settings.exhibit, labels),
        *_support(model),
        *([say("designs.fitted_on_support")] if model.refit else []),
        *([say("designs.score", link=model.link, fit=fit)] if rule.uses_score else []),
    ]
    return ", ".join(parts)


def score_covariates(settings: StudySettings, design: str) -> list[str]:
    """Return the dated covariates that a design scores or balances; none for `unmatched`."""
    if design not in settings.match.designs:
        return []
    rule = settings.match.designs[design]
    names = conditioning_covariates(rule, settings.score.models[rule.score].covariates)
    return covariate_labels(settings, names)


def dated_label(covariate: Covariate) -> str:
    """Return a covariate's label with its date relative to entry year t, where it has one."""
    if covariate.average is not None:
        first, last = map(_year, covariate.average)
        return say("covariate.mean", label=covariate.label, first=first, last=last)
    if covariate.change is not None:
        first, last = map(_year, covariate.change)
        return say("covariate.change", label=covariate.label, first=first, last=last)
    if covariate.trend is not None:
        first, last = map(_year, covariate.trend)
        return say("covariate.slope", label=covariate.label, first=first, last=last)
    if covariate.product_of is not None or covariate.constant:
        return covariate.label
    return f"{covariate.label} ({_year(covariate.last_event_time)})"


def _support(model: ScoreModel) -> list[str]:
    if model.trim_share is not None:
        share = say("designs.percent", trim_share=rounding.general(100 * model.trim_share))
        if model.support == "density":
            return [say("designs.trimmed_where_rare", share=share)]
        return [say("designs.trimmed_highest", share=share)]
    if model.score_bound is not None:
        return [say("designs.trimmed_above", score_bound=rounding.general(model.score_bound))]
    return {
        "min_max": [say("designs.common_support")],
        "comparison_maximum": [say("designs.treated_above_dropped")],
        "comparison_range": [say("designs.treated_outside_dropped")],
        "treated_range": [say("designs.comparison_outside_dropped")],
    }.get(model.support, [])


def _year(event_time: int) -> str:
    if event_time == 0:
        return "t"
    return f"t{'+' if event_time > 0 else chr(0x2212)}{abs(event_time)}"
