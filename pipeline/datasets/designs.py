"""SCORE_MODELS, DATED_COVARIATES and DESIGNS: scores and matching designs as they ran, resolved.

`score` and `match` write them; exhibits say what they say. Where an option does not apply it is
NONE, an empty list, zero, or missing where zero would be a value.
"""

from pipeline.datasets.specs import listed, word
from pipeline.datasets.store import Column, Dataset

# The design that uses all firms of its risk sets, and the risk sets without a score.
UNMATCHED_DESIGN = "unmatched"


def _number(meaning: str, unit: str, missing: str = "there is none") -> Column:
    return Column("number", meaning, tells="words", unit=unit, missing=missing)


def _whole(meaning: str, missing: str | None = None) -> Column:
    return Column("integer", meaning, tells="words", missing=missing)


def _flag(meaning: str) -> Column:
    return Column("flag", meaning, tells="words")


SCORE_MODELS = Dataset(
    name="SCORE_MODELS",
    row="one score model, or the risk sets without one, as it ran",
    key=("model",),
    columns={
        "model": Column("string", "score model; `unmatched` has no score"),
        "controls_from": word("pool: all, outside_treated_clusters"),
        "covariates": listed("covariates of the score"),
        "fit": word("per_stack, pooled"),
        "link": word("logit, probit"),
        "missing": word("firms without a covariate: drop_firm, refuse"),
        "untreated_categories": word("categories without a treated firm: refuse, leave_out"),
        "errors": word("of its coefficients: conventional, robust, clustered"),
        "support": word("rule of common support: min_max, comparison_maximum ..."),
        "trim_share": _number("share of treated firms that the rule drops", "share"),
        "score_bound": _number("probability above which firms are dropped", "probability"),
        "score_floor": _number("probability below which firms are dropped", "probability"),
        "score_floor_of": word("of which group: both, comparison, treated"),
        "refit": _flag("score fitted again on support"),
    },
)

DATED_COVARIATES = Dataset(
    name="DATED_COVARIATES",
    row="one covariate of scores, designs and adjustments, as it was dated",
    key=("covariate",),
    columns={
        "covariate": Column("string", "covariate as named in params"),
        "position": _whole("order in which exhibits show it, from 1"),
        "label": word("what readers call it"),
        "column": word("column of PANEL; none for a product"),
        "transform": word("log, level, any, years_since, category, indicator"),
        "value": word("text of which the indicator is 1"),
        "dated_by": word("at, average, change, trend; constant where it has no date"),
        "first_event_time": _whole("first event time that it reads", missing="it has no date"),
        "last_event_time": _whole("last event time that it reads", missing="it has no date"),
        "product_of": listed("covariates whose product it is"),
    },
)

DESIGNS = Dataset(
    name="DESIGNS",
    row="one matching design, or `unmatched`, as it ran",
    key=("design",),
    columns={
        "design": Column("string", "name of the design"),
        "position": _whole("order in which exhibits show it, from 0, `unmatched`"),
        "method": word("nearest, radius, kernel, mahalanobis, cells, odds, overlap, entropy ..."),
        "score_model": word("score model whose risk sets, pool and support it has"),
        "uses_score": _flag("reads the score itself, not only its risk sets"),
        "estimand": word("att, ato"),
        "distance": word("scale of the score: linear, probability"),
        "ratio": _whole("comparison firms of a treated firm; 0 without"),
        "least_ratio": _whole("least where the ratio varies; 0 where it does not"),
        "most_ratio": _whole("most where the ratio varies; 0 where it does not"),
        "replacement": _flag("a comparison firm serves several treated firms"),
        "caliper": _number("widest distance allowed", "unit of the distance"),
        "caliper_sd": _number("widest distance allowed", "standard deviations"),
        "caliper_sd_of": word("whose standard deviation: all, pooled, treated, on_support"),
        "bandwidth": _number("bandwidth of the kernel", "unit of the distance"),
        "order": word("who chooses first: largest, smallest, closest, data, random"),
        "order_seed": _whole("seed of a random order", missing="the order is not random"),
        "tie_tolerance": _number("distances closer than this are ties", "unit of the distance"),
        "exact": listed("covariates whose values are never crossed"),
        "bins": word("how those that are continuous are cut: rule and numbers by covariate, JSON"),
        "covariates": listed("covariates that the method itself matches or balances"),
        "covariance_of": word("covariance of the Mahalanobis distance: all, pooled"),
        "moments": _whole("moments that weights balance; 0 without"),
        "base": word("weights to stay near to: equal, odds, covariate"),
        "base_covariate": word("covariate that holds them"),
        "content": word("of a file: weights, pairs"),
    },
)
