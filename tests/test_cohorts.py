"""Risk sets: who entered, who could have been compared, and what was known of them when."""

import numpy as np
import pandas as pd
import pytest
from text_tables import panel

from pipeline.errors import DataError, SupportError
from pipeline.panel.treated_clusters import cluster_entry
from pipeline.params.score import Covariate, ScoreSection
from pipeline.params.treatment import TreatmentSection
from pipeline.selection.covariates import dated_covariates
from pipeline.selection.risk_sets import pooled_risk_sets, risk_sets

# firms: t, u enter in 2003 and 2005; n never; s never but beside t; l born in 2003; x leaves
YEARS = range(2001, 2007)
COHORT = {"t": 2003, "u": 2005, "n": None, "s": None, "l": None, "x": None}
CLUSTER = {"t": "A", "u": "B", "n": "C", "s": "A", "l": "C", "x": "C"}
ALIVE = {"l": range(2003, 2007), "x": range(2001, 2003)}
PANEL = pd.DataFrame(
    [
        {"firm_id": f, "year": y, "cohort": COHORT[f], "cluster": CLUSTER[f], "sales": 10.0 * y}
        for f in COHORT
        for y in ALIVE.get(f, YEARS)
    ]
).astype({"cohort": "Int64", "year": "Int64"})
PANEL["cluster_entry"] = cluster_entry(PANEL)


def treatment(**changes):
    return TreatmentSection.model_validate(
        {
            "entry": {"source": "register", "programme": None, "other_programmes": "keep"},
            "anticipation_years": 0,
            "comparison": "never_treated",
            "window": {"first_event_time": -2, "last_event_time": 1},
        }
        | changes
    )


def members(firms, stack):
    return set(firms.loc[firms["stack"] == stack, "firm_id"])


def test_a_stack_holds_entrants_and_firms_active_in_base_and_entry_year():
    firms = risk_sets(PANEL, treatment()).firms
    assert members(firms, 2003) == {"t", "n", "s"}
    assert members(firms, 2005) == {"u", "n", "s", "l"}
    assert firms.loc[firms["stack"] == 2003, "base_year"].unique().tolist() == [2002]


def test_not_yet_treated_firms_serve_until_the_last_outcome_year():
    firms = risk_sets(PANEL, treatment(comparison="not_yet_treated")).firms
    assert "u" in members(firms, 2003)
    longer = {"first_event_time": -2, "last_event_time": 2}
    later = risk_sets(PANEL, treatment(comparison="not_yet_treated", window=longer)).firms
    assert "u" not in members(later, 2003)


@pytest.mark.parametrize(("anticipation", "last_year"), [(0, 2004), (1, 2003)])
@pytest.mark.parametrize("last_event_time", [0, 1, 3])
def test_where_everybody_enters_the_remedy_that_is_named_works(
    anticipation, last_year, last_event_time
):
    everybody = PANEL[PANEL["cohort"].notna()].reset_index(drop=True)
    asked = treatment(
        comparison="not_yet_treated",
        anticipation_years=anticipation,
        window={"first_event_time": -2, "last_event_time": last_event_time},
    )
    with pytest.raises(SupportError, match=f"clean.window.last_year: {last_year} these are"):
        risk_sets(everybody, asked)
    earlier = everybody[everybody["year"] <= last_year].reset_index(drop=True)
    firms = risk_sets(earlier, asked).firms
    assert members(firms, 2003) == {"t", "u"}


def test_anticipation_moves_the_base_year_and_the_horizon():
    firms = risk_sets(PANEL, treatment(comparison="not_yet_treated", anticipation_years=1)).firms
    assert firms.loc[firms["stack"] == 2003, "base_year"].unique().tolist() == [2001]
    assert "u" not in members(firms, 2003)


def test_firms_beside_participants_leave_the_pool_outside_treated_clusters():
    firms = risk_sets(PANEL, treatment()).firms
    model = {
        "covariates": ["c"],
        "fit": "per_stack",
        "link": "logit",
        "missing": "drop_firm",
        "support": "none",
    }
    score = ScoreSection.model_validate(
        {
            "covariates": {"c": {"label": "c", "column": "sales", "transform": "log", "at": -1}},
            "unmatched": {"controls_from": "outside_treated_clusters"},
            "models": {"everybody": model | {"controls_from": "all"}},
        }
    )
    pools = pooled_risk_sets(firms, score)
    by_model = pools[pools["stack"] == 2003].groupby("model")["firm_id"].agg(set)
    assert by_model["unmatched"] == {"t", "n"}
    assert by_model["everybody"] == {"t", "n", "s"}


@pytest.mark.parametrize(("last_event_time", "treated"), [(1, False), (2, True)])
def test_a_cluster_is_treated_where_it_is_by_the_last_outcome_year(last_event_time, treated):
    """Cluster B is treated from 2005 on; outcomes of the stack of 2003 run to 2004 or 2005."""
    beside = PANEL.assign(cluster=PANEL["cluster"].mask(PANEL["firm_id"] == "n", "B"))
    beside["cluster_entry"] = cluster_entry(beside)
    window = {"first_event_time": -2, "last_event_time": last_event_time}
    firms = risk_sets(beside, treatment(window=window)).firms.set_index(["stack", "firm_id"])
    assert firms.loc[(2003, "n"), "in_treated_cluster"] == treated


def test_a_cluster_is_treated_from_the_first_entry_of_any_firm_seen_in_it():
    rows = panel("""
firm_id year cohort cluster sales
early   2001 2000   A       1
moved   2001 2003   B       1
moved   2002 2003   C       1
moved   2003 2003   D       1
never   2001 -      B       1
never   2002 -      C       1
never   2003 -      D       1
beside  2001 -      A       1
""")
    entry = cluster_entry(rows)
    by_cluster = {c: entry[rows["cluster"] == c].iloc[0] for c in "ABCD"}
    assert by_cluster["A"] == 2000  # treated before the panel starts: left out, but a neighbour
    assert pd.isna(by_cluster["B"])  # left two years before it entered
    assert (by_cluster["C"], by_cluster["D"]) == (2003, 2003)


def test_entrants_who_are_not_active_are_counted():
    gone = PANEL[~((PANEL["firm_id"] == "t") & (PANEL["year"] == 2002))]
    stacks = risk_sets(gone, treatment(comparison="not_yet_treated")).stacks.set_index("stack")
    assert stacks.loc[2003, "n_entrants"] == 1
    assert stacks["n_entrants_not_active"].to_dict() == {2003: 1, 2005: 0}


def test_no_candidate_at_all_is_an_error():
    with pytest.raises(SupportError, match="no entry year has both"):
        risk_sets(PANEL[PANEL["firm_id"] == "t"], treatment())


SALES = panel("""
firm_id year cohort cluster sales sector
a       2001 2003   A       1     x
a       2002 2003   A       2     y
a       2003 2003   A       4     y
b       2001 -      B       0     x
b       2002 -      B       8     x
""")


@pytest.mark.parametrize(
    ("dated", "expected"),
    [
        ({"transform": "level", "at": -1}, [2, 8]),
        ({"transform": "log", "at": -2}, [0, None]),
        ({"transform": "any", "at": -2}, [1, 0]),
        ({"transform": "level", "average": [-2, -1]}, [1.5, 4]),
        ({"transform": "level", "change": [-2, -1]}, [1, 8]),
        ({"transform": "level", "at": -3}, [None, None]),
        ({"transform": "years_since", "at": -1}, [2002 - 2, 2002 - 8]),
        ({"column": "sector", "transform": "indicator", "value": "y", "at": -1}, [1, 0]),
        ({"column": "sector", "transform": "indicator", "value": "x", "at": -3}, [None, None]),
    ],
)
def test_covariates_are_dated_relative_to_entry(dated, expected):
    covariate = Covariate.model_validate({"label": "c", "column": "sales", **dated})
    keys = pd.DataFrame({"stack": [2003, 2003], "firm_id": ["a", "b"]})
    values = dated_covariates(SALES, keys, {"c": covariate})["c"]
    assert [None if pd.isna(v) else v for v in values] == expected


def test_a_constant_is_read_in_any_year_and_must_not_change():
    """Firm a has its value only after entry, b only in its first year, c has no row."""
    rows = SALES.assign(founded=pd.Series([np.nan, np.nan, 1990.0, 1985.0, np.nan]))
    keys = pd.DataFrame({"stack": [2003, 2003, 2003], "firm_id": ["a", "b", "c"]})
    given = {"label": "c", "column": "founded", "transform": "level", "constant": True}
    constant = Covariate.model_validate(given)
    assert constant.event_times == []
    values = dated_covariates(rows, keys, {"c": constant})["c"]
    assert values.fillna(0).tolist() == [1990, 1985, 0]
    sector = Covariate(label="s", column="sector", transform="category", constant=True)
    with pytest.raises(
        DataError, match="`sector` are declared constant, and it changes within 1 f"
    ):
        dated_covariates(SALES, keys, {"s": sector})
    for wrong in ({"at": -1}, {"transform": "years_since"}):
        with pytest.raises(ValueError, match=r"exactly one of|is dated by"):
            Covariate.model_validate(given | wrong)


def test_a_category_is_that_of_its_year():
    covariate = Covariate(label="s", column="sector", transform="category", at=-2)
    keys = pd.DataFrame({"stack": [2003, 2003], "firm_id": ["a", "c"]})
    assert dated_covariates(SALES, keys, {"s": covariate})["s"].tolist()[0] == "x"
    assert dated_covariates(SALES, keys, {"s": covariate})["s"].isna().tolist() == [False, True]


@pytest.mark.parametrize(
    ("factors", "expected"), [(["last", "last"], [4, 64]), (["last", "growth"], [2, 64])]
)
def test_products_are_interactions_and_powers(factors, expected):
    dated = {"label": "c", "column": "sales", "transform": "level"}
    covariates = {
        "product": Covariate.model_validate({"label": "p", "product_of": factors}),
        "last": Covariate.model_validate({**dated, "at": -1}),
        "growth": Covariate.model_validate({**dated, "change": [-2, -1]}),
    }
    keys = pd.DataFrame({"stack": [2003, 2003], "firm_id": ["a", "b"]})
    values = dated_covariates(SALES, keys, covariates)
    assert values["product"].tolist() == expected
    assert list(values.columns) == ["stack", "firm_id", *covariates]


def test_categories_that_are_firm_identifiers_are_refused():
    """Reports name categories; a code that is by chance some firm's number is none."""
    covariate = Covariate(label="s", column="sector", transform="category", at=-1)
    keys = pd.DataFrame({"stack": [2003], "firm_id": ["a"]})
    named = SALES.assign(sector=SALES["firm_id"].where(SALES["firm_id"] != "b", "rest"))
    with pytest.raises(DataError, match="column sector: 1 of its categories are identifiers"):
        dated_covariates(named, keys, {"s": covariate})
    by_chance = SALES.assign(sector="a")
    assert dated_covariates(by_chance, keys, {"s": covariate})["s"].tolist() == ["a"]


def test_a_product_of_categories_combines_them():
    dated = {"label": "c", "column": "sector", "transform": "category"}
    covariates = {
        "both": Covariate.model_validate({"label": "b", "product_of": ["then", "now"]}),
        "then": Covariate.model_validate({**dated, "at": -2}),
        "now": Covariate.model_validate({**dated, "at": -1}),
    }
    keys = pd.DataFrame({"stack": [2003, 2003, 2003], "firm_id": ["a", "b", "c"]})
    both = dated_covariates(SALES, keys, covariates)["both"]
    assert both.tolist()[:2] == ["x x y", "x x x"]
    assert pd.isna(both[2])


def test_a_trend_is_the_least_squares_slope():
    rows = [("a", 2000 + i, None, "A", value, "x") for i, value in enumerate([1.0, 2.0, 6.0, 5.0])]
    wide = pd.DataFrame(rows, columns=["firm_id", "year", "cohort", "cluster", "sales", "sector"])
    keys = pd.DataFrame({"stack": [2004, 2005], "firm_id": ["a", "a"]})
    dated = {"label": "t", "column": "sales", "transform": "level", "trend": [-4, -1]}
    covariate = Covariate.model_validate(dated)
    slope = dated_covariates(wide, keys, {"t": covariate})["t"]
    assert slope[0] == pytest.approx(np.polyfit(range(4), [1.0, 2.0, 6.0, 5.0], 1)[0])
    assert np.isnan(slope[1])


@pytest.mark.parametrize(
    ("definition", "message"),
    [
        ({"column": "sales", "transform": "level", "trend": [-2, -1]}, "three years or more"),
        ({"column": "sales", "transform": "level"}, "exactly one of at, average, change, trend"),
        ({"product_of": ["a", "b"], "at": -1}, "from its factors"),
        ({"at": -1}, "give column and transform, or product_of"),
        ({"column": "sector", "transform": "category", "average": [-2, -1]}, "dated by `at`"),
        ({"column": "sector", "transform": "indicator", "at": -1}, "indicator needs value"),
        ({"column": "sales", "transform": "level", "value": "x", "at": -1}, "others have none"),
        ({"product_of": ["a", "b"], "value": "x"}, "from its factors"),
    ],
)
def test_a_covariate_has_one_definition(definition, message):
    with pytest.raises(ValueError, match=message):
        Covariate.model_validate({"label": "c", **definition})


def test_a_product_of_a_number_and_a_category_says_how_to_declare_it():
    covariates = {
        "size": {"label": "s", "column": "sales", "transform": "log", "at": -1},
        "sector": {"label": "s", "column": "sector", "transform": "category", "at": -1},
        "food": {
            "label": "f",
            "column": "sector",
            "transform": "indicator",
            "value": "food",
            "at": -1,
        },
        "food_size": {"label": "x", "product_of": ["food", "size"]},
    }
    rest = {"unmatched": {"controls_from": "all"}, "models": {}}
    ScoreSection.model_validate({"covariates": covariates, **rest})
    mixed = {**covariates, "x": {"label": "x", "product_of": ["size", "sector"]}}
    with pytest.raises(ValueError, match="mixes numbers with the category sector; define transf"):
        ScoreSection.model_validate({"covariates": mixed, **rest})
