"""The comparison that guards committed results: it must see what changed and only that."""

import pytest

from pipeline.audit.comparison import contents, differences, same_line


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
    found = differences(contents(tmp_path / "a"), contents(tmp_path / "b"))
    assert found[0] == "y.csv: only in the committed results"
    assert found[1].startswith("x.csv:1")


def test_drawings_and_input_hashes_are_left_out_and_nothing_else():
    one = {"t.tex": b"% inputs 0123456789ab\n1.0", "p.html": b"<p>2</p><svg>\n3</svg>"}
    two = {"t.tex": b"% inputs ba9876543210\n1.0", "p.html": b"<p>2</p><svg>4</svg>"}
    assert differences(one, two) == []
    assert differences(one, {**two, "p.html": b"<p>5</p><svg>\n3</svg>"}) != []
