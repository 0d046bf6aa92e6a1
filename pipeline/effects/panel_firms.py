"""Every firm of PANEL, of no risk set: when it enters, until when it compares, its clusters."""

from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from pipeline.datasets.arrays import Codes, Flags, Floats
from pipeline.effects.levels import ClusterLevels, levels_at, levels_named
from pipeline.effects.study import Study
from pipeline.panel.panel_index import NO_ROW, PanelIndex
from pipeline.params.treatment import TreatmentSection

Level = TypeVar("Level")


@dataclass(frozen=True)
class PanelFirms:
    """Hold PANEL's firms by firm code, (F,); all is dated at the firm's own base year.

    `cohort` is infinite for never-treated firms and those that enter after the last year and
    anticipation, which R's did counts as never-treated. A firm compares before `exposed_from`: its
    own entry or, where the pool of the unmatched design leaves out firms in treated clusters, an
    earlier one in its cluster. Of a study with arms it compares before its first contact with any
    of them, and never where comparison firms are those that are never in contact. `row` is the row
    of PANEL in the base year, else the first.
    `covered` (T,) marks the years of the index that PANEL has.
    """

    cohort: Floats
    exposed_from: Floats
    row: Codes
    covered: Flags


def panel_firms(study: Study) -> PanelFirms:
    """Return every firm of a study's PANEL."""
    index = study.index
    cohort, row = _own_rows(study, index)
    exposed = cohort
    if study.score is not None and study.score.unmatched.controls_from != "all":
        entry = study.panel["cluster_entry"].to_numpy(dtype=np.float64, na_value=np.inf)[row]
        exposed = np.minimum(cohort, entry)
    covered = np.asarray((index.row != NO_ROW).any(axis=0))
    last = index.first_year + int(np.flatnonzero(covered)[-1])
    last += study.treatment.anticipation_years
    if "contact" in study.panel:
        contact = study.panel["contact"].to_numpy(dtype=np.float64, na_value=np.inf)[row]
        exposed = np.minimum(exposed, _compares_before(contact, last, study.treatment))
    return PanelFirms(np.where(cohort <= last, cohort, np.inf), exposed, row, covered)


def _compares_before(contact: Floats, last: int, treatment: TreatmentSection) -> Floats:
    """Return the year before which firms compare, given their first contact; minus infinity: none.

    Contact after `last`, beyond the panel and anticipation, is as none.
    """
    if treatment.comparison == "not_yet_treated":
        return contact
    return np.where(contact <= last, -np.inf, np.inf)


def panel_clusters(study: Study, firms: PanelFirms) -> ClusterLevels:
    """Return the clusters of every firm: `assignment`, and further levels that specs name."""
    named = levels_named(study.panel, study.estimate)
    found = levels_at(study.panel, firms.row, [("cluster",), *named])
    return ClusterLevels(_as_named(found.codes), _as_named(found.names))


def _as_named(by_column: dict[str, Level]) -> dict[str, Level]:
    """Return what columns have by level: the assignment cluster is called so."""
    return {"assignment" if n == "cluster" else n: level for n, level in by_column.items()}


def _own_rows(study: Study, index: PanelIndex) -> tuple[Floats, Codes]:
    """Return the cohort, infinite for never, and the row of the own base year of PANEL's firms.

    Firms without a row in it, and never-treated ones, take the first row that they have.
    """
    first_row = index.row[np.arange(len(index.firms)), (index.row != NO_ROW).argmax(axis=1)]
    cohort = study.panel["cohort"].to_numpy(dtype=np.float64, na_value=np.inf)[first_row]
    base_year = np.where(np.isinf(cohort), index.first_year - 1, cohort).astype(np.int64)
    base_year -= 1 + study.treatment.anticipation_years
    base_row = index.rows(np.arange(len(index.firms)), base_year[:, None])[:, 0]
    return cohort, np.where(base_row == NO_ROW, first_row, base_row)
