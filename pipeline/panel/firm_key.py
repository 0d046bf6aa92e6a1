"""A firm's key over several columns, joined into one before anything else reads it."""

import pandas as pd

from pipeline.panel.identifiers import PART_MARK
from pipeline.panel.values import refuse_rows, text
from pipeline.params.written import FirmKey, key_name


def with_firm_key(table: pd.DataFrame, key: FirmKey) -> pd.DataFrame:
    """Return the table with a column for a key of several; a part without value leaves none.

    Raises DataError where a part holds the mark that joins them.
    """
    if isinstance(key, str):
        return table
    parts = [text(table[name].reset_index(drop=True)) for name in key]
    for name, part in zip(key, parts, strict=True):
        refuse_rows(
            part.str.contains(PART_MARK, regex=False).fillna(False).astype(bool),
            f"column {name}: a part of a firm's key holds the mark {PART_MARK}, which joins parts",
            "correct",
        )
    joined = parts[0].str.cat(pd.concat(parts[1:], axis=1), sep=PART_MARK)
    return table.assign(**{key_name(key): joined.to_numpy()})
