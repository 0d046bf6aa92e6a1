"""Groups of firms whose size a group that is not shown would tell, the total being known.

Effects by group stand beside the effect on all firms: the sizes of all groups but one, subtracted
from its size, give the last. Hundepool et al. (2012), doi:10.1002/9781118348239, chapter 4.
"""

import numpy as np
import pandas as pd

from pipeline.analyses.group_names import GROUPS
from pipeline.publishing.disclosure.counts import small

NOTE = "not published: it would tell the size of a group that is not shown"

# Outcome, design and subgroup.
Second = set[tuple[str, str, str]]


def second_groups(estimates: pd.DataFrame, losses: pd.DataFrame, minimum: int) -> Second:
    """Name the group to hide where exactly one of a grouping shows no counts.

    A group that is too small to be estimated shows them, unless they are too small to be shown.
    The smallest other group, the same for every outcome of a design where it is at hand. Firms
    whose group is not known (`losses` is GROUPING_LOSSES) are one more group: a small count of
    them is not shown either.
    """
    of_groups = estimates["estimator"].eq(GROUPS) & estimates["subgroup"].str.contains("=")
    rows = estimates[of_groups].assign(grouping=lambda r: r["subgroup"].str.split("=").str[0])
    unknown = _few_without(losses, minimum)
    found: Second = set()
    for (design, grouping), groups in rows.groupby(["design", "grouping"]):
        sizes = groups.groupby("subgroup")["n_treated"].min()
        order = list(sizes.sort_values(kind="stable").index)
        for outcome, line in groups.groupby("outcome"):
            shown = set(line.loc[line["n_treated"].notna(), "subgroup"])
            n_hidden = len(line) - len(shown) + ((design, grouping) in unknown)
            if n_hidden == 1 and shown:
                found.add((str(outcome), str(design), min(shown, key=order.index)))
    return found


def _few_without(losses: pd.DataFrame, minimum: int) -> set[tuple[str, str]]:
    """Return design and grouping where few treated firms have no known group."""
    few = small(losses["n_firms"].to_numpy(float, na_value=np.nan), minimum)
    rows = losses[few & (losses["estimator"] == GROUPS) & losses["treated"]]
    return {(str(d), str(g)) for d, g in zip(rows["design"], rows["grouping"], strict=True)}


def is_second(estimates: pd.DataFrame, second: Second) -> "pd.Series[bool]":
    """Mark the rows of ESTIMATES (n,) of groups to hide."""
    keys = zip(*(estimates[k] for k in ("outcome", "design", "subgroup")), strict=True)
    marks = np.array([key in second for key in keys], dtype=np.bool_)
    return pd.Series(marks, index=estimates.index) & estimates["estimator"].eq(GROUPS)


def hide_group_tests(tests: pd.DataFrame, second: Second) -> pd.DataFrame:
    """Hide what TESTS says of groups to hide.

    Their q-values, and of tests that they are equal to others the statistic and its degrees of
    freedom, which count the clusters of all groups; the p-value stays.
    """
    q_values = {(o, d, f"q_value[{group}]") for o, d, group in second}
    equality = {(o, d, f"equality[{group.split('=')[0]}]") for o, d, group in second}
    keys = list(zip(*(tests[k] for k in ("outcome", "design", "test")), strict=True))
    own = tests["estimator"].eq(GROUPS).to_numpy()
    gone = own & np.array([key in q_values for key in keys], dtype=np.bool_)
    telling = gone | (own & np.array([key in equality for key in keys], dtype=np.bool_))
    return tests.assign(
        statistic=tests["statistic"].mask(telling),
        df_denominator=tests["df_denominator"].mask(telling),
        p_value=tests["p_value"].mask(gone),
        note=tests["note"].mask(gone, NOTE),
    )
