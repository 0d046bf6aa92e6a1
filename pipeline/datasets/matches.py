"""Tables that `match` writes: matched sets, the weights they imply, who was matched and lost."""

from pipeline.datasets.store import Column, Dataset

MATCHES = Dataset(
    name="MATCHES",
    row="one firm in one matched set; sets exist where the method makes them",
    key=("design", "stack", "set_id", "firm_id"),
    columns={
        "design": Column("string", "name of the design"),
        "stack": Column("integer", "entry year of the risk set"),
        "set_id": Column("string", "one treated firm and its comparison firms"),
        "firm_id": Column("string", "firm identifier"),
        "treated": Column("flag", "the set's treated firm"),
        "set_weight": Column(
            "number",
            "1 for the treated firm, or its sampling weight; comparison firms of a set sum to that",
        ),
        "distance": Column("number", "absolute score distance to the set's treated firm"),
    },
)

WEIGHTS = Dataset(
    name="WEIGHTS",
    row="one firm that one design uses in one stack",
    key=("design", "stack", "firm_id"),
    columns={
        "design": Column("string", "name of the design"),
        "stack": Column("integer", "entry year of the risk set"),
        "firm_id": Column("string", "firm identifier"),
        "treated": Column("flag", "entered in the stack's year"),
        "base_year": Column("integer", "year of the latest covariates"),
        "cluster": Column("string", "assignment cluster in the base year"),
        "in_treated_cluster": Column(
            "flag", "cluster has a participant by the last outcome year used"
        ),
        "weight": Column(
            "number",
            "treated 1, or the sampling weight (`ato`: less); within a stack, comparison firms sum "
            "to the treated",
        ),
        "estimand": Column("string", "whom the weights stand for: att, or ato for overlap weights"),
    },
)

MATCHED = Dataset(
    name="MATCHED",
    row="one stack of one design, or all stacks of it together",
    key=("design", "stack"),
    columns={
        "design": Column("string", "name of the design"),
        "stack": Column(
            "string", "entry year, or `all`, where a firm counts once in each of its stacks"
        ),
        "n_treated": Column("integer", "treated firms of the risk set", tells="count"),
        "n_comparison": Column("integer", "comparison firms of the risk set", tells="count"),
        "n_treated_matched": Column("integer", "treated firms with a weight", tells="count"),
        "n_comparison_used": Column("integer", "comparison firms with a weight", tells="count"),
        "n_comparison_in_treated_clusters": Column(
            "integer", "of these in clusters with participants", tells="count"
        ),
        "share_comparison_in_treated_clusters": Column(
            "number",
            "the same as a share",
            tells="share",
            unit="share",
            missing="the row is of one stack",
        ),
        "n_comparison_distinct": Column(
            "integer",
            "comparison firms used, each once",
            tells="count",
            missing="the row is of one stack",
        ),
        "n_comparison_reused": Column(
            "integer",
            "of these used more than once",
            tells="count",
            missing="the row is of one stack",
        ),
        "max_reuse": Column(
            "integer",
            "most uses of one comparison firm",
            tells="other_count",
            missing="the row is of one stack",
        ),
        "cells_without_comparison": Column(
            "integer",
            "exact cells with treated firms and no comparison firm",
            tells="other_count",
            missing="the design has no exact cells",
        ),
        "ess": Column(
            "number",
            "effective number of comparison firms; of `all`, the weights of a firm added up",
            tells="statistic",
            unit="firms",
        ),
        "caliper": Column(
            "number",
            "widest distance allowed",
            tells="statistic",
            unit="unit of the score",
            missing="the design has no caliper, or the row is of all stacks",
        ),
        "max_distance": Column(
            "number",
            "widest distance of a match",
            tells="one_firm",
            unit="unit of the score",
            missing="the design has no matched sets, or the row is of all stacks",
        ),
    },
)

# Reasons of LOSSES. The last loses nobody: it leaves fewer comparison firms than asked for.
UNMATCHED = "unmatched"
LEFT_OVER = "left_over"
CELL_WITHOUT_COMPARISON = "cell_without_comparison"
WITHOUT_CELL = "without_cell"
WITH_FEWER = "with_fewer"

LOSSES = Dataset(
    name="LOSSES",
    row="one reason for which a design does not use firms of a stack; reasons overlap",
    key=("design", "stack", "reason"),
    columns={
        "design": Column("string", "name of the design"),
        "stack": Column("string", "entry year, or `all`"),
        "reason": Column(
            "string",
            "of treated firms: unmatched (off support or without a match), left_over (all within "
            "reach were taken), cell_without_comparison, with_fewer (matched to fewer firms than "
            "asked for); of both groups: without_cell (a cell variable is missing)",
        ),
        "n_firms": Column("integer", "firms", tells="count"),
    },
)
