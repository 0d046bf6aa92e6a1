"""Tables that `estimate` writes on samples: what they lose, hold, start from, and rest on."""

from pipeline.datasets.store import Column, Dataset

# Where a table speaks of one outcome under one design.
_OUTCOME = {
    "design": Column("string", "matching design"),
    "outcome": Column("string", "outcome as named in params"),
}
_TREATED = {"treated": Column("flag", "treated firms, or their comparison firms")}

SAMPLES = Dataset(
    name="SAMPLES",
    row="the sample of one outcome under one design",
    key=("design", "outcome"),
    columns={
        **_OUTCOME,
        "n_treated_missing": Column(
            "integer", "treated firms without the outcome in a year that counts", tells="count"
        ),
        "firm_years_missing": Column("integer", "years without the outcome", tells="count"),
        "firm_years_dropped": Column(
            "integer", "years left out because another firm of the set lacks it", tells="count"
        ),
        "treated_years": Column("integer", "years of treated firms", tells="count"),
        "treated_years_dropped": Column("integer", "of these left out likewise", tells="count"),
        "stack_years_dropped": Column(
            "integer", "years of a stack without one of the groups", tells="other_count"
        ),
        "n_firms_reused": Column("integer", "firms in several sets or stacks", tells="count"),
        "n_firms_moved_cluster": Column(
            "integer", "firms whose cluster differs between stacks", tells="count"
        ),
        "comparison_firms_per_set": Column(
            "number",
            "mean number in a matched set",
            tells="statistic",
            unit="firms",
            missing="the design has no matched sets",
        ),
        "n_treated_clusters": Column(
            "integer",
            "assignment clusters with a treated firm",
            tells="other_count",
            missing="the sample is empty",
        ),
        "n_stacks": Column(
            "integer", "entry years", tells="other_count", missing="the sample is empty"
        ),
        "first_year": Column(
            "integer", "first year of the sample", tells="year", missing="the sample is empty"
        ),
        "last_year": Column(
            "integer", "last year of the sample", tells="year", missing="the sample is empty"
        ),
    },
)

SHARED_CLUSTERS = Dataset(
    name="SHARED_CLUSTERS",
    row="one design with errors by firm, whose treated firms share assignment clusters",
    key=("design",),
    columns={
        "design": _OUTCOME["design"],
        "n_treated_sharing_cluster": Column("integer", "treated firms that do", tells="count"),
    },
)

BASELINES = Dataset(
    name="BASELINES",
    row="one group's mean of an outcome in the reference year, under one design",
    key=("design", "outcome", "treated"),
    columns={
        **_OUTCOME,
        **_TREATED,
        "mean": Column(
            "number",
            "weighted mean: a share for `any`, else of the level; a log outcome's over firms "
            "above zero",
            tells="mean",
            unit="see `unit`",
            missing="no firm has the outcome",
        ),
        "unit": Column("string", "unit of the mean", tells="words"),
        "of_all": Column(
            "flag",
            "every firm of the group that the sample has in some year is in the mean",
            tells="words",
        ),
    },
)

ZEROS = Dataset(
    name="ZEROS",
    row="one group's firms above zero, of an outcome whose margins are estimated",
    key=("design", "outcome", "treated"),
    columns={
        **_OUTCOME,
        **_TREATED,
        "n_firms": Column("integer", "firms of the sample", tells="count"),
        "n_above_zero_at_base": Column(
            "integer", "of these above zero in the reference year", tells="count"
        ),
        "n_never_above_zero": Column("integer", "of these never above zero", tells="count"),
    },
)

# Firms whose joint share CONCENTRATION holds.
LARGEST = 5

# In which of these a share of a total lies, which tells what the largest have not closer than that.
UNDER_10, TO_25, TO_50, ABOVE_50 = "under_10", "from_10_to_25", "from_25_to_50", "above_50"
BANDS = {0.10: UNDER_10, 0.25: TO_25, 0.50: TO_50}

CONCENTRATION = Dataset(
    name="CONCENTRATION",
    row="one group's largest firms, in the total of an outcome or of weights by size",
    key=("design", "outcome", "grouping", "treated"),
    columns={
        "design": _OUTCOME["design"],
        "outcome": Column("string", "outcome, or `all` where weights are by size"),
        "grouping": Column("string", "size that weights are by, or `all`"),
        **_TREATED,
        "largest_firm_share": Column(
            "number", "share of the largest firm", tells="one_firm", unit="share"
        ),
        "largest_five_share": Column(
            "number",
            "share of the largest five",
            tells="one_firm",
            unit="share",
            missing=f"fewer than {2 * LARGEST} firms have a share",
        ),
        "largest_firm_band": Column(
            "string",
            f"in which band the largest firm's share lies: {UNDER_10}, {TO_25}, {TO_50}, "
            f"{ABOVE_50} percent",
            tells="words",
            missing="no firm has a share",
        ),
        "largest_five_band": Column(
            "string",
            "the same of the largest five",
            tells="words",
            missing=f"fewer than {2 * LARGEST} firms have a share",
        ),
    },
)

GROUPING_LOSSES = Dataset(
    name="GROUPING_LOSSES",
    row="firms of one group whose subgroup, or size, is not known",
    key=("design", "estimator", "grouping", "treated"),
    columns={
        "design": _OUTCOME["design"],
        "estimator": Column("string", "groups, size_weighted"),
        "grouping": Column("string", "what firms are grouped, or weighted, by"),
        **_TREATED,
        "n_firms": Column("integer", "firms left out", tells="count"),
    },
)

GROUPS = Dataset(
    name="GROUPS",
    row="one pre-entry group of a grouping, whose effects are asked for under one design",
    key=("design", "grouping", "subgroup"),
    columns={
        "design": _OUTCOME["design"],
        "grouping": Column("string", "what firms are grouped by, as named in params"),
        "subgroup": Column(
            "string",
            "g1, g2, ... from the lowest up where a number is cut, else the text or entry year",
        ),
        "position": Column("integer", "place in the order of groups, from 1", tells="words"),
        "transform": Column(
            "string", "category, any, level, years_since, entry_year", tells="words"
        ),
        # Edges are declared in params, never taken from firms: they are no firm's value.
        "low": Column(
            "number",
            "edge that the group starts from",
            tells="words",
            stored="delivered",
            unit="unit of the column",
            missing="the lowest group, or nothing is cut",
        ),
        "high": Column(
            "number",
            "edge that it stays below",
            tells="words",
            stored="delivered",
            unit="unit of the column",
            missing="the highest group, or nothing is cut",
        ),
        "label": Column(
            "string", "the user's own name for it", tells="words", missing="params give none"
        ),
    },
)

ATTRITION = Dataset(
    name="ATTRITION",
    row="one group of a design at one event time; a firm counts in each of its stacks",
    key=("design", "treated", "event_time"),
    columns={
        "design": _OUTCOME["design"],
        **_TREATED,
        "event_time": Column("integer", "years since entry"),
        "n_observed": Column("integer", "firms observed", tells="count"),
        "n_gap": Column("integer", "firms not observed that are seen again", tells="count"),
        "n_gone": Column("integer", "firms not seen again", tells="count"),
        "n_not_known": Column("integer", "firms not observed, gone or not", tells="count"),
        "share_alive": Column(
            "number",
            "weighted share not gone, of those of whom it is known; after entry",
            tells="share",
            unit="share",
            missing="before event time 1, or it is known of no firm",
        ),
    },
)
