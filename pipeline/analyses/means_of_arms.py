"""Which firms published means speak of over all arms of a study: one block a variable and date.

Arms share comparison firms, and firms that are in several. Their values are the same in each, so
that means of different arms add up and subtract as those of one.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd

from pipeline.analyses.published_means import LEVEL, SCORE, PublishedMeans, Sources, Variable
from pipeline.datasets.arms import in_arm
from pipeline.datasets.arrays import Codes, Floats
from pipeline.datasets.panel import PROFILE
from pipeline.effects.populations import MEMBER, TREATED, Population, Units, of_both
from pipeline.panel.panel_index import NO_ROW, PanelIndex, index_panel


@dataclass(frozen=True)
class MeansOfArms:
    """Make the blocks of a study; `arms` by subfolder, "" for the one that it shows first.

    `panel` is PANEL as no arm sees it, by whose firms units are coded.
    """

    arms: Mapping[str, PublishedMeans]
    panel: pd.DataFrame

    @cached_property
    def index(self) -> PanelIndex:
        """Return PANEL's rows by firm and year."""
        study = self.arms[""].study
        return study.index if study.panel is self.panel else index_panel(self.panel)

    @cached_property
    def stacks(self) -> Codes:
        """Return the entry years of all designs of all arms, ascending."""
        own = [means.stacks for means in self.arms.values()]
        return np.asarray(np.unique(np.concatenate(own)), dtype=np.intp)

    def blocks(self) -> Iterator[tuple[Variable, list[Units]]]:
        """Yield the units of the means of one variable after another.

        Scores are a variable of each arm, effects of all arms under a design one.
        """
        for variable in dict.fromkeys(v for arm in self.arms for v in self._sources(arm)):
            units = [
                self._in_panel(arm, own)
                for arm in self.arms
                for make in self._sources(arm).get(variable, ())
                for own in make()
            ]
            yield variable, [*units, *self._of_profile(variable)]

    def sizes(self, variable: Variable, stack: Codes, firm: Codes) -> Floats | None:
        """Return the absolute levels (n,) of units, zero where missing; None of other scales."""
        if variable.scale != LEVEL:
            return None
        if variable.event_time is None:
            found = np.full(len(firm), np.nan)
            for arm, means in self.arms.items():
                own = means.sizes(variable, stack, self._of_arm(arm)[firm])
                found = np.where(np.isnan(found), own, found)
        else:
            values = self.panel[variable.name].to_numpy(float, na_value=np.nan)
            rows = self.index.rows(firm, (stack + variable.event_time)[:, None])[:, 0]
            found = np.where(rows == NO_ROW, np.nan, values[rows])
        return np.asarray(np.abs(np.nan_to_num(found)))

    def codes(self, arm: str) -> Codes:
        """Return PANEL's code of each firm of an arm's panel."""
        return self._codes[arm]

    @cached_property
    def _codes(self) -> dict[str, Codes]:
        return {
            arm: self.index.codes(pd.Series(means.study.index.firms))
            for arm, means in self.arms.items()
        }

    def _of_arm(self, arm: str) -> Codes:
        """Return an arm's code of each firm of PANEL, -1 of one that it lacks."""
        found = np.full(len(self.index.firms), -1, dtype=np.intp)
        found[self._codes[arm]] = np.arange(len(self._codes[arm]))
        return found

    def _sources(self, arm: str) -> Sources:
        found = self.arms[arm].sources
        return {
            replace(v, name=in_arm(v.name, arm)) if v.scale == SCORE else v: own
            for v, own in found.items()
        }

    def _in_panel(self, arm: str, units: Units) -> Units:
        """Return units of an arm by PANEL's codes, and their sets by the arm's designs."""
        named = tuple(
            replace(one, place=replace(one.place, design=in_arm(one.place.design, arm)))
            for one in units.named
        )
        return replace(units, firm=self._codes[arm][units.firm], named=named)

    def _of_profile(self, variable: Variable) -> Iterator[Units]:
        """Yield the firms of a year of the profile, where all who enter do so in one year.

        With several entry years a calendar year mixes dates, and adds up with no other mean.
        """
        if len(self.stacks) == 1 and variable.scale == LEVEL and variable.event_time is not None:
            year = self.stacks + variable.event_time
            rows = self.index.in_year(int(year[0]))
            firm = np.flatnonzero(rows != NO_ROW)
            firm = firm[self.panel[variable.name].notna().to_numpy()[rows[firm]]]
            treated = self.panel["cohort"].notna().to_numpy()[rows[firm]]
            place = Population(PROFILE.name, "all", variable.name, str(year[0]))
            stack = np.full(len(firm), self.stacks[0])
            yield Units(stack, firm, MEMBER + TREATED * treated, tuple(of_both(place)))
