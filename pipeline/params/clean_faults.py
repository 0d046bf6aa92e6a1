"""Faults of section `clean` that only the other sections can show."""

from collections.abc import Iterator
from pathlib import Path

from pipeline.params.clean import CleanSection
from pipeline.params.data import DataSection
from pipeline.params.settings import nearest_known


def clean_faults(clean: CleanSection, data: DataSection) -> Iterator[str]:
    """Yield one line for each column of a rule that data.columns lacks or has as another kind."""
    for path, column, kind in _named_columns(clean):
        declared = data.columns.get(column)
        if declared is None:
            near = nearest_known(column, list(data.columns))
            yield f"clean.{path}: {column} is not in data.columns{near}"
        elif path == "missing_codes" and declared.kind == "sum":
            yield f"clean.{path}: {column} is a sum; declare the codes of its parts"
        elif kind not in {declared.kind.replace("sum", "number"), "any"}:
            yield f"clean.{path}: {column} is a {declared.kind} column; this needs a {kind} column"


def _named_columns(clean: CleanSection) -> Iterator[tuple[str, str, str]]:
    """Yield path, column and kind of every column that a rule names."""
    for column in clean.missing_codes:
        yield "missing_codes", column, "any"
    if clean.duplicates.by is not None:
        yield "duplicates.by", clean.duplicates.by, "number"
    for column in (clean.links.add_up if clean.links else None) or []:
        yield "links.add_up", column, "number"
    if clean.customs is not None:
        yield "customs.column", clean.customs.column, "number"
        yield "customs.matched", clean.customs.matched, "number"
    yield from _listed_columns(clean)


def _listed_columns(clean: CleanSection) -> Iterator[tuple[str, str, str]]:
    for i, recode in enumerate(clean.recodes):
        yield f"recodes.{i}.column", recode.column, "text"
    for i, factor in enumerate(clean.unit_factors):
        yield f"unit_factors.{i}.column", factor.column, "number"
    for i, check in enumerate(clean.scale_checks):
        for column in [*check.columns, *(name for pair in check.pairs for name in pair)]:
            yield f"scale_checks.{i}", column, "number"
    for i, price in enumerate(clean.prices):
        yield from ((f"prices.{i}.columns", column, "number") for column in price.columns)
        if price.by is not None:
            yield f"prices.{i}.by", price.by, "text"
    for i, row_filter in enumerate(clean.filters):
        yield f"filters.{i}.column", row_filter.column, "text"
    for name in ("jumps", "tails"):
        for i, rule in enumerate(getattr(clean, name)):
            yield from ((f"{name}.{i}.columns", column, "number") for column in rule.columns)
    for i, tails in enumerate(clean.tails):
        yield from ((f"tails.{i}.by", group, "text") for group in tails.by if group != "year")


def rules_file_faults(clean: CleanSection, study: str, root: Path) -> Iterator[str]:
    """Yield one line for each rules file that is absent or lies elsewhere."""
    folder = root / "data" / "rules" / study
    if not folder.is_dir():
        yield (
            f"clean: the folder data/rules/{study} is missing; make it, with a README.md: the "
            "tables that you write (corrections, price indices, concordances) belong there"
        )
    for file in clean.files:
        if not (folder / file).resolve().is_relative_to(folder.resolve()):
            yield f"clean: {file!r} must lie inside data/rules/{study}"
        elif not (folder / file).is_file():
            yield f"clean: data/rules/{study}/{file} does not exist"
