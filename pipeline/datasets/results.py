"""Tables of results: estimates, tests, and outcome paths.

Names as in broom. Stars, rounding and labels exist only in exhibits.
"""

from pipeline.datasets.store import Column, Dataset

# Where an estimate belongs.
_PLACE = {
    "outcome": Column("string", "outcome as named in params"),
    "design": Column("string", "matching design"),
    "arm": Column("string", "which treatment, or `all`"),
    "sample": Column("string", "restriction: all, base_exporters, survivors"),
    "grouping": Column("string", "what firms are grouped, or weighted, by; or `all`"),
    "subgroup": Column("string", "pre-entry group as in GROUPS, or `all`"),
    "estimator": Column("string", "name of the spec or analysis"),
}
PLACE = tuple(_PLACE)

# What is estimated: a family of effects, and where in time it stands.
_TERM = {
    "term": Column("string", "att, event, event_average, att_gt, cohort ..."),
    "cohort": Column("integer", "entry year that the term speaks of", nullable=True),
    "year": Column("integer", "calendar year that it speaks of", nullable=True),
    "event_time": Column("integer", "years since entry, the first of a range", nullable=True),
    "last_event_time": Column("integer", "the last of a range of event times", nullable=True),
}
TERM = tuple(_TERM)

# Why something is missing, and what must be known of what is not: see `datasets.reasons`.
_SAID = {
    "reason": Column(
        "string", "code: why a figure, or its error, is missing", nullable=True, tells="words"
    ),
    "reason_fields": Column("string", "fields of the reason, JSON", nullable=True, tells="words"),
    "remarks": Column(
        "string", "codes and fields of what must be known, JSON", nullable=True, tells="words"
    ),
}

ESTIMATES = Dataset(
    name="ESTIMATES",
    row="one estimated quantity, or the reason why it cannot be estimated",
    key=(*PLACE, *TERM, "inference", "band"),
    columns={
        **_PLACE,
        **_TERM,
        "inference": Column("string", "method behind the interval: analytic, wild_bootstrap"),
        "band": Column("string", "pointwise or simultaneous"),
        "estimand": Column(
            "string", "att; att_matched after losses; ato for overlap weights", tells="words"
        ),
        "estimate": Column("number", "in units of `scale`", nullable=True, tells="effect"),
        "std_error": Column("number", "in units of `scale`", nullable=True, tells="effect"),
        "statistic": Column(
            "number", "estimate over standard error", nullable=True, tells="statistic"
        ),
        "df": Column(
            "number", "degrees of freedom of the t distribution", nullable=True, tells="statistic"
        ),
        "p_value": Column("number", "two-sided", nullable=True, tells="statistic"),
        "conf_low": Column("number", "in units of `scale`", nullable=True, tells="effect"),
        "conf_high": Column("number", "in units of `scale`", nullable=True, tells="effect"),
        "conf_level": Column(
            "number", "0.95 is a 95 percent interval", nullable=True, tells="statistic"
        ),
        "scale": Column("string", "log_points, share, or the outcome's unit", tells="words"),
        "n_treated": Column(
            "integer", "distinct treated firms in the sample", nullable=True, tells="count"
        ),
        "n_control": Column(
            "integer", "distinct comparison firms in the sample", nullable=True, tells="count"
        ),
        "n_obs": Column(
            "integer", "firm-years, counted once per stack", nullable=True, tells="count"
        ),
        "n_clusters": Column(
            "integer", "clusters behind the standard error", nullable=True, tells="other_count"
        ),
        "n_treated_clusters": Column(
            "integer", "clusters with a treated firm", nullable=True, tells="other_count"
        ),
        "cluster": Column(
            "string", "what errors are clustered by: firm, assignment ...", True, tells="words"
        ),
        "other_cluster": Column(
            "string", "the other of two levels that they are clustered by", True, tells="words"
        ),
        **_SAID,
    },
)

TESTS = Dataset(
    name="TESTS",
    row="one joint test",
    key=(*PLACE, "test"),
    columns={
        **_PLACE,
        "test": Column("string", "pre_trends, ..."),
        "statistic": Column("number", "F or chi-squared", nullable=True, tells="statistic"),
        "df": Column("number", "numerator degrees of freedom", nullable=True, tells="statistic"),
        "df_denominator": Column(
            "number", "denominator degrees of freedom", nullable=True, tells="statistic"
        ),
        "p_value": Column("number", "the value", nullable=True, tells="statistic"),
        **_SAID,
    },
)

# The other term of a covariance: the same coordinates.
_OTHER = {f"other_{name}": column for name, column in {**_PLACE, **_TERM}.items()}

EVENT_COVARIANCE = Dataset(
    name="EVENT_COVARIANCE",
    row="the covariance of two estimates by analytic inference",
    key=(*PLACE, *TERM, *_OTHER),
    columns={
        **_PLACE,
        **_TERM,
        **_OTHER,
        "covariance": Column("number", "in units of both scales, multiplied", tells="effect"),
    },
)

INFLUENCE = Dataset(
    name="INFLUENCE",
    row="one cluster's influence on an estimate with a standard error: private",
    key=(*PLACE, *TERM, "cluster_kind", "other_cluster_kind", "cluster", "other_cluster"),
    columns={
        **_PLACE,
        **_TERM,
        "cluster_kind": Column("string", "what the clusters are, as `cluster` of ESTIMATES"),
        "other_cluster_kind": Column(
            "string", "what those in the other direction are, of a pair of levels", nullable=True
        ),
        "cluster": Column("string", "its name in PANEL; number of a matched set or component"),
        "other_cluster": Column(
            "string", "the cluster in the other direction, where there are two", nullable=True
        ),
        "influence": Column(
            "number", "squares over clusters sum to the variance, small-sample factor included"
        ),
    },
)

RECOVERY = Dataset(
    name="RECOVERY",
    row="one estimate beside the true effect, of simulated firms; no row where none are",
    key=("outcome", "design", "estimator", *TERM),
    columns={
        "outcome": _PLACE["outcome"],
        "design": _PLACE["design"],
        "estimator": _PLACE["estimator"],
        **_TERM,
        "truth": Column(
            "number", "true effect on the sample's treated, weighted alike", True, tells="effect"
        ),
        "estimate": Column("number", "as in ESTIMATES", nullable=True, tells="effect"),
        "std_error": Column("number", "as in ESTIMATES", nullable=True, tells="effect"),
    },
)

OUTCOME_PATHS = Dataset(
    name="OUTCOME_PATHS",
    row="weighted mean outcome of one group at one event time",
    key=("outcome", "design", "treated", "event_time"),
    columns={
        "outcome": Column("string", "outcome as named in params"),
        "design": Column("string", "matching design"),
        "treated": Column("flag", "treated firms, or their comparison firms"),
        "event_time": Column("integer", "years since entry"),
        "mean": Column("number", "weighted mean, transformed outcome", tells="mean"),
        "n_firms": Column("integer", "firm-stacks behind the mean", tells="count"),
    },
)
