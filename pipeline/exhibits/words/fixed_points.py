"""Which points of an event study are fixed by construction, and what readers are told of them."""

from typing import Literal

from pipeline.exhibits.inputs import StudyResults
from pipeline.exhibits.leads import is_varying
from pipeline.exhibits.ran import ran_on
from pipeline.exhibits.words.language import say


def fixed_points(results: StudyResults, outcome: str) -> set[int]:
    """Return the event times that show nothing: matched on or adjusted for, and the reference."""
    return set[int]().union(*_kinds(results, outcome))


def told_points(results: StudyResults, place: Literal["event_study", "report"]) -> str:
    """Say what hollow points are, in a figure's key or its caption; empty where there are none."""
    kinds = [_kinds(results, name) for name in results.settings.outcomes.intended]
    named = ("reference", "matched", "adjusted")
    found = [n for n, kind in zip(named, zip(*kinds, strict=True), strict=True) if any(kind)]
    if len(found) > 1:
        return say(f"{place}.{'_or_'.join(found)}")
    return say(f"{place}.{_ALONE[found[0]]}") if found else ""


_ALONE = {
    "reference": "reference_point",
    "matched": "matched_points",
    "adjusted": "adjusted_points",
}


def _kinds(results: StudyResults, outcome: str) -> tuple[set[int], ...]:
    """Return the reference if it is 0, and the event times matched on and adjusted for."""
    headline = results.settings.estimate.headline
    row = ran_on(results, headline.spec, [headline.design], [outcome])[0]
    reference = set() if is_varying(row) else {row.number("base_event_time")}
    listed = (row.listed(f"{kind}_event_times") for kind in ("matched", "adjusted"))
    return reference, *map(set, listed)
