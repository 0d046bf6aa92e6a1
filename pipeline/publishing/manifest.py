"""The export manifest: what a person who releases files from a secure room must know of each.

For every file its smallest count of firms, and whether the dominance rule was applied to magnitudes
in it. The hash of each stands in `provenance.json`.
"""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True)
class ShownTables:
    """Hold the results of one arm as published, and its tables by file name."""

    results: StudyResults
    tables: dict[str, Table]


def manifest(files: dict[str, bytes], shown: Sequence[ShownTables]) -> bytes:
    """Return the manifest of a study's files as CSV, sorted by path.

    `shown` are the results of the study, then of arms other than the headline's. A file without any
    count of firms has an empty one.
    """
    rows = {path: row for one in shown for path, row in _rows(files, one).items()}
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(_HEAD)
    writer.writerows((path, *rows[path]) for path in sorted(files))
    return buffer.getvalue().encode("utf-8")


def _rows(files: dict[str, bytes], shown: ShownTables) -> dict[str, tuple[int | str, str]]:
    """Return smallest count and word of each file of an arm, by path."""
    checked = CHECKED if shown.results.dominance is not None else NOT_CHECKED
    found: dict[str, tuple[int | str, str]] = {}
    for path, content in files.items():
        of_study = _of_study(path, shown.results.arm_folder)
        if of_study is not None:
            smallest = _smallest(of_study, content, shown)
            word = checked if _has_magnitudes(of_study, shown.tables) else NO_MAGNITUDES
            found[path] = ("" if smallest is None else smallest, word)
    return found


def _of_study(path: str, arm_folder: str) -> str | None:
    """Return where the study has the file that an arm has at `path`; None of other arms' files."""
    place = PurePosixPath(path)
    folder, *below = place.parts[:-1] or ("",)
    own = [arm_folder] if arm_folder else []
    return (PurePosixPath(folder) / place.name).as_posix() if below == own else None


def _smallest(path: str, content: bytes, shown: ShownTables) -> int | None:
    """Return the smallest count above zero that a file shows, or that stands behind its figures."""
    results, tables = shown.results, shown.tables
    place, name = PurePosixPath(path).parts[0], PurePosixPath(path).stem
    if path == PACKAGE:
        return None
    if place == "results":
        return _of_results(name.upper(), content, results)
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
