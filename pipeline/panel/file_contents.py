"""What a file is by its first bytes, where it is not what its ending says."""

from pathlib import Path

from pipeline.errors import DataError
from pipeline.panel.text_files import DELIMITERS, encoding_told

_SAMPLE_BYTES = 1 << 12
_BLOCK_BYTES = 1 << 22

# First bytes of files, what they are, and what to do.
_OLE = (
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
    "a workbook with a password, or of an Excel before 2007",
    "save it as .xlsx without a password",
)
_KINDS = (
    _OLE,
    (b"PK\x03\x04", "a workbook or an archive", "give it the ending .xlsx or .zip, or save a CSV"),
    (b"PAR1", "a Parquet file", "give it the ending .parquet"),
    (b"\x1f\x8b", "packed", "give it the ending .gz after its own, or unpack it"),
    (b"<stata_dta>", "a Stata file", "give it the ending .dta"),
    (b"$FL2", "an SPSS file", "convert it to .dta or .csv"),
    (b"%PDF", "a PDF document", "ask for the table itself"),
    (b"{\\rtf", "a text document", "save it as plain text"),
)
_PAGES = (b"<!doctype html", b"<html", b"<table", b"<?xml")
# What begins a file of each ending; text begins with anything else.
_EXPECTED = {".xlsx": b"PK", ".xlsm": b"PK", ".parquet": b"PAR1"}


def refuse_other_content(path: Path, kind: str, file: str, encoding: str) -> None:
    """Raise DataError where a file is empty, of another kind than its ending, or damaged text.

    `kind` is the ending that says how it is to be read, `file` the name for messages, `encoding`
    that of text which does not say its own.
    """
    with path.open("rb") as opened:
        sample = opened.read(_SAMPLE_BYTES)
    if not sample.strip():
        raise DataError(f"{file} is empty: deliver it again")
    expected = _EXPECTED.get(kind)
    if expected is None or not sample.startswith(expected):
        _refuse_known(sample, kind, file)
    if kind in DELIMITERS and not _has_zeros(encoding_told(sample) or encoding):
        _refuse_zeros(path, file)


def _refuse_known(sample: bytes, kind: str, file: str) -> None:
    for start, what, remedy in _KINDS:
        if sample.startswith(start) and not (kind == ".dta" and start == b"<stata_dta>"):
            raise DataError(f"{file} ends in {kind}, but is {what}: {remedy}")
    if sample.lstrip(b"\xef\xbb\xbf \r\n\t").lower().startswith(_PAGES):
        raise DataError(
            f"{file} ends in {kind}, but is a web page: open it in a spreadsheet and save it as "
            ".xlsx"
        )


def _has_zeros(encoding: str) -> bool:
    """Say whether an encoding writes zero bytes beside letters."""
    return b"\0" in "a".encode(encoding)


def _refuse_zeros(path: Path, file: str) -> None:
    """Raise DataError where text holds zero bytes, as a damaged or half-written file does."""
    with path.open("rb") as opened:
        while block := opened.read(_BLOCK_BYTES):
            if b"\0" in block:
                raise DataError(
                    f"{file} holds zero bytes, which no text has: it was damaged on its way, or is "
                    "written in an encoding to declare (data.source.format.encoding: utf-16-le); "
                    "else deliver it again"
                )
