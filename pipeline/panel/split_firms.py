"""Firms that a panel writes in several ways, so that their years fall apart into several firms.

Yearly files that were typed or exported differently are the usual cause. The other half of a
beneficiary's years would serve as a comparison firm that nothing tells from others.
"""

import pandas as pd

from pipeline.errors import DataError
from pipeline.panel.id_remedies import remedy_of_form
from pipeline.panel.identifiers import FORMS, form_without, texts
from pipeline.params.identifier import Identifier

# Two firms that happen to be alike are as a rule seen in one year: a few of these say that
# identifiers alike in form are firms of their own.
_MOST_TOGETHER = 0.2
# Letters in front may number firms anew (by region, by wave), which are then never seen together.
_WAYS = tuple(way for way in FORMS if way != "prefix")


def refuse_split_firms(panel: pd.DataFrame, written: Identifier) -> None:
    """Raise DataError where identifiers differ in their way of writing and never share a year.

    `panel` has firm_id and year. Ways that params decline (clean.identifier.near_misses) are left
    as they are.
    """
    ways = [way for way in _WAYS if way not in written.declined]
    in_parts = written.n_parts > 1
    ids = pd.Index(panel["firm_id"].unique())
    key = pd.Series(form_without(texts(ids), ways, in_parts=in_parts).to_pylist(), index=ids)
    several = key[key.duplicated(keep=False) & (key != "")]
    if several.empty:
        return
    rows = panel.loc[panel["firm_id"].isin(several.index), ["firm_id", "year"]]
    rows = rows.drop_duplicates().assign(key=rows["firm_id"].map(several))
    together = rows.loc[rows.duplicated(["key", "year"], keep=False), "key"].unique()
    split = several[~several.isin(together)]
    n_split = split.nunique()
    if not n_split or len(together) > _MOST_TOGETHER * n_split:
        return
    raise DataError(
        f"{n_split} firms of the panel are written in several ways and never in the same year, so "
        f"that their years fall apart: {_told(split, ways, in_parts)}; set the rule, or decline it "
        "(clean.identifier.near_misses), and they stay firms of their own",
        pd.DataFrame({"firm_id": split.index, "same_firm": split.to_numpy()}),
    )


def _told(split: pd.Series, ways: list[str], in_parts: bool) -> str:
    """Return the ways of writing that part firms, each with the setting that undoes it."""
    ids = texts(split.index)
    needed = []
    for way in ways:
        others = [other for other in ways if other != way]
        rest = form_without(ids, others, in_parts=in_parts).to_pylist()
        if pd.Series(rest).groupby(split.to_numpy()).nunique().gt(1).any():
            needed.append(way)
    told = [
        f"{way} ({remedy_of_form(way, split.index, in_parts=in_parts)})" for way in needed or ways
    ]
    return "; ".join(told)
