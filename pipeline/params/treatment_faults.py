"""Faults of section `treatment`, and of names of columns, that only section `data` can show."""

from collections.abc import Iterator

from pipeline.params.data import DataSection, FileSource
from pipeline.params.settings import nearest_known
from pipeline.params.treatment import (
    EntryYearEntry,
    GroupEntry,
    IndicatorEntry,
    RegisterEntry,
    TreatmentSection,
)


def treatment_faults(data: DataSection, treatment: TreatmentSection) -> Iterator[str]:
    """Yield one line for each part of the entry that the data lack, or have as another kind."""
    entry = treatment.entry
    if isinstance(entry, IndicatorEntry | EntryYearEntry):
        yield from column_fault(data, treatment, "treatment.entry.column", entry.column, "number")
        yield from _never_faults(data, entry)
        return
    if isinstance(entry, GroupEntry):
        yield from column_fault(data, treatment, "treatment.entry.column", entry.column, "text")
        return
    yield from _register_faults(data, entry)


def _never_faults(data: DataSection, entry: IndicatorEntry | EntryYearEntry) -> Iterator[str]:
    """Yield a line where a code for never would be read as a year of two digits."""
    if data.two_digit_years_from is None or isinstance(entry, IndicatorEntry):
        return
    short = [f"{code:g}" for code in entry.never if 0 <= code <= 99]
    if short:
        yield (
            f"treatment.entry.never: {', '.join(short)} reads as a year of two digits "
            "(data.two_digit_years_from): leave such cells empty, or write four digits"
        )


def _register_faults(data: DataSection, entry: RegisterEntry) -> Iterator[str]:
    if data.register_columns is None:
        yield "data.register_columns is missing: treatment.entry.source is register"
    elif entry.programme is not None and data.register_columns.programme is None:
        yield "data.register_columns.programme is missing: treatment.entry.programme needs it"
    elif entry.dated_by is not None and entry.dated_by not in data.register_columns.dates:
        near = nearest_known(entry.dated_by, list(data.register_columns.dates))
        yield f"treatment.entry.dated_by: {entry.dated_by} is not in register_columns.dates{near}"
    elif (entry.accepted is None) != (data.register_columns.decision is None):
        yield "treatment.entry.accepted goes with data.register_columns.decision: give both"
    if isinstance(data.source, FileSource) and data.source.register_file is None:
        yield "data.source.register_file is missing: treatment.entry.source is register"


def column_fault(
    data: DataSection, treatment: TreatmentSection, path: str, column: str, kind: str
) -> Iterator[str]:
    """Yield one line where PANEL lacks a column, or has it as another kind."""
    kinds = _panel_columns(data, treatment)
    if column not in kinds:
        yield f"{path}: {column} is not in data.columns{nearest_known(column, list(kinds))}"
    elif kinds[column] != kind:
        yield f"{path}: {column} is a {kinds[column]} column; this needs a {kind} column"


def _panel_columns(data: DataSection, treatment: TreatmentSection) -> dict[str, str]:
    """Return the kind of every study column of PANEL: declared ones, and those of the register."""
    kinds = {n: c.kind.replace("sum", "number") for n, c in data.columns.items()}
    entry, register = treatment.entry, data.register_columns
    if register is None or not isinstance(entry, RegisterEntry):
        return kinds
    kinds |= dict.fromkeys(register.fields("text"), "text")
    kinds |= dict.fromkeys(register.fields("number"), "number")
    kinds |= {"applicant": "number"} if register.decision is not None else {}
    return kinds | ({"other_programme": "number"} if entry.other_programmes == "covariate" else {})
