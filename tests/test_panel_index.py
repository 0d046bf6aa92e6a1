"""Positions of firms: in PANEL, and among identifiers."""

import pandas as pd

from pipeline.panel.panel_index import NO_ROW, index_panel, of_firms, places_in


def panel():
    """Return PANEL of two firms in no order; `b` has a gap in 2002."""
    rows = [("b", 2003), ("a", 2002), ("b", 2001), ("a", 2003)]
    return pd.DataFrame(rows, columns=["firm_id", "year"]).astype({"year": "Int64"})


def test_the_rows_of_a_year_are_found_and_none_outside_of_the_panel():
    index = index_panel(panel())
    assert list(index.firms) == ["b", "a"]
    assert index.in_year(2001).tolist() == [2, NO_ROW]
    assert index.in_year(2002).tolist() == [NO_ROW, 1]
    assert index.in_year(2000).tolist() == index.in_year(2004).tolist() == [NO_ROW, NO_ROW]


def test_values_of_firms_stand_in_their_rows():
    entry = pd.Series([2002], index=["a"], dtype="Int64")
    rows = panel()["firm_id"].set_axis([7, 5, 6, 4])
    found = of_firms(entry, rows)
    assert found.index.tolist() == [7, 5, 6, 4]
    assert found.isna().tolist() == [True, False, True, False]
    assert found[[5, 4]].tolist() == [2002, 2002]
    assert places_in(pd.Index(["x", "a"]), rows).tolist() == [NO_ROW, 1, NO_ROW, 1]


def test_nobody_is_found_among_nobody():
    nobody = pd.Series([], index=pd.Index([], dtype="str"), dtype="Int64")
    assert of_firms(nobody, panel()["firm_id"]).isna().all()
