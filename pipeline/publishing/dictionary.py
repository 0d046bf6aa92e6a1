"""Describe the columns of the published results tables to programs, as they are declared.

`results/datapackage.json` is a Data Package (datapackage.org), by which R, Python and others read
the CSV files in their declared types. It holds no figure.
"""

import json
from collections.abc import Iterable
from typing import Any

from pipeline.datasets.store import HIDDEN, Column, Dataset, Kind

PACKAGE = "results/datapackage.json"

TYPES: dict[Kind, str] = {
    "string": "string",
    "integer": "integer",
    "number": "number",
    "flag": "boolean",
}


def data_package(study: str, tables: Iterable[Dataset]) -> bytes:
    """Return the description of a study's results tables, each in the file of its name."""
    content = {
        "profile": "tabular-data-package",
        "name": study,
        "resources": [_resource(table) for table in sorted(tables, key=lambda t: t.name)],
    }
    return (json.dumps(content, ensure_ascii=False, indent=1) + "\n").encode("utf-8")


def missing_says(table: Dataset, name: str) -> str:
    """Return what a missing value of a column says; empty where none may be missing.

    Disclosure control hides any figure beside the key, except what params declare.
    """
    column = table.columns[name]
    figure = column.kind in ("integer", "number") and name not in table.key
    parts = [column.missing] if column.missing else []
    if figure and column.tells != "words" and HIDDEN not in parts:
        parts.append(HIDDEN)
    return "; or ".join(parts)


def _resource(table: Dataset) -> dict[str, Any]:
    name = table.name.lower()
    return {
        "profile": "tabular-data-resource",
        "name": name,
        "path": f"{name}.csv",
        "description": table.row,
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "schema": {
            "fields": [_field(table, name, column) for name, column in table.columns.items()],
            **_key(table),
            "missingValues": [""],
        },
    }


def _field(table: Dataset, name: str, column: Column) -> dict[str, Any]:
    says = missing_says(table, name)
    given = {"unit": column.unit, "missing": says or None, "tells": column.tells}
    return {
        "name": name,
        "type": TYPES[column.kind],
        "description": column.meaning,
        **{trait: value for trait, value in given.items() if value is not None},
        "constraints": {"required": not says},
    }


def _key(table: Dataset) -> dict[str, Any]:
    """Return the key; as unique rows where a part may be missing, which no primary key may."""
    if any(missing_says(table, name) for name in table.key):
        return {"uniqueKeys": [list(table.key)]}
    return {"primaryKey": list(table.key)}
