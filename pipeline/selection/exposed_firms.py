"""One exposure of every firm, and what it says as rows of EXPOSURE and EXPOSED."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd

from pipeline.datasets.arrays import Codes, Flags, Floats
from pipeline.datasets.exposure import CLEAN, OWN_ENTRY, STRONGER
from pipeline.params.exposure import OneExposure, RingExposure
from pipeline.selection.exposure_course import BaseFirms, Course, Steps, follow
from pipeline.selection.exposure_joins import Joins


@dataclass(frozen=True)
class ExposedFirms:
    """Hold one exposure of the firms of PANEL; arrays of shape (firms,).

    `steps` exposes them, given who enters when. `cell` is what exposed firms are counted in,
    `asked` the firms that `among` takes, `known` those whose exposure can be told. `joins` says
    which firms hang together, given who takes part and who may be exposed.
    """

    name: str
    rule: OneExposure
    firms: BaseFirms
    steps: Steps
    cell: Codes
    asked: Flags
    known: Flags
    joins: Joins

    def redrawn(self, cohort: Floats) -> "ExposedFirms":
        """Return the exposure as it were with other entry years (firms,), missing for never.

        Places and links stay as they were dated for those who did enter.
        """
        return replace(self, firms=replace(self.firms, cohort=cohort))

    @cached_property
    def course(self) -> Course:
        """Return how the exposure goes on."""
        return follow(self.steps(self.firms), len(self.firms.cohort))

    @cached_property
    def reached(self) -> Flags:
        """Mark firms within reach of others that take part, asked or not, participants too."""
        return np.asarray(self.known & (self.course.strength > 0))

    @cached_property
    def exposed(self) -> Flags:
        """Mark the firms asked that are exposed to others, participants too."""
        return np.asarray(self.asked & self.reached)

    @cached_property
    def participant(self) -> Flags:
        """Mark firms that took part by the year in which others first exposed them."""
        return np.asarray(self.firms.cohort <= self.course.first)

    @cached_property
    def spilt_over(self) -> Flags:
        """Mark exposed firms that did not take part by then."""
        return self.exposed & ~self.participant

    @cached_property
    def untreated(self) -> Flags:
        """Mark firms that never take part and whose exposure can be told."""
        return np.asarray(self.asked & self.known & np.isnan(self.firms.cohort))

    @cached_property
    def clean(self) -> Flags:
        """Mark firms that never take part and are never exposed."""
        return self.untreated & ~self.exposed

    @cached_property
    def class_number(self) -> Codes:
        """Return the class of each exposed firm in the order of params; rings begin nearest."""
        strength = self.course.strength
        ring = isinstance(self.rule, RingExposure)
        return np.asarray(len(self.rule.classes) + 1 - strength if ring else strength)

    @cached_property
    def entered_after(self) -> Floats:
        """Return the own entry year of firms that were exposed before, else missing."""
        return np.where(self.firms.cohort > self.course.first, self.firms.cohort, np.nan)

    @cached_property
    def ends_by_entry(self) -> Flags:
        """Mark firms whose first class ends by own entry, in the year of a stronger exposure too.

        Of firms that took part before it does not matter.
        """
        entered, stronger = self.entered_after, self.course.stronger
        return np.asarray(~np.isnan(entered) & ~(stronger < entered))

    @cached_property
    def ends_by_stronger(self) -> Flags:
        """Mark firms whose first class ends by a stronger exposure."""
        return ~np.isnan(self.course.stronger) & ~self.ends_by_entry


def exposure_rows(of: ExposedFirms) -> pd.DataFrame:
    """Return the rows of EXPOSURE: firms exposed to others, and those of whom it is unknown.

    Reached firms that are not asked are among them: they are no comparison firms.
    """
    rows = np.flatnonzero(of.reached | ~of.known)
    told = np.where(of.known, 1.0, np.nan)[rows]  # times missing is missing
    by = np.select([of.ends_by_entry[rows], of.ends_by_stronger[rows]], [OWN_ENTRY, STRONGER], "")
    table = pd.DataFrame(
        {
            "exposure": of.name,
            "firm_id": of.firms.firm_id.array[rows],
            "class": told * of.class_number[rows],
            "value": of.course.value[rows],
            "first_exposed": of.course.first[rows],
            "censored_from": np.fmin(of.entered_after, of.course.stronger)[rows],
            "censored_by": pd.Series(by, dtype="str").where(by != "", None),
            "participant": of.participant[rows],
            "among": of.asked[rows],
            "cell": of.cell[rows],
        }
    ).sort_values("firm_id")
    return table.assign(cell=pd.factorize(table["cell"])[0])


def exposed_rows(of: ExposedFirms, otherwise: Flags | None = None) -> pd.DataFrame:
    """Return the rows of EXPOSED: firms by class, and those that are clean as class 0.

    `otherwise` (firms,) marks firms that another exposure reaches; None where there is no other.
    """
    bounds = [(None, None), *of.rule.classes]
    also = np.zeros(len(of.asked), dtype=np.bool_) if otherwise is None else otherwise
    rows = [_count_row(of, also, number, *ends) for number, ends in enumerate(bounds)]
    return pd.DataFrame(rows)


def _count_row(
    of: ExposedFirms, also: Flags, number: int, above: float | None, up_to: float | None
) -> dict[str, object]:
    is_class = of.class_number == number
    firms = of.clean if number == CLEAN else of.spilt_over & is_class
    outside = of.reached & ~of.asked & np.isnan(of.firms.cohort) & is_class
    value = of.course.value[firms]
    return {
        "exposure": of.name,
        "class": number,
        "measure": of.rule.measured_in,
        "above": above,
        "up_to": up_to,
        "n_firms": int(firms.sum()),
        "n_cells": len(np.unique(of.cell[firms])),
        "n_entered": int((firms & of.ends_by_entry).sum()),
        "n_stronger": int((firms & of.ends_by_stronger).sum()),
        "share": firms.sum() / (of.clean | of.spilt_over).sum(),
        "mean": value.mean() if number != CLEAN and len(value) else np.nan,
        "n_participants": int((of.exposed & of.participant & is_class).sum()),
        "n_also": int((firms & also).sum()),
        "n_outside": 0 if number == CLEAN else int(outside.sum()),
    }
