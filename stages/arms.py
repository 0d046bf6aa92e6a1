"""Read PANEL as each arm of a study sees it."""

from collections.abc import Iterator

import pandas as pd

from pipeline.datasets.arms import ARMS, CONTACTS
from pipeline.datasets.exposure import EXPOSURE_COMPONENTS
from pipeline.datasets.panel import PANEL
from pipeline.datasets.store import read
from pipeline.params.treatment import TreatmentSection
from pipeline.selection.arms import panels_by_arm
from pipeline.selection.exposure_components import with_components
from stages.run import Folders


def panels_seen(
    folders: Folders, treatment: TreatmentSection
) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield each arm with its PANEL, which has components where exposure joins clusters."""
    panel, scored = read(PANEL, folders.of("clean")), folders.of("score")
    if treatment.arms is None:
        yield from panels_by_arm(panel, None, treatment)
        return
    joined = with_components(panel, read(EXPOSURE_COMPONENTS, scored))
    yield from panels_by_arm(joined, (read(ARMS, scored), read(CONTACTS, scored)), treatment)
