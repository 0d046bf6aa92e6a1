"""The firms of a design's risk sets, joined to PANEL once, to be matched again and again."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from pipeline.datasets.arrays import Codes, Floats
from pipeline.effects.stacks import SetMembers, Stacks, join_stacks
from pipeline.matching.designs import weight_rows
from pipeline.matching.sets import MatchedSets, numbered_members
from pipeline.matching.stack import RiskSet, StackMatch, weighted
from pipeline.panel.panel_index import PanelIndex
from pipeline.params.treatment import TreatmentSection


@dataclass(frozen=True)
class Candidates:
    """Hold every firm of a design's risk sets as a unit, and where each risk set's begin."""

    every: Stacks
    starts: Codes

    def matched(self, found: Sequence[StackMatch], rows: Sequence[Codes]) -> Stacks:
        """Return the stacks that matches make, one per risk set.

        `rows` says of each match which rows of its risk set it numbers: those of `join_candidates`
        in the order in which they were matched. Effects are those of joining the tables of the
        matches again; a firm that changes clusters has the one of all risk sets, whoever is used.
        """
        weight = np.zeros(len(self.every.firm))
        for match, start, order in zip(found, self.starts, rows, strict=True):
            weight[start + order] = match.weight
        used = np.flatnonzero(weight > 0)
        place = np.cumsum(weight > 0) - 1
        members = [
            _members(match.sets, place[start + order])
            for match, start, order in zip(found, self.starts, rows, strict=True)
        ]
        return _chosen(self.every, used, weight, _side_by_side(members))


def join_candidates(
    index: PanelIndex, risk_sets: Sequence[RiskSet], design: str, treatment: TreatmentSection
) -> Candidates:
    """Join every firm of the risk sets to PANEL over the event window."""
    sizes = [len(risk_set.firms) for risk_set in risk_sets]
    everyone = [
        weight_rows(weighted(r, np.ones(n)), design) for r, n in zip(risk_sets, sizes, strict=True)
    ]
    nobody = pd.DataFrame({"design": []})
    every = join_stacks(index, pd.concat(everyone), nobody, design, treatment)
    return Candidates(every, np.cumsum([0, *sizes[:-1]]))


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


def _chosen(every: Stacks, used: Codes, weight: Floats, sets: SetMembers | None) -> Stacks:
    """Return some of the units, with weights of their own and sets among them."""
    return replace(
        every,
        firm=every.firm[used],
        cluster=every.cluster[used],
        stack=every.stack[used],
        treated=every.treated[used],
        weight=weight[used],
        base_row=every.base_row[used],
        firm_row=every.firm_row[used],
        panel_row=every.panel_row[used],
        covered=every.covered[used],
        sets=sets,
    )
