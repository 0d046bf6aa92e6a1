"""What was estimated and assumed, in plain words, from the parameters that ran."""

from pipeline.exhibits.inputs import StudyResults, StudySettings
from pipeline.exhibits.render import rounding
from pipeline.exhibits.words.designs import (
    capitalised,
    design_pool,
    design_rule,
    score_covariates,
)
from pipeline.exhibits.words.language import join_words, say


def assumptions(results: StudyResults) -> list[tuple[str, str]]:
    """Return (question, answer) pairs for the headline design and estimator."""
    settings = results.settings
    firms = settings.exhibit.firms
    return [
        (
            say("assumptions.effect_question"),
            say("assumptions.effect", programme=settings.exhibit.programme, firms=firms),
        ),
        (say("assumptions.comparison_question"), _comparison(settings)),
        (say("assumptions.matching_question"), _picked(settings)),
        (say("assumptions.time_question"), _window(settings)),
        (say("assumptions.certainty_question"), _intervals(settings)),
        (
            say("assumptions.parallel_question"),
            say("assumptions.parallel", firms=firms, anticipation=_anticipation(settings)),
        ),
        (say("assumptions.missing_question"), _missing(settings)),
    ]


def _comparison(settings: StudySettings) -> str:
    design = settings.estimate.headline.design
    return say("assumptions.comparison", design_pool=design_pool(settings, design))


def _picked(settings: StudySettings) -> str:
    design = settings.estimate.headline.design
    covariates = score_covariates(settings, design)
    listed = say("assumptions.covariates", covariates=", ".join(covariates)) if covariates else ""
    return f"{capitalised(design_rule(settings, design))}.{listed}"


def _window(settings: StudySettings) -> str:
    window = settings.treatment.window
    return say(
        "assumptions.window",
        first_event_time=rounding.signed(window.first_event_time),
        last_event_time=rounding.signed(window.last_event_time),
        reference_event_time=rounding.signed(settings.treatment.reference_event_time),
    )


def _intervals(settings: StudySettings) -> str:
    spec = settings.spec(settings.estimate.headline.spec)
    unit, assignment = settings.exhibit.firm, settings.exhibit.cluster
    if isinstance(spec.cluster, str):
        shared = [assignment if spec.cluster == "assignment" else unit]
    else:
        own = {"assignment": assignment, "firm": unit}
        shared = [own.get(level, level) for level in spec.cluster]
    return say(
        "assumptions.intervals",
        conf_level=rounding.general(100 * settings.estimate.conf_level),
        level=join_words(shared),
    )


def _anticipation(settings: StudySettings) -> str:
    years = settings.treatment.anticipation_years
    if years == 0:
        return say("assumptions.no_change_before_entry")
    return say("assumptions.no_change_before_anticipation", years=years)


def _missing(settings: StudySettings) -> str:
    firms = settings.exhibit.firms
    if settings.estimate.missing == "drop_set":
        return say("assumptions.drop_set", firms=firms)
    return say("assumptions.renormalise")
