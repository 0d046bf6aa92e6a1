"""Whose counts published counts are, over the arms of a study, and which anybody adds up."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.datasets.arms import ARM_FLOW
from pipeline.datasets.arrays import Flags, Floats, Integers
from pipeline.datasets.exposure import EXPOSED
from pipeline.datasets.panel import COVERAGE, PROFILE, SAMPLE_FLOW
from pipeline.datasets.populations import COMPARISON, EVERY, TREATED
from pipeline.datasets.small_counts import small
from pipeline.params.arms import ExposureArm
from pipeline.params.treatment import TreatmentSection
from pipeline.publishing.disclosure.counted_alike import COORDINATES, Uses
from pipeline.publishing.disclosure.joined_arms import OfArm
from pipeline.publishing.disclosure.subtracted import CountsOfArms, Telling

_OF_PANEL = [table.name for table in (COVERAGE, EXPOSED, PROFILE, SAMPLE_FLOW)]
_EVERYONE = (COVERAGE.name, "n_firms")
# Coordinates of counts that are alike but for their arm.
_ALIKE = [name for name in COORDINATES if name != "design"]


@dataclass(frozen=True)
class CellsOfArms:
    """Hold the cells of counts with the subfolder of their arm, missing for the panel's.

    `kind` is the exposure of an arm by exposure, else empty; `of_design` the arm's design.
    """

    cells: pd.DataFrame
    folders: list[str]

    @classmethod
    def of(
        cls, cells: pd.DataFrame, treatment: TreatmentSection, arm_of: Mapping[str, OfArm]
    ) -> "CellsOfArms":
        """Return the cells of joined results; each has a `number` of its set of firms."""
        of_flow = cells["table"] == ARM_FLOW.name
        designs = [arm_of.get(name, OfArm("", name)) for name in cells["design"]]
        arm = pd.Series([design.arm_folder for design in designs], index=cells.index, dtype="str")
        arm = arm.mask(of_flow, cells["part"].map(treatment.arm_folders))
        told = cells.assign(
            arm=arm.mask(cells["table"].isin(_OF_PANEL)),
            kind=arm.map(_kinds(treatment)),
            of_design=[design.name for design in designs],
            part=cells["part"].mask(of_flow, EVERY),
        )
        return cls(told, list(treatment.arm_folders.values()))

    def counts(self, fixed: Flags, in_none: Flags) -> CountsOfArms:
        """Return which arms show each count (n,), and which of the `fixed` are needed.

        `in_none` (n,) marks counts that few participants of no arm are among.
        """
        shown = np.zeros((len(fixed), len(self.folders)), dtype=np.bool_)
        number = self.cells["number"].to_numpy()
        for column, folder in enumerate(self.folders):
            here = self.cells["arm"].isna() | (self.cells["arm"] == folder)
            shown[number[here.to_numpy()], column] = True
        compared = np.zeros(len(fixed), dtype=np.bool_)
        compared[number[(self.cells["treated"] == COMPARISON).to_numpy()]] = True
        headline = shown[:, self.folders.index("")]
        return CountsOfArms(shown, fixed & (headline | compared), in_none & shown.all(axis=1))

    def sums(self) -> set[Telling]:
        """Return the counts that arms of one kind have of the same."""
        of_arms = self.cells[self.cells["arm"].notna()]
        alike = of_arms.groupby([*_ALIKE, "of_design", "kind"], dropna=False, sort=False)
        parts = {tuple(dict.fromkeys(numbers)) for numbers in alike["number"].agg(list)}
        return {part for part in parts if len(part) > 1}


def few_in_none(uses: Uses, n_firms: Integers, counts: Floats, minimum: int) -> Flags:
    """Mark the counts (n, signatures) that participants of no arm are among, where they are few."""
    none = np.zeros(len(n_firms))
    entered = [
        own for place, own in uses.items() if place[:2] == _EVERYONE and place[-1] == TREATED
    ]
    listed = [own for place, own in uses.items() if place[:2] == (ARM_FLOW.name, "n_listed")]
    outside = (sum(entered, none) > 0) & (sum(listed, none) == 0)
    few = small(np.array([outside @ n_firms]), minimum)[0]
    return np.asarray(few & (counts[:, outside] > 0).all(axis=1))


def _kinds(treatment: TreatmentSection) -> dict[str, str]:
    """Return the exposure that each arm is of, empty for arms of participants, by subfolder."""
    assert treatment.arms is not None, "of studies with arms"
    named = treatment.arms.named
    return {
        folder: own.exposure if isinstance(own := named[arm], ExposureArm) else ""
        for arm, folder in treatment.arm_folders.items()
    }
