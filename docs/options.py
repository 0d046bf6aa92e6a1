"""Write docs/options.md, every option and its sentences: `python docs/options.py`."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_origin

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT)]

from pydantic_core import PydanticUndefined  # noqa: E402

from pipeline.exhibits.words.language import sentences  # noqa: E402
from pipeline.exhibits.words.options import OF_RESULTS, SILENT_RULES, recorded, silent  # noqa: E402
from pipeline.exhibits.words.said import RECORDS  # noqa: E402
from pipeline.params.options import Option, options_of  # noqa: E402
from pipeline.params.study import SECTIONS  # noqa: E402

PAGE = ROOT / "docs" / "options.md"
# What changes estimates; section `exhibit` says how they are shown.
OF_ESTIMATES = [name for name in SECTIONS if name != "exhibit"]
# Sections of sentences with more are named, not listed.
_MOST_LISTED = 12

INTRODUCTION = """# Every option, and the sentence that says it

Made by `python docs/options.py` from the settings' own classes; a test holds the page current, and
another changes each option in the record of what ran and finds other words. A star stands for names
of yours. A sentence's fields stand in braces. What an option means, in which unit, its class says
(below each heading). An option without a sentence has the reason why none needs to say it."""


def options() -> dict[str, list[Option]]:
    """Return every option that changes estimates by code, once for each kind that has it."""
    found: dict[str, list[Option]] = {}
    for section in OF_ESTIMATES:
        for option in options_of(SECTIONS[section], section):
            found.setdefault(option.code, []).append(option)
    return found


def told(code: str) -> list[str]:
    """Return the codes of the English sentences that say an option, none where it is silent."""
    known = sentences("en")
    rule, _, name = code.partition(".")
    if silent(code) is not None:
        return []
    if (place := recorded(code)) is not None:
        table, column = place
        said = RECORDS[table].said.get(column)
        return [] if said is None else _codes(said)
    if code in OF_RESULTS:
        return _codes(OF_RESULTS[code])
    own = f"option_{rule}.{name}"
    values = {value for option in options()[code] for value in literals(option.field.annotation)}
    return [c for c in (own, *(f"{own}_{value}" for value in sorted(values))) if c in known]


def literals(annotation: Any) -> set[str]:
    """Return the codes that an option may have."""
    if isinstance(annotation, str):
        return {annotation}
    return {code for part in get_args(annotation) for code in literals(part)}


def reason(code: str) -> str:
    """Return why no sentence says an option."""
    place = recorded(code)
    why = silent(code) if place is None else RECORDS[place[0]].silent.get(place[1])
    if why is None:
        raise KeyError(f"{code} has neither a sentence nor a reason for none")
    return why


def _codes(said: str) -> list[str]:
    known = sentences("en")
    begins = said if said.endswith("_") else f"{said}."
    return [said] if said in known else [code for code in known if code.startswith(begins)]


def page() -> str:
    """Return the page."""
    parts = [INTRODUCTION]
    for section in OF_ESTIMATES:
        rows = {code: kinds for code, kinds in options().items() if _section(code) == section}
        parts += [f"## {section}", *_classes(rows), "\n".join(_table(rows))]
    return "\n\n".join(parts) + "\n"


def _section(code: str) -> str:
    rule = code.partition(".")[0]
    return next(name for name in OF_ESTIMATES if rule == name or rule.startswith(f"{name}_"))


def _classes(rows: dict[str, list[Option]]) -> Iterator[str]:
    """Yield what each class says of its options, in their order."""
    classes = dict.fromkeys(option.declared_in for kinds in rows.values() for option in kinds)
    for one in classes:
        yield f"**{one.__name__}.** {' '.join((one.__doc__ or '').split())}"


def _table(rows: dict[str, list[Option]]) -> Iterator[str]:
    yield "| option | values | said |"
    yield "|---|---|---|"
    for rule in dict.fromkeys(code.partition(".")[0] for code in rows):
        own = {code: kinds for code, kinds in rows.items() if code.partition(".")[0] == rule}
        yield from [_together(rule, own)] if rule in SILENT_RULES else _lines(own)


def _together(rule: str, rows: dict[str, list[Option]]) -> str:
    """Return one line for all options of a rule that nobody says."""
    ((first, *_), *_) = rows.values()
    names = ", ".join(f"`{code.partition('.')[2]}`" for code in rows)
    return f"| `{first.path.rpartition('.')[0]}`: {names} | | *silent*: {SILENT_RULES[rule]} |"


def _lines(rows: dict[str, list[Option]]) -> Iterator[str]:
    for code, kinds in rows.items():
        paths = " or ".join(f"`{path}`" for path in dict.fromkeys(option.path for option in kinds))
        values = "; ".join(dict.fromkeys(_values(option) for option in kinds))
        yield f"| {paths} | {_cell(values)} | {_cell(_said(code))} |"


def _said(code: str) -> str:
    codes = told(code)
    if not codes:
        return f"*silent*: {reason(code)}"
    if len(codes) > _MOST_LISTED:
        return f"{len(codes)} sentences, section `{codes[0].partition('.')[0]}`"
    return " / ".join(f"“{sentences('en')[one].strip()}”" for one in codes if sentences("en")[one])


def _values(option: Option) -> str:
    """Return what an option may be, its default where it has one."""
    field = option.field
    kind = _kind(field.annotation)
    if field.is_required() or field.default is PydanticUndefined:
        return kind
    if isinstance(field.default, bool):
        return f"{kind}; {str(field.default).lower()}"
    if isinstance(field.default, str | int | float):
        return f"{kind}; {field.default}"
    return kind


def _kind(annotation: Any) -> str:
    """Return a type as params.yaml would call it: codes, text, whole number, list of ..."""
    names = {str: "text", int: "whole number", float: "number", bool: "true, false"}
    if annotation in names:
        return names[annotation]
    if annotation is type(None):
        return "null"
    codes = [a for a in get_args(annotation) if isinstance(a, str)]
    if codes and get_origin(annotation) is not None and len(codes) == len(get_args(annotation)):
        return ", ".join(codes)
    parts = list(dict.fromkeys(_kind(a) for a in get_args(annotation) if _is_type(a)))
    if get_origin(annotation) in (list, tuple):
        return f"list of {' or '.join(parts)}"
    if get_origin(annotation) is dict:
        return f"{parts[-1]} by name"
    return " or ".join(parts)


def _is_type(part: Any) -> bool:
    return isinstance(part, type) or get_origin(part) is not None


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
