"""Write a table as Stata's .dta: labels, value labels, no time of the run."""

import io
from datetime import datetime
from typing import Literal

import pandas as pd

# Stata 14 and later; names and labels may hold any letter.
_VERSION: Literal[118] = 118
_DATE = datetime(1980, 1, 1)


def dta_bytes(
    rows: pd.DataFrame,
    title: str,
    labels: dict[str, str],
    values: dict[str, dict[float, str]] | None = None,
) -> bytes:
    """Return the file's bytes; a missing number is Stata's `.`, whole numbers stay whole."""
    buffer = io.BytesIO()
    used = {name: text for name, text in labels.items() if name in rows}
    coded = {name: codes for name, codes in (values or {}).items() if name in rows}
    rows.to_stata(
        buffer,
        write_index=False,
        version=_VERSION,
        time_stamp=_DATE,
        data_label=title[:80],
        variable_labels=used,
        value_labels=coded,
    )
    return buffer.getvalue()
