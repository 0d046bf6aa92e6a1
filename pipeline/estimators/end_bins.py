"""Event times beyond the window, where every firm-year of the panel is used: two open-ended bins.

Schmidheiny & Siegloch (2023), doi:10.1002/jae.2971. Event times at or below the window's first, and
at or above its last, are told as one effect each. A bin is an average over a changing set of
entry years and open-ended times: the later one enters no average unless asked to, and the earlier
one, which has no distance from the reference year, is no lead of the pre-trend test.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.effects.estimated import Estimated
from pipeline.effects.event_averages import is_from_entry
from pipeline.effects.terms import Term
from pipeline.errors import Reason

EARLIER, LATER = "event_or_earlier", "event_or_later"


@dataclass(frozen=True)
class EndBins:
    """Hold the event times that stand for all up to them, and from them on.

    `averaged` says whether averages take the later one as an event time like others.
    """

    first: int
    last: int
    averaged: bool

    def binned(self, event_time: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return event times (n,), those beyond the ends as the ends."""
        return np.clip(event_time, self.first, self.last)

    def of_cells(self, terms: Sequence[Term]) -> tuple[Term, ...]:
        """Return cells' terms at binned event times; those of one entry year in a bin are equal."""
        return tuple(replace(t, event_time=self._binned(t)) for t in terms)

    def in_averages(self, term: Term) -> bool:
        """Say whether a term is of an event time from entry on that averages take."""
        open_ended = term.event_time == self.last and not self.averaged
        return is_from_entry(term) and not open_ended

    def is_lead(self, term: Term, reference: int) -> bool:
        """Say whether a term is of one event time before the reference year."""
        return term.event_time is not None and self.first < term.event_time < reference

    def averaged_part(self, events: Estimated) -> Estimated:
        """Return effects by event time without the later bin where averages go without it."""
        reasons = {t: why for t, why in events.reasons.items() if self._may_average(t)}
        return replace(events.where(list(filter(self._may_average, events.terms))), reasons=reasons)

    def named(self, events: Estimated) -> Estimated:
        """Return effects by event time with those at the ends told as open-ended."""
        return replace(
            events,
            terms=tuple(map(self._named, events.terms)),
            reasons={self._named(t): why for t, why in events.reasons.items()},
            remarks={self._named(t): said for t, said in events.remarks.items()},
        )

    def told(self, average: Estimated) -> Estimated:
        """Say of averages what becomes of the later bin, beside what is said of them."""
        code = "with_end_bin" if self.averaged else "without_end_bin"
        ours = Reason(code, {"time": self.last})
        remarks = {t: (*average.remarks.get(t, ()), ours) for t in average.terms}
        return replace(average, remarks=remarks)

    def _binned(self, term: Term) -> int | None:
        time = term.event_time
        return None if time is None else min(max(time, self.first), self.last)

    def _may_average(self, term: Term) -> bool:
        return not is_from_entry(term) or self.in_averages(term)

    def _named(self, term: Term) -> Term:
        if term.event_time == self.last:
            return replace(term, family=LATER)
        return replace(term, family=EARLIER) if term.event_time == self.first else term
