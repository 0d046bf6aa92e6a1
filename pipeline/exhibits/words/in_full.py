"""What notes say only where a study asks for them in full (`exhibit.notes`)."""

from collections.abc import Iterable

from pipeline.exhibits.inputs import StudyResults


def asks_for_all(results: StudyResults) -> bool:
    """Say whether notes are asked for in full."""
    return results.settings.exhibit.notes == "full"


def in_full(results: StudyResults, *sentences: str) -> tuple[str, ...]:
    """Return sentences that short notes leave out; none where notes are short."""
    return sentences if asks_for_all(results) else ()


def either(results: StudyResults, *, full: Iterable[str], short: Iterable[str]) -> tuple[str, ...]:
    """Return what notes say in full, or their short form; what is empty is left out."""
    chosen = full if asks_for_all(results) else short
    return tuple(sentence for sentence in chosen if sentence)
