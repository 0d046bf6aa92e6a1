"""A simulated programme of clusters does to others what its settings say, and tells the truth."""

from functools import cache

import numpy as np
import pandas as pd
import pytest
from pydantic import TypeAdapter, ValidationError
from simulation import cluster_settings, settings

from pipeline.panel.firm_links import firm_links
from pipeline.params.exposure import Exposures
from pipeline.params.links_file import LinksFile
from pipeline.selection.exposure import exposure_tables
from pipeline.simulation.simulate import SimulatedProgramme, simulate_programme

KEYS = ["firm_id", "year"]
SMALL = {"firms": 2500, "municipalities": 30, "sectors": 6, "treated_clusters": 40}
CELL = ["municipality", "sector"]
EXPOSURES = {
    "share": {"kind": "share", "columns": CELL, "of": "firms", "edges": [0.4]},
    "supply": {"kind": "link", "links": ["supply"], "direction": "source", "measure": "any"},
    "labour_flow": {
        "kind": "link",
        "links": ["labour_flow"],
        "direction": "target",
        "measure": "any",
    },
}
LINKS = LinksFile(
    file="links", source="source", target="target", year="year", kind="kind", weight="amount"
)


def run(programme=None, **changes) -> SimulatedProgramme:
    asked = cluster_settings(programme, **{**SMALL, **changes})
    return simulate_programme(asked, np.random.default_rng(3))


@cache
def default() -> SimulatedProgramme:
    return run()


def entries(firms: SimulatedProgramme, programme: str) -> pd.Series:
    rows = firms.register[firms.register["programme"] == programme]
    return rows.groupby("firm_id")["entry_year"].first()


def merged(firms: SimulatedProgramme) -> pd.DataFrame:
    rows = firms.panel.merge(firms.truth, on=KEYS, validate="1:1")
    for programme in ("cdp", "other"):
        rows[programme] = rows["firm_id"].map(entries(firms, programme))
    rows["own"] = np.log(rows["sales"] / rows["sales_exposed"])
    rows["spill"] = np.log(rows["sales_exposed"] / rows["sales_untreated"])
    return rows


@cache
def exposure() -> pd.DataFrame:
    """Return EXPOSURE of the delivered tables, as an evaluator would make it."""
    panel = default().panel
    first = default().register.groupby("firm_id")["entry_year"].min()
    panel = panel.assign(
        cohort=panel["firm_id"].map(first).astype("Int64"),
        cluster=panel["municipality"] + panel["sector"],
        year=panel["year"].astype("Int64"),
    )
    links, found = firm_links(default().links, LINKS, pd.Index(panel["firm_id"].unique()))
    assert not found
    asked = TypeAdapter(Exposures).validate_python(EXPOSURES)
    return exposure_tables(panel, asked, links=links).firms


def since(rows: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return for each row class, first year and first year of a stronger class of an exposure."""
    own = exposure().query("exposure == @name").set_index("firm_id")
    found = rows[["firm_id", "year"]].join(own, on="firm_id")
    found["strong"] = found["class"].eq(2).fillna(False) & (found["year"] >= found["first_exposed"])
    stronger = found["censored_by"] == "stronger_exposure"
    found["strong"] |= stronger & (found["year"] >= found["censored_from"])
    found["on"] = (found["year"] >= found["first_exposed"]).fillna(False)
    return found


def test_spillovers_are_those_of_the_exposures_that_an_evaluator_declares():
    rows = merged(default())
    rows = rows[rows["cdp"].isna() & rows["other"].isna()]
    share, supply, labour = (since(rows, name) for name in EXPOSURES)
    tradable = rows["tradable"] == "tradable"
    weak = np.where(tradable, np.log(1.02), np.log(0.99))
    strong = np.where(tradable, np.log(1.1), np.log(0.94))
    expected = share["on"] * (np.where(share["strong"], strong, weak) + np.log(1.02))
    expected += supply["on"] * np.log(1.06) + labour["on"] * np.log(0.97)
    np.testing.assert_allclose(rows["spill"], expected.astype(float), atol=1e-8)
    np.testing.assert_allclose(rows["own"], 0, atol=1e-12)
    assert share["on"].any() and share["strong"].any() and supply["on"].any()
    assert not share["strong"][share["on"]].all()


def test_participants_have_the_same_spillovers_as_their_neighbours():
    rows = merged(default())
    alone = ~rows["firm_id"].isin(exposure().query("exposure != 'share'")["firm_id"])
    entered = rows["cdp"].notna() & rows["other"].isna() & alone & (rows["year"] >= rows["cdp"])
    values = {np.log(a) + np.log(1.02) for a in (1.02, 1.1, 0.99, 0.94)} | {0.0}
    found = rows.loc[entered, "spill"]
    nearest = np.abs(found.to_numpy()[:, None] - sorted(values)).min(axis=1)
    assert nearest.max() < 1e-8
    assert (found.abs() > 1e-3).mean() > 0.9


def test_own_effects_follow_components_and_role():
    rows = merged(default())
    register = default().register.query("programme == 'cdp'")
    parts = pd.crosstab(register["firm_id"], register["component"])
    factor = parts["training"] + 0.5 * parts["equipment"] + 0.4 * (parts.sum(axis=1) == 2)
    role = register.groupby("firm_id")["role"].first()
    factor = factor * np.where(role == "sponsor", 0.6, 1.0)
    once = rows[rows["cdp"].notna() & rows["other"].isna()]
    event = (once["year"] - once["cdp"]).clip(-1, 3)
    profile = event.map({-1: 0, 0: 0, 1: np.log(1.16), 2: np.log(1.11), 3: np.log(1.09)})
    expected = profile * once["firm_id"].map(factor)
    np.testing.assert_allclose(once["own"], expected, atol=1e-8)
    assert set(factor.round(2)) >= {1.0, 0.5, 1.9}
    assert (role == "sponsor").sum() <= SMALL["treated_clusters"]


def test_the_register_has_a_row_for_each_component_and_both_programmes_overlap():
    register = default().register
    assert list(register) == ["firm_id", "programme", "entry_year", "component", "role"]
    assert not register.duplicated(["firm_id", "programme", "component"]).any()
    cdp, other = entries(default(), "cdp"), entries(default(), "other")
    both = cdp.index.intersection(other.index)
    assert set((other[both] - cdp[both]).unique()) == {0, 1}
    cell = default().panel.groupby("firm_id")[CELL].first().agg("".join, axis=1)
    alone = set(cell[other.index]) - set(cell[cdp.index])
    assert 0.1 < len(alone) / SMALL["treated_clusters"] < 0.4
    assert set(cell[other.index]) & set(cell[cdp.index])


def test_saturation_differs_between_clusters():
    share = exposure().query("exposure == 'share'")
    assert set(share["class"]) == {1, 2}
    assert share["class"].value_counts(normalize=True).min() > 0.2


def test_links_are_dated_before_anybody_enters():
    links = default().links
    assert list(links) == ["source", "target", "kind", "year", "amount"]
    assert (links["source"] != links["target"]).all() and (links["amount"] > 0).all()
    assert links["year"].max() == default().register["entry_year"].min() - 1
    seen = default().panel[KEYS]
    assert len(links.merge(seen, left_on=["source", "year"], right_on=KEYS)) == len(links)
    per_firm = links.groupby("kind").size() / (seen["year"] == links["year"].max()).sum()
    assert per_firm["supply"] == pytest.approx(0.6, rel=0.2)


def test_places_lie_around_the_centres_of_municipalities():
    panel = default().panel
    place = panel.drop_duplicates("firm_id")
    spread = place.groupby("municipality")["latitude"].std() * 111.195
    assert spread.median() == pytest.approx(4, rel=0.2)
    assert (panel.groupby("firm_id")[["latitude", "longitude"]].nunique() == 1).all().all()
    assert panel.groupby("sector")["tradable"].nunique().eq(1).all()
    assert panel.groupby("sector")["tradable"].first().eq("tradable").sum() == 4


def test_a_setting_of_effects_moves_no_draw():
    changed = run({"horizontal_percent": 9})
    pd.testing.assert_frame_equal(changed.register, default().register)
    pd.testing.assert_frame_equal(changed.links, default().links)
    same = ["sales_untreated", "employment_untreated", "exports_untreated"]
    pd.testing.assert_frame_equal(changed.truth[same], default().truth[same])


def test_without_the_block_the_tables_are_those_of_before():
    plain = simulate_programme(settings(**SMALL), np.random.default_rng(3))
    assert plain.links is None
    assert list(plain.register) == ["firm_id", "programme", "entry_year"]
    assert not {"latitude", "tradable"} & set(plain.panel) and "sales_exposed" not in plain.truth
    # firms and their untreated paths are drawn alike
    both = plain.truth.merge(default().truth, on=KEYS)
    assert both["sales_untreated_x"].equals(both["sales_untreated_y"])


@pytest.mark.parametrize(
    ("programme", "changes", "message"),
    [
        ({"saturation_edges": [0.5, 0.2]}, {}, "must ascend"),
        ({"saturations": [1.5]}, {}, "shares between 0 and 1"),
        ({"saturation_edges": []}, {}, "a number for each class"),
        ({"link_percent": {"supply": -100, "labour_flow": 0}}, {}, "above -100"),
        ({"links_per_firm": {"supply": -1, "labour_flow": 0}}, {}, "no negative number"),
        ({}, {"sectors": 3}, "exceeds sectors"),
    ],
)
def test_impossible_programmes_are_refused(programme, changes, message):
    with pytest.raises(ValidationError, match=message):
        cluster_settings(programme, **changes)
