"""Errors clustered by any two levels of firms: against other packages, by every estimator."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from bad_studies import DRAWS, SPECS, inputs, plain_panel, spec
from linearmodels.panel import PanelOLS
from results import study_results, with_settings
from shown_tables import effect_tables
from statsmodels.api import OLS
from statsmodels.stats.sandwich_covariance import cov_cluster_2groups
from told import speaking_plainly
from workspace import section

from pipeline.effects.estimated import Seen
from pipeline.effects.least_squares import fit_absorbed
from pipeline.effects.terms import Term
from pipeline.errors import DataError, ParamsError, Reason
from pipeline.exhibits.words.language import tell
from pipeline.exhibits.words.methods_paragraph import methods_sentences
from pipeline.inference import analytic
from pipeline.inference.analytic import infer
from pipeline.inference.cautions import cluster_caution, pair_cautions
from pipeline.inference.counts import count
from pipeline.params.estimate import EstimateSection
from pipeline.params.study import cross_faults, read_study

PAIR = ("district", "branch")
N_FIRMS, N_YEARS, N_DISTRICTS, N_BRANCHES = 120, 6, 11, 14


@pytest.fixture(scope="module")
def firms():
    """Return a panel of firms in crossed districts and branches, with shocks of both."""
    rng = np.random.default_rng(7)
    firm = np.repeat(np.arange(N_FIRMS), N_YEARS)
    district, branch = (rng.integers(0, n, N_FIRMS)[firm] for n in (N_DISTRICTS, N_BRANCHES))
    shocks = rng.normal(size=(N_DISTRICTS, N_YEARS)), rng.normal(size=(N_BRANCHES, N_YEARS))
    year = np.tile(np.arange(N_YEARS), N_FIRMS)
    x = rng.normal(size=(len(firm), 2)) + shocks[0][district, year][:, None]
    noise = shocks[0][district, year] + shocks[1][branch, year] + rng.normal(size=len(firm))
    table = {"firm": firm, "year": year, "x1": x[:, 0], "x2": x[:, 1], "y": x.sum(axis=1) + noise}
    weight = rng.uniform(0.5, 2, N_FIRMS)[firm]
    return pd.DataFrame(table | {"weight": weight, "district": district, "branch": branch})


def ours(firms, weight):
    """Regress on firm and year effects, clustered by district and branch."""
    first = firms.drop_duplicates("firm")
    firm = firms["firm"].to_numpy()
    levels = {name: first[name].to_numpy() for name in PAIR}
    nobody = np.zeros(N_FIRMS, dtype=np.intp)
    found = fit_absorbed(
        firms["y"].to_numpy(),
        firms[["x1", "x2"]].to_numpy(),
        [Term("x1"), Term("x2")],
        first=firm,
        second=firms["year"].to_numpy(),
        weight=weight,
        seen=Seen(firm, firm % 2 == 0, assignment=nobody, levels=levels),
    )
    return infer(found, PAIR)


# linearmodels' own factors off: ours is matched by hand.
UNSCALED = {"auto_df": False, "count_effects": False}

# The smaller number of clusters; two regressors, the constant and the other years' effects.
FACTOR = N_DISTRICTS / (N_DISTRICTS - 1)
N, K = N_FIRMS * N_YEARS, 2 + 1 + N_YEARS - 1
FACTOR *= (N - 1) / (N - K)


@pytest.mark.parametrize("weighted", [False, True])
def test_the_covariance_is_that_of_linearmodels(firms, weighted):
    weight = firms["weight"] if weighted else firms["weight"] * 0 + 1
    indexed = firms.assign(mass=weight).set_index(["firm", "year"])
    model = PanelOLS(
        indexed["y"],
        indexed[["x1", "x2"]],
        weights=indexed["mass"],
        entity_effects=True,
        time_effects=True,
    )
    clusters = indexed[[*PAIR]]
    theirs = model.fit(
        cov_type="clustered", clusters=clusters, debiased=False, group_debias=False, **UNSCALED
    )
    found = ours(firms, weight.to_numpy())
    assert found.estimated.estimates == pytest.approx(theirs.params.to_numpy(), rel=1e-10)
    assert found.covariance == pytest.approx(FACTOR * theirs.cov.to_numpy(), rel=1e-10)
    assert (found.df, found.adjusted) == (N_DISTRICTS - 1, False)


def test_the_covariance_is_that_of_statsmodels(firms):
    effects = pd.get_dummies(firms[["firm", "year"]].astype("str"), dtype=float)
    columns = pd.concat([firms[["x1", "x2"]], effects.drop(columns="year_0")], axis=1)
    fit = OLS(firms["y"], columns).fit()
    codes = [firms[name].to_numpy() for name in PAIR]
    theirs = cov_cluster_2groups(fit, *codes, use_correction=False)[0][:2, :2]
    assert ours(firms, np.ones(len(firms))).covariance == pytest.approx(FACTOR * theirs, rel=1e-9)


# Every estimator, through a study.

GAPS = {"method": "difference", "covariates": [], "base": "universal", "average": "event"}
EVERY_FIRM = spec("every_firm", "group_time", designs=["unmatched"], bands=None, **GAPS)
EVERY_FIRM |= {"firms": "panel", "terms": ["att", "att_gt", "event"]}
ONE_WAY = ("bias_reduced", "wild_bootstrap")
SUMS = [
    {key: False if key == "bands" else value for key, value in asked.items() if key not in ONE_WAY}
    for asked in [*SPECS, EVERY_FIRM]
    if asked["name"] not in ("two_ways", "components", "imputation")
]


def crossed_panel():
    """Return PANEL with thirty entrants, in districts and sectors that cross."""
    rng = np.random.default_rng(11)
    panel = plain_panel(n_firms=150)
    firm = panel["firm_id"].str[1:].astype(int).to_numpy()
    entry = np.where(firm < 60, np.where(firm < 30, 2004, 2005), np.nan)
    panel["cohort"] = pd.array(entry, dtype="Float64").astype("Int64")
    panel["district"] = [f"d{i:02d}" for i in rng.integers(0, 8, 150)[firm]]
    panel["branch"] = [f"s{i:02d}" for i in rng.integers(0, 9, 150)[firm]]
    return panel


def run(panel, cluster, specs=None):
    """Return the effects of every spec under one choice of clusters."""
    return estimated(panel, cluster, specs).estimates


def estimated(panel, cluster, specs=None):
    """Estimate every spec under one choice of clusters."""
    asked = [one | {"cluster": cluster} for one in (SUMS if specs is None else specs)]
    made = inputs(panel, specs=asked, romano_wolf=None, analyses={}, pairs=1)
    return made.results()


KEYS = ["estimator", "design", "outcome", "sample", "inference", "named"]


def variances(estimates):
    """Return variances without the factor of the number of clusters, and estimates, by key."""
    rows = estimates[
        (estimates["inference"] == "analytic") & (estimates["band"] == "pointwise")
    ].set_index(KEYS)
    assert rows.index.is_unique
    n_clusters = rows["n_clusters"].astype("float64")
    factor = (n_clusters / (n_clusters - 1)).where(rows["df"].notna(), 1.0)
    return rows["std_error"] ** 2 / factor, rows["estimate"]


@pytest.fixture
def unadjusted(monkeypatch):
    """Leave negative eigenvalues as they are, so that variances add up."""
    monkeypatch.setattr(analytic, "without_negative_eigenvalues", lambda covariance: covariance)


def test_every_estimator_adds_and_subtracts_one_way_variances(unadjusted):
    panel = crossed_panel()
    two_way, estimate = variances(run(panel, [*PAIR]))
    both = panel["district"] + panel["branch"]
    one_way = {}
    for name, cluster in (
        ("district", panel["district"]),
        ("branch", panel["branch"]),
        ("both", both),
    ):
        one_way[name], same = variances(run(panel.assign(cluster=cluster), "assignment"))
        pd.testing.assert_series_equal(estimate, same, rtol=1e-9)
    expected = one_way["district"] + one_way["branch"] - one_way["both"]
    shown = two_way.notna() & expected.notna()
    assert two_way[shown].to_numpy() == pytest.approx(expected[shown].to_numpy(), rel=1e-6)
    assert set(two_way[shown].index.unique("estimator")) == {one["name"] for one in SUMS}
    assert (expected[two_way.isna() & expected.notna()] <= 1e-12).all()


def averages(rows):
    """Return the rows of average effects."""
    return rows[(rows["named"] == "att") & (rows["sample"] == "all")]


def test_rows_name_both_levels_and_take_the_smaller_number_of_clusters():
    made = estimated(crossed_panel(), [*PAIR], [SUMS[1]])
    rows = made.estimates
    for table in (made.details["SPECS"], rows):
        assert set(table["cluster"]) == {"district"}
        assert set(table["other_cluster"]) == {"branch"}
    assert set(made.influence["cluster_kind"]) == {"district"}
    assert set(made.influence["other_cluster_kind"]) == {"branch"}
    att = averages(rows)
    assert (att["n_clusters"] == 8).all()
    assert (att["df"] == 7).all()
    assert att["note"].str.contains("clustered by district and by branch: 8 treated").all()


@pytest.mark.parametrize("cluster", [["firm", "district"], ["assignment", "branch"]])
def test_a_cluster_has_its_name_of_panel_in_every_design_and_spec(cluster):
    panel, columns = crossed_panel(), {"firm": "firm_id", "assignment": "cluster"}
    influence = estimated(panel, cluster).influence
    pairs = [*panel[[columns.get(name, name) for name in cluster]].itertuples(index=False)]
    found = influence[["cluster", "other_cluster"]].drop_duplicates()
    assert set(found.itertuples(index=False, name=None)) <= set(map(tuple, pairs))
    assert set(influence["estimator"]) >= {one["name"] for one in SUMS}
    assert set(influence["design"]) == {"matched", "unmatched"}


def test_a_level_within_another_gives_the_errors_of_the_other():
    panel = crossed_panel()
    nested, _ = variances(run(panel, ["firm", "district"], [SUMS[1]]))
    alone, _ = variances(run(panel.assign(cluster=panel["district"]), "assignment", [SUMS[1]]))
    known = alone.notna()
    assert known.any()
    assert nested[known].to_numpy() == pytest.approx(alone[known].to_numpy(), rel=1e-9)
    rows = averages(run(panel, ["firm", "district"], [SUMS[1]]))
    assert rows["note"].str.contains("every cluster by firm lies within one by district").all()


def test_a_firm_without_a_level_is_an_error():
    panel = crossed_panel()
    panel["district"] = panel["district"].mask(panel["firm_id"] == "F000")
    with pytest.raises(DataError, match="clusters by district, which 1 firms lack in their base"):
        run(panel, [*PAIR], [SUMS[1]])


@pytest.mark.parametrize("order", [1, -1])
def test_the_direction_with_fewer_clusters_counts(order):
    firm = np.arange(8)
    district, branch = np.array([0, 1, 2, 0, 1, 2, 3, 4]), np.array([0, 0, 0, 0, 1, 2, 3, 1])
    seen = Seen(firm, firm < 4, entry=np.full(8, 2004))
    found = count(seen, *(district, branch)[::order])
    assert (found.n_clusters, found.n_treated_clusters, found.n_control_clusters) == (4, 1, 3)
    assert found.lone_entry_years == (2004,)
    assert found.too_few == Reason("treated_in_one_cluster")


def test_cautions_say_what_a_pair_comes_to():
    firm = np.arange(6)
    first, second = np.array([0, 0, 0, 1, 1, 1]), np.array([0, 1, 0, 1, 0, 1])
    split = Seen(firm, firm < 3, assignment=np.array([0, 0, 0, 0, 1, 1]))
    (said,) = pair_cautions(PAIR, (first, second), split)
    assert said == Reason(
        "two_way_splits_assignment", {"first_level": "district", "second_level": "branch"}
    )
    inside = Seen(firm, firm < 3, assignment=first)
    assert pair_cautions(PAIR, (first, second), inside) == []
    (said,) = pair_cautions(PAIR, (first, firm), inside)
    assert said == Reason("two_way_nested", {"inner_level": "branch", "outer_level": "district"})
    assert pair_cautions("assignment", (first,), split) == []
    assert cluster_caution(PAIR, 20, 20) is None
    caution = cluster_caution(PAIR, 20, 19)
    assert caution is not None
    with speaking_plainly():
        assert "by district and by branch: 19 treated" in tell(caution)


# What cannot be clustered in two directions is refused before anything runs.


@pytest.mark.parametrize(
    ("estimator", "settings", "message"),
    [
        (
            "stacked",
            {"average": "event", "wild_bootstrap": DRAWS},
            "wild_bootstrap clusters in one",
        ),
        ("stacked", {"average": "event", "randomisation": DRAWS}, "randomisation clusters in one"),
        ("stacked", {"average": "event", "bias_reduced": True}, "bias_reduced clusters in one"),
        (
            "stacked",
            {"average": "event", "inference": "cluster_bootstrap", "draws": 50, "seed": 1},
            "cluster_bootstrap draws assignment clusters; use cluster: assignment",
        ),
        ("twoway", {"bias_reduced": True}, "bias_reduced clusters in one direction"),
        ("imputation", {"average": "event"}, "imputation clusters in one direction"),
        ("matched_difference", {"inference": "abadie_imbens"}, "takes firms as independent"),
        ("stacked", {"average": "event", "cluster": ["sector"]}, "takes two levels"),
        ("stacked", {"average": "event", "cluster": ["firm", "firm"]}, "both levels are firm"),
        ("stacked", {"average": "event", "cluster": ["firm", "year"]}, "year is no level of firms"),
        (
            "stacked",
            {"average": "event", "cluster": ["firm", "sectr"]},
            "sectr is not in data.columns; did you mean sector?",
        ),
        (
            "stacked",
            {"average": "event", "cluster": ["firm", "sales"]},
            "sales is a number column; this needs a text column",
        ),
    ],
)
def test_combinations_that_are_refused(estimator, settings, message):
    found = faults(spec("asked", estimator, cluster=["assignment", "sector"]) | settings)
    assert len(found) == 1
    assert message in found[0]


def faults(asked):
    """Return the faults of the study `simulated` with one more spec."""
    block = section("simulated")
    block["estimate"]["specs"] = [
        *block["estimate"]["specs"],
        asked | {"designs": ["unmatched"], "outcomes": ["sales_log"]},
    ]
    try:
        return list(cross_faults(read_study({"simulated": block}, "simulated")))
    except ParamsError as error:
        return str(error).splitlines()


def test_a_pair_of_declared_levels_is_allowed():
    plain = spec("asked", "stacked", cluster=["assignment", "sector"], average="event")
    assert faults(plain) == []
    assert faults(plain | {"cluster": ["sector", "firm"]}) == []


def test_romano_wolf_needs_a_spec_in_one_direction():
    section = {"conf_level": 0.95, "power": 0.8, "missing": "renormalise", "romano_wolf": DRAWS}
    section |= {"headline": {"spec": "main", "design": "matched", "term": "att"}}
    one = spec("main", "stacked", average="event", cluster=["assignment", "sector"])
    with pytest.raises(ValueError, match="romano_wolf clusters in one direction"):
        EstimateSection.model_validate(section | {"specs": [one]})
    other = spec("other", "stacked", average="event")
    EstimateSection.model_validate(section | {"specs": [one, other]})


def test_analyses_are_clustered_in_one_direction():
    block = section("simulated")
    block["estimate"]["analyses"]["groups"]["cluster"] = ["assignment", "sector"]
    with pytest.raises(ParamsError, match="Analyses test groups jointly by each cluster's"):
        read_study({"simulated": block}, "simulated")


def test_the_note_of_the_main_table_names_both_levels():
    results = study_results()
    estimate = results.settings.estimate
    pair = ("assignment", "sector")
    specs = [one.model_copy(update={"cluster": pair}) for one in estimate.specs]
    settings = dataclasses.replace(
        results.settings, estimate=estimate.model_copy(update={"specs": specs})
    )
    table = results.estimates.assign(cluster="assignment", other_cluster="sector")
    labelled = results.profile.head(1).assign(column="sector", label="Industry")
    changed = dataclasses.replace(results, estimates=table, profile=labelled)
    both = with_settings(changed, settings)
    words = " ".join(" ".join(table.notes) for table in effect_tables(both).values())
    named = settings.exhibit.cluster
    assert f"clustered in two directions, by {named} and by Industry, G the smaller" in words
    told = methods_sentences(both)
    unlabelled = dataclasses.replace(both, profile=None)
    assert unlabelled.levels["sector"] == "sector"
    assert any(f"in two directions, by {named} and by Industry" in sentence for sentence in told)
