"""Groups of firms whose size a group that is not shown would tell, the total being known.

Effects by group stand beside the effect on all firms: the sizes of all groups but one, subtracted
from its size, give the last. Hundepool et al. (2012), doi:10.1002/9781118348239, chapter 4.
"""

import numpy as np
import pandas as pd

from pipeline.analyses.group_names import BY_GROUP
from pipeline.datasets.reasons import with_reason
from pipeline.datasets.small_counts import small
from pipeline.errors import Reason

REASON = Reason("tells_group_size")

# Outcome, design, grouping and group.
Second = set[tuple[str, str, str, str]]
_GROUP = ("outcome", "design", "grouping", "subgroup")


def second_groups(estimates: pd.DataFrame, losses: pd.DataFrame, minimum: int) -> Second:
    """Name the group to hide where exactly one of a grouping shows no counts.

    A group that is too small to be estimated shows them, unless they are too small to be shown.
    The smallest other group, the same for every outcome of a design where it is at hand. Firms
    whose group is not known (`losses` is GROUPING_LOSSES) are one more group: a small count of
    them is not shown either.
    """
    rows = estimates[estimates["estimator"].eq(BY_GROUP) & estimates["subgroup"].ne("all")]
    unknown = _few_without(losses, minimum)
    found: Second = set()
    for (design, grouping), groups in rows.groupby(["design", "grouping"]):
        sizes = groups.groupby("subgroup")["n_treated"].min()
        order = list(sizes.sort_values(kind="stable").index)
        for outcome, line in groups.groupby("outcome"):
            shown = set(line.loc[line["n_treated"].notna(), "subgroup"])
            n_hidden = len(line) - len(shown) + ((design, grouping) in unknown)
            if n_hidden == 1 and shown:
                group = min(shown, key=order.index)
                found.add((str(outcome), str(design), str(grouping), group))
    return found


def _few_without(losses: pd.DataFrame, minimum: int) -> set[tuple[str, str]]:
    """Return design and grouping where few treated firms have no known group."""
    few = small(losses["n_firms"].to_numpy(float, na_value=np.nan), minimum)
    rows = losses[few & (losses["estimator"] == BY_GROUP) & losses["treated"]]
    return {(str(d), str(g)) for d, g in zip(rows["design"], rows["grouping"], strict=True)}


def is_second(estimates: pd.DataFrame, second: Second) -> "pd.Series[bool]":
    """Mark the rows of ESTIMATES (n,) of groups to hide."""
    keys = zip(*(estimates[k] for k in _GROUP), strict=True)
    marks = np.array([key in second for key in keys], dtype=np.bool_)
    return pd.Series(marks, index=estimates.index) & estimates["estimator"].eq(BY_GROUP)


def hide_group_tests(tests: pd.DataFrame, second: Second) -> pd.DataFrame:
    """Hide what TESTS says of groups to hide.

    Their q-values, and of tests that they are equal to others the statistic and its degrees of
    freedom, which count the clusters of all groups; the p-value stays.
    """
    groupings = {key[:3] for key in second}
    keys = list(zip(*(tests[k] for k in _GROUP), strict=True))
    own = tests["estimator"].eq(BY_GROUP).to_numpy()
    gone = own & tests["test"].eq("q_value").to_numpy()
    gone &= np.array([key in second for key in keys], dtype=np.bool_)
    equality = own & tests["test"].eq("equality").to_numpy()
    telling = gone | (equality & np.array([key[:3] in groupings for key in keys], dtype=np.bool_))
    shown = tests.assign(
        statistic=tests["statistic"].mask(telling),
        df_denominator=tests["df_denominator"].mask(telling),
        p_value=tests["p_value"].mask(gone),
    )
    return with_reason(shown, gone, REASON)
