"""Tables between stages: one declaration says what a row is, its key and its columns.

Every table is checked when it is written and again when it is read, so that a stage never
works on a table that is not what its declaration says. Computed numbers are stored to ten
significant digits: the last digits that processors disagree on go no further than their stage.
"""

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import compute

from pipeline.datasets import precision
from pipeline.datasets.complete import replacing
from pipeline.errors import DataError
from pipeline.progress import at

Kind = Literal["string", "integer", "number", "flag"]

# What a published column tells of firms; disclosure control decides by it what to hide.
Tells = Literal[
    "count",  # how many firms, or years of firms
    "other_count",  # how many clusters, cells, stacks, uses
    "mean",  # a mean of a magnitude
    "share",
    "one_firm",  # a value of one firm or pair: a minimum, a maximum, the share of the largest
    "effect",  # an effect, or what gives one away: its error, what could have been detected
    "statistic",  # of weights, distances or fit
    "year",
    "words",
]

# What a missing figure says that disclosure control alone can take away.
HIDDEN = "hidden"

# How numbers are stored: computed ones to ten significant digits, scores to eight decimals,
# delivered ones as they were delivered.
Stored = Literal["significant", "score", "delivered"]

# pandas' own types: `str` keeps leading zeros, `Int64` can say that a year is missing.
_DTYPES = {"string": "str", "integer": "Int64", "number": "float64", "flag": "bool"}


@dataclass(frozen=True)
class Column:
    """Describe one column: its kind, what it holds, and what it says where a value is `missing`.

    Without that no value may be missing. A column that is published beside the key says what it
    `tells` of firms, and a published number its `unit`.
    """

    kind: Kind
    meaning: str
    _: KW_ONLY
    tells: Tells | None = None
    stored: Stored = "significant"
    unit: str | None = None
    missing: str | None = None


@dataclass(frozen=True, eq=False)
class Dataset:
    """Declare a table: what one row is, its unique key and its columns.

    Key columns are never missing, unless declared to be.

    `open_kinds` are the kinds that columns beyond the declared ones may have (the firm
    characteristics that a study names, say); empty means that no other column may appear.
    `open_stored` is how their numbers are stored.
    """

    name: str
    row: str
    key: tuple[str, ...]
    columns: dict[str, Column]
    open_kinds: tuple[Kind, ...] = ()
    open_stored: Stored = "significant"


def columns_that_tell(dataset: Dataset, what: Tells) -> list[str]:
    """Return the columns beside the key that tell one thing; as `require_traits`."""
    require_traits(dataset)
    own = [name for name in dataset.columns if name not in dataset.key]
    return [name for name in own if dataset.columns[name].tells == what]


def require_traits(dataset: Dataset) -> None:
    """Raise TableError where a column beside the key does not declare what it tells of firms."""
    own = [name for name in dataset.columns if name not in dataset.key]
    silent = [name for name in own if dataset.columns[name].tells is None]
    if silent:
        raise TableError(f"{dataset.name}: columns {silent} do not declare what they tell")


class TableError(Exception):
    """Report a table that breaks its declaration: a fault of this code, not of the user."""


def conform(dataset: Dataset, frame: pd.DataFrame) -> pd.DataFrame:
    """Return a copy with declared columns first, in declared types, sorted by key.

    Raises TableError where a column is absent, unknown or of another kind, or where the key
    is missing or repeated.
    """
    absent = [name for name in dataset.columns if name not in frame.columns]
    if absent:
        raise TableError(f"{dataset.name}: columns {absent} are absent")
    extra = [name for name in frame.columns if name not in dataset.columns]
    typed = frame[[*dataset.columns, *extra]].astype(
        {name: _DTYPES[column.kind] for name, column in dataset.columns.items()}
    )
    _check_columns(dataset, typed)
    if ascends(typed, dataset.key):
        return typed.reset_index(drop=True)
    _refuse_repeated(dataset, typed)
    return typed.sort_values(list(dataset.key), kind="stable", ignore_index=True)


def check(dataset: Dataset, frame: pd.DataFrame) -> None:
    """Raise TableError unless the frame has exactly the declared columns, types and key."""
    _check_columns(dataset, frame)
    if not ascends(frame, dataset.key):
        _refuse_repeated(dataset, frame)


def _check_columns(dataset: Dataset, frame: pd.DataFrame) -> None:
    if list(frame.columns[: len(dataset.columns)]) != list(dataset.columns):
        raise TableError(
            f"{dataset.name}: columns {list(frame.columns)}, declared {list(dataset.columns)}"
        )
    for name, column in dataset.columns.items():
        if frame[name].dtype != _DTYPES[column.kind]:
            raise TableError(f"{dataset.name}.{name}: {frame[name].dtype}, not {column.kind}")
        if column.missing is None and frame[name].isna().any():
            raise TableError(f"{dataset.name}.{name}: {frame[name].isna().sum()} values missing")
    allowed = [_DTYPES[kind] for kind in dataset.open_kinds]
    for name in frame.columns[len(dataset.columns) :]:
        if not any(frame[name].dtype == dtype for dtype in allowed):
            raise TableError(f"{dataset.name}: column {name} ({frame[name].dtype}) is not declared")


def _refuse_repeated(dataset: Dataset, frame: pd.DataFrame) -> None:
    repeated = int(frame.duplicated(list(dataset.key)).sum())
    if repeated:
        raise TableError(f"{dataset.name}: {repeated} rows repeat the key {dataset.key}")


def ascends(frame: pd.DataFrame, key: Sequence[str]) -> bool:
    """Say whether each row's key is above that of the row before: rows are sorted, none repeats.

    Cheaper than sorting, and no copy; a key with a missing value is left to those who sort.
    """
    above = np.zeros(max(len(frame) - 1, 0), dtype=np.bool_)
    for name in reversed(key):
        if frame[name].isna().any():
            return False
        # texts in the order of their code points, as they are sorted
        values = pa.array(frame[name])
        before, after = values.slice(0, len(above)), values.slice(1)
        above = np.asarray(compute.greater(after, before)) | (
            np.asarray(compute.equal(after, before)) & above
        )
    return bool(above.all())


def as_stored(dataset: Dataset, frame: pd.DataFrame) -> pd.DataFrame:
    """Return a table as reading what was written gives it: checked, sorted, numbers rounded."""
    conformed = conform(dataset, frame)
    rounded = {}
    for name in conformed.columns[conformed.dtypes == "float64"]:
        column = dataset.columns.get(name)
        stored = column.stored if column else dataset.open_stored
        if stored != "delivered":
            rounded[name] = precision.rounded(conformed[name].to_numpy(), stored)
    return conformed.assign(**rounded)


def write(dataset: Dataset, frame: pd.DataFrame, folder: Path) -> None:
    """Check, sort by key, round and write `<folder>/<name>.parquet`."""
    with at(f"writing {dataset.name}"), replacing(_path(dataset, folder)) as fresh:
        stored = as_stored(dataset, frame)
        texts = [name for name in stored.columns if stored[name].dtype == "str"]
        # numbers repeat too seldom for a list of the different ones to save space or time
        stored.to_parquet(fresh, index=False, use_dictionary=texts)


def read(dataset: Dataset, folder: Path, columns: list[str] | None = None) -> pd.DataFrame:
    """Read `<folder>/<name>.parquet`, checked against its declaration.

    With `columns` only those are read, and the declaration was checked when it was written.
    """
    path = _path(dataset, folder)
    if not path.exists():
        raise DataError(f"{path.as_posix()} does not exist yet: run `dvc repro`, which makes it")
    with at(f"reading {dataset.name}"):
        frame = pd.read_parquet(path, columns=columns)
        if columns is None:
            check(dataset, frame)
    return frame


def empty(dataset: Dataset) -> pd.DataFrame:
    """Return the table with no rows, in declared types."""
    return pd.DataFrame(
        {
            name: pd.Series([], dtype=_DTYPES[column.kind])
            for name, column in dataset.columns.items()
        }
    )


def _path(dataset: Dataset, folder: Path) -> Path:
    return folder / f"{dataset.name.lower()}.parquet"
