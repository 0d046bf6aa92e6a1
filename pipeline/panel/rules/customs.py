"""Exports: zero, missing and "not in customs" are three states, never one."""

import pandas as pd

from pipeline.panel.ledger import Ruled, issue
from pipeline.panel.values import refuse_rows
from pipeline.params.clean import Customs


def separate_customs_states(panel: pd.DataFrame, rule: Customs) -> Ruled:
    """Count the three states, and treat firm-years that customs lack as declared.

    Raises DataError where the match is neither 0 nor 1, or a firm-year that customs lack has a
    value.
    """
    matched, exports, years = panel[rule.matched], panel[rule.column], panel["year"]
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
    action = "set to zero" if rule.unmatched == "zero" else "set missing"
    found = (
        *issue("zero", rule.column, ~absent & (exports == 0), years, "kept as zero"),
        *issue("missing in customs", rule.column, ~absent & exports.isna(), years, "kept"),
        *issue("not in customs", rule.column, absent, years, action),
    )
    return Ruled(panel.assign(**{rule.column: exports.mask(absent, value)}), found)
