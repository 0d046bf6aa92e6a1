"""Tests and facts from which an estimate or mean that is not published could be worked out.

One lead's p-value and the slope that its test would have found give the lead up to its sign; a
minimum detectable effect is a multiple of a standard error, and in levels one of a baseline mean.
"""

import re

import numpy as np
import pandas as pd

from pipeline.publishing.disclosure.groups import Second

NOTE = "not published: it would tell an effect that is not shown"

# Outcome, design and estimator.
Place = tuple[str, str, str]

_TESTS_OF_AVERAGES = ("q_value", "romano_wolf")
_AVERAGES = ("att", "event_average")
_SLOPE = re.compile(r"pre_trend_slope(?:_any)?\[(\w+),.*\]")
_DETECTABLE = re.compile(r"mde(?:_level)?\[(\w+)(?:,.*)?\]")
_IN_LEVELS = "mde_level["
_DIFFERENCE = re.compile(r"detectable_difference\[(\w+)\]")


def hidden_rows(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of ESTIMATES whose estimate was hidden between two versions of it."""
    return before[before["estimate"].notna() & after["estimate"].isna()]


def hidden_groups(hidden: pd.DataFrame) -> Second:
    """Name hidden subgroups by outcome, design and subgroup."""
    rows = hidden[hidden["subgroup"] != "all"]
    return set(zip(rows["outcome"], rows["design"], rows["subgroup"], strict=True))


def unseen_leads(before: pd.DataFrame, after: pd.DataFrame, reference: int) -> set[Place]:
    """Return where effects before the reference year were estimated and none of them is shown."""
    early = (before["event_time"] < reference).fillna(False) & (before["sample"] == "all")
    early &= (before["subgroup"] == "all") & before["estimate"].notna()
    of = ["outcome", "design", "estimator"]
    tested = set(before.loc[early, of].itertuples(index=False, name=None))
    shown = early & after["estimate"].notna()
    return tested - set(before.loc[shown, of].itertuples(index=False, name=None))


def hide_derived_tests(
    tests: pd.DataFrame, hidden: pd.DataFrame, unseen: set[Place]
) -> pd.DataFrame:
    """Hide pre-trend tests of leads none of which is shown, and q-values of hidden averages."""
    averages = hidden[(hidden["subgroup"] == "all") & hidden["term"].isin(_AVERAGES)]
    of = ["outcome", "design", "estimator", "sample"]
    gone_averages = set(averages[of].itertuples(index=False, name=None))
    places = list(tests[of].itertuples(index=False, name=None))
    gone = np.array(
        [
            (test == "pre_trends" and place[:3] in unseen)
            or (test in _TESTS_OF_AVERAGES and place in gone_averages)
            for place, test in zip(places, tests["test"], strict=True)
        ],
        dtype=np.bool_,
    )
    return tests.assign(
        statistic=tests["statistic"].mask(gone),
        df_denominator=tests["df_denominator"].mask(gone),
        p_value=tests["p_value"].mask(gone),
        note=tests["note"].mask(gone, NOTE),
    )


def derived_facts(
    facts: pd.DataFrame,
    hidden: pd.DataFrame,
    unseen: set[Place],
    without_baseline: set[tuple[str, str]],
) -> list[bool]:
    """Mark facts (n,) that would tell a hidden effect, its error, or a hidden baseline mean.

    `without_baseline` names outcome and design where the mean of the treated is not shown.
    """
    averages = hidden[(hidden["subgroup"] == "all") & hidden["term"].isin(_AVERAGES)]
    averages = averages[averages["sample"] == "all"]
    places = set(averages[["outcome", "design", "estimator"]].itertuples(index=False, name=None))
    groupings = {(o, d, group.split("=")[0]) for o, d, group in hidden_groups(hidden)}

    def tells(outcome: str, design: str, name: str) -> bool:
        if name.startswith(_IN_LEVELS) and (outcome, design) in without_baseline:
            return True
        kinds = ((_DETECTABLE, places), (_SLOPE, unseen), (_DIFFERENCE, groupings))
        found = [(kind.fullmatch(name), gone) for kind, gone in kinds]
        return any(match and (outcome, design, match[1]) in gone for match, gone in found)

    columns = (facts["outcome"], facts["design"], facts["name"])
    return [tells(*(str(value) for value in row)) for row in zip(*columns, strict=True)]
