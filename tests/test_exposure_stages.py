"""Exposure from delivered files to who is in which arm: links, centroids, and what they lack."""

import numpy as np
import pandas as pd
import pytest
from arms_study import delivered
from exposed_runs import block_of, delivered_in, run_stages

from pipeline.datasets.arms import ARM_CONTRASTS, ARM_FLOW, ARMS
from pipeline.datasets.exposure import EXPOSED, EXPOSURE, LINKS
from pipeline.datasets.fits import DETECTABLE, PRE_TREND_POWER
from pipeline.datasets.panel import ISSUES
from pipeline.datasets.results import ESTIMATES, EVENT_COVARIANCE, TESTS
from pipeline.datasets.store import read
from pipeline.errors import DataError, SupportError
from pipeline.params.study import study_faults

LINKED = {"kind": "link", "direction": "target", "measure": "any"}
FILE = {"file": "links_*.csv", "source": "from", "target": "to", "year": "seen"}
FILE |= {"unknown_firms": "leave_out", "self_links": "leave_out", "duplicates": "largest"}
HEAD = {"source": "register", "component": ["training"]}
SUPPLIED = {"headline": "training", "named": {"training": HEAD}}
SUPPLIED["named"] = SUPPLIED["named"] | {"supplied": {"source": "exposure", "exposure": "buys"}}


def links(*rows):
    return pd.DataFrame(rows, columns=["from", "to", "seen"])


def firms_of(place, within):
    return [f"F{14 * place + i:04d}" for i in within]


def supplied():
    """Return links from a trained firm to the first eight of eight places without participants."""
    buyers = [firm for place in range(40, 48) for firm in firms_of(place, range(8))]
    return links(*(("F0000", buyer, 2008) for buyer in buyers))


@pytest.fixture(scope="module")
def linked(tmp_path_factory):
    rows = supplied()
    odd = links(("F0000", "F0000", 2008), ("F0000", "X1", 2008), ("X2", "F0001", 2008))
    twice = pd.concat([rows.head(1), odd])
    folders = delivered_in(
        tmp_path_factory.mktemp("linked"), raw={"links_1.csv": rows, "links_2.csv": twice}
    )
    block = block_of({"links": FILE}, arms=SUPPLIED, exposure={"buys": LINKED})
    return run_stages(folders, block, "obtain", "clean", "score")


def test_links_are_read_from_files_and_expose(linked):
    assert len(read(LINKS, linked.of("clean"))) == len(supplied())
    arms = read(ARMS, linked.of("score")).groupby("arm").size()
    assert arms["supplied"] == 64
    exposure = read(EXPOSURE, linked.of("score"))
    assert set(exposure["firm_id"]) == set(supplied()["to"])


def test_what_links_lack_is_counted(linked):
    issues = read(ISSUES, linked.of("clean")).set_index("rule")
    counted = issues.loc[issues.index.str.contains("link"), "count"]
    assert counted.to_dict() == {
        "self_link": 1,
        "link_source_unknown": 1,
        "link_target_unknown": 1,
        "link_repeated": 1,
    }


def test_a_fault_of_a_link_is_told_by_file_and_row(tmp_path):
    bad = links(("F0000", "F0560", 2008), ("F0001", "F0561", "soon"))
    folders = delivered_in(tmp_path, raw={"links_1.csv": supplied(), "links_2.csv": bad})
    block = block_of({"links": FILE}, arms=SUPPLIED, exposure={"buys": LINKED})
    with pytest.raises(DataError, match=r"column seen: a year is missing.*row 3 of links_2\.csv"):
        run_stages(folders, block, "obtain", "clean")
    with pytest.raises(DataError, match="the table of links has no column weight"):
        asked = FILE | {"weight": "weight"}
        run_stages(folders, block_of({"links": asked}), "obtain")


@pytest.mark.slow
def test_places_without_coordinates_come_from_a_table(tmp_path):
    panel, _ = delivered()
    towns = panel.groupby("place", as_index=False)[["lat", "lon"]].mean()
    towns = towns.set_axis(["place", "latitude", "longitude"], axis=1)
    ring = {"kind": "ring", "place": "place", "centroids": "towns.csv", "edges_km": [15.0]}
    folders = delivered_in(tmp_path, rules={"towns.csv": towns.iloc[1:]})
    arms = {"headline": "training", "named": {"training": HEAD}}
    arms["named"] = arms["named"] | {"near": {"source": "exposure", "exposure": "near"}}
    block = block_of(arms=arms, exposure={"near": ring | {"precision_km": 14.0}})
    run_stages(folders, block, "obtain", "clean", "score")
    exposed = read(EXPOSED, folders.of("score")).set_index("class")["n_firms"]
    assert exposed.to_dict() == {0: 30 * 14, 1: 29 * 10}
    exposure = read(EXPOSURE, folders.of("score"))
    assert exposure["class"].isna().sum() == 14  # those of the place that the table lacks
    assert np.isfinite(exposure["value"].dropna()).all()


LISTED = {
    "headline": "training",
    "contrasts": {"gap": {"training": 1, "special": -1}},
    "named": {
        "training": HEAD,
        "special": {"source": "register", "component": ["special"]},
        "late": {"source": "register", "component": ["late"]},
        "supplied": {"source": "exposure", "exposure": "buys"},
    },
}


@pytest.fixture(scope="module")
def unsupported(tmp_path_factory):
    """Run a study with an arm of five firms, one without a base year, and few exposed firms."""
    panel, register = delivered()
    credit = register.index[register["part"] == "credit"]
    register.loc[credit[:5], "part"] = "special"
    register.loc[credit[5:35], ["part", "entry"]] = ["late", 2013]
    late = panel["firm"].isin(register.loc[credit[5:35], "firm"])
    pairs = [("F0000", firm, 2008) for place in (40, 41) for firm in firms_of(place, range(8))]
    folders = delivered_in(
        tmp_path_factory.mktemp("few"),
        panel=panel[~(late & (panel["year"] == 2012))],
        register=register,
        raw={"links_1.csv": links(*pairs)},
    )
    block = block_of({"links": FILE}, arms=LISTED, exposure={"buys": LINKED})
    stages = ("obtain", "clean", "score", "match", "balance", "estimate", "exhibit")
    return run_stages(folders, block, *stages)


@pytest.mark.slow
def test_an_arm_without_support_is_a_row_with_the_reason(unsupported):
    flow = read(ARM_FLOW, unsupported.of("estimate")).set_index("arm")
    assert flow["reason"].dropna().to_dict() == {
        "late": "no_entry_year_with_both_groups",
        "special": "arm_too_small",
    }
    assert flow["n_cells"].dropna().to_dict() == {"supplied": 2}
    contrasts = read(ARM_CONTRASTS, unsupported.of("estimate"))
    gaps = contrasts[contrasts["contrast"] == "gap"]
    assert gaps["reason"].unique().tolist() == ["arm_without_effect"]
    published = pd.read_csv(unsupported.reports / "results" / "arm_flow.csv")
    assert published.set_index("arm").loc["special", "reason"] == "arm_too_small"
    assert not list(unsupported.reports.glob("**/late/*.csv"))


@pytest.mark.slow
def test_readers_learn_why_an_arm_has_no_results(unsupported):
    page = (unsupported.reports / "report.html").read_text("utf-8")
    told = "special: fewer than 20 firms in the arm; late: no entry year has both treated and"
    assert told in " ".join(page.split())


@pytest.mark.slow
def test_what_exposures_found_is_published_with_what_cleaning_found(unsupported):
    issues = pd.read_csv(unsupported.reports / "results" / "issues.csv")
    assert {"few_exposed", "exposed_in_few_cells", "firm_without_link"} <= set(issues["rule"])
    assert issues["issue"].tolist() == list(range(1, len(issues) + 1))


@pytest.mark.slow
def test_few_exposed_firms_have_no_interval(unsupported):
    found = read(ESTIMATES, unsupported.of("estimate", "supplied"))
    told = found[found["reason"] != "reference_period"]
    assert told["reason"].unique().tolist() == ["few_exposed_firms"]
    assert told["estimate"].notna().all()
    assert told[["std_error", "conf_low", "conf_high", "p_value"]].isna().all(axis=None)
    assert read(EVENT_COVARIANCE, unsupported.of("estimate", "supplied")).empty
    power = read(PRE_TREND_POWER, unsupported.of("estimate", "supplied"))
    assert power[["slope_jointly", "slope_by_any"]].isna().all(axis=None)
    assert read(DETECTABLE, unsupported.of("estimate", "supplied"))["effect"].isna().all()
    tests = read(TESTS, unsupported.of("estimate", "supplied"))
    assert tests["p_value"].isna().all()
    own = read(ESTIMATES, unsupported.of("estimate"))
    assert own.loc[own["term"] == "att", "conf_low"].notna().all()


NEAR = {"kind": "ring", "latitude": "lat", "longitude": "lon", "precision_km": 0.1}
WITH_NEAR = {"headline": "training", "several": "first_named", "named": {"training": HEAD}}
WITH_NEAR["named"] = WITH_NEAR["named"] | {
    "near": {"source": "exposure", "exposure": "near"},
    "supplied": {"source": "exposure", "exposure": "buys"},
}
TWICE = links(*[("F0000", "F0546", 2008)] * 2)
EVERYBODY = links(*[("F0000", f"F{i:04d}", 2008) for i in range(30 * 14, 60 * 14)])


@pytest.mark.parametrize(
    ("edge", "given", "file", "fault"),
    [
        pytest.param(
            *(900.0, EVERYBODY, {}),
            r"exposure\.near: each of \d+ firms that never take part is exposed",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            *(0.2, EVERYBODY, {}),
            r"exposure\.near: none of \d+ firms that never take part is exposed",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            *(15.0, EVERYBODY, {}),
            r"named\.training: no clean pool is left: each of \d+ firms outside",
            marks=pytest.mark.slow,
        ),
        (15.0, TWICE, {"duplicates": "refuse"}, r"links_1\.csv: 1 of 2 links repeat another"),
        (
            15.0,
            links(("F0000", "X1", 2008), ("X2", "F0001", 2008)),
            {"unknown_firms": "refuse"},
            "2 of 2 links name a firm that the panel lacks, 1 as from and 1 as to",
        ),
        (
            15.0,
            links(("F0000", "F0000", 2008)),
            {"self_links": "refuse"},
            r"a firm is linked to itself: 1 rows; .* row 2 of links_1\.csv",
        ),
        (15.0, links(("F0000", "F0546", 2012)), {}, r"exposure\.buys: 1 of 1 links are dated from"),
    ],
    ids=["everybody", "nobody", "no_pool", "twice", "unknown", "itself", "late"],
)
def test_what_cannot_be_is_refused_with_what_to_do(folders, edge, given, file, fault):
    given.to_csv(folders.raw / "links_1.csv", index=False)
    exposure = {"near": NEAR | {"edges_km": [edge]}, "buys": LINKED}
    asked = {"links": FILE | {"file": "links_1.csv"} | file}
    block = block_of(asked, arms=WITH_NEAR, exposure=exposure)
    with pytest.raises((DataError, SupportError), match=fault):
        run_stages(folders, block, "obtain", "clean", "score")


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Return every third place of the study, as delivered."""
    panel, register = delivered()
    panel = panel[panel["place"].str[1:].astype(int) % 3 == 0]
    folder = tmp_path_factory.mktemp("bad")
    return delivered_in(
        folder, panel=panel, register=register[register["firm"].isin(panel["firm"])]
    )


def test_check_looks_for_the_files_and_columns_of_exposures(folders):
    ring = {"kind": "ring", "place": "town", "centroids": "towns.csv", "edges_km": [15.0]}
    exposure = {"near": ring | {"precision_km": 1.0}, "buys": LINKED | {"direction": "source"}}
    file = FILE | {"file": "no_*.csv", "kind": "kind", "undirected": ["labour"]}
    block = block_of({"links": file}, arms=WITH_NEAR, exposure=exposure)
    root = folders.raw.parents[2]
    folders.rules.mkdir(parents=True, exist_ok=True)
    told = study_faults({folders.study: block}, folders.study, root)
    assert [line.partition(".")[2][:60] for line in told] == [
        "treatment.exposure.near.place: town is not in data.columns",
        "treatment.exposure.buys.direction is source, and links of th",
        "treatment.exposure.near.centroids: data/rules/clusters/towns",
        "data.links.file: data/raw/clusters/no_*.csv does not exist",
    ]
    alone = block_of(arms=None, exposure=exposure)
    assert "who is exposed is told by arm" in "".join(
        study_faults({folders.study: alone}, folders.study, root)
    )


def test_a_total_below_a_file_of_links_is_left_out_and_counted(folders):
    bought = [
        ("F0000", buyer, 2008) for place in (33, 36, 39) for buyer in firms_of(place, range(8))
    ]
    rows = links(*bought, ("TOTAL", None, None)).astype({"seen": "Int64"})
    rows.to_csv(folders.raw / "below_1.csv", index=False)
    file = FILE | {"file": "below_*.csv", "format": {"footer": "leave_out"}}
    block = block_of({"links": file}, arms=SUPPLIED, exposure={"buys": LINKED})
    run_stages(folders, block, "obtain", "clean")
    assert len(read(LINKS, folders.of("clean"))) == 24
    issues = read(ISSUES, folders.of("clean")).set_index("rule")
    assert issues.loc["row_below_table", ["column", "count"]].tolist() == ["from", 1]
