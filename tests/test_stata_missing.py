"""Stata's 27 kinds of missing value, in every type of number, are missing and nothing else."""

import struct

import numpy as np
import pandas as pd
import pytest
from test_delivered import data

from pipeline.errors import Reason
from pipeline.panel.ledger import apply_rules
from pipeline.panel.missing_kinds import missing_kind_issues
from pipeline.panel.readers import read_table
from pipeline.panel.sources import obtain_tables
from pipeline.params.written import FileFormat

# How each type of number writes the kind at a place in `. .a .b ... .z`.
WRITTEN = {
    "int8": lambda place: struct.pack("<b", 101 + place),
    "int16": lambda place: struct.pack("<h", 32_741 + place),
    "int32": lambda place: struct.pack("<i", 2_147_483_621 + place),
    "float32": lambda place: struct.pack("<I", 0x7F000000 + place * 0x800),
    "float64": lambda place: struct.pack("<Q", 0x7FE0000000000000 + place * 0x10000000000),
}


@pytest.mark.parametrize("kind", WRITTEN)
@pytest.mark.parametrize("labels", [False, True])
def test_every_kind_of_missing_value_is_missing(kind, labels, tmp_path):
    path, n = tmp_path / "f.dta", 27
    firms = pd.DataFrame({"sales": np.ones(n + 1, dtype=kind)})
    firms.to_stata(path, write_index=False, version=117)
    content = bytearray(path.read_bytes())
    start, width = content.index(b"<data>") + len("<data>"), np.dtype(kind).itemsize
    for place in range(n):
        at = start + place * width
        content[at : at + width] = WRITTEN[kind](place)
    path.write_bytes(content)
    found = read_table(path, FileFormat(value_labels=labels), 100)["sales"]
    assert found.isna().tolist() == [True] * n + [False]
    assert found.iloc[-1] == 1


def stata_file(path, *letters, labels=None, **columns):
    """Write a file whose first rows of the column sales are missing in these kinds."""
    frame = pd.DataFrame({"sales": np.arange(len(letters) + 1.0), **columns})
    frame = frame.astype(dict.fromkeys(frame.select_dtypes("integer"), "int32"))
    frame.to_stata(path, write_index=False, version=117, value_labels=labels)
    content = bytearray(path.read_bytes())
    width = len(frame.to_records(index=False).tobytes()) // len(frame)
    start = content.index(b"<data>") + len("<data>")
    for row, letter in enumerate(letters):
        kind = 0 if letter == "." else 1 + ord(letter) - ord("a")
        content[start + row * width : start + row * width + 8] = WRITTEN["float64"](kind)
    path.write_bytes(content)


def obtained(folder, **changes):
    source = {"panel": "f*.dta"} | changes.pop("source", {})
    return obtain_tables(data(source, **changes), folder)


def test_kinds_of_missing_values_are_counted_by_column_file_and_kind(tmp_path):
    more = {"id": np.arange(5), "year": np.full(5, 2001)}
    stata_file(tmp_path / "f1.dta", *"aab.", **more)
    stata_file(tmp_path / "f2.dta", *"zzz.", **more)
    tables = obtained(tmp_path)
    assert tables.panel["sales"].isna().sum() == 8
    counted = tables.missing_kinds.drop(columns="label").to_numpy().tolist()
    assert counted == [["sales", "f1.dta", ".a", 2], ["sales", "f1.dta", ".b", 1],
                       ["sales", "f2.dta", ".z", 3]]  # fmt: skip
    issues = missing_kind_issues(tables.missing_kinds)
    assert [(i.column, i.rule.code, i.count, i.action.code) for i in issues] == [
        ("sales", "missing_of_kind", n, "kept_missing") for n in (2, 1, 3)
    ]


def test_a_kind_has_the_label_that_the_file_gives_it(tmp_path):
    more = {"id": np.arange(3), "year": np.full(3, 2001)}
    labels = {"sales": {1: "one", 2_147_483_622: "refused"}}
    stata_file(tmp_path / "f.dta", "a", "c", labels=labels, **more)
    counted = obtained(tmp_path).missing_kinds
    assert counted[["kind", "label"]].to_numpy().tolist() == [[".a", "refused"], [".c", ""]]
    issue = missing_kind_issues(counted)[0]
    assert issue.rule == Reason(
        "missing_of_labelled_kind", {"kind": ".a", "label": "refused", "file": "f.dta"}
    )
    found = apply_rules([pd.DataFrame({"firm_id": ["a"], "cohort": [None]})], [], [])
    assert len(found.with_issues(missing_kind_issues(counted)).issues) == 2


def test_renamed_and_wide_columns_are_counted_under_their_name_in_the_panel(tmp_path):
    more = {"id": np.arange(3), "s1": [1.0, 2, 3]}
    stata_file(tmp_path / "f.dta", "a", "b", **more)
    wide = {"columns": {"sales": {2001: "s0", 2002: "s1"}}}
    source = {"rename": {"f.dta": {"sales": "s0"}}, "wide": wide}
    counted = obtained(tmp_path, source=source).missing_kinds
    found = counted[["column", "kind", "count"]].to_numpy().tolist()
    assert found == [["sales", ".a", 1], ["sales", ".b", 1]]


def test_other_files_have_no_kinds(tmp_path):
    (tmp_path / "f.csv").write_text("id,year,sales\n1,2001,.a\n")
    assert obtained(tmp_path, source={"panel": "f.csv"}).missing_kinds.empty
    assert missing_kind_issues(None) == []


def test_a_file_that_is_read_is_counted_whatever_else_is_wrong_in_it(tmp_path):
    """Damaged labels, and numbers beyond those that Stata has, stop nothing."""
    path, more = tmp_path / "f.dta", {"id": np.arange(2), "year": np.full(2, 2001)}
    stata_file(path, "a", labels={"sales": {1: "one"}}, **more)
    content = path.read_bytes()
    at = content.index(b"<value_labels>") + len(b"<value_labels><lbl>")
    path.write_bytes(content[:at] + b"\xff" * 8 + content[at + 8 :])
    assert obtained(tmp_path).missing_kinds["kind"].tolist() == [".a"]
    start = content.index(b"<data>") + len("<data>")
    path.write_bytes(content[:start] + struct.pack("<d", np.inf) + content[start + 8 :])
    assert obtained(tmp_path).missing_kinds.empty
