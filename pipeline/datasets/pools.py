"""Tables of pools: who may be compared under each, and the effect that comes of it."""

from pipeline.datasets.store import Column, Dataset

POOL_CONTACTS = Dataset(
    name="POOL_CONTACTS",
    row="one firm that one pool leaves out, from some year on or throughout; private",
    key=("pool", "firm_id"),
    columns={
        "pool": Column("string", "pool as named in params"),
        "firm_id": Column("string", "firm identifier"),
        "contact": Column(
            "integer",
            "year from which it is out: it takes part, or is exposed as the pool says",
            missing="throughout: it has not the pool's values, or its place is unknown",
        ),
    },
)

_UNIT = "see `scale` of ESTIMATES"
_NONE = "not estimated, see `reason`"
_NO_DIFFERENCE = "of the clean pool itself; or see `reason`"

POOLS = Dataset(
    name="POOLS",
    row="the effect on one outcome of the headline's arm, spec and design under one pool",
    key=("outcome", "pool"),
    columns={
        "outcome": Column("string", "outcome as named in params"),
        "pool": Column("string", "pool as named in params; `clean` is that of the headline"),
        "position": Column("integer", "order of the pools, from 0, the clean one", tells="words"),
        "kind": Column(
            "string",
            "code: clean, everyone, outside, beyond, unexposed, among",
            tells="words",
        ),
        "kind_fields": Column(
            "string",
            "what the pool is made by, JSON: columns, ring and km, to, column and values",
            tells="words",
            missing="the kind says all",
        ),
        "scale": Column("string", "scale of the outcome, see `scale` of ESTIMATES", tells="words"),
        "design": Column("string", "matching design, made again in each pool", tells="words"),
        "estimator": Column("string", "name of the spec", tells="words"),
        "estimand": Column(
            "string",
            "att, att_matched where some treated firm found no comparison, ato",
            tells="words",
            missing="not estimated, see `reason`",
        ),
        "n_pool": Column(
            "integer",
            "comparison firms in the pool that have a score, or are in the risk sets without one",
            tells="count",
            missing="the pool could not be scored or matched, see `reason`",
        ),
        "n_treated": Column(
            "integer", "treated firms in the estimate", tells="count", missing=_NONE
        ),
        "n_control": Column(
            "integer", "comparison firms in the estimate", tells="count", missing=_NONE
        ),
        "n_clusters": Column(
            "integer", "clusters behind the effect", tells="other_count", missing=_NONE
        ),
        "share_not_clean": Column(
            "number",
            "share of the comparison weight of the design on firms that the clean pool leaves out",
            tells="share",
            unit="share",
            missing=_NONE,
        ),
        "estimate": Column("number", "effect", tells="effect", unit=_UNIT, missing=_NONE),
        "std_error": Column("number", "of the effect", tells="effect", unit=_UNIT, missing=_NONE),
        "p_value": Column(
            "number", "two-sided p-value", tells="statistic", unit="probability", missing=_NONE
        ),
        "conf_low": Column(
            "number", "lower end of the interval", tells="effect", unit=_UNIT, missing=_NONE
        ),
        "conf_high": Column(
            "number", "upper end of the interval", tells="effect", unit=_UNIT, missing=_NONE
        ),
        "difference": Column(
            "number",
            "effect less that under the clean pool",
            tells="effect",
            unit=_UNIT,
            missing=_NO_DIFFERENCE,
        ),
        "difference_std_error": Column(
            "number",
            "of the difference, from the joint influences by cluster",
            tells="effect",
            unit=_UNIT,
            missing=_NO_DIFFERENCE,
        ),
        "difference_p_value": Column(
            "number",
            "two-sided p-value of the difference",
            tells="statistic",
            unit="probability",
            missing=_NO_DIFFERENCE,
        ),
        "difference_conf_low": Column(
            "number",
            "lower end of its interval",
            tells="effect",
            unit=_UNIT,
            missing=_NO_DIFFERENCE,
        ),
        "difference_conf_high": Column(
            "number",
            "upper end of its interval",
            tells="effect",
            unit=_UNIT,
            missing=_NO_DIFFERENCE,
        ),
        "reason": Column(
            "string",
            "code: why there is no effect, or no difference",
            tells="words",
            missing="nothing is missing",
        ),
        "reason_fields": Column(
            "string",
            "fields of the reason, JSON",
            tells="words",
            missing="the reason has none, or there is none",
        ),
    },
)

POOL_FIRMS = Dataset(
    name="POOL_FIRMS",
    row="the firms behind one pool's effect that another's lacks, for disclosure control; private",
    key=("outcome", "pool", "other"),
    columns={
        "outcome": Column("string", "outcome as named in params"),
        "pool": Column("string", "pool as in POOLS"),
        "other": Column("string", "another pool, or the same"),
        "n_treated_only": Column("integer", "treated firms behind the first alone"),
        "n_control_only": Column("integer", "comparison firms behind the first alone"),
        "largest_percent": Column(
            "number",
            "the largest share of one firm of a group in its level, from the reference year on",
            missing="no mean of a magnitude",
        ),
    },
)
