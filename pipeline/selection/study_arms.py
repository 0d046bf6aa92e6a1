"""Arms and pools of a study from what cleaning hands on: who is exposed, in an arm, in contact."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from pipeline.datasets.arms import ARM_ENTRIES
from pipeline.datasets.exposure import (
    CENTROIDS,
    EXPOSED,
    EXPOSURE,
    EXPOSURE_COMPONENTS,
    EXPOSURE_FRAME,
    LINKS,
)
from pipeline.datasets.store import Dataset, empty
from pipeline.panel.ledger import Issue
from pipeline.panel.panel_index import index_panel
from pipeline.params.data import DataSection
from pipeline.params.exposure import LinkExposure, centroid_files
from pipeline.params.treatment import TreatmentSection
from pipeline.selection.arms import FirmArms, SeenBy, firm_arms
from pipeline.selection.exposure import ExposureInputs, ExposureTables, exposure_tables
from pipeline.selection.pools import pool_contacts

Tables = Mapping[Dataset, pd.DataFrame]


@dataclass(frozen=True)
class StudyArms:
    """Hold who is in which arm, and tables of exposure, which have no row without any.

    These are EXPOSURE, EXPOSED and EXPOSURE_COMPONENTS. `issues` is what was found on the way.
    """

    of_firms: FirmArms
    exposure: pd.DataFrame
    exposed: pd.DataFrame
    components: pd.DataFrame
    issues: Sequence[Issue] = ()

    @property
    def seen_by(self) -> SeenBy:
        """Return ARMS and CONTACTS, by which each arm sees the panel."""
        return self.of_firms.arms, self.of_firms.contacts


def contacts_made_of(data: DataSection, treatment: TreatmentSection) -> Iterator[Dataset]:
    """Yield the tables beside PANEL that arms and pools are made of; none without these."""
    if treatment.arms is not None:
        yield ARM_ENTRIES
    exposed = treatment.arms is not None and bool(treatment.exposure)
    if not exposed and not treatment.pools:
        return
    yield EXPOSURE_FRAME
    if data.links is not None:
        yield LINKS
    if centroid_files(treatment.exposure):
        yield CENTROIDS


def arms_made_of(treatment: TreatmentSection) -> Iterator[Dataset]:
    """Yield the tables beside PANEL that arms are made of again, for other entries; see above."""
    if treatment.arms is None:
        return
    yield ARM_ENTRIES
    if treatment.exposure:
        yield EXPOSURE_FRAME
    if any(isinstance(rule, LinkExposure) for rule in treatment.exposure.values()):
        yield LINKS
    if centroid_files(treatment.exposure):
        yield CENTROIDS


def study_arms(
    panel: pd.DataFrame, tables: Tables, treatment: TreatmentSection
) -> StudyArms | None:
    """Return the arms of a study; None where it names none.

    `panel` is PANEL, of which firm_id and cohort are read, `tables` are those of
    `contacts_made_of`. Raises what making exposures and arms raises.
    """
    if treatment.arms is None:
        return None
    found = ExposureTables(empty(EXPOSURE), empty(EXPOSED), empty(EXPOSURE_COMPONENTS))
    if treatment.exposure:
        found = exposure_tables(
            tables[EXPOSURE_FRAME],
            treatment.exposure,
            links=tables.get(LINKS),
            centroids=centroids_by_file(tables.get(CENTROIDS)),
        )
    of_firms = firm_arms(tables[ARM_ENTRIES], panel, treatment.arms, found.firms)
    issues = [*found.issues, *of_firms.issues]
    return StudyArms(of_firms, found.firms, found.counts, found.components, issues)


def study_pools(tables: Tables, treatment: TreatmentSection) -> pd.DataFrame:
    """Return POOL_CONTACTS of all firms, those that the sample leaves out too.

    `tables` are those of `contacts_made_of`. Raises what `pool_contacts` raises.
    """
    frame = tables[EXPOSURE_FRAME]
    given = ExposureInputs(
        frame, index_panel(frame), tables.get(LINKS), centroids_by_file(tables.get(CENTROIDS))
    )
    return pool_contacts(given, treatment.pools, treatment.exposure, tables.get(ARM_ENTRIES))


def centroids_by_file(centroids: pd.DataFrame | None) -> dict[str, pd.DataFrame]:
    """Return CENTROIDS by file, empty where exposures take places from none."""
    if centroids is None:
        return {}
    return {str(file): rows for file, rows in centroids.groupby("file")}
