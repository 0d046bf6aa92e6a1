"""Keep where firms are and when they entered, before any firm is left out of the sample.

Participants that the sample leaves out expose their neighbours all the same.
"""

from collections.abc import Iterator

import pandas as pd

from pipeline.datasets.exposure import EXPOSURE_FRAME
from pipeline.panel.ledger import Ruled
from pipeline.params.exposure import panel_columns_read
from pipeline.params.pools import pool_columns_read
from pipeline.params.treatment import TreatmentSection


def keep_frame(panel: pd.DataFrame, treatment: TreatmentSection) -> Ruled:
    """Return the panel as it is, with EXPOSURE_FRAME: what exposures and pools are made from."""
    names = dict.fromkeys([*EXPOSURE_FRAME.columns, *_read(treatment)])
    return Ruled(panel, frame=panel[list(names)].copy())


def _read(treatment: TreatmentSection) -> Iterator[str]:
    """Yield the columns of PANEL that exposures and pools name."""
    for rule in treatment.exposure.values():
        yield from (column for _, column, _ in panel_columns_read(rule))
    for pool in treatment.pools.values():
        yield from (column for _, column, _ in pool_columns_read(pool))
