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
        "category": Column("string", "one category of it; missing where it is a number", True),
        "sample": Column("string", "before, on_support, after"),
        "in_score": Column(
            "flag", "enters the design's score or is balanced by its weights", tells="words"
        ),
        "mean_treated": Column("number", "weighted mean", nullable=True, tells="mean"),
        "mean_control": Column("number", "weighted mean", nullable=True, tells="mean"),
        "std_diff": Column(
            "number",
            "difference in means over the unmatched SD; denominator in params",
            nullable=True,
            tells="statistic",
        ),
        "percent_bias": Column(
            "number",
            "100 x difference in means over the unmatched sqrt((v1 + v0) / 2), as Stata's pstest",
            nullable=True,
            tells="statistic",
        ),
        "variance_ratio": Column(
            "number",
            "treated over comparison; missing for binaries and where values do not vary",
            nullable=True,
            tells="statistic",
        ),
        "ks_distance": Column(
            "number",
            "largest distance of the weighted distribution functions",
            nullable=True,
            tells="statistic",
        ),
        "n_treated": Column("integer", "treated firms with the covariate", tells="count"),
        "n_control": Column("integer", "comparison firms with the covariate", tells="count"),
        "ess_control": Column(
            "number", "effective number of comparison firms", nullable=True, tells="statistic"
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
            "mean over those with the covariate; missing under three",
            nullable=True,
            tells="mean",
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
        "threshold": Column("number", "largest difference that is balanced", tells="statistic"),
        "mean_std_diff": Column(
            "number",
            "mean size of standardised differences over covariates and categories",
            nullable=True,
            tells="statistic",
        ),
        "largest_std_diff": Column("number", "the largest", nullable=True, tells="statistic"),
        "mean_percent_bias": Column(
            "number", "mean size of `percent_bias`", nullable=True, tells="statistic"
        ),
        "n_above_threshold": Column(
            "integer", "differences above the threshold", True, tells="statistic"
        ),
        "n_known": Column("integer", "differences that are known", True, tells="other_count"),
        "rubin_b": Column(
            "number", "distance of mean probit indices, percent", True, tells="statistic"
        ),
        "rubin_r": Column("number", "ratio of their variances", True, tells="statistic"),
        "pseudo_r2": Column("number", "McFadden's, of the probit", True, tells="statistic"),
        "reason": Column(
            "string",
            f"why R is missing: {INDEX_CONSTANT}, {GROUP_EMPTY}, {NO_FIT}",
            True,
            tells="words",
        ),
    },
)
