"""The comparison that guards committed results: it must see what changed and only that."""

import pytest
from compare_reports import differences, same_line


@pytest.mark.parametrize(
    ("before", "after", "same"),
    [
        ("att,0.076758381", "att,0.076758382", True),
        ("att,0.076758381", "att,0.076759", False),
        ("att,1.2e-16", "att,-3.1e-16", True),
        ("att,0.5", "atx,0.5", False),
        ("a,0.5,", "a,0.5,0.5", False),
        ("-0.5", "0.5", False),
    ],
)
def test_numbers_within_tolerance_and_text_exactly(before, after, same):
    assert same_line(before, after) is same


def test_missing_added_and_changed_files_are_listed(tmp_path):
    for name, files in {"a": {"x.csv": "1\n", "y.csv": "1\n"}, "b": {"x.csv": "2\n"}}.items():
        (tmp_path / name).mkdir()
        for file, text in files.items():
            (tmp_path / name / file).write_text(text)
    found = differences(tmp_path / "a", tmp_path / "b")
    assert found[0] == "y.csv: only in the committed results"
    assert found[1].startswith("x.csv:1")


@pytest.mark.parametrize(
    ("file", "before", "after", "same"),
    [
        ("t.md", "| 0.5 |", "| 0.6 |", False),
        ("f.svg", '<use href="#m1f" x="10.5"/>', '<use href="#m2e" x="10.5"/>', True),
        ("f.svg", '<use href="#m1f" x="10.5"/>', '<use href="#m1f" x="10.6"/>', False),
        ("f.svg", '<path d="M 1 2.00000001"/>', '<path d="M 1 2.00000002"/>', True),
        ("f.svg", '<g style="fill: #0072b2"/>', '<g style="fill: #d55e00"/>', False),
        ("f.pdf", "1", "2", True),
    ],
)
def test_tables_and_drawings_are_compared_by_what_they_show(file, before, after, same, tmp_path):
    for folder, text in (("a", before), ("b", after)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / file).write_text(text)
    assert (differences(tmp_path / "a", tmp_path / "b") == []) is same
