"""What a cleaning rule is: what it is made from, and what the rest of cleaning must know of it."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, get_args

import pandas as pd

from pipeline.panel.entry import Cohorts
from pipeline.panel.ledger import Rule, Ruled
from pipeline.params.clean import CleanSection
from pipeline.params.data import DataSection
from pipeline.params.settings import Settings
from pipeline.params.treatment import TreatmentSection

# What is settled first: one row a firm and year; values, alike over the years; the cluster, which
# is made of them; who is in the sample; values that stand out in it.
Place = Literal["rows", "values", "cluster", "sample", "outliers"]
PLACES: tuple[str, ...] = get_args(Place)


@dataclass(frozen=True)
class Cleaning:
    """Hold what rules are made from.

    `delivered` is a list of the identifiers before links, which is emptied once they are used:
    they may be large. `tables` are rules files by name.
    """

    delivered: list[pd.Series]
    cohorts: Cohorts
    tables: Mapping[str, pd.DataFrame]
    data: DataSection
    clean: CleanSection
    treatment: TreatmentSection

    def declared(self, setting: str) -> list[Any]:
        """Return what `section.key` holds: each of several rules, one block, or nothing."""
        section, key = setting.split(".")
        value = getattr(getattr(self, section), key)
        if value is None or value == []:
            return []
        several = isinstance(value, list) and isinstance(value[0], Settings)
        return value if several else [value]


@dataclass(frozen=True)
class CleaningRule:
    """Hold what cleaning must know of one rule.

    `setting` is the key of params that asks for it (None: it always runs), `place` when it runs,
    after those of its place that stand above it. `make` returns what it does to the panel, given
    what the setting holds. `writes` names the columns that this may change, `steps` the codes of
    SAMPLE_FLOW for rows that it may remove, each with its sentence in `exhibits/words`. More is
    an error.
    """

    setting: str | None
    place: Place
    writes: Callable[[Any], Collection[str]]
    steps: frozenset[str]
    make: Callable[[Cleaning, Any], Iterator[Rule]]

    def __post_init__(self) -> None:
        """Refuse a place that is none."""
        if self.place not in PLACES:
            raise ValueError(f"{self.place} is not a place of cleaning: {', '.join(PLACES)}")

    def asked(self, cleaning: Cleaning) -> Iterator[tuple[Rule, frozenset[str]]]:
        """Yield what params ask of the rule, each with the columns that it may write."""
        for declared in [None] if self.setting is None else cleaning.declared(self.setting):
            for rule in self.make(cleaning, declared):
                yield rule, frozenset(self.writes(declared))


def on_panel(apply: Callable[..., Ruled]) -> Callable[[Cleaning, Any], Iterator[Rule]]:
    """Make a rule of a function of the panel and its settings."""

    def made(cleaning: Cleaning, declared: Any) -> Iterator[Rule]:
        yield partial(apply, rule=declared)

    return made


def with_table(apply: Callable[..., Ruled]) -> Callable[[Cleaning, Any], Iterator[Rule]]:
    """Make a rule of a function of the panel, the rules file that its settings name, and them."""

    def made(cleaning: Cleaning, declared: Any) -> Iterator[Rule]:
        yield partial(apply, table=cleaning.tables[declared.file], rule=declared)

    return made


def checked(
    rule: Rule, steps: frozenset[str], writes: frozenset[str], panel: pd.DataFrame
) -> Ruled:
    """Run a rule; raise ValueError where it makes a step or writes a column not in its row."""
    before = panel.copy(deep=False)  # copies on write: what a rule changes in place is seen too
    ruled = rule(panel)
    if ruled.step is not None and ruled.step.code not in steps:
        raise ValueError(f"the step {ruled.step.code} is not among those of its rule's row")
    written = sorted(_changed(before, ruled.every) - writes)
    if written:
        named = ", ".join(written)
        raise ValueError(f"columns {named} are not among those that the rule's row `writes`")
    return ruled


def _changed(before: pd.DataFrame, after: pd.DataFrame) -> set[str]:
    """Return the columns that are new, gone, or not as they were."""
    both = before.columns.intersection(after.columns)
    differ = {name for name in both if not after[name].equals(before[name])}
    return differ | set(before.columns.symmetric_difference(after.columns))
