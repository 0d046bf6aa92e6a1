"""Tables that `clean` writes: the panel and the ledger of what cleaning cost."""

from pipeline.datasets.store import Column, Dataset

PANEL = Dataset(
    name="PANEL",
    row="one firm in one year; levels, never transforms; study columns follow the declared ones",
    key=("firm_id", "year"),
    columns={
        "firm_id": Column("string", "firm identifier, as text"),
        "year": Column("integer", "calendar year"),
        "cohort": Column("integer", "first treated year; missing for never-treated", nullable=True),
        "cluster": Column("string", "assignment cluster in this year"),
        "cluster_entry": Column(
            "integer",
            "first year in which a firm seen in this cluster entered, excluded firms included",
            nullable=True,
        ),
    },
    open_kinds=("number", "string"),
)

SAMPLE_FLOW = Dataset(
    name="SAMPLE_FLOW",
    row="one step of the sample, in order",
    key=("step",),
    columns={
        "step": Column("integer", "order of the step, from 1"),
        "rule": Column("string", "what the step requires"),
        "firms_lost": Column("integer", "firms with no firm-year left after the step"),
        "firm_years_lost": Column("integer", "firm-years that the step removed"),
        "firms": Column("integer", "firms left"),
        "firm_years": Column("integer", "firm-years left"),
        "treated_firms": Column("integer", "ever-treated firms left"),
        "comparison_firms": Column("integer", "never-treated firms left"),
    },
)

ISSUES = Dataset(
    name="ISSUES",
    row="one rule applied to one column",
    key=("rule", "column"),
    columns={
        "rule": Column("string", "what was looked for"),
        "column": Column("string", "standard name of the column"),
        "count": Column("integer", "values or rows concerned"),
        "years": Column("string", "years concerned, as a range"),
        "action": Column("string", "what was done"),
    },
)
