"""Tables that `match` writes: matched sets and the weights they imply."""

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
            "number", "1 for the treated firm; comparison firms of a set sum to 1"
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
            "number", "treated 1 (`ato`: less); within a stack, comparison firms sum to the treated"
        ),
        "estimand": Column("string", "whom the weights stand for: att, or ato for overlap weights"),
    },
)
