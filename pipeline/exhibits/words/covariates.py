"""What readers call covariates, with their dates, from the record of how they were dated."""

from pipeline.exhibits.inputs import StudyResults
from pipeline.exhibits.ran import Ran, covariate_ran
from pipeline.exhibits.words.language import say

# How a covariate over several years is called.
_SPANS = {"average": "covariate.mean", "change": "covariate.change", "trend": "covariate.slope"}


def covariate_labels(results: StudyResults, names: list[str]) -> list[str]:
    """Return the dated labels of covariates."""
    return [dated_label(covariate_ran(results, name)) for name in names]


def dated_label(covariate: Ran) -> str:
    """Return a covariate's label with its date relative to entry year t, where it has one."""
    label, dated_by = covariate.code("label"), covariate.code("dated_by")
    if not covariate.known("last_event_time"):
        return label
    first, last = (_year(covariate.number(f"{end}_event_time")) for end in ("first", "last"))
    if dated_by in _SPANS:
        return say(_SPANS[dated_by], label=label, first=first, last=last)
    return f"{label} ({last})"


def _year(event_time: int) -> str:
    if event_time == 0:
        return "t"
    return f"t{'+' if event_time > 0 else chr(0x2212)}{abs(event_time)}"
