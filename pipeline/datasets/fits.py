"""Tables that `estimate` writes on fits: what they leave out, rest on and could have detected."""

from pipeline.datasets.store import HIDDEN, Column, Dataset

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
        "n_singletons": Column(
            "integer",
            "firm-years alone in an effect",
            tells="count",
            missing="no regression with effects was made",
        ),
        "n_all_zero": Column(
            "integer",
            "firm-years of firms or cells that are zero throughout",
            tells="count",
            missing="the effect is not in proportion to a level (Poisson)",
        ),
        "n_separated": Column(
            "integer",
            "firm-years that are separated",
            tells="count",
            missing="the effect is not in proportion to a level (Poisson)",
        ),
        "n_without_covariates": Column(
            "integer",
            "firms that lack a covariate of the spec",
            tells="count",
            missing="the spec names no covariates",
        ),
        "n_without_base_value": Column(
            "integer",
            "firms observed after entry that lack the outcome in the reference year, left out",
            tells="count",
            missing="the estimator compares no levels after entry, or needs no such year",
        ),
        "n_in_untreated_categories": Column(
            "integer",
            "comparison firms in a category without a treated firm, left out",
            tells="count",
            missing="the spec leaves out nobody for that",
        ),
        "n_without_year_before": Column(
            "integer",
            "firms of entry years without a year before entry, left out",
            tells="count",
            missing="the spec does not run on every firm of the panel",
        ),
        "n_treated_sharing_cluster": Column(
            "integer",
            "treated firms in clusters with several, of errors by firm",
            tells="count",
            missing="the spec does not run on every firm of the panel with errors by firm",
        ),
        "n_without_difference": Column(
            "integer",
            "firms on support that lack the difference",
            tells="count",
            missing="the estimator takes no difference of each firm",
        ),
        "n_treated_without_comparison": Column(
            "integer",
            "treated firms that the year effects leave without a comparison",
            tells="count",
            missing="the estimator has no such year effects",
        ),
        "trimmed_treated": Column(
            "number",
            "share that bounds trim",
            tells="share",
            unit="share",
            missing="there are no bounds by trimming",
        ),
        "trimmed_comparison": Column(
            "number",
            "share that bounds trim",
            tells="share",
            unit="share",
            missing="there are no bounds by trimming",
        ),
        "att_order_low": Column(
            "number",
            "least average effect over orders of matching",
            tells="effect",
            unit="see `scale` of ESTIMATES",
            missing="the design takes no turns at matching, or it is not of the headline",
        ),
        "n_match_orders": Column(
            "integer",
            "random orders of matching over which the effect is told",
            tells="other_count",
            missing="the design takes no turns at matching, or it is not of the headline",
        ),
        "att_order_high": Column(
            "number",
            "largest over them",
            tells="effect",
            unit="see `scale` of ESTIMATES",
            missing="the design takes no turns at matching, or it is not of the headline",
        ),
        "att_rows_reversed": Column(
            "number",
            "the same with ties decided the other way",
            tells="effect",
            unit="see `scale` of ESTIMATES",
            missing="the design takes no turns at matching, or it is not of the headline",
        ),
        "share_already_treated": Column(
            "number",
            "weight of comparisons with already treated firms (Goodman-Bacon)",
            tells="share",
            unit="share",
            missing="the estimator is not decomposed",
        ),
        "decomposed_first_year": Column(
            "integer",
            "first year of what is decomposed",
            tells="year",
            missing="the estimator is not decomposed",
        ),
        "decomposed_last_year": Column(
            "integer", "last year of it", tells="year", missing="the estimator is not decomposed"
        ),
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
            "integer",
            "number of treated clusters that there might have been",
            missing="as many as were",
        ),
        "event_time": Column(
            "integer", "event time before the reference year", missing="the average effect"
        ),
        "effect": Column(
            "number",
            "smallest effect",
            tells="effect",
            unit="see `scale`",
            missing="no standard error is known",
        ),
        "scale": Column(
            "string", "log_points, share, percent_of_mean, or the outcome's unit", tells="words"
        ),
        "effect_in_unit": Column(
            "number",
            "the same at the mean of the treated",
            tells="effect",
            unit="see `unit`",
            missing="no mean to start from",
        ),
        "unit": Column(
            "string", "the outcome's unit", tells="words", missing="no mean to start from"
        ),
    },
)

PRE_TREND_POWER = Dataset(
    name="PRE_TREND_POWER",
    row="the linear trend before entry that a look at effects before it finds with one power",
    key=(*_FIT, "power"),
    columns={
        **_FIT,
        "power": Column("number", "probability that it is found", unit="probability"),
        "slope_jointly": Column(
            "number",
            "slope that the joint test finds",
            tells="effect",
            unit="see `scale`, a year",
            missing="there is no joint test",
        ),
        "slope_by_any": Column(
            "number",
            "slope, where one significant effect is a finding",
            tells="effect",
            unit="see `scale`, a year",
            missing="there are no leads with errors",
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
        "control": Column("integer", "entry year of the comparison", missing="never treated"),
        "kind": Column("string", "never, not_yet, already: treated or not", tells="words"),
        "weight": Column(
            "number", "weight; the weights sum to one", tells="share", unit="share", missing=HIDDEN
        ),
        "estimate": Column(
            "number",
            "difference in differences",
            tells="effect",
            unit="see `scale` of ESTIMATES",
            missing=HIDDEN,
        ),
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
        "weight": Column(
            "number", "sum of their weights", tells="share", unit="share", missing=HIDDEN
        ),
        "estimate": Column(
            "number",
            "their mean by weight",
            tells="effect",
            unit="see `scale` of ESTIMATES",
            missing=HIDDEN,
        ),
    },
)

DECOMPOSED_COHORTS = Dataset(
    name="DECOMPOSED_COHORTS",
    row="one entry year of what is decomposed",
    key=(*_FIT, "cohort"),
    columns={
        **_FIT,
        "cohort": Column("integer", "entry year", missing="never treated"),
        "n_firms": Column("integer", "its firms", tells="count"),
    },
)

UNIT_DEPENDENCE = Dataset(
    name="UNIT_DEPENDENCE",
    row="an effect on a scale that depends on the outcome's unit, in two other units",
    key=(*_FIT, "term"),
    columns={
        **_FIT,
        "term": Column("string", "asinh, log1p; att of an outcome in asinh"),
        "x100": Column(
            "number",
            "in a hundredth of the unit",
            tells="effect",
            unit="units of the transformed outcome",
            missing=HIDDEN,
        ),
        "per_million": Column(
            "number",
            "in a million of it",
            tells="effect",
            unit="units of the transformed outcome",
            missing=HIDDEN,
        ),
    },
)
