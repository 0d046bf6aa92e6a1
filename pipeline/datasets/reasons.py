"""Reasons, remarks and lists as columns of tables: codes as they are, the rest as JSON."""

import json
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from pipeline.errors import Reason

_CODE = "code"


def packed(reason: Reason | None) -> dict[str, str | None]:
    """Return the columns `reason` and `reason_fields` of a row; both missing without a reason."""
    if reason is None:
        return {"reason": None, "reason_fields": None}
    return {"reason": reason.code, "reason_fields": packed_fields(reason)}


def packed_fields(reason: Reason) -> str | None:
    """Return the fields of a reason as a column; missing without any."""
    fields = _plain(reason)["fields"]
    return _json(fields) if fields else None


def packed_remarks(remarks: Iterable[Reason]) -> str | None:
    """Return the column `remarks`: a list of codes and fields; missing without any."""
    listed = [_plain(remark) for remark in remarks]
    return _json(listed) if listed else None


def unpacked(code: Any, fields: Any) -> Reason | None:
    """Return the reason of a row of a table, None where it has none."""
    if pd.isna(code):
        return None
    return _reason({_CODE: code, "fields": {} if pd.isna(fields) else json.loads(fields)})


def unpacked_remarks(remarks: Any) -> tuple[Reason, ...]:
    """Return the remarks of a row of a table."""
    return () if pd.isna(remarks) else tuple(_reason(item) for item in json.loads(remarks))


def packed_list(values: Iterable[Any]) -> str:
    """Return a column that holds a list: of codes or numbers, or of lists of them."""
    return _json([_value(value) for value in values])


def unpacked_list(text: Any) -> list[Any]:
    """Return the list that a column holds."""
    return list(json.loads(text))


def with_reason(table: pd.DataFrame, rows: Any, reason: Reason) -> pd.DataFrame:
    """Return a table whose marked rows have one reason, and nothing more to know of them."""
    said = table.copy()
    for name, value in {**packed(reason), "remarks": None}.items():
        said.loc[np.asarray(rows, dtype=np.bool_), name] = value
    return said


def _json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def _plain(reason: Reason) -> dict[str, Any]:
    fields = {name: _value(value) for name, value in reason.fields.items()}
    return {_CODE: reason.code, "fields": fields}


def _value(value: Any) -> Any:
    if isinstance(value, Reason):
        return _plain(value)
    if isinstance(value, list | tuple):
        return [_value(item) for item in value]
    plain = value.item() if hasattr(value, "item") else value
    # as many digits as are published: further ones are those of the machine
    return float(f"{plain:.8g}") if isinstance(plain, float) else plain


def _reason(item: dict[str, Any]) -> Reason:
    return Reason(item[_CODE], {name: _field(value) for name, value in item["fields"].items()})


def _field(value: Any) -> Any:
    """Return a reason inside another, else the value, which may be text by language."""
    return _reason(value) if isinstance(value, dict) and _CODE in value else value
