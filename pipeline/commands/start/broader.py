"""Broader classes of sectors, where codes have the digits to tell them: CIIU 1071 is of 10."""

from dataclasses import replace

import pandas as pd

from pipeline.commands.start.columns import StartColumn
from pipeline.panel.rules.first_digits import take_first_digits
from pipeline.panel.values import text
from pipeline.params.clean import FirstDigits

# ISIC, NACE, CNAE and CIIU call them a division, NAICS a sector, SIC a major group.
_DIGITS = 2
_CODE = r"[A-Za-z]?\d[\d.,/\- ]*[A-Za-z]?"


def broader_class(values: pd.Series, column: StartColumn) -> StartColumn | None:
    """Return the column of a sector's first two digits, None where its values are no such codes.

    Codes of digits alone that are one digit shorter than others, none of which begins with zero,
    lost a zero in front.
    """
    codes = pd.Series(text(values).dropna().unique())
    if not len(codes) or not codes.str.fullmatch(_CODE).all():
        return None
    n_digits = codes.str.count(r"\d")
    longest, shortest = int(n_digits.max()), int(n_digits.min())
    plain = codes.str.fullmatch(r"\d+").all() and not codes.str.startswith("0").any()
    lost = longest if plain and shortest == longest - 1 else None
    if longest <= _DIGITS or (lost or shortest) < _DIGITS:
        return None
    return replace(column, why=f"its first {_DIGITS} digits", digits=_DIGITS, code_digits=lost)


def classes_of(values: pd.Series, column: StartColumn) -> pd.Series:
    """Return the classes that a text column holds once the section has cleaned it."""
    codes = text(values)
    if column.digits is None:
        return codes
    rule = FirstDigits(column="codes", digits=column.digits, code_digits=column.code_digits)
    return take_first_digits(codes.to_frame("codes"), rule).panel["codes"]
