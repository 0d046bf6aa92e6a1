"""What was estimated and assumed, in plain words, from what ran."""

from pipeline.exhibits.inputs import StudyResults, StudySettings
from pipeline.exhibits.leads import is_varying
from pipeline.exhibits.ran import Ran, conf_level, ran_on
from pipeline.exhibits.render import rounding
from pipeline.exhibits.words.beneficiaries import switched_off
from pipeline.exhibits.words.designs import (
    capitalised,
    design_rule,
    gap_rules,
    pool_that_ran,
    score_covariates,
)
from pipeline.exhibits.words.inference import conditional_words, level_words
from pipeline.exhibits.words.language import join_words, say


def assumptions(results: StudyResults) -> list[tuple[str, str]]:
    """Return (question, answer) pairs for the headline design and estimator."""
    settings = results.settings
    firms = settings.exhibit.firms
    headline = settings.estimate.headline
    rows = ran_on(results, headline.spec, [headline.design], settings.outcomes.intended)
    return [
        (
            say("assumptions.effect_question"),
            say("assumptions.effect", programme=settings.exhibit.programme, firms=firms),
        ),
        (say("assumptions.comparison_question"), _comparison(results, rows)),
        (say("assumptions.matching_question"), _picked(results)),
        (say("assumptions.time_question"), _window(rows[0])),
        (say("assumptions.certainty_question"), _intervals(results, rows[0])),
        (
            say("assumptions.parallel_question"),
            say("assumptions.parallel", firms=firms, anticipation=anticipation_words(rows[0])),
        ),
        (say("assumptions.missing_question"), _missing(settings, rows)),
        *[(say("assumptions.ending_question"), said) for said in switched_off(results)],
    ]


def _comparison(results: StudyResults, rows: list[Ran]) -> str:
    return say("assumptions.comparison", design_pool=pool_that_ran(results, rows))


def _picked(results: StudyResults) -> str:
    design = results.settings.estimate.headline.design
    covariates = score_covariates(results, design)
    listed = say("assumptions.covariates", covariates=", ".join(covariates)) if covariates else ""
    return f"{capitalised(design_rule(results, design))}.{listed}"


def _window(row: Ran) -> str:
    return say(
        "assumptions.varying_window" if is_varying(row) else "assumptions.window",
        first_event_time=rounding.signed(row.number("first_event_time")),
        last_event_time=rounding.signed(row.number("last_event_time")),
        reference_event_time=rounding.signed(row.number("base_event_time")),
    )


def _intervals(results: StudyResults, row: Ran) -> str:
    levels = ["cluster", *(["other_cluster"] if row.has("other_cluster") else [])]
    shared = [level_words(results, row.code(level)) for level in levels]
    return say(
        "assumptions.intervals",
        conf_level=rounding.general(100 * conf_level(results)),
        level=join_words(shared),
        conditional=conditional_words(results, "assumptions", [row.code("design")]),
    )


def anticipation_words(row: Ran) -> str:
    """Return since when nothing may have changed because of the programme."""
    years = row.number("anticipation_years")
    if years == 0:
        return say("assumptions.no_change_before_entry")
    return say("assumptions.no_change_before_anticipation", years=years)


def _missing(settings: StudySettings, rows: list[Ran]) -> str:
    return f"{capitalised(gap_rules(settings, rows))}."
