"""Read PANEL as each arm of a study sees it, and what arms are made of."""

from collections.abc import Iterable, Iterator

import pandas as pd

from pipeline.datasets.arms import ARM_ENTRIES, ARMS, CONTACTS
from pipeline.datasets.exposure import EXPOSURE, EXPOSURE_COMPONENTS
from pipeline.datasets.panel import PANEL
from pipeline.datasets.store import read
from pipeline.params.estimate import EstimateSection
from pipeline.params.treatment import TreatmentSection
from pipeline.selection.arm_flow import ListedFirms
from pipeline.selection.arms import firm_arms, panels_by_arm
from pipeline.selection.drawn_arms import DrawnArms
from pipeline.selection.exposure_components import with_components
from pipeline.selection.study_arms import arms_made_of
from stages.run import Folders


def arms_to_draw(
    folders: Folders, treatment: TreatmentSection, estimate: EstimateSection
) -> DrawnArms | None:
    """Return what arms are made of, for tests that make them again; None where none asks."""
    asked = [spec for spec in estimate.specs if spec.option("randomisation") is not None]
    if treatment.arms is None or not asked:
        return None
    cleaned = folders.of("clean")
    tables = {table: read(table, cleaned) for table in arms_made_of(treatment)}
    return DrawnArms(read(PANEL, cleaned), tables, treatment)


def firms_listed(
    folders: Folders, panel: pd.DataFrame, treatment: TreatmentSection
) -> ListedFirms | None:
    """Return what became of the firms that arms list, given PANEL; None without arms."""
    if treatment.arms is None:
        return None
    exposure, entries = read(EXPOSURE, folders.of("score")), read(ARM_ENTRIES, folders.of("clean"))
    return firm_arms(entries, panel, treatment.arms, exposure).listed


def panels_seen(
    folders: Folders, treatment: TreatmentSection, asked: Iterable[str] | None = None
) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield each arm with its PANEL, which has components where exposure joins clusters.

    `asked` names the arms that have support, None all.
    """
    panel, scored = joined_panel(folders, treatment), folders.of("score")
    if treatment.arms is None:
        yield from panels_by_arm(panel, None, treatment)
        return
    seen_by = read(ARMS, scored), read(CONTACTS, scored)
    yield from panels_by_arm(panel, seen_by, treatment, asked)


def joined_panel(folders: Folders, treatment: TreatmentSection) -> pd.DataFrame:
    """Return PANEL, with components where exposure joins clusters."""
    panel = read(PANEL, folders.of("clean"))
    if treatment.arms is None:
        return panel
    return with_components(panel, read(EXPOSURE_COMPONENTS, folders.of("score")))
