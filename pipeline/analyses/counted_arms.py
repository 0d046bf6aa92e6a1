"""Whom counts of arms and exposures count: ARM_FLOW and EXPOSED."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from pipeline.analyses.counted_sets import CountedSets, CountPlace
from pipeline.datasets.arms import ARM_FLOW
from pipeline.datasets.exposure import EXPOSED, OWN_ENTRY, STRONGER
from pipeline.panel.panel_index import NO_ROW, PanelIndex
from pipeline.selection.arm_flow import AFTER_ANOTHER, JOINT, STAYS, UNTIL, ListedFirms

# What counts of ARM_FLOW count, by what became of firms.
_FATES = {
    "n_listed": (JOINT, AFTER_ANOTHER, STAYS, UNTIL),
    "n_joint": (JOINT,),
    "n_after_another": (AFTER_ANOTHER,),
    "n_until": (UNTIL,),
    "n_entrants": (STAYS, UNTIL),
}


def count_arms(sets: CountedSets, index: PanelIndex, firms: ListedFirms) -> None:
    """Add the firms of arms by what became of them, and the exposed by class."""
    places = [*_of_flow(firms.fates), *_of_exposure(firms.exposure)]
    for place, firm_id in places:
        code = index.codes(firm_id)
        sets.add(place, np.unique(code[code != NO_ROW]))


def _of_flow(fates: pd.DataFrame) -> Iterator[tuple[CountPlace, "pd.Series[str]"]]:
    for arm, rows in fates.groupby("arm"):
        for column, counted in _FATES.items():
            place = CountPlace(ARM_FLOW.name, column, part=str(arm))
            yield place, rows.loc[rows["fate"].isin(counted), "firm_id"]


def _of_exposure(exposure: pd.DataFrame) -> Iterator[tuple[CountPlace, "pd.Series[str]"]]:
    known = exposure.dropna(subset="class")
    for name, number in known[["exposure", "class"]].drop_duplicates().to_numpy().tolist():
        rows = known[(known["exposure"] == name) & (known["class"] == number)]
        spilt = rows[~rows["participant"]]
        ends = {"n_entered": OWN_ENTRY, "n_stronger": STRONGER}
        counted = {column: spilt[spilt["censored_by"] == end] for column, end in ends.items()}
        elsewhere = known.loc[known["exposure"] != name, "firm_id"]
        counted |= {
            "n_firms": spilt,
            "n_participants": rows[rows["participant"]],
            "n_also": spilt[spilt["firm_id"].isin(elsewhere)],
        }
        for column, own in counted.items():
            yield CountPlace(EXPOSED.name, column, part=str(name), time=int(number)), own["firm_id"]
