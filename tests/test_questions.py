"""A question that a started study leaves open is refused by `check`, with what may be answered."""

import copy

import pytest
from workspace import section

from pipeline.params.study import study_faults

ENTRY = "treatment.entry.column"


def faults(root, questions=None, **changes):
    """Return the faults of a valid study with questions, and with some settings changed."""
    block = copy.deepcopy(section("michigan"))
    for path, value in changes.items():
        *above, last = path.split("__")
        part = block
        for key in above:
            part = part[key]
        part[last] = value
    if questions is not None:
        block["questions"] = questions
    for folder in ("raw", "rules"):
        (root / "data" / folder / "s").mkdir(parents=True, exist_ok=True)
    return [f.removeprefix("s.") for f in study_faults({"s": block}, "s", root)]


def test_a_question_about_a_setting_is_open_until_its_text_is_an_answer(tmp_path):
    asked = "QUESTION: is grant 1 from support on? number columns: grant, union"
    (line,) = faults(tmp_path, {ENTRY: asked})
    assert line.startswith(f"{ENTRY}: QUESTION: is grant 1 from support on? number columns: grant")
    assert f"write your answer at questions.{ENTRY}, or delete that line" in line
    assert faults(tmp_path, {ENTRY: "yes: the register of 1988 says so"}) == []
    assert faults(tmp_path, {}) == faults(tmp_path) == []


@pytest.mark.parametrize(
    ("changes", "allowed"),
    [
        ({"data__columns__sales__unit": "QUESTION"}, "write what one of it is: US$"),
        ({"outcomes__exports_any__reason": "QUESTION: which column?"}, "why nobody measured it"),
        ({"exhibit__source": "QUESTION"}, "who delivered the data"),
        ({"exhibit__title": "QUESTION"}, "answer it, or exhibits would print it"),
        ({"score__unmatched__controls_from": "QUESTION"}, "'outside_treated_clusters' or 'all'"),
    ],
)
def test_a_value_that_is_a_question_lists_what_is_allowed(changes, allowed, tmp_path):
    (path,) = changes
    lines = [f for f in faults(tmp_path, **changes) if f.startswith(path.replace("__", "."))]
    assert any(allowed in line for line in lines)


def test_questions_show_beside_the_faults_of_other_sections(tmp_path):
    lines = faults(tmp_path, {ENTRY: "QUESTION: which?"}, estimate__power="half")
    assert [line.split(":")[0].split(" ")[0] for line in lines] == ["estimate.power", ENTRY]


@pytest.mark.parametrize("asked", ["QUESTION", ["QUESTION"], {ENTRY: 3}])
def test_questions_that_are_no_texts_by_path_are_a_fault(asked, tmp_path):
    assert any("must hold texts by the path of a setting" in f for f in faults(tmp_path, asked))
