"""A filter is a step of the sample flow, told in the language of the report."""

from pathlib import Path

import pandas as pd
import pytest
from results import study_results
from workspace import section

from pipeline.datasets.reasons import packed_fields
from pipeline.exhibits.words.language import speaking
from pipeline.exhibits.words.steps import step_words
from pipeline.panel.rules.restrictions import filter_rows
from pipeline.params.clean import Filter
from pipeline.params.study import study_faults


@pytest.mark.parametrize(
    ("rule", "code", "words"),
    [
        ({"label": "Own words", "keep": ["x"]}, "es", "Own words"),
        ({"label": {"en": "In x", "es": "En x"}, "keep": ["x"]}, "es", "En x"),
        ({"label": {"en": "In x", "es": "En x"}, "keep": ["x"]}, "en", "In x"),
        ({"keep": ["x"]}, "es", "Ramo: solo x"),
        ({"drop": ["y"]}, "pt", "Ramo: sem y"),
        ({"drop": ["y"]}, "en", "Ramo: without y"),
    ],
)
def test_a_filter_is_told_in_the_language_of_the_report(rule, code, words):
    """In the user's words, by language where they are, else by what the rule does."""
    panel = pd.DataFrame({"sector": ["x", "y"]})
    step = filter_rows(panel, Filter(column="sector", **rule), "Ramo").step
    packed_step = pd.DataFrame([{"rule": step.code, "rule_fields": packed_fields(step)}])
    with speaking(study_results(language=code).settings.exhibit):
        assert step_words(packed_step) == [words]


def test_a_filter_that_lacks_the_language_of_the_exhibits_is_refused():
    content = {"michigan": section("michigan")}
    content["michigan"]["exhibit"]["language"] = "pt"
    label = {"en": "In x", "es": "En x"}
    content["michigan"]["clean"]["filters"] = [{"column": "union", "label": label, "keep": ["1"]}]
    faults = study_faults(content, "michigan", Path("."))
    assert any("filters[1].label has no text in pt" in fault for fault in faults)
