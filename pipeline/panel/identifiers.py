"""How one identifier is written in several ways: spaces, `.0`, marks, letter case, leading zeros.

The form of an identifier without a way of writing is what is left of it once that is undone.
`clean.identifier` names the ways that are undone in panel, register and rules files alike;
`near_misses` finds those that part a register from its panel.
"""

from collections.abc import Callable, Collection
from typing import Any

import pandas as pd
import pyarrow as pa
from pyarrow import compute

from pipeline.params.identifier import Identifier, Side

Texts = Any  # an Arrow array of texts, missing ones null

# White space of any script, and signs that are not seen: byte-order marks, zero-width joiners.
_SPACES = r"[\p{Z}\s\p{Cf}]"
# What a spreadsheet adds to a number that it holds with decimals, inside quotes too.
_DECIMALS = r"^(.+)[.,．，][0０]{1,2}[^\p{L}\p{N}]*$"
# A number too long for its cell: 7.6123456E+07.
_POWER = r"^\p{Nd}(?:[.,]\p{Nd}+[eE]\+?\p{Nd}{1,2}|\p{Nd}*[eE]\+\p{Nd}{1,2})$"
_MARKS = r"[^\p{L}\p{N}\p{Z}\s\p{Cf}]"
_LARGEST_POWER = 40


def without_spaces(ids: Texts) -> Texts:
    """Return identifiers without spaces of any kind and signs that are not seen."""
    return compute.replace_substring_regex(ids, _SPACES, "")


def without_decimals(ids: Texts) -> Texts:
    """Return identifiers without a trailing `.0`; 7.6123456E+07 is written out."""
    cut = compute.replace_substring_regex(ids, _DECIMALS, r"\1")
    powers = compute.match_substring_regex(cut, _POWER)
    if not compute.any(powers).as_py():
        return cut
    pairs = zip(cut.to_pylist(), powers.to_pylist(), strict=True)
    return pa.array([_written_out(i) if power else i for i, power in pairs], pa.large_string())


def _written_out(power: str) -> str:
    """Return 76123456 for 7.6123456E+07; as it is where it stands for no whole number."""
    digits, _, exponent = power.upper().replace(",", ".").partition("E")
    whole, _, decimals = digits.partition(".")
    missing = int(exponent) - len(decimals.rstrip("0"))
    if missing < 0 or int(exponent) > _LARGEST_POWER:
        return power
    return whole + decimals.rstrip("0") + "0" * missing


def without_marks(ids: Texts) -> Texts:
    """Return the letters and digits of identifiers in their plain form, full-width ones too."""
    return compute.utf8_normalize(compute.replace_substring_regex(ids, _MARKS, ""), "NFKC")


def without_zeros(ids: Texts) -> Texts:
    """Return identifiers without the zeros in front."""
    return compute.utf8_ltrim(ids, "0")


def without_last(ids: Texts) -> Texts:
    """Return identifiers without their last character."""
    return compute.utf8_slice_codeunits(ids, 0, -1)


# Ways of writing, in the order in which they are undone.
FORMS: dict[str, Callable[[Texts], Texts]] = {
    "spaces": without_spaces,
    "decimals": without_decimals,
    "characters": without_marks,
    "case": compute.utf8_upper,
    "width": without_zeros,
}


# Those that identifiers of plain letters and digits do not have.
_OF_SIGNS = frozenset({"spaces", "decimals", "characters"})


def texts(ids: Any) -> Texts:
    """Return identifiers as an array of texts."""
    return pa.array(ids, pa.large_string(), from_pandas=True)


def form_without(ids: Texts, ways: Collection[str]) -> Texts:
    """Return identifiers with these ways of writing undone."""
    plain = compute.all(compute.ascii_is_alnum(ids)).as_py()
    for way, undone in FORMS.items():
        if way in ways and not (plain and way in _OF_SIGNS):
            ids = undone(ids)
    return ids


def as_declared(ids: pd.Series, written: Identifier, side: Side, *, whole: bool = False) -> Any:
    """Return identifiers, none twice, as declared but for their width; empty ones are missing.

    `whole` keeps check digits.
    """
    found = texts(ids)
    found = without_spaces(found) if written.spaces else found
    found = without_decimals(found) if written.decimals else found
    if written.cut_at and not whole:
        found = texts(ids_before(found, written.cut_at))
    for character in written.remove:
        found = compute.replace_substring(found, character, "")
    found = without_marks(found) if written.characters else found
    if written.case is not None:
        found = {"upper": compute.utf8_upper, "lower": compute.utf8_lower}[written.case](found)
    if not whole and written.drops_last_of(side):
        found = without_last(found)
    return compute.if_else(compute.equal(found, ""), None, found)


def ids_before(ids: Texts, mark: str) -> list[str | None]:
    """Return what stands before a mark."""
    return [None if i is None else i.split(mark, 1)[0] for i in ids.to_pylist()]
