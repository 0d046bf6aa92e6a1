"""Tables of arms: which treatment each firm entered when, and what became of the firms listed."""

from pipeline.datasets.store import Column, Dataset

ARM_ENTRIES = Dataset(
    name="ARM_ENTRIES",
    row="one firm's first entry in one arm of the register; private",
    key=("arm", "firm_id"),
    columns={
        "arm": Column("string", "arm as named in params"),
        "firm_id": Column("string", "firm identifier"),
        "cohort": Column("integer", "first treated year in this arm"),
    },
)

ARMS = Dataset(
    name="ARMS",
    row="one firm in one arm; private",
    key=("arm", "firm_id"),
    columns={
        "arm": Column("string", "arm as named in params"),
        "firm_id": Column("string", "firm identifier"),
        "cohort": Column("integer", "first year in this arm"),
        "until": Column(
            "integer",
            "year in which it enters another arm: from then on, less anticipation, not compared",
            missing="it enters no other",
        ),
    },
)

ARM_FLOW = Dataset(
    name="ARM_FLOW",
    row="what became of the firms of one arm",
    key=("arm",),
    columns={
        "arm": Column("string", "arm as named in params"),
        "n_listed": Column("integer", "firms that the arm's rule names", tells="count"),
        "n_joint": Column(
            "integer", "of these, in an arm for several that they entered at once", tells="count"
        ),
        "n_after_another": Column("integer", "of these, in another arm before", tells="count"),
        "n_until": Column(
            "integer", "of those that stay, compared until they enter another", tells="count"
        ),
        "n_entrants": Column("integer", "firms that stay", tells="count"),
    },
)
