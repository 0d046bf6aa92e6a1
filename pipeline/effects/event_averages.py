"""Averages over event times, for every estimator: of the cells at one, and of several.

The effect at an event time is the mean over the entry years seen at it; a range of event times,
from entry on or a bin, is averaged with equal weights.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import numpy as np

from pipeline.datasets.arrays import Floats
from pipeline.effects.estimated import Estimated, combined, mean_of
from pipeline.effects.terms import Term, event
from pipeline.errors import Reason

NOTHING_AFTER_ENTRY = Reason("no_event_time_after_entry")


def is_from_entry(term: Term) -> bool:
    """Say whether a term is of an event time from entry on."""
    return term.event_time is not None and term.event_time >= 0


def means_by_event_time(
    cells: Estimated, mass: Floats, without: Collection[int | None] = ()
) -> Estimated:
    """Return the mean of the cells at each event time by their mass (k,), taken as known.

    Event times whose cells have no mass, and those named in `without`, are left out.
    """
    found = {t.event_time for t, m in zip(cells.terms, mass, strict=True) if m > 0}
    times = sorted(time for time in found - set(without) if time is not None)
    own = np.array([[term.event_time == time for time in times] for term in cells.terms])
    weights = mass[:, None] * own.reshape(len(cells.terms), len(times))
    return combined(cells, [event(time) for time in times], weights / weights.sum(axis=0))


def mean_from_entry(
    events: Estimated, term: Term, needed: Mapping[Term, Reason] | None = None
) -> Estimated:
    """Return the equal-weight mean over event times from entry on, or why there is none.

    `needed` holds terms without an estimate, and why: where one is from entry on, so is the mean.
    """
    for missing, why in (needed or {}).items():
        if is_from_entry(missing):
            return without_estimate(events, term, why)
    return mean_over_event_times(events, [t for t in events.terms if is_from_entry(t)], term)


def mean_over_event_times(
    events: Estimated, which: Sequence[Term], term: Term, why: Reason = NOTHING_AFTER_ENTRY
) -> Estimated:
    """Return the equal-weight mean of some event times and say which, or why there is none."""
    said = Reason("mean_over_event_times", {"times": [e.event_time for e in which]})
    return mean_or_why(events, which, term, why, (said,))


def mean_or_why(
    parts: Estimated,
    which: Sequence[Term],
    term: Term,
    why: Reason = NOTHING_AFTER_ENTRY,
    remarks: tuple[Reason, ...] = (),
) -> Estimated:
    """Return the equal-weight mean of some terms, or no estimate and the reason without any."""
    if not which:
        return without_estimate(parts, term, why)
    return mean_of(parts, which, term, remarks)


def without_estimate(parts: Estimated, term: Term, why: Reason) -> Estimated:
    """Return no estimate of a term, and the reason."""
    return replace(parts.where([]), reasons={term: why})
