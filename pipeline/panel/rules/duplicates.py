"""One row per firm and year: duplicates settled as declared, merged firms added up."""

import numpy as np
import pandas as pd

from pipeline.errors import Reason
from pipeline.panel.ledger import Issue, Ruled, issue
from pipeline.panel.values import refuse_rows
from pipeline.params.clean import Duplicates

_KEY = ["firm_id", "year"]


def collapse_identical(panel: pd.DataFrame, delivered: pd.Series, rule: Duplicates) -> Ruled:
    """Keep one of rows that agree in every column, or refuse them.

    `delivered` is the identifier before links: parts of one firm are no duplicates.
    """
    keyed = _suspects(panel, delivered)
    repeated = _aligned(keyed.duplicated(), panel)
    if rule.identical == "refuse":
        refuse_rows(
            _aligned(keyed.duplicated(keep=False), panel),
            "a firm has identical rows in a year",
            "declare clean.duplicates.identical: collapse, or delete one; see",
            panel[_KEY],
        )
    found = issue(Reason("identical_rows"), "firm_id", repeated, panel, Reason("collapsed"))
    return _without(panel, repeated, found, "identical_collapsed")


def settle_conflicting(panel: pd.DataFrame, delivered: pd.Series, rule: Duplicates) -> Ruled:
    """Keep one of several different rows of a firm in a year by the declared rule, or refuse."""
    keyed = _suspects(panel, delivered)
    conflicting = _aligned(pd.Series(True, index=keyed.index), panel)
    if rule.conflicting == "refuse":
        refuse_rows(
            conflicting,
            "a firm has more than one row in a year",
            "keep one row per firm and year in",
            panel[_KEY],
        )
    if rule.by is not None:
        # Largest first; ties and missing values in delivered order.
        keyed = keyed.sort_values(rule.by, ascending=False, kind="stable", na_position="last")
    key = ["_delivered", "year"]
    last = rule.conflicting == "last"
    repeated = keyed.duplicated(key, keep="last") if last else keyed.duplicated(key)
    dropped = _aligned(repeated, panel)
    action = (
        Reason("largest_kept", {"by": rule.by})
        if rule.by is not None
        else Reason("last_kept" if last else "first_kept")
    )
    found = issue(Reason("conflicting_rows"), "firm_id", conflicting, panel, action)
    return _without(panel, dropped, found, "conflicting_settled")


def add_up_merged(panel: pd.DataFrame, add_up: list[str] | None) -> Ruled:
    """Join rows of firms that links made one: add up the named columns, else keep the first row."""
    shared = _repeated(panel["firm_id"], panel["year"])
    if add_up is None:
        refuse_rows(
            shared,
            "firms that links join share a year",
            "declare clean.links.add_up: the columns to add up; see",
            panel[_KEY],
        )
    if add_up is None or not shared.any():
        return Ruled(panel)
    rows = panel.loc[shared, [*_KEY, *add_up]]
    sums = rows.groupby(_KEY, sort=False)[add_up].transform("sum", min_count=1)
    added = {name: panel[name].mask(shared, sums[name].reindex(panel.index)) for name in add_up}
    found = issue(
        Reason("merged_firms"), "firm_id", shared, panel, Reason("added_up", {"columns": add_up})
    )
    kept = ~shared
    kept[shared] = ~rows.duplicated(_KEY)
    return Ruled(panel.assign(**added), tuple(found), Reason("merged_added_up"), kept)


def _suspects(panel: pd.DataFrame, delivered: pd.Series) -> pd.DataFrame:
    """Return the rows whose delivered identifier and year occur more than once."""
    same = panel.index.equals(delivered.index)
    firm = delivered if same else delivered[panel.index]
    repeated = _repeated(firm, panel["year"])
    return panel[repeated].assign(_delivered=firm[repeated])


def _repeated(firm: pd.Series, year: pd.Series) -> pd.Series:
    """Flag rows whose firm and year occur more than once.

    Counts in a table of firms by years, which takes less memory than a hash of all rows; where
    that table would be far larger than the panel, hashes.
    """
    code, firms = pd.factorize(firm)
    years = year.to_numpy(np.int64)
    since, n_years = years - years.min(initial=9999), int(np.ptp(years)) + 1 if len(years) else 1
    if len(firms) * n_years > 8 * len(firm) + 1_000_000:
        keys = pd.DataFrame({"firm": code, "year": years}, index=firm.index)
        return keys.duplicated(keep=False)
    cell = code * n_years + since
    return pd.Series(np.bincount(cell, minlength=1)[cell] > 1, index=firm.index)


def _aligned(flags: pd.Series, panel: pd.DataFrame) -> pd.Series:
    return flags.reindex(panel.index, fill_value=False).astype(bool)


def _without(panel: pd.DataFrame, rows: pd.Series, found: list[Issue], step: str) -> Ruled:
    return Ruled(panel, tuple(found), Reason(step), ~rows) if rows.any() else Ruled(panel)
