"""Which setting moved which headline: what must be computed, and what comes of it.

Every combination of changed settings is computed with the code and the data that are here. What the
headlines moved beside that, between the two states, is due to data, code and package versions.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from pipeline.commands.attribute.changed_settings import Setting
from pipeline.commands.attribute.headline_effects import HeadlineEffect
from pipeline.commands.attribute.shapley import (
    MOST_SHARED,
    Chosen,
    alone_and_last,
    shapley_values,
)
from pipeline.commands.audit.comparison import same_number

_Effects = dict[str, HeadlineEffect]


@dataclass(frozen=True)
class Computed:
    """Hold the headlines under one combination of settings, or why there are none."""

    effects: _Effects = field(default_factory=dict)
    refused: str = ""

    def of(self, outcome: str) -> HeadlineEffect:
        """Return one headline; one without figures where it is not estimated."""
        return self.effects.get(outcome, HeadlineEffect())


@dataclass(frozen=True)
class NamedOutcomes:
    """Hold what readers call each outcome and its effects' unit, and those in other units after."""

    labels: dict[str, str]
    units: dict[str, str]
    other_units: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Moves:
    """Hold what each setting moved of one figure: its share, or two amounts, alone and last.

    `together` is the whole. An amount is missing where it could not be computed.
    """

    each: list[tuple[float, ...]]
    together: float

    @property
    def in_pairs(self) -> bool:
        """Say whether the whole is not shared: settings were changed alone, and last."""
        return any(len(amounts) > 1 for amounts in self.each)

    @property
    def nothing(self) -> bool:
        """Say whether nothing moved at all."""
        return not any([self.together, *(a for each in self.each for a in each)])


@dataclass(frozen=True)
class Attribution:
    """Hold one study: settings that changed, headlines before and after, and what was computed.

    `settings` enter the headline, `silent` do not. `before` and `after` are published results;
    `after` is None where results were not made with the settings after.
    """

    study: str
    settings: list[Setting]
    silent: list[Setting]
    outcomes: NamedOutcomes
    computed: Mapping[Chosen, Computed]
    before: _Effects | None
    after: _Effects | None

    @property
    def refused(self) -> dict[Chosen, str]:
        """Return the combinations that could not be computed, with the reason."""
        return {chosen: c.refused for chosen, c in self.computed.items() if c.refused}

    @property
    def everything(self) -> Chosen:
        """Return the combination of all settings."""
        return frozenset(range(len(self.settings)))

    def start(self, outcome: str) -> HeadlineEffect:
        """Return the headline before: as published, or else computed."""
        return (self.before or self.computed[frozenset()].effects).get(outcome, HeadlineEffect())

    def end(self, outcome: str) -> HeadlineEffect:
        """Return the headline after: as published, or else computed."""
        return (self.after or self.computed[self.everything].effects).get(outcome, HeadlineEffect())

    def moves(self, outcome: str, figure: str = "estimate") -> Moves | None:
        """Return what each setting moved of a figure; None where that cannot be told."""
        if outcome in self.outcomes.other_units:
            return None
        values = {
            chosen: float(getattr(found.of(outcome), figure))
            for chosen, found in self.computed.items()
        }
        together = values[self.everything] - values[frozenset()]
        if math.isnan(together):
            return None
        n_settings, level = len(self.settings), max(map(abs, values.values()))
        each: list[tuple[float, ...]] = [*alone_and_last(values, n_settings)]
        if n_settings <= MOST_SHARED and not any(map(math.isnan, values.values())):
            each = [(value,) for value in shapley_values(values, n_settings)]
        settled = [tuple(_settled(amount, level) for amount in amounts) for amounts in each]
        return Moves(settled, _settled(together, level))

    def other_causes(self, outcome: str, figure: str = "estimate") -> float:
        """Return what data, code and package versions moved; NaN where that cannot be told."""
        ends = [getattr(found, figure) for found in (self.start(outcome), self.end(outcome))]
        values = [
            getattr(self.computed[chosen].of(outcome), figure)
            for chosen in (frozenset[int](), self.everything)
        ]
        moved = float(ends[1] - ends[0] - (values[1] - values[0]))
        return _settled(moved, max(map(abs, [*ends, *values])))


def _settled(amount: float, level: float) -> float:
    """Return an amount, or zero where it is what figures of that level are rounded by."""
    return 0.0 if same_number(level + abs(amount), level) else amount
