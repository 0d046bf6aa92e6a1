"""Who stands behind published figures, without names: private tables for disclosure control.

From means of sets of firms anyone can work out those of sums and differences of the sets. Which
sets overlap, and by how many firms, follows from the number of firms that are in the same sets.
Hundepool et al. (2012), doi:10.1002/9781118348239, chapter 4.

A *block* is what can be added up: one variable at one date, a column on one scale so many years
from entry. Its *units* are firms in stacks, since a firm that serves two entry years has a value
in each. Units of one stack that are in the same sets have one *signature*.
"""

from pipeline.datasets.store import Column, Dataset

# Firms of signatures with more units than this are not told apart.
FEW_UNITS = 50

_BLOCK = Column("integer", "number of the variable and its date")
_NO_LEVEL = "the values are no levels"
_SIGNATURE = Column("integer", "number of the signature within its block")

POPULATION_SETS = Dataset(
    name="POPULATION_SETS",
    row="one set of firms that a published figure names; private",
    key=(
        "published_in",
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
        "published_in": Column("string", "table that holds the figure"),
        "design": Column("string", "matching design"),
        "stack": Column("string", "entry year, or `all`; of PROFILE the calendar year"),
        "sample": Column("string", "of ESTIMATES: all ...; of BALANCE: before ...; of SUPPORT"),
        "variable": Column("string", "outcome, covariate or column, that the firms have"),
        "event_time": Column("integer", "years since entry", missing="any"),
        "grouping": Column("string", "what firms are grouped by, or `all`"),
        "subgroup": Column("string", "pre-entry group as in GROUPS, or `all`"),
        "treated": Column("flag", "treated firms, or comparison firms"),
        "block": _BLOCK,
        "population": Column("integer", "number of the set in its block; the same firms share it"),
        "weighted": Column("flag", "firms of one entry year differ in weight"),
    },
)

POPULATIONS = Dataset(
    name="POPULATIONS",
    row="one set that holds the units of one signature; private",
    key=("block", "signature", "population"),
    columns={
        "block": _BLOCK,
        "signature": _SIGNATURE,
        "population": Column("integer", "number of the set, as in POPULATION_SETS"),
    },
)

SIGNATURES = Dataset(
    name="SIGNATURES",
    row="the units of one entry year that are in the same sets of a block; private",
    key=("block", "signature"),
    columns={
        "block": _BLOCK,
        "signature": _SIGNATURE,
        "stack": Column("integer", "their entry year"),
        "n_firms": Column("integer", "units, which are firms of that entry year"),
        "total": Column("number", "sum of the sizes of their values", missing=_NO_LEVEL),
        "largest": Column("number", "the largest of these sizes", missing=_NO_LEVEL),
    },
)

SHARED_FIRMS = Dataset(
    name="SHARED_FIRMS",
    row=f"firms with units in the same signatures of at most {FEW_UNITS} units; private",
    key=("block", "firms", "signature"),
    columns={
        "block": _BLOCK,
        "firms": Column("integer", "number of these firms within the block"),
        "signature": _SIGNATURE,
        "n_firms": Column("integer", "how many they are"),
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
