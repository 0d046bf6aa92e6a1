"""What a Stata file says of its variables, where their names say nothing."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import pandas as pd

from pipeline.commands.start.roles import Role, role_of
from pipeline.panel.archives import plain_file
from pipeline.panel.headings import column_name
from pipeline.panel.readers import file_kind

# What a label may tell; who was treated and when is never read from a sentence.
_TOLD: set[Role] = {"sales", "employment", "exports", "age", "founded", "wages", "assets", "place",
                    "sector", "firm_id", "year"}  # fmt: skip


def variable_labels(path: Path) -> dict[str, str]:
    """Return the labels of a Stata file's variables that have one; none of another file."""
    if file_kind(path) != ".dta":
        return {}
    with plain_file(path) as plain, pd.read_stata(plain, iterator=True) as reader:
        labels = reader.variable_labels()
    return {str(column_name(name)): label for name, label in labels.items() if label.strip()}


def telling_labels(names: Iterable[str], labels: Mapping[str, str]) -> dict[str, str]:
    """Return the labels of columns whose name tells nothing, for what no other name tells."""
    by_name = {name: role_of(name) for name in names}
    lacking = _TOLD - {*by_name.values()}
    return {
        name: labels[name]
        for name, role in by_name.items()
        if role is None and name in labels and role_of(labels[name]) in lacking
    }
