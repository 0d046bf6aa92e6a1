"""Exports: zero, missing and "not in customs" are three states, never one."""

import pandas as pd

from pipeline.errors import Reason
from pipeline.panel.ledger import Ruled, issue
from pipeline.panel.values import refuse_rows
from pipeline.params.clean import Customs


def separate_customs_states(panel: pd.DataFrame, rule: Customs) -> Ruled:
    """Count the three states, and treat firm-years that customs lack as declared.

    Raises DataError where the match is neither 0 nor 1, or a firm-year that customs lack has a
    value.
    """
    matched, exports = panel[rule.matched], panel[rule.column]
    keys = panel[["firm_id", "year"]]
    refuse_rows(~matched.isin([0.0, 1.0]), f"{rule.matched} is neither 0 nor 1", "correct", keys)
    absent = matched == 0.0
    refuse_rows(
        absent & (exports > 0),
        f"{rule.column} has a value although {rule.matched} is 0",
        "correct one of the two in",
        keys,
    )
    value = 0.0 if rule.unmatched == "zero" else None
    action = Reason("set_zero" if rule.unmatched == "zero" else "set_missing")
    zero, missing = ~absent & (exports == 0), ~absent & exports.isna()
    found = (
        *issue(Reason("zero"), rule.column, zero, keys, Reason("kept_zero")),
        *issue(Reason("missing_in_customs"), rule.column, missing, keys, Reason("kept")),
        *issue(Reason("not_in_customs"), rule.column, absent, keys, action),
    )
    return Ruled(panel.assign(**{rule.column: exports.mask(absent, value)}), found)
