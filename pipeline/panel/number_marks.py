"""Numbers as people write them: signs of any kind, in parentheses or behind, marks of currency."""

import numpy as np
import pandas as pd

from pipeline.panel.values import distinct_values

# What is typed for a minus sign, and what looks like nothing at either end of a cell; a
# spreadsheet's mark of text stands before it.
_MINUS = "\u2212\u2012\u2013\ufe63\uff0d"
_NOTHING = "\ufeff\u200b\u2060"
_OF_TEXT = "'\u2019"

# R$, US$, euro, S/ or USD; any sign of currency after up to three letters.
_SIGNS = "$\u00a2-\u00a5\u0e3f\u20a0-\u20c0"
_CODES = (
    "ARS|AUD|BOB|BRL|CAD|CHF|CLP|CNY|COP|CRC|DOP|EUR|GBP|GHS|GTQ|HNL|IDR|INR|JPY|KES|MXN|MZN|NGN|"
    "NIO|PAB|PEN|PHP|PYG|RWF|TZS|UGX|USD|UYU|VND|XAF|XOF|ZAR"
)
_MARK = rf"(?:[A-Za-z]{{0,3}}[{_SIGNS}]|[SB]/\.?|Bs\.?|{_CODES})"
_DIGITS = r"(?:\d[\d.,'\u2019\s]*|[.,]\d+)(?<!\s)\s?%?"
_UNMARKED = rf"\s*[+-]?{_DIGITS}\s*"
_WRITTEN = rf"^([+-]?)\s*({_MARK})?\s*([+-]?)\s*({_DIGITS})\s*({_MARK})?\s*(-?)$"
_IN_PARENTHESES = rf"^({_MARK})?\s*\(\s*(.*?)\s*\)$"


def plain_numbers(values: pd.Series, odd: pd.Series) -> pd.Series:
    """Return the flagged values of a column as a keyboard writes numbers: -1234.5, 12%.

    Parentheses and a sign behind make a number negative. A mark of currency is taken off where the
    whole column has it, zeros apart; where it has several, or some numbers have none, all stay.
    """
    code, distinct = distinct_values(values[odd].astype("str"))
    text, marks = _parted(distinct.astype("str"))
    if (marks != "").any() and not _is_one_currency(text, marks, values[~odd]):
        text = text.where(marks == "", distinct)
    return pd.Series(text.array.take(code, allow_fill=True), values.index[odd])


def typed_numbers(values: pd.Series) -> pd.Series:
    """Return numbers however their signs are typed; missing where a value is none."""
    numbers = pd.Series(pd.to_numeric(values, errors="coerce").astype("float64"))
    odd = numbers.isna() & values.notna()
    if not odd.any():
        return numbers
    plain = pd.to_numeric(plain_numbers(values, odd), errors="coerce").astype("float64")
    return numbers.where(~odd, plain.reindex(values.index))


def has_currency(values: pd.Series) -> pd.Series:
    """Flag numbers with a mark of currency."""
    code, distinct = distinct_values(values)
    _, marks = _parted(distinct.astype("str"))
    return pd.Series(np.append(marks != "", False)[code].astype(np.bool_), values.index)


def _parted(distinct: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Return texts with one sign in front and no mark of currency, and these marks."""
    text = distinct.str.strip().str.strip(_NOTHING).str.strip()
    text = text.str.replace(f"^[{_OF_TEXT}](?=[+-]?[0-9.,])", "", regex=True)
    text = text.str.replace(f"[{_MINUS}]", "-", regex=True)
    text = text.str.replace(_IN_PARENTHESES, r"\1\2-", regex=True)
    parts = text.str.extract(_WRITTEN).fillna("").astype("str")
    before, mark, within, number, after, behind = (parts[i] for i in range(6))
    sign = before + within + behind
    written = (number != "") & (sign.str.len() < 2) & ((mark == "") | (after == ""))
    # what is no number stays as it was, so that a word keeps its dash
    plain = (sign + number.str.rstrip()).where(written, distinct.str.strip())
    return plain, (mark + after).where(written, "").str.upper()


def _is_one_currency(text: pd.Series, marks: pd.Series, others: pd.Series) -> bool:
    """Say whether marked numbers have one mark, and no number beside them but zero has none."""
    unmarked = pd.concat([text[marks == ""], others.astype("str")])
    numbers = unmarked.str.fullmatch(_UNMARKED).fillna(False) & unmarked.str.contains("[1-9]")
    return marks[marks != ""].nunique() == 1 and not numbers.any()
