"""Say where bounds do not hold the estimate that stands beside them."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from pipeline.effects.terms import Term
from pipeline.exhibits.analysis_effects import Effects, Place, bounds
from pipeline.exhibits.effect import Effect
from pipeline.exhibits.inputs import StudyResults
from pipeline.exhibits.numbers import translated_value
from pipeline.exhibits.tables.effect_cells import interval_of
from pipeline.exhibits.words.language import say


@dataclass(frozen=True)
class Beside:
    """Hold an outcome's estimate, and the bounds beside it: what readers call them, and where."""

    outcome: str
    estimate: Effect | None
    called: str
    place: Place
    found: Effects


def outside_bounds(results: StudyResults, pairs: Iterable[Beside]) -> tuple[str, ...]:
    """Return one caution that lists estimates outside their bounds; none where all lie within."""
    told = [_told(results, pair) for pair in pairs if _is_outside(pair)]
    firms = results.settings.exhibit.firms
    return (say("note.outside_bounds", firms=firms, listed="; ".join(told)),) if told else ()


def _is_outside(pair: Beside) -> bool:
    """Say whether an estimate on the scale of the bounds is smaller or larger than both."""
    if pair.estimate is None or pair.estimate.scale != _scale(pair):
        return False
    ends = bounds(pair.found, pair.place)
    return pair.estimate.estimate < ends.low or pair.estimate.estimate > ends.high


def _scale(pair: Beside) -> str:
    lower = pair.found.get(replace(pair.place, term=Term(f"{pair.place.term.family}_lower")))
    return "" if lower is None else lower.scale


def _told(results: StudyResults, pair: Beside) -> str:
    assert pair.estimate is not None, "what is outside is an estimate"
    ends, decimals = bounds(pair.found, pair.place), pair.estimate.decimals
    return say(
        "note.outside",
        label=results.plain_name(pair.outcome),
        estimate=translated_value(pair.estimate, pair.estimate.estimate),
        called=pair.called,
        bounds=interval_of(ends.low, ends.high, ends.scale, decimals).plain(),
    )
