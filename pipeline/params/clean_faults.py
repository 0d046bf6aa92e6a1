"""Faults of section `clean` that only the other sections can show."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from pipeline.params.clean import EXIT_YEAR, CleanSection
from pipeline.params.data import DataSection
from pipeline.params.identifier import Identifier
from pipeline.params.rule_marks import OfKind
from pipeline.params.settings import nearest_known
from pipeline.params.written import key_columns


def clean_faults(clean: CleanSection, data: DataSection) -> Iterator[str]:
    """Yield one line for each column of a rule that data.columns lacks or has as another kind."""
    for path, column, asked in clean.marked(OfKind):
        declared = data.columns.get(column)
        if asked.or_year and column == "year":
            continue
        if declared is None:
            near = nearest_known(column, list(data.columns))
            yield f"clean.{path}: {column} is not in data.columns{near}"
        elif asked.kind == "delivered" and declared.kind == "sum":
            yield f"clean.{path}: {column} is a sum; declare the codes of its parts"
        elif asked.kind not in {declared.kind.replace("sum", "number"), "delivered"}:
            kind = f"this needs a {asked.kind} column"
            yield f"clean.{path}: {column} is a {declared.kind} column; {kind}"
    if clean.exit is not None and EXIT_YEAR in data.columns:
        yield (
            f"clean.exit writes the column {EXIT_YEAR}, which data.columns has already; give that "
            "another name, or read it: survival.exit: {known_by: column, column: ...}"
        )
    yield from _faults_of_missing(clean, data)
    yield from _sums_converted_twice(clean, data)
    yield from _faults_of_parts(clean.identifier, data)
    in_register = data.register_columns is not None and data.register_columns.name is not None
    if (clean.identifier.name_column is not None) != in_register:
        yield (
            "clean.identifier.name_column goes with data.register_columns.name: give both, so that "
            "names are compared, or neither"
        )


def _faults_of_missing(clean: CleanSection, data: DataSection) -> Iterator[str]:
    """Yield one line for each column whose missing values cannot mean zero."""
    for name in clean.missing_as_zero:
        if name in data.sums:
            yield (
                f"clean.missing_as_zero: {name} is a sum; name those of its parts of which missing "
                f"means zero: {', '.join(data.sums[name].of)}"
            )
        if clean.customs is not None and clean.customs.column == name:
            yield (
                f"clean.missing_as_zero: clean.customs says already what missing {name} is; leave "
                "one of the two out"
            )


def _sums_converted_twice(clean: CleanSection, data: DataSection) -> Iterator[str]:
    """Yield one line for each sum that has a factor in a year in which a part has one too."""
    years = dict[str, set[int]]()
    for rule in clean.unit_factors:
        years.setdefault(rule.column, set()).update(rule.years)
    for name, column in data.sums.items():
        for part in column.of:
            if both := sorted(years.get(name, set()) & years.get(part, set())):
                yield (
                    f"clean.unit_factors: {name} is a sum and follows its part {part}, which has a "
                    f"factor in {', '.join(map(str, both))}: leave out that of {name}"
                )


def _faults_of_parts(identifier: Identifier, data: DataSection) -> Iterator[str]:
    """Yield one line for each rule of one number where several columns make an identifier."""
    n_parts, width = len(key_columns(data.firm_id)), identifier.width
    if n_parts > 1 and isinstance(width, int):
        yield (
            "clean.identifier.width is of identifiers in one column; data.firm_id names "
            f"{n_parts}: give one width a part ([4, 0]: 0 pads none)"
        )
    elif isinstance(width, list) and len(width) != n_parts:
        yield (
            f"clean.identifier.width has {len(width)} widths, one a part; data.firm_id names "
            f"{n_parts} columns"
        )
    for name in ("cut_at", "drop_check_digit", "check_digit") if n_parts > 1 else ():
        if getattr(identifier, name) is not None:
            yield (
                f"clean.identifier.{name} is of identifiers in one column; data.firm_id names "
                f"{n_parts}: leave it out, or make one column of them"
            )


def rules_file_faults(
    clean: CleanSection, study: str, root: Path, further: Mapping[str, str]
) -> Iterator[str]:
    """Yield one line for each rules file that is absent or lies elsewhere.

    `further` are files that other sections name, by the setting that does.
    """
    folder = root / "data" / "rules" / study
    if not folder.is_dir():
        yield (
            f"clean: the folder data/rules/{study} is missing; make it, with a README.md: the "
            "tables that you write (corrections, price indices, concordances) belong there"
        )
    for named_by, file in [*(("clean", file) for file in clean.files), *further.items()]:
        if not (folder / file).resolve().is_relative_to(folder.resolve()):
            yield f"{named_by}: {file!r} must lie inside data/rules/{study}"
        elif not (folder / file).is_file():
            yield f"{named_by}: data/rules/{study}/{file} does not exist"
