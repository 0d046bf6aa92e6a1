"""Every firm that could have entered or be compared, whoever enters: what assignments share.

Who is active in the base and entry year of a stack, where their rows are and to which cluster they
belong does not depend on who enters. It is joined to PANEL once; assignments only choose among it.
"""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.datasets.arrays import Codes, Flags, Floats
from pipeline.effects.candidates import Candidates
from pipeline.effects.stacks import Stacks, rows_of_units
from pipeline.effects.study import Study
from pipeline.panel.panel_index import NO_ROW, PanelIndex
from pipeline.panel.treated_clusters import first_entries
from pipeline.params.score import ControlsFrom
from pipeline.params.treatment import TreatmentSection
from pipeline.selection.risk_sets import last_treatment_year, may_compare


@dataclass(frozen=True)
class ActiveUnits:
    """Hold the firms active in base and entry year of each stack as units (u,), by stack and id.

    `every` are these, joined to PANEL, nobody treated; its clusters are those of the base years.
    `cluster` has the codes of all rows of PANEL, in order of names. A comparison firm must be
    untreated through the year `horizon` (u,).
    """

    every: Stacks
    index: PanelIndex
    cluster: Codes
    horizon: NDArray[np.int64]
    treatment: TreatmentSection

    def candidates(self, design: str) -> Candidates:
        """Return the units as candidates of a design."""
        starts = np.unique(self.every.stack, return_index=True)[1]
        return Candidates(replace(self.every, design=design), starts, self.every.cluster)

    def units_of(self, stack: int) -> slice:
        """Return where a stack's units stand."""
        first, last = np.searchsorted(self.every.stack, [stack, stack + 1])
        return slice(int(first), int(last))

    def risk_sets(self, entry: Floats, source: ControlsFrom) -> tuple[Flags, Flags]:
        """Say which units are in risk sets, and which are treated, (u,) each.

        `entry` (F,) is the year in which each firm enters, missing where it does not, `source` says
        where comparison firms come from. Stacks in which nobody enters have no risk set.
        """
        cohort, entered = entry[self.every.firm], np.unique(entry[np.isfinite(entry)])
        treated = cohort == self.every.stack
        pool = may_compare(cohort, self.horizon, self.treatment)
        if source != "all":
            pool &= ~(self._first_entries(entry)[self.every.cluster] <= self.horizon)
        return (treated | pool) & np.isin(self.every.stack, entered), treated

    def _first_entries(self, entry: Floats) -> Floats:
        """Return by cluster when its first participant entered, missing without one."""
        enters = np.flatnonzero(np.isfinite(entry))
        firm, column = np.nonzero(self.index.row[enters] != NO_ROW)
        cluster = self.cluster[self.index.row[enters[firm], column]]
        year, n_clusters = self.index.first_year + column, len(self.every.names["assignment"])
        return first_entries(year, entry[enters[firm]], cluster, n_clusters)


def active_units(study: Study, stacks: list[int]) -> ActiveUnits:
    """Join the firms active in base and entry year of each stack to PANEL."""
    treatment, index = study.treatment, study.index
    by_id = np.asarray(index.firms.argsort(), dtype=np.intp)
    firms = [by_id[_active(index, by_id, year, treatment)] for year in stacks]
    sizes = [len(part) for part in firms]
    firm, stack = np.concatenate(firms), np.repeat(np.array(stacks, dtype=np.int64), sizes)
    code, names = pd.factorize(study.panel["cluster"], sort=True)
    cluster = np.asarray(code, dtype=np.intp)
    rows = rows_of_units(index, firm, stack, _base_year(stack, treatment), treatment)
    every = Stacks(
        design="unmatched",
        firm=firm,
        cluster=cluster[rows["base_row"]],
        stack=stack,
        treated=np.zeros(len(firm), dtype=np.bool_),
        weight=np.ones(len(firm)),
        n_firms_moved=0,
        sets=None,
        names={"assignment": np.asarray(names, dtype=np.object_)},
        **rows,
    )
    last = [last_treatment_year(study.panel, year, treatment) for year in stacks]
    horizon = np.repeat(np.array(last, dtype=np.int64), sizes)
    return ActiveUnits(every, index, cluster, horizon, treatment)


def _active(index: PanelIndex, firm: Codes, stack: int, treatment: TreatmentSection) -> Flags:
    """Say which firm codes have a row in the base and in the entry year of a stack."""
    years = np.array([_base_year(np.array(stack), treatment), stack])
    rows = index.rows(firm, np.broadcast_to(years, (len(firm), 2)))
    return np.asarray((rows != NO_ROW).all(axis=1))


def _base_year(stack: NDArray[np.int64], treatment: TreatmentSection) -> NDArray[np.int64]:
    return stack + treatment.reference_event_time
