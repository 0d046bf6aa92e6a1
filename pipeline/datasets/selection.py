"""Tables that `score` writes: risk sets with scores, and dated covariates."""

from pipeline.datasets.store import Column, Dataset

SCORES = Dataset(
    name="SCORES",
    row="one firm in one stack's risk set, under one score model",
    key=("model", "stack", "firm_id"),
    columns={
        "model": Column("string", "score model; `unmatched` is the risk set without a score"),
        "stack": Column("integer", "entry year of the risk set"),
        "firm_id": Column("string", "firm identifier"),
        "treated": Column("flag", "entered in the stack's year"),
        "base_year": Column("integer", "year of the latest covariates"),
        "cluster": Column("string", "assignment cluster in the base year"),
        "in_treated_cluster": Column(
            "flag", "cluster has a participant by the last outcome year used"
        ),
        "propensity_score": Column(
            "number",
            "probability, 8 decimals",
            stored="score",
            missing="the model has no score, or a covariate is missing",
        ),
        "linear_score": Column(
            "number",
            "logit or probit index, 8 decimals",
            stored="score",
            missing="as `propensity_score`",
        ),
        "on_support": Column("flag", "inside the declared common support"),
    },
    # sampling_weight, where the study has sampling weights
    open_kinds=("number",),
)

# What a coefficient of a score belongs to. Where entry years are pooled each has its own level.
CONSTANT, COVARIATE, STACK_LEVEL = "const", "covariate", "stack"

# The one fit of entry years together.
POOLED = "pooled"

SCORE_COEFFICIENTS = Dataset(
    name="SCORE_COEFFICIENTS",
    row="one term of one fitted score",
    key=("model", "fit", "term", "covariate", "category"),
    columns={
        "model": Column("string", "score model"),
        "fit": Column("string", f"stack, or {POOLED}"),
        "term": Column(
            "string", f"{CONSTANT}, {COVARIATE}, or {STACK_LEVEL}: an entry year of a pooled fit"
        ),
        "covariate": Column(
            "string", "covariate, where the term is one", missing="the term is no covariate"
        ),
        "category": Column(
            "string",
            "category of the covariate, or entry year",
            missing="the covariate is a number, or the term a constant",
        ),
        "estimate": Column(
            "number",
            "coefficient on the index",
            tells="statistic",
            unit="index, per unit of the covariate",
        ),
        "std_error": Column(
            "number",
            "standard error, as `errors` of SCORE_MODELS says: conventional, robust, clustered",
            tells="statistic",
            unit="index, per unit of the covariate",
        ),
        "n_obs": Column("integer", "firms in the fit", tells="count"),
        "n_treated": Column("integer", "treated firms in the fit", tells="count"),
        "pseudo_r2": Column(
            "number", "McFadden's pseudo R squared", tells="statistic", unit="share"
        ),
        "auc": Column("number", "area under the ROC curve", tells="statistic", unit="share"),
    },
)

COVARIATES = Dataset(
    name="COVARIATES",
    row="one firm in one stack, with every declared covariate dated relative to entry",
    key=("stack", "firm_id"),
    columns={
        "stack": Column("integer", "entry year of the risk set"),
        "firm_id": Column("string", "firm identifier"),
    },
    open_kinds=("number", "string"),
)

SCORE_BINS = Dataset(
    name="SCORE_BINS",
    row="one group's firms in one of the equal bins of a model's score; private",
    key=("model", "treated", "bin"),
    columns={
        "model": Column("string", "score model"),
        "treated": Column("flag", "treated firms, or comparison firms"),
        "bin": Column("integer", "order of the bin, from 1"),
        "low": Column("number", "where the bin starts"),
        "high": Column("number", "where it ends"),
        "n_firms": Column("integer", "firms in it; a firm counts in each of its stacks"),
    },
)

SCORE_SHARES = Dataset(
    name="SCORE_SHARES",
    row="one of the equal bins of the score of the headline's design",
    key=("model", "bin"),
    columns={
        "model": Column("string", "score model"),
        "bin": Column("integer", "order of the bin, from 1"),
        "low": Column("number", "where the bin starts", tells="statistic", unit="probability"),
        "high": Column("number", "where it ends", tells="statistic", unit="probability"),
        "share_treated": Column(
            "number",
            "share of treated firms; bins of few share theirs equally",
            tells="share",
            unit="share",
        ),
        "share_comparison": Column(
            "number", "the same of comparison firms, before matching", tells="share", unit="share"
        ),
    },
)

STACKS = Dataset(
    name="STACKS",
    row="one entry year",
    key=("stack",),
    columns={
        "stack": Column("integer", "entry year"),
        "n_entrants": Column("integer", "firms that entered in the year", tells="count"),
        "n_entrants_not_active": Column(
            "integer", "of these not active in the base year or at entry", tells="count"
        ),
        "n_candidates": Column(
            "integer", "active firms with which they could be compared", tells="count"
        ),
    },
)

SCORE_LOSSES = Dataset(
    name="SCORE_LOSSES",
    row="one group of a stack's risk set, under one score model",
    key=("model", "stack", "treated"),
    columns={
        "model": Column("string", "score model"),
        "stack": Column("integer", "entry year of the risk set"),
        "treated": Column("flag", "treated firms, or comparison firms"),
        "n_without_covariates": Column(
            "integer", "firms that lack a covariate of the model", tells="count"
        ),
        "n_in_untreated_categories": Column(
            "integer", "others in a category without a treated firm, left out", tells="count"
        ),
        "n_off_support": Column("integer", "others off common support", tells="count"),
    },
)
