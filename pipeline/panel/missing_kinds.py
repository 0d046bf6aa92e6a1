"""Stata's kinds of missing value, .a to .z, counted in delivered files.

A panel has missing values of one kind; what the letters tell (refused, does not apply) would be
lost without a count.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.errors import Reason
from pipeline.panel.archives import plain_file
from pipeline.panel.delivered import delivered_files
from pipeline.panel.ledger import Issue
from pipeline.panel.readers import file_kind
from pipeline.params.data import DataSection, FileSource

KIND_COLUMNS = ["column", "file", "kind", "label", "count"]

# What Stata writes for `.` in a table of value labels; .a to .z follow.
_MISSING = 2_147_483_621
_ROWS = 100_000


def count_missing_kinds(source: FileSource, data: DataSection, folder: Path) -> pd.DataFrame:
    """Count lettered missing values of columns that params use, by Stata file and kind.

    `column` is the column's name in PANEL, `label` the text that the file has for the kind, empty
    where it has none.
    """
    rows = list[dict[str, Any]]()
    for path in delivered_files(folder, source.panel):
        names = _names_in_file(source, data, path.name)
        rows += _of_file(path, names)
    register = data.register_columns
    if source.register_file is not None and register is not None:
        numbers = {name: [column] for name, column in register.fields("number").items()}
        rows += _of_file(folder / source.register_file, numbers)
    return pd.DataFrame(rows, columns=KIND_COLUMNS)


def missing_kind_issues(counted: pd.DataFrame | None) -> list[Issue]:
    """Return a finding for each column, file and kind."""
    rows = () if counted is None else counted.itertuples(index=False)
    return [
        Issue(_rule(str(file), str(kind), str(label)), str(column), Reason("kept_missing"), int(n))
        for column, file, kind, label, n in rows
    ]


def _rule(file: str, kind: str, label: str) -> Reason:
    if label:
        return Reason("missing_of_labelled_kind", {"kind": kind, "label": label, "file": file})
    return Reason("missing_of_kind", {"kind": kind, "file": file})


def _names_in_file(source: FileSource, data: DataSection, file: str) -> dict[str, list[str]]:
    """Return the file's own columns of each column of PANEL."""
    own = {new: old for old, new in source.rename.get(file, {}).items()}
    by_year = source.wide.columns if source.wide is not None else {}
    return {
        name: [own.get(c, c) for c in by_year.get(column.column, {0: column.column}).values()]
        for name, column in data.delivered.items()
    }


def _of_file(path: Path, names: Mapping[str, Sequence[str]]) -> Iterator[dict[str, Any]]:
    """Yield a row for each column and kind of a Stata file; none of another file."""
    if file_kind(path) != ".dta":
        return
    with plain_file(path) as plain:
        labels = _labels(plain)
        found = _counted(plain, {c for own in names.values() for c in own if c in labels})
    for name, columns in names.items():
        kinds = sum((found[column] for column in columns if column in found), Counter[str]())
        texts = {kind: text for c in columns for kind, text in labels.get(c, {}).items()}
        for kind, count in sorted(kinds.items()):
            told = {"column": name, "file": path.name, "kind": kind}
            yield told | {"label": texts.get(kind, ""), "count": count}


def _labels(path: Path) -> dict[str, dict[str, str]]:
    """Return, for every column of a file, the texts that its value labels have for kinds."""
    with pd.read_stata(path, iterator=True, convert_categoricals=False) as reader:
        names = list(reader.variable_labels())
        try:
            texts = reader.value_labels()
        except Exception:  # of a damaged table of labels, which nobody else reads
            texts = {}
        # the library tells which labels a column has only by converting it
        sets = vars(reader)["_lbllist"]
    return {
        name: {
            f".{chr(ord('a') + code - _MISSING - 1)}": str(text)
            for code, text in ((int(code), text) for code, text in texts.get(of, {}).items())
            if _MISSING < code <= _MISSING + 26
        }
        for name, of in zip(names, sets, strict=True)
    }


def _counted(path: Path, columns: set[str]) -> dict[str, Counter[str]]:
    """Count the kinds of each column, but for the `.` that says nothing."""
    counts: dict[str, Counter[str]] = {name: Counter() for name in columns}
    if not columns:
        return counts
    try:
        for name, letters in _letters(path, sorted(columns)):
            counts[name].update(letters)
    except Exception:  # of numbers beyond those that Stata has, which are missing and no kind
        return {}
    for kinds in counts.values():
        kinds.pop(".", None)
    return counts


def _letters(path: Path, columns: list[str]) -> Iterator[tuple[str, list[str]]]:
    """Yield a column and how its missing values are written, for as many rows as fit in memory."""
    with pd.read_stata(
        path,
        columns=columns,
        convert_missing=True,
        convert_dates=False,
        convert_categoricals=False,
        chunksize=_ROWS,
    ) as reader:
        for chunk in reader:
            for name in filter(lambda n: pd.api.types.is_object_dtype(chunk[n]), chunk.columns):
                # of a missing value the library makes an object with its letter
                letters = (getattr(cell, "string", None) for cell in chunk[name])
                yield str(name), [letter for letter in letters if letter is not None]
