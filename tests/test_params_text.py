"""Studies come into the text of params.yaml and go, and nothing else moves."""

import pytest

from pipeline.commands.params_text import with_study, without_stages, without_study
from pipeline.errors import ParamsError

SECTION = "new:\n  # about it\n  data: {x: 1}\n"
COMMENTED = """\
# What is evaluated.

studies:
  - a  # the first
  - b
# about a
a:
  x: 1  # one
  # inside a

# about b

b:
  y: "2"
  text: >
    folded
"""


def test_a_study_comes_first_in_the_list_and_last_in_the_file():
    text = with_study(COMMENTED, "new", SECTION)
    assert text == COMMENTED.replace("studies:\n", "studies:\n  - new\n") + SECTION


@pytest.mark.parametrize(
    ("text", "listed"),
    [
        ("studies:\n", "studies:\n- new\n"),
        ("studies: # none yet\n", "studies: # none yet\n- new\n"),
        ("studies: []\n", "studies: [new]\n"),
        ("studies: [a]\na: {x: 1}\n", "studies: [new, a]\na: {x: 1}\n"),
        ("a: {x: 1}\nstudies:\n- a", "a: {x: 1}\nstudies:\n- new\n- a\n"),
    ],
)
def test_every_way_of_writing_the_list_takes_a_name(text, listed):
    assert with_study(text, "new", SECTION) == listed + SECTION


@pytest.mark.parametrize("text", [COMMENTED, "studies:\n- z\nz:\n  x: 1\n", "studies:\n"])
def test_what_came_goes_without_a_trace(text):
    assert without_study(with_study(text, "new", SECTION), "new") == text


def test_comments_above_a_section_go_with_it_and_others_stay():
    left = without_study(COMMENTED, "a")
    assert "about a" not in left and "inside a" not in left
    assert left == (
        "# What is evaluated.\n\nstudies:\n  - b\n"
        '\n# about b\n\nb:\n  y: "2"\n  text: >\n    folded\n'
    )
    assert without_study(COMMENTED, "b").endswith("a:\n  x: 1  # one\n  # inside a\n")


def test_lines_end_as_they_did():
    text = COMMENTED.replace("\n", "\r\n")
    assert without_study(text, "a").replace("\r\n", "\n") == without_study(COMMENTED, "a")
    assert "\n" not in without_study(text, "a").replace("\r\n", "")


@pytest.mark.parametrize(
    "text",
    [
        "studies: [a, b]\na: &shared {x: 1}\nb: *shared\n",
        "{studies: [a, b], a: {x: 1}, b: {x: 1}}\n",
    ],
)
def test_what_cannot_be_taken_out_as_text_is_refused(text):
    with pytest.raises(ParamsError, match="edit it by hand"):
        without_study(text, "a")


def test_stages_leave_the_lock_and_others_stay_as_they_were():
    lock = (
        "schema: '2.0'\nstages:\n  check:\n    cmd: c\n  run@a:\n    cmd: a\n    outs:\n    - x\n"
    )
    kept = "  run@b:\n    cmd: b\n"
    assert without_stages(lock + kept, ["run@a"]) == (
        "schema: '2.0'\nstages:\n  check:\n    cmd: c\n" + kept
    )
