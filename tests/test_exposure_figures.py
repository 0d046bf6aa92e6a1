"""Exposure against loops on random firms, the ring grid of the method, and a million links."""

import time

import numpy as np
import pandas as pd
import pytest
from test_exposure import LINK, SHARE, declared, found

from pipeline.commands.replication.stand_in import made_up_links
from pipeline.datasets.exposure import LINKS
from pipeline.datasets.store import conform, read, write
from pipeline.errors import DataError
from pipeline.panel.firm_links import Written, firm_links
from pipeline.params.identifier import Identifier
from pipeline.params.links_file import LinksFile
from pipeline.selection.exposure import exposure_tables
from pipeline.selection.exposure_course import BaseFirms, follow
from pipeline.selection.exposure_rings import (
    EARTH,
    Metric,
    distinct_places,
    haversine_km,
    ring_steps,
)

YEARS = (2003, 2004, 2006)
PLANE = Metric(lambda places: places, lambda a, b: np.hypot(*(a - b).T))


def firms_of(cohort):
    n = len(cohort)
    year = np.full(n, 2002)
    return BaseFirms(pd.Index(np.arange(n).astype(str)), cohort, np.arange(n), year, 2002)


def drawn_cohorts(rng, n, share=0.15):
    cohort = rng.choice(YEARS, n).astype(np.float64)
    return np.where(rng.random(n) < share, cohort, np.nan)


def looped_rings(coordinates, cohort, edges, km):
    """Return first year, ring and year of a nearer one, by looking at every other participant."""
    n = len(cohort)
    rows = np.repeat(np.arange(n), n)
    distance = np.round(km(coordinates[rows], np.tile(coordinates, (n, 1))), 6).reshape(n, n)
    np.fill_diagonal(distance, np.inf)
    first, ring, nearer = np.full(n, np.nan), np.zeros(n, dtype=int), np.full(n, np.nan)
    for i in range(n):
        for year in YEARS:
            nearest = min([distance[i, j] for j in range(n) if cohort[j] <= year], default=np.inf)
            inside = [k for k, edge in enumerate(edges, 1) if nearest <= edge]
            now = inside[0] if inside else 0
            if now and not ring[i]:
                first[i], ring[i] = year, now
            elif now and now < ring[i] and np.isnan(nearer[i]):
                nearer[i] = year
    return first, ring, nearer


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("metric", [EARTH, PLANE], ids=["earth", "plane"])
def test_rings_are_those_of_a_loop(seed, metric):
    """Places repeat, so that participants share theirs with others, and some firms have none."""
    rng = np.random.default_rng(seed)
    n, edges = 150, [15.0, 40.0, 90.0]
    spread = 2.0 if metric is EARTH else 250.0
    coordinates = np.round(rng.uniform(0, spread, (60, 2)), 3)[rng.integers(0, 60, n)]
    coordinates[:5] = np.nan
    cohort = drawn_cohorts(rng, n, 0.05 + 0.1 * seed)
    steps = ring_steps(distinct_places(coordinates), firms_of(cohort), edges, metric)
    course = follow(steps, n)
    away = np.where(np.isnan(coordinates), 60.0 if metric is EARTH else 1e6, coordinates)
    cohort_placed = np.where(np.isnan(coordinates[:, 0]), np.nan, cohort)
    first, ring, nearer = looped_rings(away, cohort_placed, edges, metric.km)
    known = ~np.isnan(coordinates[:, 0])
    np.testing.assert_array_equal(course.first[known], first[known])
    found = np.where(course.strength > 0, len(edges) + 1 - course.strength, 0)
    np.testing.assert_array_equal(found[known], ring[known])
    np.testing.assert_array_equal(course.stronger[known], nearer[known])
    assert np.isnan(course.first[~known]).all()


def test_neighbours_across_the_date_line_and_the_pole_are_near():
    coordinates = np.array([[0.0, 179.95], [0.0, -179.95], [89.95, 0.0], [89.95, 180.0]])
    firms = firms_of(np.array([2003.0, np.nan, 2003.0, np.nan]))
    course = follow(ring_steps(distinct_places(coordinates), firms, [12.0]), 4)
    assert course.strength.tolist() == [0, 1, 0, 1]
    assert course.value[[1, 3]] == pytest.approx(0.1 * np.pi / 180 * 6371.01, abs=1e-6)


def test_great_circles_have_known_lengths():
    """A quarter of the circle, a degree of the meridian, and none."""
    one = np.array([[0.0, 0.0], [10.0, 20.0], [-12.05, -77.05]])
    other = np.array([[90.0, 0.0], [11.0, 20.0], [-12.05, -77.05]])
    circle = 2 * np.pi * 6371.01
    assert haversine_km(one, other) == pytest.approx([circle / 4, circle / 360, 0], rel=1e-12)


def test_the_ring_grid_of_the_method():
    """60 firms on a grid of 12 km; ordinary least squares on rings of those that stay out."""
    i = np.arange(60)
    x, y = 12.0 * (i % 10), 12.0 * (i // 10)
    joins = (x == 0) & (y <= 24)
    firms = firms_of(np.where(joins, 2003, np.nan))
    grid = distinct_places(np.column_stack([x, y]))
    strength = follow(ring_steps(grid, firms, [12.0, 30.0], PLANE), 60).strength
    near, far = (~joins & (strength == k) for k in (2, 1))
    assert (near.sum(), far.sum()) == (4, 7)
    change = 0.02 + 0.10 * joins + 0.04 * near + 0.01 * far + ((37 * i % 11) - 5) / 100
    regressors = np.column_stack([np.ones(60), joins, near, far])
    fitted = np.linalg.lstsq(regressors, change, rcond=None)[0]
    assert fitted[1:] == pytest.approx([0.08463768, 0.04380435, 0.01559006], abs=5e-9)
    assert change[joins].mean() - change[~joins].mean() == pytest.approx(0.07964912, abs=5e-9)
    nearer = follow(ring_steps(grid, firms, [11.999999], PLANE), 60).strength
    assert not (nearer[~joins] > 0).any()


def looped_shares(town, cohort, active, size):
    """Return the share of the other firms of the town that take part, by firm and year."""
    shares = np.zeros((len(town), len(YEARS)))
    for i in range(len(town)):
        others = [j for j in range(len(town)) if j != i and town[j] == town[i]]
        counted = [j for j in others if active[j] or not np.isnan(cohort[j])]
        everyone = sum(size[j] for j in counted)
        for k, year in enumerate(YEARS):
            treated = sum(size[j] for j in counted if cohort[j] <= year)
            shares[i, k] = treated / everyone if treated else 0
    return shares


@pytest.mark.parametrize("of", ["firms", "jobs"])
def test_shares_are_those_of_a_loop(of):
    rng = np.random.default_rng(11)
    n, edges = 200, [0.1, 0.3]
    town, jobs = rng.integers(0, 40, n), rng.integers(0, 50, n) / 10
    cohort, first_year = drawn_cohorts(rng, n), rng.choice([2001, 2003], n, p=[0.8, 0.2])
    firms = pd.DataFrame({"firm_id": np.arange(n).astype(str), "town": town.astype(str)})
    firms = firms.assign(cluster=firms["town"], jobs=jobs, cohort=pd.array(cohort, dtype="Int64"))
    years = pd.concat([firms.assign(year=year, born=first_year) for year in range(2001, 2008)])
    panel = years[years["year"] >= years["born"]].astype({"year": "Int64"}).reset_index(drop=True)
    rule = SHARE | {"of": of, "edges": edges, "late_places": "keep"}
    found = exposure_tables(panel, declared(near=rule)).firms.set_index("firm_id")
    size = np.ones(n) if of == "firms" else jobs
    shares = looped_shares(town, cohort, first_year == 2001, size)
    exposed = np.flatnonzero(shares[:, -1] > 0)
    assert set(found.index) == set(exposed.astype(str))
    for i in exposed:
        at_first = shares[i, (shares[i] > 0).argmax()]
        assert found.loc[str(i), "value"] == pytest.approx(at_first, abs=1e-9)
        assert found.loc[str(i), "first_exposed"] == YEARS[(shares[i] > 0).argmax()]
        assert found.loc[str(i), "class"] == 1 + sum(at_first > edge + 1e-12 for edge in edges)


@pytest.mark.parametrize("direction", ["source", "target", "either"])
@pytest.mark.parametrize("measure", ["count", "share"])
def test_links_are_those_of_a_loop(direction, measure):
    rng = np.random.default_rng(7)
    n = 60
    ends = rng.integers(0, n, (150, 2))
    ends = ends[ends[:, 0] != ends[:, 1]]
    kind = rng.choice(["supply", "buyer"], len(ends))
    links = pd.DataFrame({"kind": kind, "source": ends[:, 0], "target": ends[:, 1]})
    links = links.astype({"source": "str", "target": "str"}).assign(year=2002, weight=1.0)
    links = links.drop_duplicates().assign(year=2002)
    links["weight"] = rng.integers(1, 9, len(links)).astype(float)
    cohort = drawn_cohorts(rng, n)
    firms = pd.DataFrame({"firm_id": np.arange(n).astype(str), "cluster": "x"})
    firms = firms.assign(cohort=pd.array(cohort, dtype="Int64"))
    panel = pd.concat([firms.assign(year=year) for year in (2002, 2003)], ignore_index=True)
    rule = LINK | {"direction": direction, "measure": measure, "edges": [0.5]}
    given = conform(LINKS, links)
    found = exposure_tables(panel, declared(near=rule), links=given).firms.set_index("firm_id")
    for i in range(n):
        partners = looped_partners(links, str(i), direction)
        years = [cohort[int(j)] for j in partners if cohort[int(j)] > 0]
        if not years:
            assert str(i) not in found.index
            continue
        assert found.loc[str(i), "first_exposed"] == min(years)
        enters = [j for j in partners if cohort[int(j)] <= min(years)]
        share = sum(partners[j] for j in enters) / sum(partners.values())
        value = len(enters) if measure == "count" else share
        assert found.loc[str(i), "value"] == pytest.approx(value)
        assert found.loc[str(i), "class"] == (2 if value > 0.5 else 1)


def looped_partners(links, firm, direction):
    """Return the weight of each firm that a link of the direction joins to one."""
    partners = {}
    for row in links.itertuples():
        pairs = {"source": (row.source, row.target), "target": (row.target, row.source)}
        for end, (exposed, by) in pairs.items():
            if exposed == firm and direction in (end, "either"):
                partners[by] = partners.get(by, 0) + row.weight
    return partners


def link_file(**changes):
    columns = {"file": "links.csv", "source": "from", "target": "to", "year": "year"}
    return LinksFile.model_validate(columns | {"kind": "kind", "weight": "amount"} | changes)


def delivered(text):
    columns = ["from", "to", "year", "kind", "amount"]
    return pd.DataFrame([line.split() for line in text.strip().splitlines()], columns=columns)


FIRMS = pd.Index(["1", "2", "3"])
TWICE = delivered("1 2 2001 supply 3\n1 2 2001 supply 5\n2 1 2001 supply 1\n")


def test_repeated_links_are_refused_or_made_one():
    with pytest.raises(DataError, match=r"links\.csv: 1 of 3 links repeat another of the same"):
        firm_links(TWICE, link_file(), FIRMS)
    for choice, weight, action in (
        ("add_up", 8, "values_summed"),
        ("largest", 5, "largest_taken"),
    ):
        links, issues = firm_links(TWICE, link_file(duplicates=choice), FIRMS)
        assert links["weight"].tolist() == [weight, 1]
        assert [(i.rule.code, i.action.code, i.count) for i in issues] == [
            ("link_repeated", action, 1)
        ]


def test_links_of_unknown_firms_are_refused_or_counted_at_both_ends():
    strange = delivered("1 2 2001 supply 3\n1 9 2001 supply 5\n8 1 2001 buyer 1\n8 9 2002 buyer 1")
    told = "3 of 4 links name a firm that the panel lacks, 2 as from and 2 as to: compare"
    with pytest.raises(DataError, match=told):
        firm_links(strange, link_file(), FIRMS)
    links, issues = firm_links(strange, link_file(unknown_firms="leave_out"), FIRMS)
    assert links[["source", "target"]].to_numpy().tolist() == [["1", "2"]]
    assert {i.rule.code: (i.count, i.firms) for i in issues} == {
        "link_source_unknown": (2, 1),
        "link_target_unknown": (2, 1),
    }
    with pytest.raises(DataError, match="none of 3 links joins two firms of the panel"):
        firm_links(strange.iloc[1:], link_file(unknown_firms="leave_out"), FIRMS)


@pytest.mark.parametrize(
    ("rows", "fault"),
    [
        ("1 1 2001 supply 3\n1 2 2001 supply 3", "a firm is linked to itself: 1 rows; correct"),
        ("1 2 2001 supply 0", "a weight is missing, no number, or not above zero"),
        ("1 2 2001 supply x", "a weight is missing, no number, or not above zero"),
        ("1 2 later supply 1", "column year: a year is missing"),
    ],
)
def test_links_that_cannot_be_are_refused(rows, fault):
    with pytest.raises(DataError, match=fault):
        firm_links(delivered(rows), link_file(), FIRMS)


def test_links_of_firms_to_themselves_are_counted_where_declared():
    rows = delivered("1 1 2001 supply 3\n1 2 2001 supply 3\n1 1 2002 supply 3")
    links, issues = firm_links(rows, link_file(self_links="leave_out"), FIRMS)
    assert len(links) == 1
    assert [(i.rule.code, i.count, i.firms) for i in issues] == [("self_link", 2, 1)]


def test_of_links_without_direction_one_is_kept_the_larger():
    both = delivered("2 1 2001 labour 3\n1 2 2001 labour 5\n1 2 2001 supply 1\n2 1 2001 supply 1")
    links, issues = firm_links(both, link_file(undirected=["labour"]), FIRMS)
    assert links[["kind", "source", "target", "weight"]].to_numpy().tolist() == [
        ["labour", "1", "2", 5],
        ["supply", "1", "2", 1],
        ["supply", "2", "1", 1],
    ]
    assert [(i.rule.code, i.count) for i in issues] == [("link_in_both_directions", 1)]
    with pytest.raises(DataError, match="no link is of the kind workers"):
        firm_links(both, link_file(undirected=["workers"]), FIRMS)


def test_links_have_the_identifiers_of_the_panel():
    rows = delivered("001 02 2001 supply 3\n2 7 2002 supply 1")
    histories = pd.Series({"0007": "0003"}, dtype="str")
    links, _ = firm_links(
        rows,
        link_file(kind=None, weight=None),
        pd.Index(["0001", "0002", "0003"]),
        Written(Identifier(width=4), histories=histories),
    )
    assert links["target"].tolist() == ["0002", "0003"]
    assert links["weight"].tolist() == [1, 1] and links["kind"].tolist() == ["link", "link"]
    with pytest.raises(DataError, match=r"links\.csv has no column sum"):
        firm_links(rows, link_file(weight="sum"), FIRMS)


def test_stand_ins_of_links_are_read_as_links_are_and_join_other_firms():
    rng = np.random.default_rng(2)
    ends = rng.integers(0, 50, (300, 2)).astype(str)
    rows = pd.DataFrame(ends, columns=["from", "to"])
    rows = rows.assign(year=2001, kind="supply", amount=rng.lognormal(size=300))
    rows.loc[0, "from"] = "unknown"
    codes = {str(i): f"S{i}" for i in range(50)}
    made = made_up_links(rows, link_file(), codes, rng)
    links, issues = firm_links(made, link_file(), pd.Index(codes.values()))
    assert issues == [] and 200 < len(links) < 300
    joined = set(zip(rows["from"].map(codes), rows["to"].map(codes), strict=True))
    kept = joined & set(zip(links["source"], links["target"], strict=True))
    assert len(kept) < 60  # a pair in nine or so comes about by chance
    assert not set(made["amount"]) & set(rows["amount"])


@pytest.mark.slow
def test_a_million_links_are_read_and_classed_in_seconds(tmp_path):
    rng = np.random.default_rng(5)
    n, n_links = 100_000, 1_000_000
    firm_id = pd.Series(np.arange(n)).astype("str")
    ends = rng.integers(0, n, (n_links, 2))
    ends = ends[ends[:, 0] != ends[:, 1]]
    rows = pd.DataFrame({"from": ends[:, 0], "to": ends[:, 1], "kind": "supply", "amount": 1.5})
    rows = rows.assign(year=rng.integers(1998, 2003, len(rows)))
    cohort = pd.array(drawn_cohorts(rng, n, 0.001), dtype="Int64")
    firms = pd.DataFrame({"firm_id": firm_id, "cohort": cohort, "cluster": firm_id})
    panel = pd.concat([firms.assign(year=year) for year in (2001, 2002, 2003)])
    panel = panel.astype({"year": "Int64"}).reset_index(drop=True)
    started = time.process_time()
    links, _ = firm_links(rows, link_file(duplicates="add_up"), pd.Index(firm_id))
    write(LINKS, links, tmp_path)
    rule = LINK | {"direction": "either", "measure": "share", "edges": [0.1]}
    tables = exposure_tables(panel, declared(near=rule), links=read(LINKS, tmp_path))
    assert time.process_time() - started < 15
    assert 1000 < tables.counts.loc[1:, "n_firms"].sum() < 5000
    assert found(tables).keys() <= {"firm_without_link"}
