"""Frozen tables as compressed text in git: the same bytes whenever the same table is written."""

import gzip
from pathlib import Path

import pandas as pd

from benchmarks.freeze.keys import Table

FROZEN = Path(__file__).parent / "frozen"


def write(table: Table, frame: pd.DataFrame, study: str, folder: Path = FROZEN) -> Path:
    """Write one table of one study, floats in the shortest form that reads back the same."""
    path = _path(table, study, folder)
    path.parent.mkdir(parents=True, exist_ok=True)
    text = frame.to_csv(index=False, lineterminator="\n").encode()
    with (
        path.open("wb") as file,
        gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0) as packed,
    ):
        packed.write(text)
    return path


def read(table: Table, study: str, folder: Path = FROZEN) -> pd.DataFrame:
    """Read one table of one study; text stays text, `NA` included."""
    frame = pd.read_csv(_path(table, study, folder), dtype=str, keep_default_na=False)
    for name in table.numbers:
        frame[name] = [float(value) if value else float("nan") for value in frame[name]]
    return frame


def studies(folder: Path = FROZEN) -> list[str]:
    """Return the names of the studies that are frozen."""
    return sorted(path.name for path in folder.iterdir() if path.is_dir())


def _path(table: Table, study: str, folder: Path) -> Path:
    return folder / study / f"{table.name}.csv.gz"
