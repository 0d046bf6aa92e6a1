"""What each estimator is called in tables."""

from pipeline.exhibits.inputs import StudySettings
from pipeline.exhibits.words.language import say

_NAMES = {
    "stacked": "stacked difference-in-differences",
    "twoway": "flat two-way fixed effects",
    "group_time": "group-time effects",
    "sun_abraham": "Sun and Abraham",
    "extended_twoway": "extended two-way fixed effects (Wooldridge)",
    "imputation": "imputation (Borusyak, Jaravel and Spiess)",
    "matched_difference": "matched difference (Abadie and Imbens)",
    "lee_bounds": "bounds (Lee)",
}


def estimator_name(settings: StudySettings, spec: str) -> str:
    """Return what a spec's estimator is called, with the spec's name where others share it."""
    estimator = settings.spec(spec).estimator
    shared = [other.name for other in settings.estimate.specs if other.estimator == estimator]
    name = name_in_words(estimator)
    return name if len(shared) == 1 else f"{name} ({spec})"


def name_in_words(estimator: str) -> str:
    """Return an estimator's phrase, or its key as words where it has none."""
    return say(_NAMES[estimator]) if estimator in _NAMES else estimator.replace("_", " ")
