"""What each estimator is called in tables."""

from pipeline.exhibits.inputs import StudySettings
from pipeline.exhibits.words.language import say


def estimator_name(settings: StudySettings, spec: str) -> str:
    """Return what a spec's estimator is called, with the spec's name where others share it."""
    estimator = settings.spec(spec).estimator
    shared = [other.name for other in settings.estimate.specs if other.estimator == estimator]
    name = name_in_words(estimator)
    return name if len(shared) == 1 else f"{name} ({spec})"


def name_in_words(estimator: str) -> str:
    """Return what an estimator is called, by its key in params."""
    return say(f"estimator.{estimator}")
