"""Tables that `estimate` writes on fits: what they leave out, rest on and could have detected."""

from pipeline.datasets.store import Column, Dataset

# Where a table speaks of one estimator.
_FIT = {
    "design": Column("string", "matching design"),
    "outcome": Column("string", "outcome as named in params"),
    "estimator": Column("string", "name of the spec or analysis"),
}

FITS = Dataset(
    name="FITS",
    row="one estimator of one outcome under one design; what does not apply is missing",
    key=tuple(_FIT),
    columns={
        **_FIT,
        "n_singletons": Column("integer", "firm-years alone in an effect", True, tells="count"),
        "n_all_zero": Column(
            "integer", "firm-years of firms or cells that are zero throughout", True, tells="count"
        ),
        "n_separated": Column("integer", "firm-years that are separated", True, tells="count"),
        "n_without_covariates": Column(
            "integer", "firms that lack a covariate of the spec", True, tells="count"
        ),
        "n_without_difference": Column(
            "integer", "firms on support that lack the difference", True, tells="count"
        ),
        "n_treated_without_comparison": Column(
            "integer",
            "treated firms that the year effects leave without a comparison",
            nullable=True,
            tells="count",
        ),
        "trimmed_treated": Column("number", "share that bounds trim", True, tells="share"),
        "trimmed_comparison": Column("number", "share that bounds trim", True, tells="share"),
        "att_order_low": Column(
            "number", "least average effect over orders of matching", True, tells="effect"
        ),
        "n_match_orders": Column(
            "integer",
            "random orders of matching over which the effect is told",
            True,
            tells="other_count",
        ),
        "att_order_high": Column("number", "largest over them", True, tells="effect"),
        "att_rows_reversed": Column(
            "number", "the same with ties decided the other way", True, tells="effect"
        ),
        "share_already_treated": Column(
            "number",
            "weight of comparisons with already treated firms (Goodman-Bacon)",
            nullable=True,
            tells="share",
        ),
        "decomposed_first_year": Column(
            "integer", "first year of what is decomposed", True, tells="year"
        ),
        "decomposed_last_year": Column("integer", "last year of it", True, tells="year"),
    },
)

# Numbers of treated clusters for which designs are planned.
TREATED_CLUSTERS = (5, 10, 20, 40, 80)

DETECTABLE = Dataset(
    name="DETECTABLE",
    row="the smallest effect that a test finds with the declared power",
    key=(*_FIT, "grouping", "treated_clusters", "event_time"),
    columns={
        **_FIT,
        "grouping": Column("string", "what groups are by whose difference it is, or `all`"),
        "treated_clusters": Column(
            "integer", "had this many clusters been treated; missing for as many as were", True
        ),
        "event_time": Column(
            "integer", "before the reference year; missing for the average effect", True
        ),
        "effect": Column("number", "in units of `scale`", nullable=True, tells="effect"),
        "scale": Column("string", "log_points, share, or the outcome's unit", tells="words"),
        "effect_in_unit": Column(
            "number", "in the outcome's unit, at the mean of the treated", True, tells="effect"
        ),
        "unit": Column("string", "the outcome's unit", nullable=True, tells="words"),
    },
)

PRE_TREND_POWER = Dataset(
    name="PRE_TREND_POWER",
    row="the linear trend before entry that a look at effects before it finds with one power",
    key=(*_FIT, "power"),
    columns={
        **_FIT,
        "power": Column("number", "probability that it is found"),
        "slope_jointly": Column("number", "a year, by the joint test", True, tells="effect"),
        "slope_by_any": Column(
            "number", "a year, where one significant effect is a finding", True, tells="effect"
        ),
        "scale": Column("string", "units of the estimate", tells="words"),
    },
)

DECOMPOSITION = Dataset(
    name="DECOMPOSITION",
    row="one comparison of two entry years that a flat two-way figure averages (Goodman-Bacon)",
    key=(*_FIT, "cohort", "control"),
    columns={
        **_FIT,
        "cohort": Column("integer", "entry year of the treated"),
        "control": Column("integer", "entry year of the comparison; missing for never", True),
        "kind": Column("string", "never, not_yet, already: treated or not", tells="words"),
        "weight": Column("number", "weight; the weights sum to one", True, tells="share"),
        "estimate": Column("number", "difference in differences", True, tells="effect"),
    },
)

# The kind of all comparisons together.
EVERY_KIND = "all"

DECOMPOSED_KINDS = Dataset(
    name="DECOMPOSED_KINDS",
    row="the comparisons of one kind that a flat two-way figure averages, together",
    key=(*_FIT, "kind"),
    columns={
        **_FIT,
        "kind": Column("string", f"never, not_yet, already; {EVERY_KIND}"),
        "n_comparisons": Column("integer", "comparisons of two entry years", tells="other_count"),
        "weight": Column("number", "sum of their weights", True, tells="share"),
        "estimate": Column("number", "their mean by weight", True, tells="effect"),
    },
)

DECOMPOSED_COHORTS = Dataset(
    name="DECOMPOSED_COHORTS",
    row="one entry year of what is decomposed",
    key=(*_FIT, "cohort"),
    columns={
        **_FIT,
        "cohort": Column("integer", "entry year; missing for never", nullable=True),
        "n_firms": Column("integer", "its firms", tells="count"),
    },
)

UNIT_DEPENDENCE = Dataset(
    name="UNIT_DEPENDENCE",
    row="an effect on a scale that depends on the outcome's unit, in two other units",
    key=(*_FIT, "term"),
    columns={
        **_FIT,
        "term": Column("string", "asinh, log1p"),
        "x100": Column("number", "in a hundredth of the unit", True, tells="effect"),
        "per_million": Column("number", "in a million of it", nullable=True, tells="effect"),
    },
)
