"""Obtain the raw tables of a study: from a package, from files, or from the simulator.

Values stay as delivered; typing and cleaning belong to `pipeline.panel`.
"""

import hashlib
from dataclasses import dataclass
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from pipeline.errors import DataError
from pipeline.params.data import DataSection, FileSource, PackageSource, SimulationSource


@dataclass(frozen=True)
class RawTables:
    """Hold the panel, the participation register and, for simulated firms, the truth."""

    panel: pd.DataFrame
    register: pd.DataFrame | None = None
    truth: pd.DataFrame | None = None


def obtain_tables(data: DataSection, raw_folder: Path) -> RawTables:
    """Read or simulate the raw tables and check that every column params name is there.

    Raises DataError where a file cannot be read, a package's data set changed, or a column
    is absent.
    """
    source = data.source
    if isinstance(source, PackageSource):
        tables = RawTables(panel=_read_package(source))
    elif isinstance(source, FileSource):
        tables = _read_files(source, raw_folder)
    else:
        tables = _simulate(source)
    _require_columns(tables, data)
    return tables


def write_obtained(tables: RawTables, folder: Path) -> None:
    """Write the raw tables as Parquet files, each where there is one."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("panel", "register", "truth"):
        table = getattr(tables, name)
        if table is not None:
            table.to_parquet(folder / f"{name}.parquet", index=False)


def read_obtained(folder: Path, name: str) -> pd.DataFrame | None:
    """Read one raw table that `obtain` wrote; return None where the study has none."""
    path = folder / f"{name}.parquet"
    return pd.read_parquet(path) if path.exists() else None


def _read_package(source: PackageSource) -> pd.DataFrame:
    """Read a data set from the file that the package carries, pinned by its hash."""
    spec = find_spec(source.package)
    if spec is None or spec.origin is None:
        raise DataError(f"the package {source.package} is not installed: install the project again")
    path = Path(spec.origin).parent / "datasets" / f"{source.dataset}.csv.bz2"
    if not path.is_file():
        raise DataError(
            f"data.source.dataset: the package {source.package} has no data set {source.dataset}"
        )
    content = path.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != source.sha256:
        raise DataError(
            f"data.source.sha256: {source.package}.{source.dataset} hashes to {found}; params "
            f"expect {source.sha256}. The package changed its data: compare, then update the hash"
        )
    return pd.read_csv(BytesIO(content), compression="bz2")


def _read_files(source: FileSource, folder: Path) -> RawTables:
    register = None if source.register_file is None else read_file(folder / source.register_file)
    return RawTables(panel=read_file(folder / source.panel), register=register)


def read_file(path: Path) -> pd.DataFrame:
    """Read a CSV (every value as text, so that nothing is guessed) or Parquet file.

    Raises DataError where the file is missing, empty, not of a known kind, or unreadable.
    """
    readers = {".csv": _read_csv, ".parquet": _read_parquet}
    if path.suffix.lower() not in readers:
        raise DataError(f"{path.name}: files end in {' or '.join(readers)}; convert it first")
    try:
        frame = readers[path.suffix.lower()](path)
    except FileNotFoundError:
        raise DataError(f"{path} does not exist") from None
    except (OSError, ValueError, pa.ArrowException) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(f"{path.name} cannot be read: {reason}. Deliver the file again") from None
    if frame.empty:
        raise DataError(f"{path.name} holds no rows: deliver the file again")
    return frame


def _read_csv(path: Path) -> pd.DataFrame:
    return pd.read_csv(
        path, dtype=str, keep_default_na=False, na_values=[""], encoding="utf-8", index_col=False
    )


def _read_parquet(path: Path) -> pd.DataFrame:
    return pd.read_parquet(path)


def _simulate(source: SimulationSource) -> RawTables:
    from pipeline.simulate import simulate_programme

    simulated = simulate_programme(source.settings, np.random.default_rng(source.seed))
    return RawTables(simulated.panel, simulated.register, simulated.truth)


def _require_columns(tables: RawTables, data: DataSection) -> None:
    wanted = [data.firm_id, data.year, *(column.column for column in data.columns.values())]
    _require(tables.panel, wanted, "panel")
    if data.register_columns is not None and tables.register is not None:
        names = [name for name in data.register_columns.model_dump().values() if name is not None]
        _require(tables.register, names, "register")


def _require(frame: pd.DataFrame, wanted: list[str], table: str) -> None:
    absent = sorted(set(wanted) - set(frame.columns))
    if absent:
        hint = "; is its separator a comma?" if len(frame.columns) == 1 else ""
        raise DataError(
            f"the {table} has no column {', '.join(absent)}, which params name; "
            f"it has {', '.join(map(str, frame.columns))}{hint}"
        )
