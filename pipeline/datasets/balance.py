"""Tables that `balance` writes."""

from pipeline.datasets.store import Column, Dataset

BALANCE = Dataset(
    name="BALANCE",
    row="one covariate (or category) in one sample of one design and stack",
    key=("design", "stack", "covariate", "category", "sample"),
    columns={
        "design": Column("string", "name of the design"),
        "stack": Column("string", "entry year, or `all`"),
        "covariate": Column("string", "covariate"),
        "category": Column(
            "string", "one category of the covariate", missing="the covariate is a number"
        ),
        "sample": Column("string", "before, on_support, after"),
        "in_score": Column(
            "flag", "enters the design's score or is balanced by its weights", tells="words"
        ),
        "of_matched": Column(
            "flag",
            "before matching, published figures of the treated are of those matched, lest both "
            "samples tell of few firms",
            tells="words",
        ),
        "mean_treated": Column(
            "number",
            "weighted mean",
            tells="mean",
            unit="unit of the covariate; share for a category",
            missing="no firm has the covariate",
        ),
        "mean_control": Column(
            "number",
            "weighted mean",
            tells="mean",
            unit="unit of the covariate; share for a category",
            missing="no firm has the covariate",
        ),
        "std_diff": Column(
            "number",
            "difference in means over the unmatched SD; denominator in params",
            tells="statistic",
            unit="standard deviations",
            missing="the values do not vary, or no firm has the covariate",
        ),
        "percent_bias": Column(
            "number",
            "100 x difference in means over the unmatched sqrt((v1 + v0) / 2), as Stata's pstest",
            tells="statistic",
            unit="percent",
            missing="the values do not vary, or no firm has the covariate",
        ),
        "variance_ratio": Column(
            "number",
            "variance of treated over that of comparison firms",
            tells="statistic",
            unit="ratio",
            missing="the covariate is binary, or its values do not vary",
        ),
        "ks_distance": Column(
            "number",
            "largest distance of the weighted distribution functions",
            tells="statistic",
            unit="share",
            missing="no firm of a group has the covariate",
        ),
        "n_treated": Column("integer", "treated firms with the covariate", tells="count"),
        "n_control": Column("integer", "comparison firms with the covariate", tells="count"),
        "ess_control": Column(
            "number",
            "effective number of comparison firms",
            tells="statistic",
            unit="firms",
            missing="there are no comparison firms",
        ),
    },
)

SUPPORT = Dataset(
    name="SUPPORT",
    row="one covariate among the treated firms of one fate, by design and stack",
    key=("design", "stack", "fate", "covariate"),
    columns={
        "design": Column("string", "name of the design"),
        "stack": Column("string", "entry year, or `all`"),
        "fate": Column("string", "kept, lost, and why lost: no_covariate, off_support, no_match"),
        "covariate": Column("string", "numeric covariate"),
        "n_treated": Column("integer", "treated firms of this fate", tells="count"),
        "mean": Column(
            "number",
            "mean over those with the covariate",
            tells="mean",
            unit="unit of the covariate",
            missing="fewer than three have it",
        ),
    },
)

# Why Rubin's R is missing: the probit's index is constant, a group is empty, no finite fit exists.
INDEX_CONSTANT, GROUP_EMPTY, NO_FIT = "index_constant", "group_empty", "no_fit"

# What BALANCE_SUMMARY says of the differences in BALANCE.
DIFFERENCES = (
    "mean_std_diff",
    "largest_std_diff",
    "mean_percent_bias",
    "n_above_threshold",
    "n_known",
)

BALANCE_SUMMARY = Dataset(
    name="BALANCE_SUMMARY",
    row="one design in one sample, stacks together",
    key=("design", "sample"),
    columns={
        "design": Column("string", "name of the design"),
        "sample": Column("string", "before, after"),
        "denominator": Column(
            "string", "of standardised differences: pooled, treated", tells="words"
        ),
        "threshold": Column(
            "number",
            "largest difference that is balanced",
            tells="words",
            unit="standard deviations",
        ),
        "mean_std_diff": Column(
            "number",
            "mean size of standardised differences over covariates and categories",
            tells="statistic",
            unit="standard deviations",
            missing="no difference is known",
        ),
        "largest_std_diff": Column(
            "number",
            "largest of these",
            tells="statistic",
            unit="standard deviations",
            missing="no difference is known",
        ),
        "mean_percent_bias": Column(
            "number",
            "mean size of `percent_bias`",
            tells="statistic",
            unit="percent",
            missing="no difference is known",
        ),
        "n_above_threshold": Column(
            "integer",
            "differences above the threshold",
            tells="statistic",
            missing="no difference is known",
        ),
        "n_known": Column(
            "integer",
            "differences that are known",
            tells="other_count",
            missing="no difference is known",
        ),
        "rubin_b": Column(
            "number",
            "distance of mean probit indices in their standard deviations",
            tells="statistic",
            unit="percent",
            missing="no probit could be fitted",
        ),
        "rubin_r": Column(
            "number",
            "ratio of their variances",
            tells="statistic",
            unit="ratio",
            missing="see `reason`, or there is no variance",
        ),
        "pseudo_r2": Column(
            "number",
            "McFadden's pseudo R squared of the probit",
            tells="statistic",
            unit="share",
            missing="no probit could be fitted",
        ),
        "reason": Column(
            "string",
            f"why R is missing: {INDEX_CONSTANT}, {GROUP_EMPTY}, {NO_FIT}",
            tells="words",
            missing="R is not missing",
        ),
    },
)
