"""Say which event times are open-ended, where every firm-year of the panel is used."""

from pipeline.exhibits.ran import Ran, each, takes_every_year
from pipeline.exhibits.render import rounding
from pipeline.exhibits.words.language import say

# Codes of rows whose averages go without the last open-ended event time.
_SHOWN = frozenset({"both_shown", "untested_shown", "last_shown"})


def with_end_bins(rows: list[Ran], words: str) -> str:
    """Return words for a flat estimator with what is told of event times at the ends, if any."""
    binned = [row for row in rows if row.has("end_bins")]
    return each(binned, lambda row: _words(row, words)) or words


def _words(row: Ran, words: str) -> str:
    ends = {end: rounding.fixed(row.number(f"{end}_event_time"), 0) for end in ("first", "last")}
    return say(f"end_bins.{row.code('end_bins')}", words=words, **ends)


def last_averaged(row: Ran) -> int | None:
    """Return the last event time that the average effect takes; None where it takes all."""
    last = row.number("last_event_time")
    if not takes_every_year(row):
        return last
    pooled = row.code("average") == "pooled"
    shown = row.code("end_bins") in _SHOWN and not pooled
    return last - 1 if shown else None
