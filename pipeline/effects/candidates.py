"""The firms of a design's risk sets, joined to PANEL once, to be matched again and again."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from pipeline.datasets.arrays import Codes, Flags, Floats
from pipeline.effects.stacks import (
    SetMembers,
    Stacks,
    checked_weights,
    firm_clusters,
    join_stacks,
)
from pipeline.matching.designs import weight_rows
from pipeline.matching.sets import MatchedSets, numbered_members
from pipeline.matching.stack import RiskSet, StackMatch, weighted
from pipeline.panel.panel_index import PanelIndex
from pipeline.params.treatment import TreatmentSection


@dataclass(frozen=True)
class Candidates:
    """Hold every firm of a design's risk sets as a unit (u,), and where each risk set's begin.

    `dated` (u,) is each unit's cluster in its stack's base year.
    """

    every: Stacks
    starts: Codes
    dated: Codes

    def matched(
        self, found: Sequence[StackMatch], units: Sequence[Codes], treated: Flags | None = None
    ) -> Stacks:
        """Return the stacks that matches make, no firm of a risk set in two of them.

        `units` says of each match which of the candidates it numbers, in the order in which they
        were matched, `treated` (u,) who is, where that is not as in the study. The stacks are those
        of joining the tables of the matches again. Raises DataError as that does.
        """
        treated = self.every.treated if treated is None else treated
        weight = self.weights(found, units)
        used = np.flatnonzero(weight > 0)
        place = np.cumsum(weight > 0) - 1
        members = [_members(match.sets, place[u]) for match, u in zip(found, units, strict=True)]
        return self.chosen(used, weight[used], treated[used], _side_by_side(members))

    def weights(self, found: Sequence[StackMatch], units: Sequence[Codes]) -> Floats:
        """Return the weight of every candidate (u,) in matches, as `matched` takes them."""
        weight = np.zeros(len(self.every.firm))
        for match, unit in zip(found, units, strict=True):
            weight[unit] = match.weight
        return weight

    def clusters(self, used: Codes, treated: Flags) -> tuple[Codes, int]:
        """Return one cluster for each firm used, by unit, and how many firms had several."""
        every = self.every
        return firm_clusters(self.dated[used], every.firm[used], every.stack[used], treated)

    def chosen(
        self, used: Codes, weight: Floats, treated: Flags, sets: SetMembers | None
    ) -> Stacks:
        """Return some of the units, with weights and treatment (used,) and sets among them."""
        cluster, n_firms_moved = self.clusters(used, treated)
        own = self.every.only(used, checked_weights(weight, self.every.design), sets)
        return replace(own, cluster=cluster, treated=treated, n_firms_moved=n_firms_moved)


def join_candidates(
    index: PanelIndex, risk_sets: Sequence[RiskSet], design: str, treatment: TreatmentSection
) -> Candidates:
    """Join every firm of the risk sets to PANEL over the event window."""
    sizes = [len(risk_set.firms) for risk_set in risk_sets]
    everyone = [
        weight_rows(weighted(r, np.ones(n)), design) for r, n in zip(risk_sets, sizes, strict=True)
    ]
    nobody, rows = pd.DataFrame({"design": []}), pd.concat(everyone)
    every = join_stacks(index, rows, nobody, design, treatment)
    dated = np.asarray(pd.factorize(rows["cluster"])[0], dtype=np.intp)
    return Candidates(every, np.cumsum([0, *sizes[:-1]]), dated)


def _members(sets: MatchedSets, unit: Codes) -> SetMembers:
    """Return the members of one stack's sets, given the unit of each row of its risk set."""
    number, row, weight = numbered_members(sets)
    return SetMembers(unit[row], number, weight)


def _side_by_side(parts: Sequence[SetMembers]) -> SetMembers | None:
    """Return the sets of several stacks; None where no stack has any."""
    sizes = [int(part.set_code.max(initial=-1)) + 1 for part in parts]
    if not sum(sizes):
        return None
    before = np.cumsum([0, *sizes[:-1]])
    return SetMembers(
        unit=np.concatenate([part.unit for part in parts]),
        set_code=np.concatenate([p.set_code + n for p, n in zip(parts, before, strict=True)]),
        weight=np.concatenate([part.weight for part in parts]),
    )
