"""Tests and figures from which an estimate or mean that is not published could be worked out.

One lead's p-value and the slope that its test would have found give the lead up to its sign; a
minimum detectable effect is a multiple of a standard error, and in levels one of a baseline mean.
"""

from typing import Any

import numpy as np
import pandas as pd

from pipeline.analyses.group_names import BY_GROUP
from pipeline.datasets.balance import BALANCE_SUMMARY, DIFFERENCES
from pipeline.datasets.fits import (
    DECOMPOSED_KINDS,
    DECOMPOSITION,
    DETECTABLE,
    FITS,
    PRE_TREND_POWER,
    UNIT_DEPENDENCE,
)
from pipeline.datasets.reasons import with_reason
from pipeline.datasets.samples import BASELINES
from pipeline.datasets.store import Dataset, columns_that_tell
from pipeline.effects.families import families_that
from pipeline.errors import Reason
from pipeline.estimators.decomposition_names import GOODMAN_BACON
from pipeline.exhibits.details import Details
from pipeline.matching.balance_of_designs import differences_of_designs
from pipeline.publishing.disclosure.details import keys_of, without
from pipeline.publishing.disclosure.groups import Second

REASON = Reason("tells_hidden_effect")

# Outcome, design and estimator.
Place = tuple[str, str, str]

_TESTS_OF_AVERAGES = ("q_value", "romano_wolf", GOODMAN_BACON)
_AVERAGES = families_that(lambda family: family.overall)
_PLACE = ["outcome", "design", "estimator"]


def hidden_rows(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of ESTIMATES whose estimate was hidden between two versions of it."""
    return before[before["estimate"].notna() & after["estimate"].isna()]


def hidden_groups(hidden: pd.DataFrame) -> Second:
    """Name hidden groups by outcome, design, grouping and group."""
    rows = hidden[hidden["subgroup"] != "all"]
    names = ("outcome", "design", "grouping", "subgroup")
    return set(zip(*(rows[name] for name in names), strict=True))


def unseen_leads(before: pd.DataFrame, after: pd.DataFrame, reference: int) -> set[Place]:
    """Return where effects before the reference year were estimated and none of them is shown."""
    early = (before["event_time"] < reference).fillna(False) & (before["sample"] == "all")
    early &= before["term"] != "event_or_earlier"  # is in no test
    early &= (before["subgroup"] == "all") & before["estimate"].notna()
    of = ["outcome", "design", "estimator"]
    tested = set(before.loc[early, of].itertuples(index=False, name=None))
    shown = early & after["estimate"].notna()
    return tested - set(before.loc[shown, of].itertuples(index=False, name=None))


def hide_derived_tests(
    tests: pd.DataFrame, hidden: pd.DataFrame, unseen: set[Place]
) -> pd.DataFrame:
    """Hide pre-trend tests of leads none of which is shown, and what tells of hidden averages."""
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
    shown = tests.assign(
        statistic=tests["statistic"].mask(gone),
        df_denominator=tests["df_denominator"].mask(gone),
        p_value=tests["p_value"].mask(gone),
    )
    return with_reason(shown, gone, REASON)


def hide_derived_details(details: Details, hidden: pd.DataFrame, unseen: set[Place]) -> Details:
    """Hide what would tell a hidden effect, its error, leads, or a mean hidden in BASELINES."""
    everyone = hidden[(hidden["subgroup"] == "all") & (hidden["sample"] == "all")]
    averages = set(keys_of(everyone[everyone["term"].isin(_AVERAGES)], _PLACE))
    terms = set(keys_of(everyone, [*_PLACE, "term"]))
    groupings = {(o, d, BY_GROUP, grouping) for o, d, grouping, _ in hidden_groups(hidden)}
    gone = {(*place, "all") for place in averages} | groupings
    leads = set(keys_of(everyone[everyone["event_time"].notna()], [*_PLACE, "event_time"]))
    told: list[tuple[Dataset, list[str], set[Any]]] = [
        (DETECTABLE, [*_PLACE, "grouping"], gone),
        (DETECTABLE, [*_PLACE, "event_time"], leads),
        (FITS, _PLACE, averages),
        (DECOMPOSITION, _PLACE, averages),
        (DECOMPOSED_KINDS, _PLACE, averages),
        (PRE_TREND_POWER, _PLACE, unseen),
        (UNIT_DEPENDENCE, [*_PLACE, "term"], terms),
    ]
    for table, key, places in told:
        marks = [place in places for place in keys_of(details.of(table), key)]
        details = without(details, table, columns_that_tell(table, "effect"), marks)
    return _without_baseline(details)


def hide_differences_together(
    details: Details, before: pd.DataFrame, after: pd.DataFrame, threshold: float
) -> Details:
    """Hide what BALANCE_SUMMARY says of differences of which one was hidden in BALANCE.

    From their mean, those that are shown would give it; the largest or the number above may be it.
    Where the published differences are of other treated firms, it speaks of those.
    """
    figures, key = ["std_diff", "percent_bias"], list(BALANCE_SUMMARY.key)
    together = before["stack"] == "all"
    gone = (before[figures].notna() & after[figures].isna()).any(axis=1)
    places = set(keys_of(before[gone & together], key))
    moved = set(keys_of(after[after["of_matched"] & together], key))
    summary = details.of(BALANCE_SUMMARY)
    found = differences_of_designs(after, threshold).set_index(key)[list(DIFFERENCES)]
    rows = [place in moved for place in keys_of(summary, key)]
    shown = summary.copy()
    own = pd.MultiIndex.from_frame(summary.loc[rows, key])
    shown.loc[rows, list(DIFFERENCES)] = found.reindex(own).to_numpy()
    marks = [place in places for place in keys_of(summary, key)]
    return without(
        details.replaced(BALANCE_SUMMARY, shown), BALANCE_SUMMARY, list(DIFFERENCES), marks
    )


def _without_baseline(details: Details) -> Details:
    """Hide effects in the outcome's unit where the mean of the treated is not shown."""
    means = details.of(BASELINES)
    gone = set(keys_of(means[means["treated"] & means["mean"].isna()], _PLACE[:2]))
    marks = [place in gone for place in keys_of(details.of(DETECTABLE), _PLACE[:2])]
    return without(details, DETECTABLE, ["effect_in_unit"], marks)
