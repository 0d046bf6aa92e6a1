"""What steps of the sample flow require, what cleaning found and what it did, in words."""

from typing import Any

import pandas as pd

from pipeline.datasets.reasons import unpacked
from pipeline.errors import Reason
from pipeline.exhibits.words.designs import capitalised
from pipeline.exhibits.words.language import tell


def step_words(flow: pd.DataFrame) -> list[str]:
    """Return the sentence of each row of SAMPLE_FLOW, with a capital."""
    rules = zip(flow["rule"], flow["rule_fields"], strict=True)
    return [capitalised(_told(*rule)) for rule in rules]


def issue_rule(row: "pd.Series[Any]") -> Reason:
    """Return what was looked for in a row of ISSUES."""
    rule = unpacked(row["rule"], row["rule_fields"])
    assert rule is not None, "every issue has a rule"
    return rule


def issue_words(row: "pd.Series[Any]") -> tuple[str, str]:
    """Return what was found in a row of ISSUES, and what was done."""
    action = unpacked(row["action"], row["action_fields"])
    assert action is not None, "every issue has an action"
    return tell(issue_rule(row), "issue"), tell(action, "action")


def _told(code: Any, fields: Any) -> str:
    step = unpacked(code, fields)
    assert step is not None, "every step has a code"
    return tell(step, "step")
