"""Exposure on hand-made firms: every kind, the first class, what ends it, and what is refused."""

import numpy as np
import pandas as pd
import pytest
from pydantic import TypeAdapter, ValidationError
from text_tables import table

from pipeline.datasets.exposure import EXPOSED, EXPOSURE, LINKS
from pipeline.datasets.store import conform, read, write
from pipeline.errors import DataError, Reason, SupportError
from pipeline.panel.centroids import centroid_table
from pipeline.panel.panel_index import index_panel
from pipeline.params.data import DataSection
from pipeline.params.exposure import Exposures
from pipeline.params.exposure_faults import exposure_faults
from pipeline.params.treatment import TreatmentSection
from pipeline.selection.exposed_firms import exposed_rows, exposure_rows
from pipeline.selection.exposure import ExposureInputs, exposed_firms, exposure_tables

SHARE = {"kind": "share", "columns": ["town"], "of": "firms", "edges": [0.5]}
CELL = {"kind": "cell", "columns": ["town", "sector"]}
RING = {"kind": "ring", "latitude": "lat", "longitude": "lon", "edges_km": [12.0, 30.0]}
RING |= {"precision_km": 1.0}
LINK = {"kind": "link", "direction": "source", "measure": "any"}

# One degree of latitude is 111.19 km: 0.1 are 11.12, 0.2 are 22.24, 0.3 are 33.36.
FIRMS = table(
    """
firm_id cohort town sector lat  lon jobs
a       2003   x    wood   0.0  0.0 10
b       2005   x    wood   0.2  0.0 30
c       -      x    wood   0.1  0.0 40
d       -      x    food   0.4  0.0 20
e       -      y    wood   9.0  0.0 5
f       2005   y    food   5.0  0.0 5
g       -      z    wood   9.0  9.0 5
""",
    firm_id="str",
    cohort="Int64",
    town="str",
    sector="str",
)


def panel(firms=FIRMS, years=range(2001, 2008)):
    """Return firms that stay as they are, in each of the years."""
    every = pd.concat([firms.assign(year=year) for year in years], ignore_index=True)
    return every.assign(year=every["year"].astype("Int64"), cluster=every["town"])


def declared(**exposures):
    return TypeAdapter(Exposures).validate_python(exposures)


def exposed(rule, given=None, links=None, **more):
    """Return EXPOSURE of one rule by firm: class, first year, year and cause of the end.

    Firms are those asked; the tables hold others within reach, too.
    """
    given = panel() if given is None else given
    tables = exposure_tables(given, declared(near=rule), links=links, **more)
    by_firm = tables.firms[tables.firms["among"]].set_index("firm_id")
    shown = by_firm[["class", "first_exposed", "censored_from", "censored_by"]].astype(object)
    rows = shown.where(shown.notna(), None).itertuples(name=None)
    return {firm: tuple(values) for firm, *values in rows}, tables


def found(tables):
    """Return what was found, by code, with the number of firms or links.

    But that few of the firms of these tests are exposed, which they always are.
    """
    told = {issue.rule.code: issue.count for issue in tables.issues}
    return {code: n for code, n in told.items() if code != "few_exposed"}


def links(text):
    frame = table(text, source="str", target="str", kind="str", year="Int64", weight="float64")
    return conform(LINKS, frame)


def test_a_cell_exposes_from_the_first_other_participant_on():
    firms, tables = exposed(CELL)
    assert firms == {
        "a": (1, 2005, None, None),
        "b": (1, 2003, 2005, "own_entry"),
        "c": (1, 2003, None, None),
    }
    rows = tables.firms.set_index("firm_id")
    assert rows["participant"].to_dict() == {"a": True, "b": False, "c": False}
    assert rows["value"].to_dict() == {"a": 1, "b": 1, "c": 1}  # itself, and later ones, not


def test_classes_are_counted_with_what_ends_them():
    _, tables = exposed(CELL)
    counts = tables.counts.set_index("class")
    assert counts["n_firms"].to_dict() == {0: 3, 1: 2}
    assert counts["n_cells"].to_dict() == {0: 3, 1: 1}
    assert counts["n_entered"].to_dict() == {0: 0, 1: 1}
    assert counts["n_participants"].to_dict() == {0: 0, 1: 1}
    assert counts["share"].to_dict() == {0: 0.6, 1: 0.4}
    assert found(tables) == {"exposed_in_few_cells": 2}
    assert tables.issues[0].rule == Reason("exposed_in_few_cells", {"n": 1, "least": 6})


def test_a_share_leaves_the_firm_itself_out_and_a_higher_class_ends_it():
    """Town x has four firms: of three others one takes part in 2003, two in 2005."""
    firms, tables = exposed(SHARE)
    assert firms == {
        "a": (1, 2005, None, None),
        "b": (1, 2003, 2005, "own_entry"),
        "c": (1, 2003, 2005, "stronger_exposure"),
        "d": (1, 2003, 2005, "stronger_exposure"),
        "e": (2, 2005, None, None),
    }
    value = tables.firms.set_index("firm_id")["value"]
    assert value.to_dict() == pytest.approx(
        {"a": 1 / 3, "b": 1 / 3, "c": 1 / 3, "d": 1 / 3, "e": 1}
    )
    counts = tables.counts.set_index("class")
    assert counts["n_stronger"].to_dict() == {0: 0, 1: 2, 2: 0}
    assert counts.loc[1, ["above", "up_to", "measure"]].tolist() == [0, 0.5, "share_of_firms"]


def test_a_share_of_jobs_is_of_the_jobs_of_others():
    firms, tables = exposed(SHARE | {"of": "jobs", "edges": [0.125, 0.5]})
    value = tables.firms.set_index("firm_id")["value"]
    assert value.to_dict() == pytest.approx(
        {"a": 30 / 90, "b": 10 / 70, "c": 10 / 60, "d": 10 / 80, "e": 1}
    )
    assert firms["d"] == (1, 2003, 2005, "stronger_exposure")  # 0.125 is in the lower class
    assert firms["c"] == (2, 2003, 2005, "stronger_exposure")
    assert tables.counts["measure"].unique().tolist() == ["share_of_size"]


def test_rings_are_closed_on_the_right_and_a_nearer_one_ends_the_first():
    firms, tables = exposed(RING)
    assert firms == {
        "a": (2, 2005, None, None),
        "b": (2, 2003, 2005, "own_entry"),
        "c": (1, 2003, None, None),
        "d": (2, 2005, None, None),
    }
    edge = 0.1 * np.pi / 180 * 6371.01  # to the firm at 0.1 degrees
    firms, _ = exposed(RING | {"edges_km": [edge, 2 * edge]})
    assert firms["c"][0] == 1 and firms["b"][0] == 2 and firms["d"][:2] == (2, 2005)
    firms, _ = exposed(RING | {"edges_km": [edge - 1e-4, 2 * edge - 1e-4]})
    assert firms["c"][0] == 2 and "b" not in firms
    assert tables.firms.set_index("firm_id")["value"]["c"] == pytest.approx(edge, abs=1e-6)


def test_a_nearer_ring_ends_the_class_of_the_first():
    later = FIRMS.assign(cohort=FIRMS["cohort"].mask(FIRMS["firm_id"] == "b", pd.NA))
    later.loc[later["firm_id"] == "d", "cohort"] = 2006
    firms, _ = exposed(RING | {"edges_km": [5.0, 12.0, 23.0]}, panel(later))
    assert firms["c"] == (2, 2003, None, None)  # d is 33 km away
    assert firms["b"] == (3, 2003, None, None)
    near = later.assign(lat=later["lat"].mask(later["firm_id"] == "d", 0.21))
    firms, _ = exposed(RING | {"edges_km": [5.0, 12.0, 23.0]}, panel(near))
    assert firms["b"] == (3, 2003, 2006, "stronger_exposure")


TOWNS = table("place latitude longitude\nx 0 0\ny 0.2 0\nz 9 9\n")
BY_TOWN = {"kind": "ring", "place": "town", "centroids": "towns.csv", "edges_km": [25.0]}
BY_TOWN |= {"precision_km": 20.0}


def centroids(towns=TOWNS):
    return {"towns.csv": centroid_table({"towns.csv": towns})}


def test_places_come_from_a_table_of_centroids():
    elsewhere = panel(FIRMS.assign(town=FIRMS["town"].mask(FIRMS["firm_id"] == "d", "w")))
    firms, tables = exposed(BY_TOWN, elsewhere, centroids=centroids())
    assert firms["e"] == (1, 2003, None, None) and "g" not in firms
    assert firms["d"] == (None, None, None, None)
    assert found(tables)["firm_without_place"] == 1
    assert found(tables)["place_not_in_table"] == 1


def test_rings_are_as_wide_as_places_are_known():
    rough = centroids(TOWNS.assign(radius_km=[30.0, 26.0, 1.0]))
    told = "near: a ring is 25 km wide, and the places of towns.csv have a median radius of 26.0 km"
    with pytest.raises(DataError, match=told):
        exposed(BY_TOWN, centroids=rough)
    # the place z is the one that most firms are not at, and counts as one place
    fine = centroids(TOWNS.assign(radius_km=[20.0, 26.0, 1.0]))
    assert exposed(BY_TOWN, centroids=fine)[0]["e"] == (1, 2003, None, None)


@pytest.mark.parametrize(
    ("towns", "fault"),
    [
        (pd.concat([TOWNS, TOWNS]), r"towns\.csv has 3 places more than once: keep one"),
        (TOWNS.drop(columns="longitude"), "absent: longitude"),
        (TOWNS.assign(latitude=["0", "x", "1"]), "1 places without a latitude or longitude"),
        (TOWNS.assign(latitude=[0, 95, 1]), "1 places have a latitude beyond 90"),
        (TOWNS.assign(radius_km=[1, -1, 1]), "1 places have a radius_km below 0"),
    ],
)
def test_tables_of_centroids_that_cannot_be_are_refused(towns, fault):
    with pytest.raises(DataError, match=fault):
        centroids(towns)


LINKED = """
source target kind   year weight
c      a      supply 2002 10
c      b      supply 2001 20
c      g      supply 2002 20
d      a      supply 2001 1
d      c      buyer  2002 1
e      f      buyer  2003 4
e      f      supply 2003 1
"""


def test_a_link_exposes_the_end_that_is_declared():
    given = links(LINKED)
    assert exposed(LINK, links=given)[0] == {
        "c": (1, 2003, None, None),
        "d": (1, 2003, None, None),
        "e": (1, 2005, None, None),
    }
    of_target = links("source target kind year weight\na c supply 2002 1\nd c supply 2002 1\n")
    assert set(exposed(LINK | {"direction": "target"}, links=of_target)[0]) == {"c"}
    assert set(exposed(LINK | {"direction": "either"}, links=of_target)[0]) == {"c"}
    with pytest.raises(SupportError, match="none of 4 firms"):
        exposed(LINK, links=of_target)


def test_links_are_counted_by_partner_and_weighed_by_amount():
    given = links(LINKED)
    firms, tables = exposed(LINK | {"measure": "count", "edges": [1.0]}, links=given)
    assert firms["c"] == (1, 2003, 2005, "stronger_exposure")
    assert firms["e"] == (1, 2005, None, None)  # two kinds of one partner
    assert tables.counts["up_to"].isna().tolist() == [True, False, True]
    firms, tables = exposed(LINK | {"measure": "share", "edges": [0.2, 0.6]}, links=given)
    assert tables.firms.set_index("firm_id")["value"].to_dict() == {"c": 0.2, "d": 0.5, "e": 1}
    assert firms["c"] == (1, 2003, 2005, "stronger_exposure")
    only = LINK | {"measure": "share", "edges": [], "links": ["buyer"]}
    assert set(exposed(only, links=given)[0]) == {"e"}


def test_links_dated_from_the_first_entry_of_their_component_on_are_late():
    late = links(LINKED + "g c supply 2003 1\n")
    with pytest.raises(DataError, match=r"exposure\.near: 1 of 8 links are dated from the first"):
        exposed(LINK, links=late)
    firms, tables = exposed(LINK | {"late_links": "leave_out"}, links=late)
    assert "g" not in firms and found(tables)["link_from_entry_on"] == 1
    # e and f are a component of their own, which nobody enters before 2005
    assert firms["e"] == (1, 2005, None, None)
    _, tables = exposed(LINK | {"years_before": 1}, links=links(LINKED))
    assert found(tables)["link_too_early"] == 4
    with pytest.raises(DataError, match="declare late_links: leave_out"):
        exposed(LINK, links=links("source target kind year weight\nc a supply 2004 1\n"))
    with pytest.raises(SupportError, match="none of 1 links is dated before"):
        later = links("source target kind year weight\nc a supply 2004 1\n")
        exposed(LINK | {"late_links": "leave_out"}, links=later)


def test_links_name_firms_and_kinds_that_there_are():
    with pytest.raises(DataError, match="no link is of the kind barter"):
        exposed(LINK | {"links": ["barter"]}, links=links(LINKED))
    with pytest.raises(DataError, match="1 links name a firm that the panel lacks"):
        exposed(LINK, links=links(LINKED + "g q supply 2001 1\n"))
    with pytest.raises(DataError, match="the study names no file"):
        exposed(LINK)
    assert found(exposed(LINK, links=links(LINKED))[1])["firm_without_link"] == 4


def test_exposed_firms_are_among_those_asked():
    rule = SHARE | {"among": {"column": "sector", "values": ["food"]}}
    with pytest.raises(SupportError, match="each of 1 firms that never take part is exposed"):
        exposed(rule)
    firms, _ = exposed(SHARE | {"among": {"column": "sector", "values": ["wood"]}})
    assert set(firms) == {"a", "b", "c", "e"}
    with pytest.raises(DataError, match=r"no firm has one of among\.values in sector"):
        exposed(SHARE | {"among": {"column": "sector", "values": ["Wood"]}})


def test_firms_within_reach_that_are_not_asked_are_not_clean():
    """Firm d, of food, is in a town with participants: in no class, and no comparison firm."""
    rule = SHARE | {"among": {"column": "sector", "values": ["wood"]}}
    _, tables = exposed(rule)
    outside = tables.firms[~tables.firms["among"]]
    assert outside["firm_id"].tolist() == ["d"]
    assert outside["first_exposed"].tolist() == [2003]
    assert tables.counts.set_index("class")["n_outside"].to_dict() == {0: 0, 1: 1, 2: 0}
    assert found(tables)["reached_outside_among"] == 1
    assert tables.counts.set_index("class")["n_firms"].to_dict() == {0: 1, 1: 2, 2: 1}


def test_firms_that_several_exposures_reach_are_counted():
    """Firm c has participants in its cell and buys of one; e does only the second."""
    rules = declared(cell=CELL, buys=LINK)
    counts = exposure_tables(panel(), rules, links=links(LINKED)).counts
    also = counts.set_index(["exposure", "class"])["n_also"].to_dict()
    # of cell-mates b and c the links reach c, of those out of cells d and e; of c, d, e the cell c
    assert also == {("cell", 0): 2, ("cell", 1): 1, ("buys", 0): 0, ("buys", 1): 1}


def test_exposure_needs_somebody_exposed_and_somebody_not():
    alone = FIRMS.assign(town=FIRMS["firm_id"])
    with pytest.raises(SupportError, match="none of 4 firms that never take part") as raised:
        exposed(CELL, panel(alone))
    assert raised.value.reason == Reason("nobody_exposed", {"n": 4})
    together = FIRMS.assign(town="x", sector="wood")
    with pytest.raises(SupportError, match="none is left to compare with: narrow") as raised:
        exposed(CELL, panel(together))
    assert raised.value.reason == Reason("everybody_exposed", {"n": 4})
    nobody = FIRMS.assign(cohort=pd.array([pd.NA] * 7, dtype="Int64"))
    with pytest.raises(SupportError, match="no firm of the panel enters"):
        exposed(CELL, panel(nobody))


def test_places_are_those_of_the_base_year():
    """Firm g moves into the cell of a and b when the programme comes: it stays where it was."""
    moving = panel()
    there = (moving["firm_id"] == "g") & (moving["year"] >= 2003)
    moving.loc[there, "town"] = "x"
    assert "g" not in exposed(CELL, moving)[0]
    moving.loc[(moving["firm_id"] == "g") & (moving["year"] == 2002), "town"] = "x"
    assert exposed(CELL, moving)[0]["g"] == (1, 2003, None, None)
    assert "g" not in exposed(CELL | {"base_year": 2001}, moving)[0]
    gone = moving[(moving["firm_id"] != "g") | (moving["year"] != 2002)]
    assert "g" not in exposed(CELL, gone)[0]  # absent in the base year: as in the year before
    for year in (2003, 2006):
        with pytest.raises(DataError, match=r"first firms entered in 2003.*write 2002 or an ea"):
            exposed(CELL | {"base_year": year}, moving)


def test_participants_placed_from_their_entry_on_are_refused_or_kept():
    late = panel()
    late = late[(late["firm_id"] != "f") | (late["year"] >= 2005)]
    with pytest.raises(DataError, match=r"1 of 3 participants have no row before their own entry"):
        exposed(SHARE, late)
    firms, tables = exposed(SHARE | {"late_places": "keep"}, late)
    assert firms["e"] == (2, 2005, None, None)  # the late participant counts above and below
    assert found(tables)["place_from_entry_on"] == 1


def test_firms_first_seen_after_their_cell_was_reached_are_told():
    young = panel()
    young = young[(young["firm_id"] != "c") | (young["year"] >= 2004)]
    firms, tables = exposed(CELL, young)
    assert firms["c"] == (1, 2003, None, None)
    assert found(tables)["exposed_before_first_row"] == 1
    # a firm that is not active in the base year counts in no share
    value = exposed(SHARE, young)[1].firms.set_index("firm_id")["value"]
    assert value["d"] == pytest.approx(1 / 2) and value["c"] == pytest.approx(1 / 3)


def test_firms_without_a_place_are_told_and_too_many_refused():
    holes = FIRMS.assign(lat=FIRMS["lat"].mask(FIRMS["firm_id"].isin(["b", "d"])))
    with pytest.raises(DataError, match=r"2 of 7 firms \(28\.6 percent\) have no place"):
        exposed(RING, panel(holes))
    firms, tables = exposed(RING | {"most_missing_percent": 30.0}, panel(holes))
    assert firms == {
        "b": (None, None, None, None),
        "c": (1, 2003, None, None),
        "d": (None, None, None, None),
    }
    counted = {"firm_without_place": 1, "participant_without_place": 1, "exposed_in_few_cells": 1}
    assert found(tables) == counted
    assert tables.counts["n_firms"].tolist() == [2, 1, 0]
    towns = FIRMS.assign(town=FIRMS["town"].mask(FIRMS["firm_id"] == "e"))
    assert exposed(SHARE, panel(towns))[0]["e"] == (None, None, None, None)


def test_sizes_and_coordinates_that_cannot_be_are_refused():
    of_jobs = SHARE | {"of": "jobs"}
    with pytest.raises(DataError, match="1 firms have a negative jobs"):
        exposed(of_jobs, panel(FIRMS.assign(jobs=FIRMS["jobs"].replace(40, -1))))
    unknown = FIRMS.assign(jobs=FIRMS["jobs"].astype(float).replace(40, np.nan))
    _, tables = exposed(of_jobs, panel(unknown))
    assert found(tables)["size_missing_in_share"] == 1
    value = tables.firms.set_index("firm_id")["value"]
    assert value["d"] == pytest.approx(10 / 40)
    with pytest.raises(DataError, match="lat and lon: 1 firms have a latitude beyond 90"):
        exposed(RING, panel(FIRMS.assign(lat=FIRMS["lat"].replace(5.0, 95.0))))
    with pytest.raises(DataError, match="no firm has a row of the base year 2000"):
        exposed(SHARE | {"base_year": 2000})


def test_places_written_to_wider_steps_than_a_ring_are_told():
    narrow = RING | {"edges_km": [5.0, 30.0]}
    _, tables = exposed(narrow)
    remark = next(i.rule for i in tables.issues if i.rule.code == "places_rounded")
    assert remark.fields == {"km": pytest.approx(11.119506, abs=1e-4), "narrowest": 5.0}
    assert "places_rounded" not in found(exposed(RING)[1])
    exact = FIRMS.assign(lat=FIRMS["lat"].replace(9.0, 9.00005))
    assert "places_rounded" not in found(exposed(narrow, panel(exact))[1])


@pytest.mark.parametrize(
    ("rule", "fault"),
    [
        (RING | {"precision_km": 12.5}, "a ring is 12 km wide and places are known to 12.5 km"),
        (RING | {"edges_km": [12, 12.5]}, "a ring is 0.5 km wide"),
        (RING | {"edges_km": [30, 12]}, r"edges_km must ascend from above 0: \[30, 12\]"),
        (RING | {"longitude": None}, "give latitude and longitude, or place and centroids"),
        (RING | {"place": "town"}, "give latitude and longitude, or place and centroids"),
        (SHARE | {"edges": [0.0, 0.5]}, "edges must ascend from above 0"),
        (SHARE | {"edges": [0.5, 1]}, "edges are shares between 0 and 1"),
        (LINK | {"edges": [1]}, "measure: any has one class"),
        (LINK | {"measure": "share", "edges": [2]}, "edges are shares between 0 and 1"),
        ({"kind": "far"}, "does not match any of the expected tags"),
    ],
)
def test_settings_that_cannot_be_are_refused(rule, fault):
    with pytest.raises(ValidationError, match=fault):
        declared(near=rule)


def test_several_exposures_stand_in_one_table(tmp_path):
    rules = declared(cell=CELL, near=RING, buys=LINK)
    tables = exposure_tables(panel(), rules, links=links(LINKED))
    write(EXPOSURE, tables.firms, tmp_path)
    write(EXPOSED, tables.counts, tmp_path)
    assert read(EXPOSURE, tmp_path)["exposure"].unique().tolist() == ["buys", "cell", "near"]
    assert len(read(EXPOSED, tmp_path)) == 7
    shuffled = panel().sample(frac=1, random_state=3)
    again = exposure_tables(shuffled, rules, links=links(LINKED))
    pd.testing.assert_frame_equal(again.firms, tables.firms)


@pytest.mark.parametrize("rule", [CELL, SHARE, RING, LINK], ids=lambda rule: rule["kind"])
def test_entry_drawn_anew_exposes_as_if_it_were_delivered(rule):
    """Firms c and d enter in the place of a and b."""
    other = FIRMS.assign(cohort=pd.array([None, None, 2003, 2005, None, 2005, None], dtype="Int64"))
    (dated,) = declared(near=rule | {"base_year": 2002}).values()
    given = links("source target kind year weight\na c supply 2001 1\nb d supply 2001 1\n")
    inputs = [ExposureInputs(p, index_panel(p), given, {}) for p in (panel(), panel(other))]
    before, delivered = (exposed_firms(one, "near", dated)[0] for one in inputs)
    drawn = before.redrawn(other["cohort"].to_numpy(np.float64, na_value=np.nan))
    assert drawn.exposed.any() and not exposure_rows(drawn).equals(exposure_rows(before))
    pd.testing.assert_frame_equal(exposure_rows(drawn), exposure_rows(delivered))
    pd.testing.assert_frame_equal(exposed_rows(drawn), exposed_rows(delivered))


def test_own_entry_ends_exposure_in_the_year_of_a_stronger_one():
    more = FIRMS.assign(cohort=FIRMS["cohort"].mask(FIRMS["firm_id"] == "d", 2005))
    firms, tables = exposed(SHARE, panel(more))
    assert firms["b"] == firms["d"] == (1, 2003, 2005, "own_entry")
    assert firms["c"] == (1, 2003, 2005, "stronger_exposure")
    counts = tables.counts.set_index("class").loc[1]
    assert (counts["n_entered"], counts["n_stronger"]) == (2, 1)


def test_no_exposures_give_empty_tables():
    tables = exposure_tables(panel(), {})
    assert tables.firms.empty and tables.counts.empty and tables.issues == []


def faults(links=None, **exposures):
    number = {"kind": "number", "unit": "degrees", "label": "X"}
    data = DataSection.model_validate(
        {
            "source": {"kind": "files", "panel": "p.csv", "register_file": "r.csv"},
            "firm_id": "id",
            "year": "year",
            "cluster": ["town"],
            "links": links,
            "register_columns": {"firm_id": "id", "entry_year": "entry", "component": "part"},
            "columns": {
                "town": {"kind": "text", "column": "town", "label": "Town"},
                **{name: {**number, "column": name} for name in ("lat", "lon", "jobs")},
            },
        }
    )
    entry = {"source": "register", "programme": None, "other_programmes": "keep"}
    named = {"credit": {"source": "register", "component": ["credit"]}}
    treatment = TreatmentSection.model_validate(
        {
            "entry": entry,
            "anticipation_years": 0,
            "comparison": "never_treated",
            "window": {"first_event_time": -1, "last_event_time": 1},
            "arms": {"headline": "credit", "named": named} if exposures else None,
            "exposure": exposures,
        }
    )
    return list(exposure_faults(data, treatment))


def test_columns_of_exposures_are_columns_of_the_data():
    assert faults(near=RING, share=SHARE | {"of": "jobs"}) == []
    assert faults(near=RING | {"latitude": "lta"}) == [
        "treatment.exposure.near.latitude: lta is not in data.columns; did you mean lat?"
    ]
    (sector,) = faults(cell=CELL)
    assert sector.startswith("treatment.exposure.cell.columns: sector is not in data.columns")
    (town,) = faults(share=SHARE | {"of": "town"})
    assert town == "treatment.exposure.share.of: town is a text column; this needs a number column"
    among = {"column": "town", "values": [1.0]}
    assert len(faults(share=SHARE | {"among": among})) == 1
    assert faults(share=SHARE | {"among": among | {"values": ["x"]}}) == []


FILE = {"file": "l.csv", "source": "a", "target": "b", "year": "y"}


def test_links_of_exposures_need_a_file():
    (absent,) = faults(buys=LINK)
    assert absent.startswith("treatment.exposure.buys needs links between firms: name their file")
    assert faults(FILE, buys=LINK) == []
    (kinds,) = faults(FILE, buys=LINK | {"links": ["supply"]})
    assert kinds.startswith("treatment.exposure.buys.links: data.links names no column `kind`")
    assert faults(FILE | {"file": None}) == [
        "data.links.file is missing: name the file of links in data/raw"
    ]


def test_links_without_direction_expose_at_either_end():
    file = FILE | {"kind": "k", "undirected": ["labour"]}
    (way,) = faults(file, works=LINK | {"direction": "source"})
    assert way.startswith("treatment.exposure.works.direction is source, and links of the kind lab")
    assert faults(file, works=LINK | {"direction": "either"}) == []
    assert faults(file, buys=LINK | {"direction": "source", "links": ["supply"]}) == []
    (kind,) = faults(FILE | {"undirected": ["labour"]})
    assert "labour is no kind" in kind and faults(FILE | {"undirected": ["link"]}) == []
