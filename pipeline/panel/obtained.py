"""The raw tables between `obtain` and what reads them: Parquet files, as delivered."""

from dataclasses import asdict, dataclass, field
from pathlib import Path

import pandas as pd
from pyarrow import parquet

from pipeline.datasets.complete import replacing
from pipeline.panel.origin import Segment

# What `obtain` writes, each table where there is one, and where their rows come from.
_TABLES = ("panel", "register", "truth", "missing_kinds", "left_below", "links")
OBTAINED = (*_TABLES, "origins")
_ORIGIN_COLUMNS = ["table", "file", "position", "n_rows", "first_row"]


@dataclass(frozen=True)
class RawTables:
    """Hold the panel, the participation register and, for simulated firms, the truth.

    `origins` tells, by table, from which file and row its rows come, `missing_kinds` by column,
    file and kind how many values are missing in a kind that the file names, `left_below` by file
    how many rows below the table were left out; `links` are those between firms.
    """

    panel: pd.DataFrame
    register: pd.DataFrame | None = None
    truth: pd.DataFrame | None = None
    origins: dict[str, list[Segment]] = field(default_factory=dict)
    missing_kinds: pd.DataFrame | None = None
    left_below: pd.DataFrame | None = None
    links: pd.DataFrame | None = None


def write_obtained(tables: RawTables, folder: Path) -> None:
    """Write the raw tables as Parquet files, each where there is one."""
    for name in _TABLES:
        table = getattr(tables, name)
        if table is not None:
            with replacing(folder / f"{name}.parquet") as fresh:
                table.to_parquet(fresh, index=False)
    segments = [
        {"table": table, **asdict(segment)}
        for table, origin in tables.origins.items()
        for segment in origin
    ]
    with replacing(folder / "origins.parquet") as fresh:
        pd.DataFrame(segments, columns=_ORIGIN_COLUMNS).to_parquet(fresh)


def read_obtained(folder: Path, name: str) -> pd.DataFrame | None:
    """Read one raw table that `obtain` wrote; return None where the study has none."""
    path = folder / f"{name}.parquet"
    if not path.exists():
        return None
    # Column by column, freeing what is converted: the table is never in memory twice.
    return pd.DataFrame(parquet.read_table(path).to_pandas(split_blocks=True, self_destruct=True))


def read_origins(folder: Path) -> dict[str, list[Segment]]:
    """Read from which files and rows the raw tables come."""
    path = folder / "origins.parquet"
    segments = pd.read_parquet(path) if path.exists() else pd.DataFrame(columns=_ORIGIN_COLUMNS)
    return {
        str(table): [
            Segment(str(file), int(position), int(n_rows), int(first))
            for file, position, n_rows, first in rows[_ORIGIN_COLUMNS[1:]].itertuples(index=False)
        ]
        for table, rows in segments.groupby("table")
    }
