"""Tables of results: estimates, tests, and outcome paths.

Names as in broom. Stars, rounding and labels exist only in exhibits.
"""

from pipeline.datasets.store import HIDDEN, Column, Dataset

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
    "cohort": Column(
        "integer",
        "entry year that the term speaks of",
        missing="the term speaks of no single entry year",
    ),
    "year": Column(
        "integer", "calendar year that it speaks of", missing="it speaks of no single calendar year"
    ),
    "event_time": Column(
        "integer", "years since entry, the first of a range", missing="it speaks of no event time"
    ),
    "last_event_time": Column(
        "integer", "the last of a range of event times", missing="it is no range of event times"
    ),
}
TERM = tuple(_TERM)

# Why something is missing, and what must be known of what is not: see `datasets.reasons`.
_SAID = {
    "reason": Column(
        "string",
        "code: why a figure, or its error, is missing",
        tells="words",
        missing="nothing is missing",
    ),
    "reason_fields": Column(
        "string",
        "fields of the reason, JSON",
        tells="words",
        missing="the reason has none, or there is none",
    ),
    "remarks": Column(
        "string",
        "codes and fields of what must be known, JSON",
        tells="words",
        missing="there is nothing to know",
    ),
}

_SCALE = "see `scale`"
_NOT_ESTIMATED = "not estimated, see `reason`"
_NOT_GIVEN = "not estimated, or the method gives none"

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
            "string",
            "att; att_matched after losses; ato for overlap weights; where some firms are exposed "
            "to others, total_on_treated or spill, on those matched (MATCHED counts them)",
            tells="words",
        ),
        "estimate": Column(
            "number", "the effect", tells="effect", unit=_SCALE, missing=_NOT_ESTIMATED
        ),
        "std_error": Column(
            "number",
            "standard error of the effect",
            tells="effect",
            unit=_SCALE,
            missing=_NOT_GIVEN,
        ),
        "statistic": Column(
            "number",
            "estimate over standard error",
            tells="statistic",
            unit="ratio",
            missing=_NOT_GIVEN,
        ),
        "df": Column(
            "number",
            "degrees of freedom of the t distribution",
            tells="statistic",
            unit="degrees of freedom",
            missing="the distribution is normal or simulated, or not estimated",
        ),
        "p_value": Column(
            "number", "two-sided p-value", tells="statistic", unit="probability", missing=_NOT_GIVEN
        ),
        "conf_low": Column(
            "number", "lower end of the interval", tells="effect", unit=_SCALE, missing=_NOT_GIVEN
        ),
        "conf_high": Column(
            "number", "upper end of the interval", tells="effect", unit=_SCALE, missing=_NOT_GIVEN
        ),
        "conf_level": Column(
            "number",
            "0.95 is a 95 percent interval",
            tells="statistic",
            unit="share",
            missing=_NOT_GIVEN,
        ),
        "scale": Column(
            "string", "log_points, share, percent_of_mean, or the outcome's unit", tells="words"
        ),
        "n_treated": Column(
            "integer", "distinct treated firms in the sample", tells="count", missing=_NOT_ESTIMATED
        ),
        "n_control": Column(
            "integer",
            "distinct comparison firms in the sample",
            tells="count",
            missing=_NOT_ESTIMATED,
        ),
        "n_obs": Column(
            "integer", "firm-years, counted once per stack", tells="count", missing=_NOT_ESTIMATED
        ),
        "n_clusters": Column(
            "integer",
            "clusters behind the standard error",
            tells="other_count",
            missing="no standard error, or no clusters behind it",
        ),
        "n_treated_clusters": Column(
            "integer",
            "clusters with a treated firm",
            tells="other_count",
            missing="no standard error, or no clusters behind it",
        ),
        "cluster": Column(
            "string",
            "what errors are clustered by: firm, assignment ...",
            tells="words",
            missing="errors are not clustered",
        ),
        "other_cluster": Column(
            "string",
            "the other of two levels that they are clustered by",
            tells="words",
            missing="errors are clustered by one level or none",
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
        "statistic": Column(
            "number",
            "F or chi-squared",
            tells="statistic",
            unit="no unit",
            missing="the test has none, or was not made, see `reason`",
        ),
        "df": Column(
            "number",
            "numerator degrees of freedom",
            tells="statistic",
            unit="degrees of freedom",
            missing="the test has none, or was not made, see `reason`",
        ),
        "df_denominator": Column(
            "number",
            "denominator degrees of freedom",
            tells="statistic",
            unit="degrees of freedom",
            missing="the test has none, or was not made, see `reason`",
        ),
        "p_value": Column(
            "number",
            "p-value, or q-value over a family of tests",
            tells="statistic",
            unit="probability",
            missing="not tested, see `reason`",
        ),
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
            "string", "what those in the other direction are", missing="there is one direction"
        ),
        "cluster": Column("string", "its name in PANEL; number of a matched set or component"),
        "other_cluster": Column(
            "string", "the cluster in the other direction", missing="there is one direction"
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
            "number",
            "true effect on the sample's treated, weighted alike",
            tells="effect",
            unit="see `scale` of ESTIMATES",
            missing=HIDDEN,
        ),
        "estimate": Column(
            "number",
            "as in ESTIMATES",
            tells="effect",
            unit="see `scale` of ESTIMATES",
            missing="not estimated",
        ),
        "std_error": Column(
            "number",
            "as in ESTIMATES",
            tells="effect",
            unit="see `scale` of ESTIMATES",
            missing="not estimated",
        ),
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
        "mean": Column(
            "number",
            "weighted mean, transformed outcome",
            tells="mean",
            unit="unit of the outcome, transformed",
        ),
        "n_firms": Column("integer", "firm-stacks behind the mean", tells="count"),
    },
)
