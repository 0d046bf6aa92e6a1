"""How one identifier is written in several ways: spaces, `.0`, marks, letter case, leading zeros.

An identifier of several columns is their parts, joined by PART_MARK; ways are undone in each.
The form of an identifier without a way of writing is what is left of it once that is undone.
`clean.identifier` names the ways that are undone in panel, register and rules files alike;
`near_misses` finds those that part a register from its panel.
"""

from collections.abc import Callable, Collection
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import compute

from pipeline.params.identifier import Identifier, Side

Texts = Any  # an Arrow array of texts, missing ones null

# Parts tell apart what they join: 1|23 is not 12|3.
PART_MARK = "|"

# Patterns for any script, and what they come to in ASCII, which is far faster to look for.
# White space of any script, and signs that are not seen: byte-order marks, zero-width joiners.
_SPACES = r"[\p{Z}\s\p{Cf}]", r"\s"
# What a spreadsheet adds to a number that it holds with decimals, inside quotes too.
_DECIMALS = r"^(.+)[.,．，][0０]{1,2}[^\p{L}\p{N}]*$", r"^(.+)[.,]0{1,2}[^A-Za-z0-9]*$"
_MARKS = r"[^\p{L}\p{N}\p{Z}\s\p{Cf}]", r"[^A-Za-z0-9\s]"
# A number too long for its cell: 7.6123456E+07.
_POWER = r"^[0-9](?:[.,][0-9]+[eE]\+?[0-9]{1,2}|[0-9]*[eE]\+[0-9]{1,2})$"
_LARGEST_POWER = 40
# Digits with decimals that are none of a thousands mark, nor zero.
_WITH_DECIMALS = r"^\d+[.,]\d*[1-9]\d*$"
_THOUSANDS = r"^\d{1,3}(?:[.,]\d{3})+$"
# The letters of a country or of the identifier's name in front (CL, RUC), and what follows them.
LONGEST_PREFIX = 4
_PREFIX = rf"^[A-Za-z]{{1,{LONGEST_PREFIX}}}[^A-Za-z0-9]*([0-9].*)$"
# Letters that are typed for digits, first of all; in identifiers that have no other letter, but
# for a check digit, and some digits.
_TYPED = r"^[OoIl]+[^A-Za-z0-9]*[0-9]"
_ALL_TYPED = r"^[^A-Za-z]*(?:[OoIl][^A-Za-z]*)+[A-Za-z]?$"
_SOME_DIGITS = r"(?:[0-9][^0-9]*){3}"


def without_spaces(ids: Texts) -> Texts:
    """Return identifiers without spaces of any kind and signs that are not seen."""
    return _replaced(ids, _SPACES, "")


def _replaced(ids: Texts, patterns: tuple[str, str], by: str) -> Texts:
    """Return identifiers with a pattern, or what it comes to in ASCII, replaced."""
    ascii_alone = compute.all(compute.string_is_ascii(ids)).as_py()
    return compute.replace_substring_regex(ids, patterns[bool(ascii_alone)], by)


def without_decimals(ids: Texts) -> Texts:
    """Return identifiers without a trailing `.0`; 7.6123456E+07 is written out."""
    cut = _replaced(ids, _DECIMALS, r"\1")
    powers = compute.match_substring_regex(cut, _POWER)
    if not compute.any(powers).as_py():
        return cut
    pairs = zip(cut.to_pylist(), powers.to_pylist(), strict=True)
    return pa.array([_written_out(i) if power else i for i, power in pairs], pa.large_string())


def _written_out(power: str) -> str:
    """Return 76123456 for 7.6123456E+07; as it is where it has not the digits of a whole number."""
    whole, decimals, exponent = _parts_of(power)
    short = decimals[:exponent]
    if len(short) < exponent or exponent > _LARGEST_POWER or decimals[exponent:].strip("0"):
        return power
    return whole + short


def _parts_of(power: str) -> tuple[str, str, int]:
    """Return the digit before the decimal mark, those after it, and the exponent."""
    digits, _, exponent = power.upper().replace(",", ".").partition("E")
    whole, _, decimals = digits.partition(".")
    return whole, decimals, int(exponent)


def is_rounded(ids: Texts) -> list[bool]:
    """Say of identifiers whether they are numbers of more digits than are shown: 7.68E+07."""
    powers: list[bool] = compute.fill_null(
        compute.match_substring_regex(ids, _POWER), False
    ).to_pylist()
    if not any(powers):
        return powers
    shown = [
        _parts_of(i) if power else ("", "", 0)
        for i, power in zip(ids.to_pylist(), powers, strict=True)
    ]
    return [len(decimals) < exponent for _, decimals, exponent in shown]


def has_decimals(ids: Texts) -> list[bool]:
    """Say of identifiers whether they have decimals, where more are whole numbers."""
    decimals = compute.and_not(
        compute.match_substring_regex(ids, _WITH_DECIMALS),
        compute.match_substring_regex(ids, _THOUSANDS),
    )
    n_whole = compute.sum(compute.ascii_is_decimal(ids)).as_py() or 0
    n_decimals = compute.sum(decimals).as_py() or 0
    found: list[bool] = compute.fill_null(decimals, False).to_pylist()
    return found if n_decimals < n_whole else [False] * len(ids)


def without_marks(ids: Texts) -> Texts:
    """Return the letters and digits of identifiers in their plain form, full-width ones too."""
    return compute.utf8_normalize(_replaced(ids, _MARKS, ""), "NFKC")


def without_prefix(ids: Texts) -> Texts:
    """Return identifiers without up to four letters in front of digits; O and I may be digits."""
    cut = compute.replace_substring_regex(ids, _PREFIX, r"\1")
    return compute.if_else(compute.match_substring_regex(ids, _TYPED), ids, cut)


def with_typed_digits(ids: Texts) -> Texts:
    """Return identifiers with 0 for O, 1 for l and I, where they have no other letters."""
    typed = compute.and_(
        compute.match_substring_regex(ids, _ALL_TYPED),
        compute.match_substring_regex(ids, _SOME_DIGITS),
    )
    digits = compute.replace_substring_regex(ids, "[Oo]", "0")
    return compute.if_else(typed, compute.replace_substring_regex(digits, "[Il]", "1"), ids)


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
    "prefix": without_prefix,
    "letters": with_typed_digits,
    "case": compute.utf8_upper,
    "width": without_zeros,
}


# Ways that take letters for something else, or for nothing: tried where no other way is enough.
LETTER_FORMS = ("letters", "prefix")
PLAIN_FORMS = tuple(way for way in FORMS if way not in LETTER_FORMS)

# Those that identifiers of plain letters and digits do not have, and of digits alone neither.
_OF_SIGNS = frozenset({"spaces", "decimals", "characters"})
_OF_LETTERS = frozenset({"prefix", "letters", "case"})


def texts(ids: Any) -> Texts:
    """Return identifiers as an array of texts."""
    return pa.array(ids, pa.large_string(), from_pandas=True)


def form_without(ids: Texts, ways: Collection[str], *, in_parts: bool = False) -> Texts:
    """Return identifiers with these ways of writing undone, in each part where there are more."""
    if in_parts:
        return by_part(ids, partial(form_without, ways=ways))
    absent = set[str]()
    if compute.all(compute.ascii_is_alnum(ids)).as_py():
        absent |= _OF_SIGNS
    if compute.all(compute.ascii_is_decimal(ids)).as_py():
        absent |= _OF_LETTERS
    for way, undone in FORMS.items():
        if way in ways and way not in absent:
            ids = undone(ids)
    return ids


def by_part(ids: Texts, undone: Callable[[Texts], Texts]) -> Texts:
    """Return identifiers with something done to each of their parts; missing ones stay missing."""
    lists = compute.split_pattern(compute.fill_null(ids, ""), PART_MARK)
    parts = undone(lists.flatten())
    return compute.if_else(compute.is_null(ids), None, _joined(lists, parts))


def of_part(ids: Texts, place: int, undone: Callable[[Texts], Texts]) -> Texts:
    """Return identifiers with something done to one of their parts."""
    lists = compute.split_pattern(ids, PART_MARK)
    parts = lists.flatten()
    n = lists.value_lengths().to_numpy(zero_copy_only=False)
    at = np.arange(len(parts)) - np.repeat(np.cumsum(n) - n, n)
    changed = compute.if_else(pa.array(at == place), undone(parts), parts)
    return _joined(lists, changed)


def _joined(lists: Any, parts: Texts) -> Texts:
    """Return parts, as many for each identifier as it had, joined again."""
    again = type(lists).from_arrays(lists.offsets, parts)
    return compute.binary_join(again, pa.scalar(PART_MARK, pa.large_string()))


def as_declared(ids: pd.Series, written: Identifier, side: Side, *, whole: bool = False) -> Any:
    """Return identifiers, none twice, as declared but for their width; empty ones are missing.

    `whole` keeps check digits.
    """
    declared = partial(_part_as_declared, written=written, side=side, whole=whole)
    found = texts(ids)
    return by_part(found, declared) if written.n_parts > 1 else declared(found)


def _part_as_declared(found: Texts, written: Identifier, side: Side, whole: bool) -> Texts:
    found = without_spaces(found) if written.spaces else found
    found = without_decimals(found) if written.decimals else found
    if written.cut_at and not whole:
        found = texts(ids_before(found, written.cut_at))
    for character in written.remove:
        found = compute.replace_substring(found, character, "")
    found = without_marks(found) if written.characters else found
    found = without_prefix(found) if written.prefix else found
    found = with_typed_digits(found) if written.letters else found
    if written.case is not None:
        found = {"upper": compute.utf8_upper, "lower": compute.utf8_lower}[written.case](found)
    if not whole and written.drop_check_digit is not None:
        found = _without_check_digit(found, written, side)
    return compute.if_else(compute.equal(found, ""), None, found)


def _without_check_digit(ids: Texts, written: Identifier, side: Side) -> Texts:
    """Return identifiers without the last character, or only those one longer than the width."""
    if written.drop_check_digit == "longer":
        longer = compute.equal(compute.utf8_length(ids), written.width_of(0) + 1)
        return compute.if_else(longer, without_last(ids), ids)
    return without_last(ids) if written.drops_last_of(side) else ids


def ids_before(ids: Texts, mark: str) -> list[str | None]:
    """Return what stands before a mark."""
    return [None if i is None else i.split(mark, 1)[0] for i in ids.to_pylist()]
