"""Which points of an event study are fixed by construction, and what readers are told of them."""

from typing import Literal

from pipeline.exhibits.inputs import StudyResults
from pipeline.exhibits.leads import is_varying
from pipeline.exhibits.ran import ran_on
from pipeline.exhibits.words.language import say


def fixed_points(results: StudyResults, outcome: str) -> set[int]:
    """Return the event times that show nothing: those matched on, and the reference if it is 0."""
    reference, matched = _kinds(results, outcome)
    return reference | matched


def told_points(results: StudyResults, place: Literal["event_study", "report"]) -> str:
    """Say what hollow points are, in a figure's key or its caption; empty where there are none."""
    kinds = [_kinds(results, name) for name in results.settings.outcomes.intended]
    reference, matched = (any(kind) for kind in zip(*kinds, strict=True))
    if reference and matched:
        return say(f"{place}.reference_or_matched")
    if matched:
        return say(f"{place}.matched_points")
    return say(f"{place}.reference_point") if reference else ""


def _kinds(results: StudyResults, outcome: str) -> tuple[set[int], set[int]]:
    headline = results.settings.estimate.headline
    row = ran_on(results, headline.spec, [headline.design], [outcome])[0]
    reference = set() if is_varying(row) else {row.number("base_event_time")}
    return reference, set(row.listed("matched_event_times"))
