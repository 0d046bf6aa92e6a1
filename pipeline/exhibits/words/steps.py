"""What a step of the sample flow requires, in words."""

from typing import Any

import pandas as pd

from pipeline.datasets.reasons import unpacked
from pipeline.exhibits.words.designs import capitalised
from pipeline.exhibits.words.language import tell


def step_words(flow: pd.DataFrame) -> list[str]:
    """Return the sentence of each row of SAMPLE_FLOW, with a capital."""
    rules = zip(flow["rule"], flow["rule_fields"], strict=True)
    return [capitalised(_told(*rule)) for rule in rules]


def step_of(flow: pd.DataFrame, code: str) -> str:
    """Return the sentence of the first step of a code."""
    row = flow[flow["rule"] == code].iloc[0]
    return _told(row["rule"], row["rule_fields"])


def _told(code: Any, fields: Any) -> str:
    step = unpacked(code, fields)
    assert step is not None, "every step has a code"
    return tell(step, "step")
