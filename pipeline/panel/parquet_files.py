"""Read a Parquet file as a table, every identifier as it is: no digits lost, no bytes shown."""

from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
from pyarrow import compute, parquet

from pipeline.errors import DataError
from pipeline.panel.headings import refuse_repeated
from pipeline.params.written import FileFormat

# Beyond it numbers with decimals, which pandas makes of integers with gaps, are not exact.
_LARGEST_EXACT = 1 << 53
_WITH_GAPS = {pa.int64(): pd.Int64Dtype(), pa.uint64(): pd.UInt64Dtype()}
_LONGEST = pa.decimal128(38, 0)


def read_parquet(path: Path, _: FileFormat, max_rows: int) -> pd.DataFrame:
    """Read all columns, those that pandas had as an index too; a cell may hold one value only.

    Raises DataError where there are more rows than allowed, two columns of a name, or cells of
    several values.
    """
    with parquet.ParquetFile(path) as file:
        n_rows, columns = file.metadata.num_rows, file.schema_arrow
        if n_rows > max_rows:
            raise DataError(f"{path.name} holds {n_rows} rows, more than data.max_rows {max_rows}")
        refuse_repeated(columns.names, path.name)
        several = [field.name for field in columns if pa.types.is_nested(field.type)]
        if several:
            raise DataError(
                f"{path.name}: column {', '.join(several)}: cells hold lists or records; make "
                "columns of single values, or leave it out"
            )
        table = file.read()
    named = [name for name in table.column_names if not name.startswith("__index_level_")]
    table = pa.table({name: _plain(table[name]) for name in named})
    frame = pd.DataFrame(table.to_pandas(ignore_metadata=True))
    return frame.assign(**{name: _exact(table[name]) for name in named if _is_long(table[name])})


def _plain(column: Any) -> Any:
    """Return bytes as the text that they are, categories as values, whole decimals in digits."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type):
        return column.cast(pa.large_string())
    if not pa.types.is_decimal(column.type):
        return column
    try:
        return column.cast(_LONGEST).cast(pa.large_string())
    except pa.ArrowInvalid:  # of decimals that are none of whole numbers
        return column.cast(pa.float64())


def _is_long(column: Any) -> bool:
    """Say whether a column has gaps, and integers that decimals do not hold exactly."""
    if column.type not in _WITH_GAPS or not column.null_count:
        return False
    bounds = compute.min_max(column).as_py()
    return any(abs(bound or 0) > _LARGEST_EXACT for bound in bounds.values())


def _exact(column: Any) -> pd.Series:
    return pd.Series(column.to_pandas(types_mapper=_WITH_GAPS.get))
