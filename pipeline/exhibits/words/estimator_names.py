"""What each estimator is called in tables."""

from pipeline.exhibits.inputs import StudyResults
from pipeline.exhibits.ran import estimator_of
from pipeline.exhibits.words.language import say


def estimator_name(results: StudyResults, spec: str) -> str:
    """Return what a spec's estimator is called, with the spec's name where others share it."""
    estimator = estimator_of(results, spec)
    name = name_in_words(estimator)
    return name if len(specs_of(results, estimator)) == 1 else f"{name} ({spec})"


def specs_of(results: StudyResults, estimator: str) -> list[str]:
    """Return the specs of an estimator, in the order of params."""
    names = [spec.name for spec in results.settings.estimate.specs]
    return [name for name in names if estimator_of(results, name) == estimator]


def name_in_words(estimator: str) -> str:
    """Return what an estimator is called, by its key in params."""
    return say(f"estimator.{estimator}")
