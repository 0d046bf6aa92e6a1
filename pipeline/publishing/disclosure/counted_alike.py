"""How often each published count counts the firms of a signature: who is counted alike."""

from typing import Any

import numpy as np
import pandas as pd

from pipeline.datasets.arrays import Floats, Integers
from pipeline.datasets.matches import LOSSES, UNMATCHED
from pipeline.datasets.panel import COVERAGE, SAMPLE_FLOW
from pipeline.datasets.populations import BOTH, COMPARISON, COUNTED_SETS, EVERY, TREATED
from pipeline.exhibits.inputs import CountedFirms, StudyResults

# The coordinates of a count.
COORDINATES = list(COUNTED_SETS.key[:-1])
# Counts by their coordinates: how often each counts the firms of a signature (signatures,).
Uses = dict[tuple[Any, ...], Floats]

# What is left after a step of cleaning, and whom it speaks of.
FLOW_GROUPS = {
    "firms": (TREATED, COMPARISON),
    "treated_firms": (TREATED,),
    "comparison_firms": (COMPARISON,),
}
_LOST = {TREATED: "treated_firms_lost", COMPARISON: "comparison_firms_lost"}


def count_place(table: str, column: str, **coordinates: Any) -> tuple[Any, ...]:
    """Return the coordinates of a count, `all` where none is given."""
    default = dict.fromkeys(COORDINATES, EVERY) | {"time": None, "treated": BOTH}
    return tuple((default | {"table": table, "column": column} | coordinates).values())


def same_place(values: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return coordinates with None for what is missing."""
    return tuple(None if pd.isna(value) else value for value in values)


def counted_alike(counted: CountedFirms, results: StudyResults) -> tuple[Uses, Integers]:
    """Return the uses of every count, and the number of firms by signature.

    `results` are those before disclosure control. Firms that PANEL lacks, since a step of cleaning
    lost them, and those lost for reasons that tell not whom, are signatures of their own.
    """
    uses, sizes = _of_panel(counted)
    known = _lost_in_cleaning(results.sample_flow) | _lost_for_reasons(results)
    lost = {place: n for place, n in known.items() if n > 0}
    own = dict(zip(lost, np.eye(len(sizes) + len(lost))[len(sizes) :], strict=True))
    padded = {place: np.append(vector, np.zeros(len(lost))) for place, vector in uses.items()}
    for place, one in own.items():
        together = (*place[:3], EVERY, *place[4:])
        if place[0] == LOSSES.name:
            padded[place] = one
            padded[together] = padded.get(together, 0.0) + one
    _add_flow(padded, own, results.sample_flow)
    return padded, np.append(sizes, np.array(list(lost.values()), dtype=np.int64))


def _of_panel(counted: CountedFirms) -> tuple[Uses, Integers]:
    """Return the uses of counts whose firms PANEL has, and how many firms are alike."""
    firms = counted.firms
    sizes = firms.drop_duplicates("signature").sort_values("signature")["n_firms"]
    member = np.zeros((int(firms["counted"].max()) + 1, len(sizes)))
    member[firms["counted"], firms["signature"] - 1] = 1.0
    uses: Uses = {}
    places = counted.sets[COORDINATES].itertuples(index=False, name=None)
    for place, number in zip(map(same_place, places), counted.sets["counted"], strict=True):
        uses[place] = uses[place] + member[number] if place in uses else member[number]
    return uses, sizes.to_numpy(np.int64)


def _lost_in_cleaning(flow: pd.DataFrame) -> dict[tuple[Any, ...], int]:
    """Return how many firms of a group each step of cleaning lost."""
    return {
        count_place(SAMPLE_FLOW.name, column, time=int(row["step"]), treated=group): int(
            row[column]
        )
        for row in flow.to_dict("records")
        for group, column in _LOST.items()
    }


def _lost_for_reasons(results: StudyResults) -> dict[tuple[Any, ...], int]:
    """Return how many firms of an entry year are lost for a reason that tells not whom."""
    rows = results.details.of(LOSSES)
    unknown = rows[rows["stack"].ne(EVERY) & rows["reason"].ne(UNMATCHED)]
    return {
        count_place(
            LOSSES.name, "n_firms", design=row["design"], stack=row["stack"], part=row["reason"]
        ): int(row["n_firms"])
        for row in unknown.to_dict("records")
    }


def _add_flow(uses: Uses, own: Uses, flow: pd.DataFrame) -> None:
    """Add the counts of SAMPLE_FLOW: who is left is PANEL's firms and those lost later."""
    everyone = {
        place[-1]: vector
        for place, vector in uses.items()
        if place[:2] == (COVERAGE.name, "n_firms")
    }
    lost = {(place[6], place[7]): one for place, one in own.items() if place[0] == SAMPLE_FLOW.name}
    for step in flow["step"].astype(int):
        for column, groups in FLOW_GROUPS.items():
            present = [g for g in groups if g in everyone]
            left = sum(
                everyone[g] + sum(one for (s, of), one in lost.items() if of == g and s > step)
                for g in present
            )
            uses[count_place(SAMPLE_FLOW.name, column, time=step)] = np.asarray(left)
            gone = [lost[step, g] for g in groups if (step, g) in lost]
            if gone:
                place = count_place(SAMPLE_FLOW.name, f"{column}_lost", time=step)
                uses[place] = np.asarray(sum(gone))
