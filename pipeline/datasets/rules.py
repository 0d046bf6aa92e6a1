"""DATA_RULES: the rules of sections data, clean and treatment as they ran; exhibits say them."""

from pipeline.datasets.store import Column, Dataset

# A rule without a name or number of its own.
NO_PLACE = "none"

DATA_RULES = Dataset(
    name="DATA_RULES",
    row="one rule of sections data, clean and treatment as it ran, defaults filled in",
    key=("position",),
    columns={
        "position": Column("integer", "order in params, from 1"),
        "rule": Column("string", "code: clean_tails, treatment_entry ...", tells="words"),
        "place": Column(
            "string", "name, or number from 0, of one of several; `none`", tells="words"
        ),
        "options": Column("string", "options and their values, JSON", tells="words"),
    },
)
