"""How effects were estimated, as SPECS says it ran: words about it come from here, not params."""

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.datasets.reasons import unpacked_list
from pipeline.datasets.specs import ANALYSES, NO_LIST, NONE, SPECS
from pipeline.exhibits.inputs import StudyResults
from pipeline.exhibits.words.language import join_words


@dataclass(frozen=True)
class Ran:
    """Hold a row of SPECS, of one outcome and design, or one of ANALYSES."""

    row: Mapping[Hashable, Any]

    def code(self, column: str) -> str:
        """Return an option's code, `none` where it does not apply."""
        return str(self.row[column])

    def listed(self, column: str) -> list[Any]:
        """Return the values of a column that holds a list, none where it is empty."""
        return unpacked_list(self.row[column])

    def told(self, column: str, words: Callable[[str], str]) -> str:
        """Return what is said of the codes that a column holds: `a`, or `a and b`."""
        return join_words([words(code) for code in self.listed(column)])

    def number(self, column: str) -> int:
        """Return an option that is a number and always known."""
        return int(self.row[column])

    def value(self, column: str) -> float:
        """Return a number that need not be whole."""
        return float(self.row[column])

    def has(self, column: str) -> bool:
        """Say whether an option was in use: it is no `none`, no empty list, not zero, not false."""
        return self.row[column] not in (NONE, NO_LIST, 0, False)


def ran(results: StudyResults, design: str, outcome: str, spec: str) -> Ran | None:
    """Return how a spec or analysis ran on one outcome and design, None where it was not asked."""
    found = _rows(results, design=design, outcome=outcome, estimator=spec)
    return found[0] if found else None


def ran_on(
    results: StudyResults, spec: str, designs: Iterable[str], outcomes: Iterable[str]
) -> list[Ran]:
    """Return how a spec ran on some designs and outcomes; on its others where on none of them."""
    named, shown = set(designs), set(outcomes)
    found = _rows(results, estimator=spec)
    here = [r for r in found if r.code("design") in named and r.code("outcome") in shown]
    return here or [r for r in found if r.code("design") in named] or found


def ran_on_design(results: StudyResults, design: str) -> list[Ran]:
    """Return how every spec and analysis ran on a design; none where no spec is of it."""
    return _rows(results, design=design)


def reference_event_time(results: StudyResults) -> int:
    """Return the event time of the reference year, which all specs share."""
    return int(_shared(results, "base_event_time"))


def conf_level(results: StudyResults) -> float:
    """Return the level of intervals, which all specs share."""
    return _shared(results, "conf_level")


def power(results: StudyResults) -> float:
    """Return the power at which effects are detectable, which all specs share."""
    return _shared(results, "power")


def estimator_of(results: StudyResults, spec: str) -> str:
    """Return the estimator that a spec is of."""
    return _rows(results, estimator=spec)[0].code("kind")


def rested_on(results: StudyResults, analysis: str, **key: str) -> list[Ran]:
    """Return what an analysis rested on: the rows of ANALYSES that agree with a part of its key."""
    rows = results.details.records(ANALYSES, estimator=analysis, **key)
    return [Ran(row) for row in rows]


def each(rows: Iterable[Ran], words: Callable[[Ran], str]) -> str:
    """Return what is said of rows, each once: `a`, or `a and b` where they differ."""
    said = dict.fromkeys(map(words, rows))
    return join_words([text for text in said if text])


def _shared(results: StudyResults, column: str) -> float:
    rows = _rows(results, estimator=results.settings.estimate.headline.spec)
    (value,) = {row.value(column) for row in rows}
    return value


def _rows(results: StudyResults, **key: str) -> list[Ran]:
    return [Ran(row) for row in results.details.records(SPECS, **key)]
