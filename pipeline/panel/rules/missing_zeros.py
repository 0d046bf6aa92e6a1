"""Missing values that mean zero: firms that answered otherwise left a cell blank for none."""

from collections.abc import Sequence

import pandas as pd

from pipeline.errors import DataError, Reason
from pipeline.panel.ledger import Issue, Ruled, issue


def take_missing_as_zero(
    panel: pd.DataFrame, columns: Sequence[str], others: Sequence[str]
) -> Ruled:
    """Write zero where a column is missing and the firm-year has a value of another size.

    `others` are the sizes that tell whether a firm answered. What is missing stays so where they
    are missing too, and in years in which nobody has a value of the column: nobody was asked.
    Raises DataError where there is no other size.
    """
    if not others:
        raise DataError(
            "clean.missing_as_zero: no other number column tells which firms answered: declare "
            "one in data.columns, or deliver zeros"
        )
    answered = panel[list(others)].notna().any(axis=1)
    written, found = dict[str, pd.Series](), list[Issue]()
    for name in columns:
        missing = panel[name].isna()
        asked = panel[name].notna().groupby(panel["year"]).transform("any")
        zero = missing & answered & asked
        written[name] = panel[name].mask(zero, 0.0)
        found += _counted(panel, name, zero, missing & ~asked, missing & asked & ~answered)
    return Ruled(panel.assign(**written), tuple(found))


def _counted(
    panel: pd.DataFrame, name: str, zero: pd.Series, unasked: pd.Series, silent: pd.Series
) -> list[Issue]:
    keys = panel[["firm_id", "year"]]
    done, kept = Reason("set_zero"), Reason("kept")
    return [
        *issue(Reason("missing_means_zero"), name, zero, keys, done),
        *issue(Reason("nobody_has_a_value"), name, unasked, keys, kept),
        *issue(Reason("no_other_size"), name, silent, keys, kept),
    ]
