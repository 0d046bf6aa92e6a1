"""The export manifest: what a person who releases files from a secure room must know of each.

For every file its smallest count of firms, and whether the dominance rule was applied to magnitudes
in it. The hash of each stands in `provenance.json`.
"""

import csv
import io
from pathlib import PurePosixPath

import numpy as np
import pandas as pd

from pipeline.datasets.fits import DETECTABLE
from pipeline.datasets.store import columns_that_tell
from pipeline.exhibits.figures.registry import FIGURES
from pipeline.exhibits.inputs import StudyResults
from pipeline.exhibits.tables.registry import TABLES
from pipeline.exhibits.tables.table import Table, WholeNumbers
from pipeline.publishing.dictionary import PACKAGE
from pipeline.publishing.publication import PUBLISHED

_HEAD = ("file", "smallest_count", "dominance_checked")

# Whether means of magnitudes were looked at for a firm that makes most of one.
CHECKED, NOT_CHECKED, NO_MAGNITUDES = "checked", "not_checked", "no_magnitudes"

_BEHIND_ESTIMATES = ("n_treated", "n_control")

# What of a results table counts firms, rows of firms, or values of firms.
_COUNTS = {table.name: columns_that_tell(table, "count") for table in PUBLISHED}
# Tables with means of magnitudes, or with figures made of them.
_MAGNITUDES = {DETECTABLE.name} | {
    table.name for table in PUBLISHED if columns_that_tell(table, "mean")
}

# Files that show every table.
_OF_TABLES = ("tables.docx", "report.html")


def manifest(files: dict[str, bytes], tables: dict[str, Table], results: StudyResults) -> bytes:
    """Return the manifest of a study's files as CSV, sorted by path.

    `results` are those published. A file without any count of firms has an empty one.
    """
    checked = CHECKED if results.dominance is not None else NOT_CHECKED
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(_HEAD)
    for path in sorted(files):
        smallest = _smallest(path, files, tables, results)
        writer.writerow(
            [
                path,
                "" if smallest is None else smallest,
                checked if _has_magnitudes(path, tables) else NO_MAGNITUDES,
            ]
        )
    return buffer.getvalue().encode("utf-8")


def _smallest(
    path: str, files: dict[str, bytes], tables: dict[str, Table], results: StudyResults
) -> int | None:
    """Return the smallest count above zero that a file shows, or that stands behind its figures."""
    place, name = PurePosixPath(path).parts[0], PurePosixPath(path).stem
    if path == PACKAGE:
        return None
    if place == "results":
        return _of_results(name.upper(), files[path], results)
    if place == "tables" and name in tables:
        return _of_table(tables[name], results)
    if path in _OF_TABLES or (place == "figures" and FIGURES[name].counts):
        return min(filter(None, (_of_table(t, results) for t in tables.values())), default=None)
    return _behind(results)


def _of_results(table: str, content: bytes, results: StudyResults) -> int | None:
    rows = pd.read_csv(io.BytesIO(content))
    names = _COUNTS[table]
    return _least(rows[names]) if names else _behind(results)


def _of_table(table: Table, results: StudyResults) -> int | None:
    cells = [cell for row in table.rows() for cell in row.cells if isinstance(cell, WholeNumbers)]
    shown = _least(pd.Series([n for cell in cells for n in cell.values], dtype=float))
    return _behind(results) if shown is None else shown


def _behind(results: StudyResults) -> int | None:
    """Return the smallest group behind any estimate."""
    return _least(results.estimates[list(_BEHIND_ESTIMATES)])


def _least(counts: "pd.DataFrame | pd.Series[float]") -> int | None:
    values = counts.to_numpy(float, na_value=np.nan)
    known = values[values > 0]
    return int(known.min()) if known.size else None


def _has_magnitudes(path: str, tables: dict[str, Table]) -> bool:
    place, name = PurePosixPath(path).parts[0], PurePosixPath(path).stem
    if place == "results":
        return name.upper() in _MAGNITUDES
    if place == "tables":
        return TABLES[tables[name].part.table].magnitudes
    if place == "figures":
        return FIGURES[name].magnitudes
    return path in _OF_TABLES
