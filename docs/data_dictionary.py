"""Write docs/data_dictionary.md from the declared tables: `python docs/data_dictionary.py`."""

import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT)]

from pipeline.datasets.store import Column, Dataset, Kind, Tells  # noqa: E402
from pipeline.publishing.dictionary import missing_says  # noqa: E402
from pipeline.publishing.publication import PUBLISHED  # noqa: E402

PAGE = ROOT / "docs" / "data_dictionary.md"

TYPES: dict[Kind, str] = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "flag": "True or False",
}

TELLS: dict[Tells, str] = {
    "count": "how many firms, or years of firms",
    "other_count": "how many clusters, cells, stacks, uses",
    "mean": "a mean of a magnitude",
    "share": "a share of firms, years, weights or a total",
    "one_firm": "a value of one firm or pair",
    "effect": "an effect, or what gives one away: its error, what could have been detected",
    "statistic": "a statistic of weights, distances or fit",
    "year": "a year",
    "words": "words and codes, and what params declare",
}

INTRODUCTION = """# Data dictionary

Made by `python docs/data_dictionary.py` from the declarations in `pipeline/datasets/`. The tables
lie in `reports/<study>/results/` as CSV: UTF-8, commas, decimal points, numbers to eight
significant digits, lines that end in LF. A study without the inputs of one lacks it.
`results/datapackage.json` says the same to programs ([datapackage.org](https://datapackage.org));
[use_results.md](use_results.md) reads them in R, Stata, Quarto, Overleaf, Word and Excel.

- **key**: the columns whose values together occur once. A name in capitals is the table of the file
  of that name.
- **type, unit**: where a study calls its periods something else than years, read "year" as that.
- **missing**: what an empty field says; nothing where no field is empty. *hidden*: disclosure
  control took the figure away ([disclosure.md](disclosure.md)).
- **tells**: what of firms a column beside the key tells, by which disclosure control decides:

| tells | what |
|---|---|
"""

HEAD = """| column | key | meaning | type, unit | missing | tells |
|---|---|---|---|---|---|
"""


def page(tables: tuple[Dataset, ...] = PUBLISHED) -> str:
    """Return the page: a section for each table, by name, with a row for each column."""
    traits = "".join(f"| {name} | {what} |\n" for name, what in TELLS.items())
    ordered = sorted(tables, key=lambda table: table.name)
    return INTRODUCTION + traits + "".join(map(_section, ordered))


def _section(table: Dataset) -> str:
    rows = (_row(table, name, column) for name, column in table.columns.items())
    return f"\n## {table.name.lower()}.csv\n\nA row is {table.row}.\n\n{HEAD}{''.join(rows)}"


def _row(table: Dataset, name: str, column: Column) -> str:
    cells = [
        f"`{name}`",
        "key" if name in table.key else "",
        column.meaning,
        ", ".join(filter(None, (TYPES[column.kind], column.unit))),
        missing_says(table, name),
        "" if name in table.key else str(column.tells),
    ]
    return f"| {' | '.join(cells)} |\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
