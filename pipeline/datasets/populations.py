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
