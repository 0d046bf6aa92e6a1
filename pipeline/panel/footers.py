"""What stands below a table and is no row of it: a total, a source, a note."""

import re
import unicodedata

import numpy as np
import pandas as pd

from pipeline.datasets.arrays import Flags
from pipeline.panel.values import text

_CALLED = re.compile(
    r"\W*(?:(?:sub|gran |grand )?tota(?:l|les|is|ux)|fuentes?|fontes?|sources?|notas?|notes?"
    r"|obs|observac\w*|elabora\w*)\b"
)
# A footer has fewer rows; columns that this share of the rows above fill are those of every row.
_MOST_ROWS, _FILLED = 10, 0.95
_FEWEST_ROWS, _COMPARED_ROWS = 20, 1000
# Whole numbers up to here are exact as decimals.
_EXACT = 2**53


def n_footer_rows(table: pd.DataFrame) -> int:
    """Count the rows at a table's end that lack what all rows have and are called a total or note.

    One text alone in such a row needs no name. Tables of fewer than 20 rows have none: too few
    rows tell what every row has.
    """
    if len(table) < _FEWEST_ROWS:
        return 0
    body, last = table.iloc[-_COMPARED_ROWS:-_MOST_ROWS], table.iloc[-_MOST_ROWS:]
    always, cells = _filled(body).mean(axis=0) >= _FILLED, _filled(last)
    found = 0
    for at in reversed(range(len(last))):
        texts = [str(cell) for cell in last.to_numpy()[at][cells[at]]]
        if cells[at][always].all() or not _is_footer(texts, int(always.sum())):
            break
        found += 1
    return found


def without_footer(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table without these rows; numbers are whole again where only they had gaps."""
    n_rows = n_footer_rows(table)
    if not n_rows:
        return table
    left, footer = table.iloc[:-n_rows], table.iloc[-n_rows:]
    whole = {
        name: "int64"
        for name in left.columns[left.dtypes == "float64"]
        if footer[name].isna().any() and (left[name] % 1 == 0).all()
        if left[name].abs().max() < _EXACT
    }
    return left.astype(whole)


def _filled(table: pd.DataFrame) -> Flags:
    """Return which cells hold something: (rows, columns)."""
    return np.column_stack([text(values).notna() for _, values in table.items()])


def _is_footer(texts: list[str], n_always: int) -> bool:
    """Say whether cells of a row are called a total or a note, or are one text in place of many."""
    if not texts:
        return True
    alone = len(texts) == 1 and n_always > 2 and any(letter.isalpha() for letter in texts[0])
    return alone or _CALLED.match(_plain(texts[0])) is not None


def _plain(cell: str) -> str:
    parts = unicodedata.normalize("NFKD", cell.strip().lower())
    return "".join(mark for mark in parts if not unicodedata.combining(mark))
