"""The comparison that guards committed results: it must see what changed and only that."""

import pytest

from pipeline.commands.audit.comparison import differences, same_line


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


def test_missing_added_and_changed_files_are_listed():
    found = differences({"x.csv": b"1\n", "y.csv": b"1\n"}, {"x.csv": b"2\n"})
    assert found[0] == "y.csv: only in the committed results"
    assert found[1].startswith("x.csv:1")


def test_drawings_and_input_hashes_are_left_out_and_nothing_else():
    one = {"t.tex": b"%s\n1.0" % (b"0" * 64), "p.html": b"<p>2</p><svg>\n3</svg>"}
    two = {"t.tex": b"%s\n1.0" % (b"f" * 64), "p.html": b"<p>2</p><svg>4</svg>"}
    assert differences(one, two) == []
    assert differences(one, {**two, "p.html": b"<p>5</p><svg>\n3</svg>"}) != []


def test_a_long_line_is_shown_around_its_first_difference():
    line = "x" * 500 + " 0.2 " + "y" * 500
    (found,) = differences({"t.md": line.encode()}, {"t.md": line.replace("0.2", "0.1").encode()})
    assert "x 0.2 y" in found
    assert "x 0.1 y" in found
    assert len(found) < 400


def test_a_number_edited_in_a_word_file_is_seen():
    from pipeline.exhibits.render.word import render_word
    from pipeline.exhibits.tables.table import Number, Panel, Row, Table, TableColumn

    def word(value):
        row = Row("Effect", (Number(value, 3),))
        return {"tables.docx": render_word({"A": Table((TableColumn("x"),), (Panel("", (row,)),))})}

    assert differences(word(0.092), word(0.092)) == []
    (found,) = differences(word(0.092), word(0.192))
    assert "0.092" in found
    assert "0.192" in found
