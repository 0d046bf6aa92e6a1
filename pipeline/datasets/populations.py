"""Who stands behind published figures, without names: private tables for disclosure control.

From figures on two sets of firms of which one lies inside the other anyone can work out those on
the firms between. Which sets overlap, and by how many, follows from the number of firms that are in
the same sets. Hundepool et al. (2012), doi:10.1002/9781118348239, chapter 4.
"""

from pipeline.datasets.store import Column, Dataset

POPULATION_SETS = Dataset(
    name="POPULATION_SETS",
    row="one set of firms that a published figure names; private",
    key=(
        "design",
        "stack",
        "sample",
        "variable",
        "event_time",
        "grouping",
        "subgroup",
        "treated",
    ),
    columns={
        "design": Column("string", "matching design"),
        "stack": Column("string", "entry year, or `all`"),
        "sample": Column("string", "of ESTIMATES: all, base_exporters ...; of BALANCE: before ..."),
        "variable": Column("string", "outcome, or covariate, that the firms have"),
        "event_time": Column("integer", "years since entry", missing="any"),
        "grouping": Column("string", "what firms are grouped by, or `all`"),
        "subgroup": Column("string", "pre-entry group as in GROUPS, or `all`"),
        "treated": Column("flag", "treated firms, or comparison firms"),
        "population": Column("integer", "number of the set; sets of the same firms share it"),
        "n_firms": Column("integer", "firms in it"),
    },
)

POPULATIONS = Dataset(
    name="POPULATIONS",
    row="one set that holds all firms of one signature: firms that are in the same sets; private",
    key=("signature", "population"),
    columns={
        "signature": Column("integer", "number of the signature"),
        "population": Column("integer", "number of the set, as in POPULATION_SETS"),
        "n_firms": Column("integer", "firms of the signature"),
    },
)

# Two published counts of which one is of firms among the other's tell how many are between them.
COUNTED_SETS = Dataset(
    name="COUNTED_SETS",
    row="one set of firms of which a published count is the size, or a part of the sum; private",
    key=("table", "column", "design", "stack", "part", "variable", "time", "treated", "addend"),
    columns={
        "table": Column("string", "published table, as its declaration names it"),
        "column": Column("string", "column of it that counts"),
        "design": Column("string", "matching design or score model, or `all`"),
        "stack": Column("string", "entry year, or `all`"),
        "part": Column("string", "sample, fate or reason that the row speaks of, or `all`"),
        "variable": Column("string", "outcome, covariate or column of PANEL, or `all`"),
        "time": Column("integer", "event time or calendar year", missing="any"),
        "treated": Column("string", "treated, comparison or both"),
        "addend": Column(
            "integer", "entry year whose firms are added, where each counts its own; 0"
        ),
        "counted": Column("integer", "number of the set; counts of the same firms share it"),
    },
)

COUNTED_FIRMS = Dataset(
    name="COUNTED_FIRMS",
    row="one counted set and firms of one signature: firms that are counted alike; private",
    key=("signature", "counted"),
    columns={
        "signature": Column("integer", "number of the signature"),
        "counted": Column("integer", "number of the set, as in COUNTED_SETS"),
        "n_firms": Column("integer", "firms of the signature"),
    },
)

TREATED, COMPARISON, BOTH = "treated", "comparison", "both"
EVERY = "all"

# Counts that a mean of zeros and ones tells, in the place of columns.
ONES, NOUGHTS = "ones", "noughts"
