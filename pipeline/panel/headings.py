"""Names of columns: trimmed, and put together where they stand in several rows."""

from collections import Counter
from collections.abc import Sequence

from pipeline.errors import DataError

_INVISIBLE = "\ufeff\u200b"


def column_name(cell: object) -> str:
    """Return a cell of a header as a name, without blanks of any kind around it."""
    return str(cell).strip(_INVISIBLE).strip()


def joined_names(rows: Sequence[Sequence[object]]) -> list[str | None]:
    """Return a name a column: what its rows of the header say from top to bottom, once each.

    `ventas` below `2005` is `2005 ventas`; a column of which no row says anything has none.
    """
    width = max((len(row) for row in rows), default=0)
    columns = [[row[i] if i < len(row) else None for row in rows] for i in range(width)]
    return [_joined(parts) for parts in columns]


def filled_right(row: Sequence[str]) -> list[str]:
    """Return a row of text where a name goes on over the empty cells to its right."""
    filled = list[str]()
    for cell in row:
        filled.append(cell if cell.strip() or not filled else filled[-1])
    return filled


def refuse_repeated(names: Sequence[str], file: str) -> None:
    """Raise DataError where columns share a name, or several have none.

    By position, not by name: the first row may be no header but a firm's values.
    """
    count = Counter(names)
    unnamed = [i for i, name in enumerate(names, 1) if not name]
    if len(unnamed) > 1:
        raise DataError(
            f"{file}: columns {_listed(unnamed)} have no name: name them, or declare "
            "data.source.format.header_row where a title stands above the names"
        )
    repeated = [i for i, name in enumerate(names, 1) if count[name] > 1]
    if repeated:
        raise DataError(
            f"{file} has several columns of one name: rename columns {_listed(repeated)}, or "
            "declare data.source.format.header_rows where names stand in several rows"
        )


def _listed(positions: Sequence[int]) -> str:
    return ", ".join(map(str, positions))


def _joined(parts: list[object]) -> str | None:
    said = [column_name(part) for part in parts if part is not None]
    return " ".join(dict.fromkeys(part for part in said if part)) or None
