"""Components of clusters that exposure joins, on hand-made firms and against every pair."""

import numpy as np
import pandas as pd
import pytest
from arm_studies import STACKED, block, participants_and, run_arms
from stacked_tables import estimation, outcomes, treatment
from test_exposure import CELL, LINK, RING, declared, links, panel
from text_tables import table
from told import tell

from pipeline.analyses.specs import estimate_specs
from pipeline.datasets.matches import MATCHES, WEIGHTS
from pipeline.datasets.panel import PANEL
from pipeline.datasets.store import conform, empty
from pipeline.effects.study import prepare_study
from pipeline.errors import Reason
from pipeline.params.analysis_faults import Sections, cluster_faults
from pipeline.params.clean import CleanSection
from pipeline.params.data import DataSection
from pipeline.params.estimate import EstimateSection
from pipeline.params.outcomes import OutcomesSection
from pipeline.params.treatment import TreatmentSection
from pipeline.selection.exposure import exposure_tables
from pipeline.selection.exposure_rings import haversine_km
from pipeline.selection.risk_sets import risk_sets


def components(given, link_table=None, **exposures):
    """Return the clusters that hang together, and how many firms have a component."""
    found = exposure_tables(given, declared(**exposures), links=link_table).components
    cluster = given.groupby("firm_id")["cluster"].first()
    joined = cluster.groupby(found.set_index("firm_id")["component"]).agg(set)
    assert len(found) == given["firm_id"].nunique()
    return sorted(sorted(own) for own in joined)


def clusters_of(text):
    """Return firms of one sector, each in the cluster that the table has, in a town of its own."""
    firms = table(text, firm_id="str", cohort="Int64", cluster="str")
    firms = firms.assign(town=firms["cluster"], sector="wood", jobs=1)
    given = panel(firms)
    return given.assign(cluster=given["firm_id"].map(firms.set_index("firm_id")["cluster"]))


# a takes part: its ring reaches b and c, whose clusters join with A; d of B and e of D are at one
# place, out of reach
NEAR = """
firm_id cohort cluster lat lon
a       2003   A       0.0 0.0
b       -      B       0.1 0.0
c       -      C       0.2 0.0
d       -      B       5.0 0.0
e       -      D       5.0 0.0
f       -      E       9.0 0.0
"""


def test_rings_join_the_clusters_of_participants_and_of_those_in_reach():
    given = clusters_of(NEAR)
    assert components(given, near=RING) == [["A", "B", "C"], ["D"], ["E"]]
    close = RING | {"edges_km": [12.0]}
    assert components(given, near=close) == [["A", "B"], ["C"], ["D"], ["E"]]


def test_clusters_join_through_firms_that_two_participants_expose():
    both = NEAR.replace("d       -   ", "d       2004").replace("0.2 0.0", "5.2 0.0")
    # a of A reaches b of B; d of B reaches c of C and e of D
    assert components(clusters_of(both), near=RING) == [["A", "B", "C", "D"], ["E"]]


def test_cells_join_the_clusters_that_lie_in_them():
    given = panel().assign(cluster=panel()["firm_id"])
    given["town"] = given["town"].where(given["firm_id"] != "e", "z")
    # a and b take part in (x, wood), c is exposed; f takes part alone in (y, food); e and g of
    # (z, wood) do not
    assert components(given, same=CELL) == [["a", "b", "c"], ["d"], ["e"], ["f"], ["g"]]


def test_links_join_the_clusters_of_their_ends_where_one_takes_part():
    given = panel().assign(cluster=panel()["firm_id"])
    table_of_links = links(
        """
source target kind   year weight
c      a      supply 2002 1
d      c      supply 2002 1
e      g      supply 2002 1
"""
    )
    # d is linked to c, which does not take part, and e to g
    assert components(given, table_of_links, buys=LINK) == [
        ["a", "c"],
        ["b"],
        ["d"],
        ["e"],
        ["f"],
        ["g"],
    ]


def test_several_exposures_join_what_each_does():
    given = panel().assign(cluster=panel()["firm_id"])
    table_of_links = links("source target kind year weight\nd a supply 2002 1\n")
    found = components(given, table_of_links, same=CELL, buys=LINK)
    assert found[0] == ["a", "b", "c", "d"]


@pytest.mark.parametrize("seed", range(3))
def test_rings_of_many_places_join_as_every_pair_does(seed, monkeypatch):
    monkeypatch.setattr("pipeline.selection.exposure_joins._PAIRS_AT_ONCE", 7)
    rng = np.random.default_rng(seed)
    n = 60
    at = rng.uniform(0, 4, (n, 2)).round(2)
    enters = rng.random(n) < 0.2
    firms = pd.DataFrame(
        {
            "firm_id": [f"f{i:02d}" for i in range(n)],
            "cohort": pd.Series(np.where(enters, 2004, np.nan)).astype("Int64"),
            "town": [f"t{i:02d}" for i in rng.integers(0, 45, n)],
            "lat": at[:, 0],
            "lon": at[:, 1],
        }
    )
    given = panel(firms)
    apart = haversine_km(at.repeat(n, axis=0), np.tile(at, (n, 1))).reshape(n, n)
    label = firms["town"].to_numpy(object)
    for _ in range(n):
        for i, j in np.argwhere((apart <= 30) & enters[:, None]):
            both = {label[i], label[j]}
            label = np.array([min(both) if own in both else own for own in label], dtype=object)
    by_hand = firms["town"].groupby(label).agg(set)
    assert components(given, near=RING) == sorted(sorted(own) for own in by_hand)


def estimated(n_components: int, cluster: str = "exposure_component"):
    """Return the average of firms in clusters of two, that exposure joins into components."""
    rng = np.random.default_rng(2)
    firm = np.arange(2 * 48)
    in_panel = pd.DataFrame([(f, y) for f in firm for y in range(2001, 2004)])
    code, year = in_panel[0].to_numpy(), in_panel[1].to_numpy()
    cohort = pd.Series(np.where(code // 2 % 3 == 0, 2002, np.nan)).astype("Int64")
    columns = {"firm_id": [f"F{f:03d}" for f in code], "year": year, "cohort": cohort}
    columns |= {"cluster": [f"c{f // 2:02d}" for f in code], "cluster_entry": cohort}
    columns |= {"exposure_component": [f"p{f // 2 % n_components:02d}" for f in code]}
    panel = conform(PANEL, pd.DataFrame(columns).assign(sales=rng.normal(size=len(code))))
    firms = risk_sets(panel, treatment(-1, 1)).firms
    share = firms["treated"].sum() / (~firms["treated"]).sum()
    weight = np.where(firms["treated"], 1.0, share)
    study = prepare_study(
        panel,
        empty(MATCHES),
        conform(WEIGHTS, firms.assign(design="matched", weight=weight, estimand="att")),
        outcomes=outcomes(),
        treatment=treatment(-1, 1),
        matched_times={},
        estimate=estimation(cluster=cluster),
    )
    return estimate_specs(study).estimates.set_index("term").loc["att"]


def test_errors_by_component_are_sums_over_whole_components():
    row = estimated(24)
    assert (row["cluster"], row["n_clusters"]) == ("exposure_component", 24)
    assert "errors_narrower" not in str(row["remarks"])


def test_few_components_give_no_error_and_point_at_distances():
    row = estimated(19)
    assert np.isnan(row["std_error"])
    assert row["reason"] == "few_exposure_components"
    assert np.isfinite(row["estimate"])
    told = tell(Reason("few_exposure_components", {"n_components": 19, "least": 20}))
    assert "cluster: distance" in told


@pytest.mark.parametrize(("n_components", "is_said"), [(24, True), (48, False)])
def test_clusters_across_which_exposure_reaches_are_said_to_be_too_narrow(n_components, is_said):
    row = estimated(n_components, cluster="assignment")
    assert np.isfinite(row["std_error"])
    assert ("errors_narrower_than_exposure" in str(row["remarks"])) == is_said


def test_a_study_of_rings_has_errors_by_component_and_over_distances(tmp_path):
    """22 sites of a participant and two neighbours, of other clusters, and 20 of one clean firm."""
    near = [(site, who) for site in range(22) for who in range(3)]
    firms = pd.DataFrame([*near, *((site, 0) for site in range(22, 42))], columns=["site", "who"])
    firms["firm"] = [f"F{i:03d}" for i in range(len(firms))]
    firms = firms.assign(cell=firms["firm"], lat=firms["site"] + firms["who"] / 20, lon=0.0)
    rng = np.random.default_rng(3)
    years = [firms.assign(year=year, y=rng.normal(size=len(firms))) for year in (2001, 2002)]
    register = firms.loc[(firms["site"] < 22) & (firms["who"] == 0), ["firm"]]
    conley = {"cutoff_km": 30, "latitude": "lat", "longitude": "lon"}
    specs = {
        "stacked": STACKED,
        "joined": STACKED | {"cluster": "exposure_component"},
        "spatial": STACKED | {"cluster": "distance", "conley": conley},
    }
    sections = block(
        {"lat": "number", "lon": "number"},
        participants_and(near={"exposure": "near"}),
        {"near": RING},
        estimate={"specs": specs},
    )
    register = register.assign(entry=2002, part="grant")
    panel = pd.concat(years).drop(columns=["site", "who"])
    found = run_arms(tmp_path, panel, register, sections)
    assert found.att("near", "joined")["n_clusters"] == 42
    assert found.att("near")["n_clusters"] == 64
    assert "errors_narrower_than_exposure" in found.att("near")["remarks"]
    # neighbours are the only firms near each other, so that only the factor differs
    ratio = found.att("near", "joined")["std_error"] / found.att("near", "spatial")["std_error"]
    assert 1 < ratio < 1.05
    for spec in ("joined", "spatial"):
        assert found.att("", spec)["std_error"] > 0


def faults_of(exposure: dict, arms: dict | None, **spec: object) -> list[str]:
    """Return what `check` says of the clusters of a study with one spec."""
    sections = block({"lat": "number", "lon": "number"}, arms, exposure)
    sections["estimate"]["specs"] = {"stacked": STACKED | spec}
    models = {"data": DataSection, "clean": CleanSection, "outcomes": OutcomesSection}
    models |= {"treatment": TreatmentSection, "estimate": EstimateSection}
    parsed = {name: model.model_validate(sections[name]) for name, model in models.items()}
    return list(cluster_faults(Sections(**parsed)))


CONLEY = {"cutoff_km": 30, "latitude": "lat", "longitude": "lon"}


def test_check_refuses_clusters_that_the_study_does_not_make():
    arms = participants_and(near={"exposure": "near"})
    rings = {"near": RING}
    assert faults_of(rings, arms, cluster="exposure_component") == []
    (fault,) = faults_of({}, None, cluster="exposure_component")
    assert "estimate.specs.stacked.cluster: exposure_component joins" in fault
    assert faults_of(rings, arms, cluster="distance", conley=CONLEY) == []
    (fault,) = faults_of(rings, arms, cluster="distance", conley=CONLEY | {"cutoff_km": 29})
    assert "conley.cutoff_km: 29 is below 30, the outer ring" in fault
    (fault,) = faults_of(rings, arms, cluster="distance", conley=CONLEY | {"latitude": "lta"})
    assert "conley.latitude: lta is not in data.columns; did you mean lat?" in fault
    with pytest.raises(ValueError, match="exposure_component joins whole assignment clusters"):
        faults_of(rings, arms, cluster=["exposure_component", "firm"])
