"""Values of raw columns: text and identifiers, refused where they are none."""

import unicodedata
from collections.abc import Collection

import numpy as np
import pandas as pd

from pipeline.datasets.arrays import Codes
from pipeline.errors import Refusal
from pipeline.panel.identifiers import PART_MARK, as_declared, has_decimals, is_rounded, texts
from pipeline.panel.origin import rows_error
from pipeline.params.identifier import AS_DELIVERED, Identifier, Side

# #N/A, #VALUE!, #¡DIV/0!, #NAME?, Err:502: what spreadsheets of any language write where a formula
# failed, or a number did not fit (####).
_SHEET_ERROR = (
    r"(?i)#(?:N/A|N/D|Н/Д|N/DISP!?|NV|N/A N/A|GETTING_DATA|[¡¿]?[^\W\d][\w/]*[!?]|#+)"
    r"|Err:\d{3}"
)


def text(values: pd.Series) -> pd.Series:
    """Return codes as text: trimmed, leading zeros kept, empty cells missing.

    Whole numbers that a spreadsheet stored with decimals lose the trailing `.0`.
    """
    if pd.api.types.is_float_dtype(values.dtype) and _whole(values):
        values = values.astype("Int64")
    if values.dtype == object:  # 1 and True are one Python object, and two texts
        values = values.astype("str").where(values.notna(), None).astype("str")
    code, distinct = distinct_values(values)
    written = distinct.astype("str").str.strip()
    written = written.str.replace(r"^(\d+)\.0$", r"\1", regex=True)
    written = written.where(written != "", None).astype("str")
    # Clean text is not held in memory twice.
    if values.dtype == written.dtype and written.equals(distinct):
        return values
    return pd.Series(written.array.take(code, allow_fill=True), values.index, name=values.name)


def is_formula(values: pd.Series) -> pd.Series:
    """Flag text that a spreadsheet would run: =1+1, @SUM(A1), +cmd|' /C calc'!A0."""
    code, distinct = distinct_values(values)
    runs = distinct.str.match(r"[=@]|[+-].*[(|!]").to_numpy(bool)
    return pd.Series(np.append(runs, False)[code], values.index)


def is_sheet_error(values: pd.Series) -> pd.Series:
    """Flag text that a spreadsheet shows where a formula failed: #N/A, #REF!."""
    code, distinct = distinct_values(values)
    failed = distinct.astype("str").str.fullmatch(_SHEET_ERROR).fillna(False).to_numpy(bool)
    return pd.Series(np.append(failed, False)[code], values.index)


def register_words(values: pd.Series) -> pd.Series:
    """Return words of the register; raise DataError where a spreadsheet failed to make them."""
    words = text(values)
    refuse_rows(
        is_sheet_error(words),
        f"column {values.name} (register): a value is an error of a spreadsheet (#N/A and its kin)",
        "correct or empty it in",
    )
    return words


def distinct_values(values: pd.Series) -> tuple[Codes, pd.Series]:
    """Return the place of each value among the different ones, -1 where missing, and these.

    What is done to texts is done to far fewer than there are firm-years.
    """
    code, distinct = pd.factorize(values)
    return np.asarray(code, dtype=np.intp), pd.Series(distinct)


def refuse_other_spellings(
    words: pd.Series, declared: Collection[str], column: str, setting: str
) -> None:
    """Raise DataError where a word is a declared one but for case, spaces or accents."""
    code, distinct = distinct_values(words)
    bare = {_bare(word) for word in declared}
    near = [word not in declared and _bare(word) in bare for word in distinct.astype("str")]
    refuse_rows(
        pd.Series(np.append(near, False)[code].astype(np.bool_), words.index),
        f"column {column}: a word differs from {setting} only in case, spaces or accents",
        "write it as params do, or list it there where several are allowed; see",
    )


def _bare(word: str) -> str:
    """Return a word in small letters, without accents and spaces."""
    parts = unicodedata.normalize("NFKD", word.casefold())
    return "".join(mark for mark in parts if not (unicodedata.combining(mark) or mark.isspace()))


def firm_identifier(
    values: pd.Series, column: str, written: Identifier = AS_DELIVERED, side: Side = "panel"
) -> pd.Series:
    """Return firm identifiers as text, written as declared for the table that they are of.

    Raises DataError where one is missing, lost digits or is longer than the declared width.
    """
    identifier = text(values)
    _refuse_lost_digits(identifier, column, written)
    if written.rewrites:
        code, distinct = distinct_values(identifier)
        declared = pd.Series(as_declared(distinct, written, side), dtype="str")
        identifier = pd.Series(declared.array.take(code, allow_fill=True), identifier.index)
    refuse_rows(
        identifier.isna() | is_sheet_error(identifier),
        f"column {column}: a firm identifier is missing",
        "delete or fill",
    )
    return _padded(identifier, column, written)


def _padded(identifier: pd.Series, column: str, written: Identifier) -> pd.Series:
    """Return identifiers, or each part of them, with zeros in front up to the declared width."""
    if written.width is None:
        return identifier
    parts = [
        _of_width(part, column, written.width_of(place)) if written.width_of(place) else part
        for place, part in enumerate(_parts(identifier, written))
    ]
    return (
        parts[0]
        if len(parts) == 1
        else parts[0].str.cat(pd.concat(parts[1:], axis=1), sep=PART_MARK)
    )


def _of_width(identifier: pd.Series, column: str, width: int) -> pd.Series:
    refuse_rows(
        identifier.str.len() > width,
        f"column {column}: an identifier is longer than clean.identifier.width {width}",
        "declare the width, or characters to remove; see",
    )
    return identifier.str.zfill(width)


def _parts(identifier: pd.Series, written: Identifier) -> list[pd.Series]:
    """Return the parts of identifiers that several columns make."""
    if written.n_parts == 1:
        return [identifier]
    parts = identifier.str.split(PART_MARK, expand=True)
    return [parts[place].astype("str") for place in parts]


def _refuse_lost_digits(identifier: pd.Series, column: str, written: Identifier) -> None:
    """Raise DataError where an identifier is rounded, or a number with decimals among whole ones.

    Signs that params take out of identifiers mark no decimals.
    """
    signs = set(written.remove + (written.cut_at or "")) & set(".,")
    for part in _parts(identifier, written):
        code, distinct = distinct_values(part)
        refuse_rows(
            _flags(is_rounded(texts(distinct)), code, part),
            f"column {column}: an identifier is rounded, as a spreadsheet shows long numbers "
            "(1.2E+13), and its last digits are lost",
            "save the column as text, or as numbers without decimals, and deliver it again; see",
        )
        if not (signs or written.characters):
            refuse_rows(
                _flags(has_decimals(texts(distinct)), code, part),
                f"column {column}: an identifier has decimals, and most are whole numbers",
                "correct, or deliver the column as text; where the sign parts a code, declare it "
                "in clean.identifier.remove; see",
            )


def _flags(found: list[bool], code: Codes, values: pd.Series) -> pd.Series:
    return pd.Series(np.append(np.array(found, dtype=np.bool_), False)[code], values.index)


def refuse_rows(
    faulty: pd.Series, rule: str, remedy: str, keys: pd.DataFrame | None = None
) -> None:
    """Raise RowsError with the faulty rows; the index of `faulty` is the position in its table."""
    if faulty.any():
        at = faulty.to_numpy(bool)
        positions = faulty.index[at].to_numpy(np.int64)
        raise rows_error(Refusal(rule, remedy, positions, None if keys is None else keys[at]))


def _whole(values: pd.Series) -> bool:
    present = values.dropna()
    return bool((present % 1 == 0).all())
