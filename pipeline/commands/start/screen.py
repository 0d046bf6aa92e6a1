"""What `start` read, and why it takes each column for what it does: one screen."""

from pipeline.commands.start.questions import all_questions
from pipeline.commands.start.read import Read

_WIDTH = 100
_LINES = 24
# Fewer firms are not counted on a screen that others may see.
_FEWEST = 5


def screen(study: str, read: Read) -> str:
    """Return what was read and why, in at most 24 lines of 100 characters."""
    head = [_first(study, read), *_keys(read)]
    columns = _columns(read)
    tail = [*_left(read), *_design(read), *_asked(study, read)]
    room = _LINES - len(head) - len(tail)
    if len(columns) > room:
        columns = [*columns[: room - 1], f"  ... {len(columns) - room + 1} more in params.yaml"]
    return "".join(_cut(line) + "\n" for line in [*head, *columns, *tail])


def _cut(line: str) -> str:
    return line if len(line) <= _WIDTH else line[: _WIDTH - 3] + "..."


def _first(study: str, read: Read) -> str:
    years = read.table[read.keys.year]
    n_firms = read.table[read.keys.firm_id].nunique()
    return (
        f"{study}: {read.files[0]}, {len(read.table):,} rows of {n_firms:,} firms, "
        f"{read.keys.period} {years.min():g} to {years.max():g}"
    )


def _row(role: str, column: str, why: str) -> str:
    return f"  {role:<11} {' '.join(column.split())[:28]:<28} {why}"


def _keys(read: Read) -> list[str]:
    keys, entered, design = read.keys, read.entered, read.design
    told = [*entered.columns, *([read.register.columns["entry_year"]] if read.register else [])][0]
    when = "" if entered.first is None else f", from {entered.first} on"
    number = f"; {_count(design.n_treated)} enter" if entered.columns else ""
    return [
        _row("firm", keys.firm_id, keys.why[keys.firm_id]),
        _row("year", keys.year, keys.why[keys.year]),
        _row("entry", told, f"{entered.why}{number}{when}"),
        _row("cluster", " x ".join(design.cluster), f"{_count(design.n_clusters)}, "
             f"{_count(design.n_treated_clusters)} with participants"),
    ]  # fmt: skip


def _count(number: int) -> str:
    return f"{number:,}" if number == 0 or number >= _FEWEST else f"fewer than {_FEWEST}"


def _columns(read: Read) -> list[str]:
    columns, rows = read.columns, list[str]()
    for name in columns.outcomes:
        used = columns.used[name]
        rows.append(_row("outcome", used.name, f"{used.why}: {name}; {used.missing:.0%} missing"))
    for name in [n for n in columns.covariates if n not in columns.outcomes]:
        used = columns.used[name]
        rows.append(_row("covariate", used.name, f"{used.why}; known before entry"))
    for name in read.design.exact:
        used = columns.used[name]
        told = "" if used.digits is None else f"{used.why}: "
        why = f"{told}nearly all have comparison firms in it"
        rows.append(_row("exact", used.name, why))
    return rows


def _left(read: Read) -> list[str]:
    by_reason: dict[str, list[str]] = {}
    for name, why in read.columns.left_out.items():
        by_reason.setdefault(why, []).append(name)
    return [_row("left out", ", ".join(names), why) if len(", ".join(names)) <= 28
            else f"  left out    {', '.join(names)[:50]}: {why}"
            for why, names in list(by_reason.items())[:4]]  # fmt: skip


def _design(read: Read) -> list[str]:
    design = read.design
    few = "; CR2 errors: few treated clusters" if design.few_treated_clusters else ""
    pool = "outside treated clusters" if design.controls_from != "all" else "all"
    return [f"  design      {len(design.scored)} covariates, comparison firms: {pool}{few}"]


def _asked(study: str, read: Read) -> list[str]:
    open_values = ["treatment.entry.accepted"] if "accepted" in read.entered.settings else []
    paths = [*open_values, *all_questions(read)]
    return [
        f"  questions   {', '.join(paths)}",
        f"params.yaml: section {study}; answer its QUESTION lines, then `impact check` and "
        "`dvc repro`",
    ]
