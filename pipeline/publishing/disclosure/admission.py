"""What stays of figures that together tell too much: the more needed first.

Candidates are admitted in order. One is refused where, with those admitted before it, it would let
a reader work out what is not to be known: a combination that speaks of few firms; a mean that one
firm dominates; a difference of published sets, one inside the other, that one firm dominates.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from pipeline.datasets.arrays import Flags, Floats
from pipeline.params.exhibit import Disclosure
from pipeline.publishing.disclosure.blocks import Block
from pipeline.publishing.disclosure.span import dominates, extended, spans, tells_of_few


@dataclass(frozen=True)
class Alternative:
    """Hold what is told together in one way of showing a figure.

    `forms` (n, m) are what it tells, by block; `sets` (n, m) the sets whose means are told, of
    which there is none where only a difference of two groups is.
    """

    forms: Mapping[int, Floats]
    sets: Mapping[int, Flags] = field(default_factory=dict)


@dataclass(frozen=True)
class Candidate:
    """Hold the options of showing a figure, the best first; `need` orders candidates."""

    need: tuple[int, ...]
    options: tuple[Alternative, ...]


@dataclass(frozen=True)
class Guard:
    """Say what no combination of a block's published forms may tell.

    `kept_secret` are forms that may not be worked out.
    """

    block: Block
    rule: Disclosure
    kept_secret: Sequence[Floats] = ()

    @property
    def nothing(self) -> tuple[Floats, Flags]:
        """Return no forms, and no sets."""
        m = len(self.block.stack)
        return np.zeros((0, m)), np.zeros((0, m), dtype=np.bool_)

    @cached_property
    def refuses_nothing(self) -> bool:
        """Say whether there is nothing that forms could tell."""
        enough = (self.block.firms.n_firms >= self.rule.min_cell_firms).all()
        return bool(enough) and not self.kept_secret and not self.block.measured

    def refuses(self, span: Floats, sets: Flags) -> bool:
        """Say whether a span (r, m) tells too much, or one of the differences of sets (k, m)."""
        if any(spans(span, form) for form in self.kept_secret):
            return True
        if tells_of_few(span, self.block.firms, self.rule.min_cell_firms):
            return True
        return self.block.measured and self._dominated(sets)

    def _dominated(self, sets: Flags) -> bool:
        """Say whether one firm dominates what a set has beyond one or two sets inside it."""
        once = _beyond(sets, sets)
        beyond = np.concatenate([once, _beyond(once, sets)])
        block, percent = self.block, self.rule.dominance_percent
        return bool(dominates(beyond, block.total, block.largest, percent).any())


def admitted(candidates: Sequence[Candidate], guards: Mapping[int, Guard]) -> list[int | None]:
    """Return of each candidate the first option that all of its blocks admit, None without one."""
    best = [one.options[0] for one in candidates]
    contested = {
        number: _Ledger(guard, *guard.nothing)
        for number, guard in guards.items()
        if _refuses_all(guard, [option for option in best if number in option.forms])
    }
    chosen: list[int | None] = [None] * len(candidates)
    for place in sorted(range(len(candidates)), key=lambda one: candidates[one].need):
        chosen[place] = _admit_first(candidates[place].options, contested)
    return chosen


def _admit_first(options: Sequence[Alternative], ledgers: "Mapping[int, _Ledger]") -> int | None:
    """Admit the first option that may be, and return its number."""
    for number, option in enumerate(options):
        own = [ledger for n in option.forms if (ledger := ledgers.get(n)) is not None]
        if all(ledger.admits(option) for ledger in own):
            for ledger in own:
                ledger.admit(option)
            return number
    return None


@dataclass
class _Ledger:
    """Hold what has been admitted in one block: the span of its forms, and sets."""

    guard: Guard
    span: Floats
    sets: Flags

    def admits(self, option: Alternative) -> bool:
        """Say whether an option tells nothing that may not be known, given what is admitted."""
        span, sets = self._with(option)
        nothing_new = len(span) == len(self.span) and len(sets) == len(self.sets)
        return nothing_new or not self.guard.refuses(span, sets)

    def admit(self, option: Alternative) -> None:
        """Add an option to what is admitted."""
        self.span, self.sets = self._with(option)

    def _with(self, option: Alternative) -> tuple[Floats, Flags]:
        number = self.guard.block.number
        span = extended(self.span, option.forms[number])
        if not self.guard.block.measured or number not in option.sets:
            return span, self.sets
        return span, np.unique(np.concatenate([self.sets, option.sets[number]]), axis=0)


def _refuses_all(guard: Guard, options: list[Alternative]) -> bool:
    """Say whether the options of a block cannot all be admitted."""
    if guard.refuses_nothing:
        return False
    ledger = _Ledger(guard, *guard.nothing)
    for option in options:
        ledger.admit(option)
    return guard.refuses(ledger.span, ledger.sets)


def _beyond(sets: Flags, inside: Flags) -> Flags:
    """Return what sets (n, m) have beyond each set (k, m) that lies inside them, different ones."""
    rest = [own & ~inside[_strictly_inside(own, inside)] for own in sets]
    return np.unique(_stacked(rest, sets.shape[1]), axis=0)


def _strictly_inside(own: Flags, others: Flags) -> Flags:
    within = ~(others & ~own).any(axis=1) & others.any(axis=1)
    return np.asarray(within & (others != own).any(axis=1))


def _stacked(parts: list[Flags], width: int) -> Flags:
    return np.concatenate([np.zeros((0, width), dtype=np.bool_), *parts])
