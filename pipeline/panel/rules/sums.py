"""Sums of columns follow their parts: what a rule does to a part reaches the sum."""

from collections.abc import Collection, Mapping

import pandas as pd

from pipeline.errors import Reason
from pipeline.panel.ledger import Ruled, issue
from pipeline.params.data import SumColumn

SumsByName = Mapping[str, list[str]]


class Sums:
    """Keep in view which columns are still the sum of their parts while rules run."""

    def __init__(self, declared: Mapping[str, SumColumn]) -> None:
        """Begin with all sums, as they are declared."""
        self._left = {name: column.of for name, column in declared.items()}

    def after(self, writes: Collection[str], *, alike: bool) -> SumsByName:
        """Return the sums that a rule left behind, whose parts alone it wrote.

        A sum that a rule wrote itself stays one only where the rule wrote every part, `alike`:
        prices do, limits of tails do not. From then on it is left as that rule made it.
        """
        own = {name for name in self._left if name in writes}
        behind = {
            name: parts
            for name, parts in self._left.items()
            if name not in own and not set(parts).isdisjoint(writes)
        }
        for name in own:
            if not (alike and set(self._left[name]) <= set(writes)):
                del self._left[name]
        return behind


def added_up(panel: pd.DataFrame, sums: SumsByName) -> dict[str, pd.Series]:
    """Return each sum of its parts; missing where one of them is."""
    return {name: panel[parts].sum(axis=1, min_count=len(parts)) for name, parts in sums.items()}


def add_up_again(panel: pd.DataFrame, sums: SumsByName) -> Ruled:
    """Add sums up from parts that a rule changed, and count what that changes."""
    found, again = [], added_up(panel, sums)
    for name, values in again.items():
        before = panel[name]
        changed = (values != before) & ~(values.isna() & before.isna())
        action = Reason("added_up", {"columns": ", ".join(sums[name])})
        found += issue(Reason("sum_of_changed_parts"), name, changed, panel, action)
    return Ruled(panel.assign(**again), tuple(found))
