"""Say in words what ran: who was compared with whom, and how.

Every sentence is built from the records of designs, scores and specs; none is typed for a study.
"""

from collections.abc import Iterator
from typing import Literal

from pipeline.exhibits.inputs import StudyResults, StudySettings
from pipeline.exhibits.ran import (
    Ran,
    data_rules_ran,
    design_ran,
    each,
    matching_designs,
    ran_on_design,
    score_ran,
    treatment_ran,
)
from pipeline.exhibits.render import rounding
from pipeline.exhibits.words.covariates import covariate_labels
from pipeline.exhibits.words.language import join_words, say
from pipeline.exhibits.words.methods import method_words


def capitalised(text: str) -> str:
    """Return text with a capital first letter; the rest keeps its own (R&D, not R&d)."""
    return text[:1].upper() + text[1:]


def uncapitalised(text: str) -> str:
    """Return text with a small first letter, to stand inside a sentence."""
    return text[:1].lower() + text[1:]


def pool_words(results: StudyResults, comparison: str, controls_from: str) -> str:
    """Return who may be a comparison firm: `never-treated plants outside clusters ...`.

    Of a study with arms that are firms in none of them, and not exposed.
    """
    pool, without = say(f"comparison_pool.{controls_from}"), out_of_contact(results)
    if without is not None:
        return say(f"clean_pool.{comparison}_{without}", pool=pool)
    kind = say(f"comparison_kind.{comparison}")
    return say("designs.pool", kind=kind, firms=results.settings.exhibit.firms, pool=pool)


def out_of_contact(results: StudyResults) -> Literal["arms", "exposure"] | None:
    """Return what comparison firms are out of: all arms, or reach too; None without arms."""
    rules = {rule.code for rule in data_rules_ran(results)}
    if "treatment_arms" not in rules:
        return None
    return "exposure" if "treatment_exposure" in rules else "arms"


def design_pool(results: StudyResults, design: str) -> str:
    """Return the pool from which a design takes comparison firms.

    A design that is matched but that no spec is of has no row in SPECS: its score model says it.
    """
    rows = ran_on_design(results, design)
    return pool_that_ran(results, rows) if rows else _pool_of_model(results, design)


def _pool_of_model(results: StudyResults, design: str) -> str:
    comparison = treatment_ran(results).options["comparison"]
    controls_from = score_ran(results, design).code("controls_from")
    return pool_words(results, comparison, controls_from)


def pool_that_ran(results: StudyResults, rows: list[Ran]) -> str:
    """Return the pool from which estimates took comparison firms."""
    return each(
        rows,
        lambda row: pool_words(results, row.code("comparison"), row.code("controls_from")),
    )


def rule_that_ran(results: StudyResults, design: str, rows: list[Ran]) -> str:
    """Return the rule by which a design picks firms; without matching, how they were weighted."""
    if design in matching_designs(results):
        return design_rule(results, design)
    return each(rows, lambda row: _unmatched(results, row))


def _unmatched(results: StudyResults, row: Ran) -> str:
    firms = results.settings.exhibit.firms
    if row.has("weight_by"):
        labels = ", ".join(covariate_labels(results, row.listed("weight_by")))
        scaled = "_scaled" * (row.code("weights") == "scaled_to_treated")
        return say(f"designs.no_matching{scaled}_weighted_by", firms=firms, labels=labels)
    if row.code("weights") in ("one", "sampling"):
        return say(f"designs.no_matching_{row.code('weights')}", firms=firms)
    return say("designs.no_matching", firms=firms)


def gap_rules(settings: StudySettings, rows: list[Ran]) -> str:
    """Return by which rules those count whose outcomes are missing in some years."""
    firms = settings.exhibit.firms

    def rule(code: str) -> str:
        return say(f"gap_rule.{code}", firms=firms)

    return each(rows, lambda row: row.told("gaps", rule))


def design_rule(results: StudyResults, design: str) -> str:
    """Return the rule by which a design picks and weights firms of its pool."""
    if design == "unmatched":
        return say("designs.no_matching", firms=results.settings.exhibit.firms)
    rule, model = design_ran(results, design), score_ran(results, design)
    parts = [*method_words(results, rule), *_exact(results, rule), *_support(model)]
    if model.has("refit"):
        parts.append(say("designs.fitted_on_support"))
    if rule.has("uses_score"):
        fit = say(f"score_fit.{model.code('fit')}")
        parts.append(say("designs.score", link=model.code("link"), fit=fit))
    return ", ".join(parts)


def _exact(results: StudyResults, rule: Ran) -> list[str]:
    """Say which covariates' values, or bins of values, are never crossed."""
    named = rule.listed("exact")
    if not named:
        return []
    labels = zip(named, covariate_labels(results, named), strict=True)
    cut = rule.mapping("bins")
    told = [say("methods.bins", label=label) if name in cut else label for name, label in labels]
    return [say("methods.exact", named=join_words(told))]


def score_covariates(results: StudyResults, design: str) -> list[str]:
    """Return the dated covariates that a design scores or balances; none for `unmatched`."""
    return covariate_labels(results, conditioned_on(results, design))


def conditioned_on(results: StudyResults, design: str) -> list[str]:
    """Return the covariates that a design scores or balances."""
    rule = design_ran(results, design)
    scored = score_ran(results, design).listed("covariates") if rule.has("uses_score") else []
    return list(dict.fromkeys([*scored, *rule.listed("covariates")]))


def _bounds(model: Ran) -> Iterator[str]:
    """Yield above and below which scores firms are dropped."""
    if model.known("score_bound"):
        bound = rounding.general(model.value("score_bound"))
        yield say("designs.trimmed_above", score_bound=bound)
    if model.known("score_floor"):
        floor = rounding.general(model.value("score_floor"))
        yield say(f"designs.trimmed_below_{model.code('score_floor_of')}", score_floor=floor)


def _support(model: Ran) -> list[str]:
    support = model.code("support")
    if model.known("trim_share"):
        trim_share = rounding.general(100 * model.value("trim_share"))
        share = say("designs.percent", trim_share=trim_share)
        if support == "density":
            return [say("designs.trimmed_where_rare", share=share)]
        return [say("designs.trimmed_highest", share=share)]
    if support == "bound":
        return [*_bounds(model)]
    return {
        "min_max": [say("designs.common_support")],
        "comparison_maximum": [say("designs.treated_above_dropped")],
        "comparison_range": [say("designs.treated_outside_dropped")],
        "treated_range": [say("designs.comparison_outside_dropped")],
    }.get(support, [])
