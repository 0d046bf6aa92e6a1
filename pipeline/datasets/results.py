"""Tables of results: estimates, tests, outcome paths, and single facts.

Names as in broom. Stars, rounding and labels exist only in exhibits.
"""

from pipeline.datasets.store import Column, Dataset

ESTIMATES = Dataset(
    name="ESTIMATES",
    row="one estimated quantity, or the reason why it cannot be estimated",
    key=("outcome", "design", "sample", "subgroup", "estimator", "term", "inference", "band"),
    columns={
        "outcome": Column("string", "outcome as named in params"),
        "design": Column("string", "matching design"),
        "sample": Column("string", "restriction: all, base_exporters, survivors"),
        "subgroup": Column("string", "pre-entry group, or `all`"),
        "estimator": Column("string", "name of the estimator"),
        "term": Column("string", "att, event[-2], att_gt[2004,2007]"),
        "inference": Column("string", "method behind the interval: analytic, wild_bootstrap"),
        "band": Column("string", "pointwise or simultaneous"),
        "estimand": Column("string", "att; att_matched after losses; ato for overlap weights"),
        "cohort": Column("integer", "entry year the term speaks of", nullable=True),
        "year": Column("integer", "calendar year the term speaks of", nullable=True),
        "event_time": Column("integer", "years since entry the term speaks of", nullable=True),
        "estimate": Column("number", "in units of `scale`", nullable=True),
        "std_error": Column("number", "in units of `scale`", nullable=True),
        "statistic": Column("number", "estimate over standard error", nullable=True),
        "df": Column("number", "degrees of freedom of the t distribution", nullable=True),
        "p_value": Column("number", "two-sided", nullable=True),
        "conf_low": Column("number", "in units of `scale`", nullable=True),
        "conf_high": Column("number", "in units of `scale`", nullable=True),
        "conf_level": Column("number", "0.95 is a 95 percent interval", nullable=True),
        "scale": Column("string", "log points, share, or the outcome's unit"),
        "n_treated": Column("integer", "distinct treated firms in the sample", nullable=True),
        "n_control": Column("integer", "distinct comparison firms in the sample", nullable=True),
        "n_obs": Column("integer", "firm-years, counted once per stack", nullable=True),
        "n_clusters": Column("integer", "clusters behind the standard error", nullable=True),
        "n_treated_clusters": Column("integer", "clusters with a treated firm", nullable=True),
        "cluster": Column("string", "what the clusters are", nullable=True),
        "note": Column("string", "reference period, reason for a missing figure", nullable=True),
    },
)

TESTS = Dataset(
    name="TESTS",
    row="one joint test",
    key=("outcome", "design", "sample", "estimator", "test"),
    columns={
        "outcome": Column("string", "outcome as named in params"),
        "design": Column("string", "matching design"),
        "sample": Column("string", "restriction"),
        "estimator": Column("string", "name of the estimator"),
        "test": Column("string", "pre_trends, ..."),
        "statistic": Column("number", "F or chi-squared", nullable=True),
        "df": Column("number", "numerator degrees of freedom", nullable=True),
        "df_denominator": Column("number", "denominator degrees of freedom", nullable=True),
        "p_value": Column("number", "the value", nullable=True),
        "note": Column("string", "what was tested, or why it cannot be", nullable=True),
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
        "mean": Column("number", "weighted mean, transformed outcome"),
        "n_firms": Column("integer", "firm-stacks behind the mean"),
    },
)

FACTS = Dataset(
    name="FACTS",
    row="one number that a table foot or a note needs",
    key=("design", "outcome", "name"),
    columns={
        "design": Column("string", "matching design, score model, or `all`"),
        "outcome": Column("string", "outcome, or `all`"),
        "name": Column("string", "baseline_mean, n_treated_lost[2009], ..."),
        "value": Column("number", "the value", nullable=True),
        "unit": Column("string", "firms, share, the outcome's unit"),
    },
)
