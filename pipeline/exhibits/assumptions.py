"""What was estimated and assumed, in plain words, from the parameters that ran."""

from pipeline.exhibits.design_words import (
    capitalised,
    design_pool,
    design_rule,
    score_covariates,
)
from pipeline.exhibits.inputs import StudyResults, StudySettings


def assumptions(results: StudyResults) -> list[tuple[str, str]]:
    """Return (question, answer) pairs for the headline design and estimator."""
    settings = results.settings
    firms = settings.exhibit.firms
    return [
        (
            "What is the effect?",
            f"The average difference that the programme ({settings.exhibit.programme}) made to the "
            f"{firms} that entered, in the years after entry.",
        ),
        ("Who is compared with whom?", _comparison(settings)),
        ("How are they picked?", _picked(settings)),
        ("When?", _window(settings)),
        ("How sure are we?", _intervals(settings)),
        (
            "What must hold?",
            f"Without the programme, outcomes of entrants and of their comparison {firms} would "
            f"have moved in parallel; {_anticipation(settings)}; comparison {firms} are not "
            "affected by the programme.",
        ),
        ("What if an outcome is missing?", _missing(settings)),
    ]


def _comparison(settings: StudySettings) -> str:
    design = settings.estimate.headline.design
    return f"Entrants of each year with {design_pool(settings, design)}."


def _picked(settings: StudySettings) -> str:
    design = settings.estimate.headline.design
    covariates = score_covariates(settings, design)
    listed = f" Covariates: {', '.join(covariates)}." if covariates else ""
    return f"{capitalised(design_rule(settings, design))}.{listed}"


def _window(settings: StudySettings) -> str:
    window = settings.treatment.window
    return (
        f"Years {window.first_event_time:+d} to {window.last_event_time:+d} counted from the entry "
        f"year; changes are measured from year {settings.treatment.reference_event_time:+d}."
    ).replace("-", "\u2212")


def _intervals(settings: StudySettings) -> str:
    spec = settings.spec(settings.estimate.headline.spec)
    unit = settings.exhibit.firms.removesuffix("s")
    level = settings.exhibit.cluster if spec.cluster == "assignment" else unit
    return (
        f"Intervals hold the effect in {100 * settings.estimate.conf_level:g} of 100 samples, when "
        f"shocks are shared within each {level} and not beyond. They take the match as given."
    )


def _anticipation(settings: StudySettings) -> str:
    years = settings.treatment.anticipation_years
    if years == 0:
        return "nothing changed before entry because of it"
    return f"nothing changed more than {years} years before entry because of it"


def _missing(settings: StudySettings) -> str:
    firms = settings.exhibit.firms
    if settings.estimate.missing == "drop_set":
        return f"A matched set counts in a year only if all its {firms} are observed in that year."
    return "Whoever is observed stays, and comparison weights are rescaled."
