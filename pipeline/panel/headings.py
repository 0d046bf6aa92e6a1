"""Names of columns: trimmed, and put together where they stand in several rows."""

from collections.abc import Sequence

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


def _joined(parts: list[object]) -> str | None:
    said = [column_name(part) for part in parts if part is not None]
    return " ".join(dict.fromkeys(part for part in said if part)) or None
