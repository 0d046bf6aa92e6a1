"""Keep where firms are and when they entered, before any firm is left out of the sample.

Participants that the sample leaves out expose their neighbours all the same.
"""

import pandas as pd

from pipeline.datasets.exposure import EXPOSURE_FRAME
from pipeline.panel.ledger import Ruled
from pipeline.params.exposure import Exposures, panel_columns_read


def keep_frame(panel: pd.DataFrame, exposures: Exposures) -> Ruled:
    """Return the panel as it is, with EXPOSURE_FRAME: the columns that exposures are made from."""
    read = [column for rule in exposures.values() for _, column, _ in panel_columns_read(rule)]
    names = dict.fromkeys([*EXPOSURE_FRAME.columns, *read])
    return Ruled(panel, frame=panel[list(names)].copy())
