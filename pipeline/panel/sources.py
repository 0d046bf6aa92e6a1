"""Obtain the raw tables of a study: from a package, from files, or from the simulator.

Values stay as delivered; typing and cleaning belong to `pipeline.panel.clean`.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.errors import DataError, told_columns
from pipeline.panel.delivered import long_layout, point_decimals, read_panel
from pipeline.panel.exact_codes import refuse_inexact
from pipeline.panel.firm_key import with_firm_key
from pipeline.panel.left_below import count_left_below
from pipeline.panel.link_files import read_links
from pipeline.panel.missing_kinds import count_missing_kinds
from pipeline.panel.obtained import RawTables
from pipeline.panel.origin import Segment, file_origin, located
from pipeline.panel.readers import file_kind, first_row, read_table
from pipeline.params.clean import CleanSection
from pipeline.params.data import (
    DataSection,
    FileSource,
    PackageSource,
    SimulationSource,
)
from pipeline.params.written import FileFormat, key_columns

# Rows of a table that people write: more than this is not one.
_LARGEST_RULES_TABLE = 1_000_000
_CODES_OF_RULES = ("firm_id", "old_id", "new_id", "from", "to")


def obtain_tables(data: DataSection, raw_folder: Path) -> RawTables:
    """Read or simulate the raw tables and check that every column params name is there.

    Raises DataError where a file cannot be read, a package's data set changed, or a column
    is absent.
    """
    source = data.source
    if isinstance(source, PackageSource):
        tables = RawTables(_from_package(source, data))
    elif isinstance(source, FileSource):
        tables = _read_files(source, data, raw_folder)
    else:
        tables = _simulate(source)
    _require_columns(tables, data)
    return _with_keys(tables, data)


def _with_keys(tables: RawTables, data: DataSection) -> RawTables:
    """Return the tables with firms named by one column, where params name several."""
    with located(tables.origins.get("panel", ())):
        panel = with_firm_key(tables.panel, data.firm_id)
    register = tables.register
    if register is not None and data.register_columns is not None:
        with located(tables.origins.get("register", ())):
            register = with_firm_key(register, data.register_columns.firm_id)
    return replace(tables, panel=panel, register=register)


def read_rules_tables(
    clean: CleanSection, folder: Path, further: Iterable[str] = ()
) -> dict[str, pd.DataFrame]:
    """Read the rules files that cleaning names, and further ones, every value as text, by name."""
    return {file: _rules_table(folder / file) for file in dict.fromkeys([*clean.files, *further])}


def _rules_table(path: Path) -> pd.DataFrame:
    table = read_table(path, FileFormat(), _LARGEST_RULES_TABLE)
    with located(file_origin(path.name, table.index, first_row(path, FileFormat()))):
        refuse_inexact(table, _CODES_OF_RULES, file_kind(path))
    return table.reset_index(drop=True)


def _from_package(source: PackageSource, data: DataSection) -> pd.DataFrame:
    table = _read_package(source)
    return table if source.wide is None else long_layout(table, source.wide, data.year)


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


def _read_files(source: FileSource, data: DataSection, folder: Path) -> RawTables:
    panel, origin = read_panel(source, data, folder)
    kinds = count_missing_kinds(source, data, folder)
    below = count_left_below(source, data, folder)
    origins = {"panel": origin}
    links = None
    if data.links is not None:
        links, origins["links"] = read_links(data.links, folder, data.max_rows)
    register = None
    if source.register_file is not None:
        register, origins["register"] = _read_register(source, source.register_file, data, folder)
    return RawTables(panel, register, None, origins, kinds, below, links)


def _read_register(
    source: FileSource, file: str, data: DataSection, folder: Path
) -> tuple[pd.DataFrame, list[Segment]]:
    """Return the register with points for decimals, and where its rows come from."""
    path = folder / file
    register = read_table(path, source.register_format, data.max_rows)
    columns = data.register_columns
    numbers = set(columns.fields("number").values()) if columns is not None else set()
    listed = file_origin(path.name, register.index, first_row(path, source.register_format))
    with located(listed):
        refuse_inexact(register, columns.codes if columns else [], file_kind(path))
        pointed = point_decimals(register.reset_index(drop=True), numbers, source.register_format)
    return pointed, listed


def _simulate(source: SimulationSource) -> RawTables:
    from pipeline.simulation.simulate import simulate_programme

    simulated = simulate_programme(source.settings, np.random.default_rng(source.seed))
    truth, links = simulated.truth, simulated.links
    return RawTables(simulated.panel, simulated.register, truth, links=links)


def _require_columns(tables: RawTables, data: DataSection) -> None:
    wanted = [
        *key_columns(data.firm_id),
        data.year,
        *(column.column for column in data.delivered.values()),
    ]
    _require(tables.panel, wanted, "panel")
    if data.register_columns is not None and tables.register is not None:
        _require(tables.register, data.register_columns.named, "register")
    if data.links is not None and tables.links is not None:
        _require(tables.links, data.links.named, "table of links")


def _require(frame: pd.DataFrame, wanted: list[str], table: str) -> None:
    absent = sorted(set(wanted) - set(frame.columns))
    if absent:
        hint = "; is its separator a comma?" if len(frame.columns) == 1 else ""
        raise DataError(
            f"the {table} has no column {', '.join(absent)}, which params name; "
            f"{told_columns(list(frame.columns), wanted)}{hint}"
        )
