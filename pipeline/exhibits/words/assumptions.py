"""What was estimated and assumed, in plain words, from the parameters that ran."""

from pipeline.exhibits.inputs import StudyResults, StudySettings
from pipeline.exhibits.render import rounding
from pipeline.exhibits.words.designs import (
    capitalised,
    design_pool,
    design_rule,
    score_covariates,
)
from pipeline.exhibits.words.language import say


def assumptions(results: StudyResults) -> list[tuple[str, str]]:
    """Return (question, answer) pairs for the headline design and estimator."""
    settings = results.settings
    firms = settings.exhibit.firms
    return [
        (
            say("What is the effect?"),
            say(
                "The average difference that the programme ({programme}) made to the {firms} "
                "that entered, in the years after entry.",
                programme=settings.exhibit.programme,
                firms=firms,
            ),
        ),
        (say("Who is compared with whom?"), _comparison(settings)),
        (say("How are they picked?"), _picked(settings)),
        (say("When?"), _window(settings)),
        (say("How sure are we?"), _intervals(settings)),
        (
            say("What must hold?"),
            say(
                "Without the programme, outcomes of entrants and of their comparison {firms} "
                "would have moved in parallel; {anticipation}; comparison {firms} are not "
                "affected by the programme.",
                firms=firms,
                anticipation=_anticipation(settings),
            ),
        ),
        (say("What if an outcome is missing?"), _missing(settings)),
    ]


def _comparison(settings: StudySettings) -> str:
    design = settings.estimate.headline.design
    return say(
        "Entrants of each year with {design_pool}.", design_pool=design_pool(settings, design)
    )


def _picked(settings: StudySettings) -> str:
    design = settings.estimate.headline.design
    covariates = score_covariates(settings, design)
    listed = (
        say(" Covariates: {covariates}.", covariates=", ".join(covariates)) if covariates else ""
    )
    return f"{capitalised(design_rule(settings, design))}.{listed}"


def _window(settings: StudySettings) -> str:
    window = settings.treatment.window
    return say(
        "Years {first_event_time} to {last_event_time} counted from the entry year; "
        "changes are measured from year {reference_event_time}.",
        first_event_time=rounding.signed(window.first_event_time),
        last_event_time=rounding.signed(window.last_event_time),
        reference_event_time=rounding.signed(settings.treatment.reference_event_time),
    )


def _intervals(settings: StudySettings) -> str:
    spec = settings.spec(settings.estimate.headline.spec)
    unit = settings.exhibit.firms.removesuffix("s")
    level = settings.exhibit.cluster if spec.cluster == "assignment" else unit
    return say(
        "Intervals hold the effect in {conf_level} of 100 samples, when shocks are "
        "shared within each {level} and not beyond. They take the match as given.",
        conf_level=rounding.general(100 * settings.estimate.conf_level),
        level=level,
    )


def _anticipation(settings: StudySettings) -> str:
    years = settings.treatment.anticipation_years
    if years == 0:
        return say("nothing changed before entry because of it")
    return say("nothing changed more than {years} years before entry because of it", years=years)


def _missing(settings: StudySettings) -> str:
    firms = settings.exhibit.firms
    if settings.estimate.missing == "drop_set":
        return say(
            "A matched set counts in a year only if all its {firms} are observed in that year.",
            firms=firms,
        )
    return say("Whoever is observed stays, and comparison weights are rescaled.")
