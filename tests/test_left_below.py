"""Rows below a table that reading leaves out are counted by file."""

import numpy as np
import pandas as pd
from test_delivered import data

from pipeline.errors import Reason
from pipeline.panel.left_below import left_below_issues
from pipeline.panel.obtained import read_obtained, write_obtained
from pipeline.panel.sources import obtain_tables


def yearly(path, year, *below):
    table = pd.DataFrame({"id": np.arange(100, 130), "year": year, "sales": 1.0}).astype(object)
    notes = pd.DataFrame(below, columns=table.columns)
    pd.concat([table, notes]).to_excel(path, index=False)


def test_rows_left_out_below_tables_are_counted_by_file(tmp_path):
    yearly(tmp_path / "f1.xlsx", 2001, ["TOTAL", None, 30.0], ["Fuente: SE", None, None])
    yearly(tmp_path / "f2.xlsx", 2002)
    yearly(tmp_path / "f3.xlsx", 2003, ["TOTAL", None, 30.0])
    source = {"panel": "f*.xlsx", "format": {"footer": "leave_out"}}
    tables = obtain_tables(data(source), tmp_path)
    assert len(tables.panel) == 90
    write_obtained(tables, tmp_path)
    found = left_below_issues(read_obtained(tmp_path, "left_below"))
    assert [(i.rule, i.action.code, i.count) for i in found] == [
        (Reason("row_below_table", {"file": "f1.xlsx"}), "left_out", 2),
        (Reason("row_below_table", {"file": "f3.xlsx"}), "left_out", 1),
    ]


def test_rows_that_are_kept_are_no_loss(tmp_path):
    yearly(tmp_path / "f.xlsx", 2001, ["TOTAL", None, 30.0])
    assert obtain_tables(data({"panel": "f.xlsx"}), tmp_path).left_below.empty
    assert left_below_issues(None) == []
