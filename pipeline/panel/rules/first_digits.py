"""Codes in their broader classes, which are their first digits: ISIC 1071 is of division 10."""

import numpy as np
import pandas as pd

from pipeline.errors import Reason
from pipeline.panel.ledger import Ruled, issue
from pipeline.panel.values import distinct_values, refuse_rows
from pipeline.params.clean import FirstDigits


def take_first_digits(panel: pd.DataFrame, rule: FirstDigits) -> Ruled:
    """Shorten a text column of codes to their first digits, and count what that took.

    Marks and letters are no digits: 10.71, C1071 and 1071Z are of division 10. Zeros in front are:
    0111 is of division 01, and so is 111 where `code_digits` says that a code has four. A code of
    fewer digits than are taken is set missing.

    Raises DataError where a code with marks lacks digits: 10.7 may be 10.70, and 1.11 be 01.11.
    """
    code, distinct = distinct_values(panel[rule.column])
    delivered = distinct.astype("str")
    digits = delivered.str.replace(r"\D", "", regex=True)
    width = rule.code_digits or 0
    lacks_zeros = (digits != "") & (digits.str.len() < width)
    _refuse_marked(panel, _rows(lacks_zeros & (digits != delivered), code, panel.index), rule)
    digits = digits.where(~lacks_zeros, digits.str.zfill(width))
    too_short = digits.str.len() < rule.digits
    first = digits.str[: rule.digits].mask(too_short).astype("str")
    taken = {"digits": rule.digits}
    found = (
        (Reason("leading_zeros_lost"), lacks_zeros, Reason("zeros_put_in_front")),
        (Reason("fewer_digits", taken), too_short, Reason("set_missing")),
        (Reason("first_digits", taken), ~too_short & (first != delivered), Reason("code_replaced")),
    )
    issues = [
        one
        for reason, flagged, action in found
        for one in issue(reason, rule.column, _rows(flagged, code, panel.index), panel, action)
    ]
    column = pd.Series(first.array.take(code, allow_fill=True), panel.index)
    return Ruled(panel.assign(**{rule.column: column}), tuple(issues))


def _refuse_marked(panel: pd.DataFrame, marked: pd.Series, rule: FirstDigits) -> None:
    refuse_rows(
        marked,
        f"column {rule.column}: a code has letters or marks, and fewer than {rule.code_digits} "
        "digits, so that nothing tells at which end zeros were lost",
        "correct it, list it in clean.missing_codes, or leave code_digits out; see",
        panel,
    )


def _rows(flagged: pd.Series, code: np.ndarray, index: pd.Index) -> pd.Series:
    return pd.Series(np.append(flagged.to_numpy(bool), False)[code], index)
