"""Group-time effects of a whole study on mpdta: what R's did prints, through every table."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from keyed import figure
from told import estimate_specs

from pipeline.analyses.largest_firms import outcome_dominance
from pipeline.analyses.recovery import recover
from pipeline.commands.in_memory import match_in_memory
from pipeline.datasets.fits import FITS
from pipeline.datasets.panel import PANEL
from pipeline.datasets.store import conform
from pipeline.panel.treated_clusters import cluster_entry
from pipeline.params.estimate import EstimateSection
from pipeline.params.group_time_spec import GroupTimeSpec
from pipeline.params.match import MatchSection
from pipeline.params.outcomes import OutcomesSection
from pipeline.params.score import ScoreSection
from pipeline.params.treatment import TreatmentSection

REFERENCE = Path(__file__).parent / "reference"
PRINTED = 6e-11  # ten decimals are printed


def counties() -> pd.DataFrame:
    """Return mpdta as PANEL: counties are firms, states assignment clusters, `size` a weight."""
    data = pd.read_csv(REFERENCE / "mpdta.csv")
    county = data["countyreal"]
    panel = pd.DataFrame(
        {
            "firm_id": county.astype("str"),
            "year": data["year"],
            "cohort": data["first.treat"].replace(0, np.nan).astype("Float64").astype("Int64"),
            "cluster": (county // 1000).astype("str"),
            "lemp": data["lemp"],
            "lpop": data["lpop"],
            "size": 1 + county % 13 / 10,
        }
    )
    return conform(PANEL, panel.assign(cluster_entry=cluster_entry(panel)))


def level(column: str, dated: dict) -> dict:
    return {"label": column, "column": column, "transform": "level"} | dated


SPEC = {
    "name": "main",
    "estimator": "group_time",
    "designs": ["unmatched"],
    "outcomes": "all",
    "terms": ["att_gt", "simple", "cohort", "event", "year"],
    "average": "simple",
    "method": "difference",
    "covariates": [],
    "base": "varying",
    "cluster": "firm",
    "bands": None,
}


def study_of(
    panel,
    comparison="never_treated",
    anticipation=0,
    controls_from="all",
    *,
    constant=False,
    **changes,
) -> tuple:
    """Run treatment, score, match and estimate on PANEL; return the study and its ESTIMATES."""
    entry = {"source": "indicator", "column": "treat", "switches_off": "refuse"}
    treatment = TreatmentSection.model_validate(
        {
            "entry": entry,
            "anticipation_years": anticipation,
            "comparison": comparison,
            "window": {"first_event_time": -9, "last_event_time": 9},
        }
    )
    dated = {"constant": True} if constant else {"at": -1 - anticipation}
    score = ScoreSection.model_validate(
        {
            "covariates": {name: level(name, dated) for name in ("lpop", "size")},
            "unmatched": {"controls_from": controls_from},
            "models": {},
        }
    )
    outcome = {"column": "lemp", "transform": "level", "unit": "log jobs", "label": "Jobs"}
    estimate = {
        "conf_level": 0.95,
        "power": 0.8,
        "missing": "renormalise",
        "headline": {"spec": "main", "design": "unmatched", "term": "att"},
        "specs": [SPEC | changes],
    }
    if changes.get("estimator"):  # another estimator has none of the keys of SPEC
        estimate["specs"] = [
            {"name": "main", "designs": ["unmatched"], "outcomes": "all"} | changes
        ]
    balance = {"denominator": "pooled", "threshold": 0.1}
    study = match_in_memory(
        panel,
        outcomes=OutcomesSection.model_validate({"lemp": outcome}),
        treatment=treatment,
        score=score,
        match=MatchSection.model_validate({"designs": {}, "balance": balance}),
        estimate=EstimateSection.model_validate(estimate),
    ).study
    return study, estimate_specs(study).estimates


def rows(panel, **given) -> pd.DataFrame:
    return study_of(panel, **given)[1].set_index("named")


def published(scenario):
    table = pd.read_csv(REFERENCE / "did_mpdta.csv")
    chosen = table[(table["scenario"] == scenario) & ~table["term"].str.contains("balanced")]
    return chosen.set_index("term")[["estimate", "std_error"]]


ON_POPULATION = {"covariates": ["lpop"]}


def agrees(found, expected) -> None:
    got = found.loc[expected.index, ["estimate", "std_error"]].to_numpy(float)
    assert got == pytest.approx(expected.to_numpy(), abs=PRINTED)


@pytest.mark.parametrize("firms", ["risk_sets", "panel"])
@pytest.mark.parametrize(
    ("scenario", "changes"),
    [
        ("never", {}),
        ("regression", {"method": "outcome_regression"} | ON_POPULATION),
        ("doubly_robust", {"method": "doubly_robust"} | ON_POPULATION),
        ("universal", {"base": "universal"}),
        ("anticipation", {"anticipation": 1}),
        ("weighted", {"weight_by": "size"}),
    ],
)
def test_a_study_reports_what_r_did_prints(scenario, changes, firms):
    agrees(rows(counties(), firms=firms, **changes), published(scenario))


@pytest.mark.parametrize("firms", ["risk_sets", "panel"])
def test_clustered_by_state(firms):
    """All counties that enter in 2004 lie in one state, from which no standard error follows."""
    found = rows(counties(), firms=firms, cluster="assignment")
    expected = published("clustered")
    early = expected.index.str.contains("2004,")
    agrees(found, expected[~early])
    assert found.loc[expected.index[early], "std_error"].isna().all()


FLAT = {"terms": ["att"], "average": "simple", "cluster": "firm"}
PANEL_YEARS = {"firms": "panel"}


@pytest.mark.parametrize(
    ("changes", "effect", "error"),
    [
        (
            {"estimator": "twoway", "terms": ["att"], "cluster": "firm"},
            -0.0365489367,
            0.0132651554,
        ),
        (FLAT | {"estimator": "sun_abraham"}, -0.0399512752, 0.0117962774),
        (FLAT | {"estimator": "sun_abraham"} | PANEL_YEARS, -0.0399512752, 0.0117962774),
        (
            FLAT | {"estimator": "extended_twoway", "covariates": ["lpop"], "effects": "cohort"},
            -0.0506270331,
            0.0124972547,
        ),
        (FLAT | {"estimator": "imputation"}, -0.0477099, None),
    ],
)
def test_a_study_reports_what_flat_estimators_print(changes, effect, error):
    """Without matching every county has weight one: fixest, etwfe, jwdid (as in README there)."""
    row = rows(counties(), **changes).loc["att"]
    digits = PRINTED if error else 5e-8
    assert row["estimate"] == pytest.approx(effect, abs=digits)
    if error:
        assert row["std_error"] == pytest.approx(error, rel=1e-7)


def test_a_covariate_may_be_the_weight_too():
    spec = {"covariates": ["lpop"], "method": "outcome_regression", "weight_by": "lpop"}
    found = rows(counties(), **spec, firms="panel")
    within = rows(counties(), **spec)
    assert found.loc["simple", "estimate"] == pytest.approx(within.loc["simple", "estimate"])


def test_one_countys_share_of_the_weights_is_told_whichever_firms_are_compared():
    panel = counties()
    one = panel.loc[panel["cohort"].notna(), "firm_id"].iloc[0]
    panel["size"] = panel["size"].mask(panel["firm_id"] == one, 1e6)
    found = {}
    for firms in ("panel", "risk_sets"):
        study, _ = study_of(panel, firms=firms, weight_by="size", terms=["att"])
        table = outcome_dominance(study).dropna(subset="estimator")
        found[firms] = table.set_index(["treated", "event_time"])["share"].sort_index()
    pd.testing.assert_series_equal(found["panel"], found["risk_sets"])
    assert found["panel"][True].max() > 75 > found["panel"][False].max()


def test_not_yet_treated_are_chosen_by_pair_of_years():
    found = rows(counties(), firms="panel", comparison="not_yet_treated")
    agrees(found, published("not_yet"))


@pytest.mark.parametrize("comparison", ["never_treated", "not_yet_treated"])
@pytest.mark.parametrize("anticipation", [0, 1])
def test_firms_that_enter_after_the_last_year_are_never_treated(comparison, anticipation):
    """As R's did: they compare, and have no cells of their own."""
    panel = counties()
    late, entry = (panel["cohort"] == 2007).fillna(False), 2007 + anticipation
    panel = panel.assign(cohort=panel["cohort"].mask(late, entry))
    panel = panel[panel["year"] <= 2006].reset_index(drop=True)
    given = {"firms": "panel", "comparison": comparison, "anticipation": anticipation}
    found = rows(panel, **given)[["estimate", "std_error"]]
    never = panel.assign(cohort=panel["cohort"].mask((panel["cohort"] == entry).fillna(False)))
    pd.testing.assert_frame_equal(found, rows(never, **given)[["estimate", "std_error"]])
    assert not found.index.str.contains(f"\\[{entry}").any()


@pytest.mark.parametrize("firms", ["risk_sets", "panel"])
def test_firms_without_a_weight_are_counted(firms):
    """One lacks it in every year; it could compare with each of the three entry years."""
    panel = counties()
    one = panel.loc[panel["cohort"].isna(), "firm_id"].iloc[0]
    panel["size"] = panel["size"].mask(panel["firm_id"] == one)
    study, _ = study_of(panel, firms=firms, weight_by="size", terms=["att"])
    assert figure(estimate_specs(study), FITS, "n_without_covariates") == 3


def test_not_yet_treated_in_risk_sets_stay_so_through_the_last_year():
    """Here the panel ends in 2007, by which all have entered: only never-treated are left."""
    found = rows(counties(), comparison="not_yet_treated")
    agrees(found, published("never"))


@pytest.mark.parametrize("firms", ["risk_sets", "panel"])
@pytest.mark.parametrize("weight_by", ["size", None])
def test_the_truth_is_weighted_as_the_estimate_is(weight_by, firms):
    """Without noise the estimate is its own truth, which weights change."""
    panel = counties()
    county = panel["firm_id"].astype(int)
    after = panel["year"] >= panel["cohort"].astype("float64").fillna(np.inf)
    untreated = 0.1 * (county % 7) + 0.2 * (panel["year"] - 2003)
    panel["lemp"] = untreated + after * panel["size"]
    study, estimates = study_of(panel, firms=firms, weight_by=weight_by, terms=["att"])
    truth = panel[["firm_id", "year"]].assign(lemp_untreated=untreated)
    found = recover(study, truth, estimates).iloc[0]
    assert found["estimate"] == pytest.approx(found["truth"], abs=1e-12)
    by_firm = panel[panel["cohort"].notna() & after].assign(mass=panel["size"] if weight_by else 1)
    mean = np.average(by_firm["size"], weights=by_firm["mass"])
    assert found["truth"] == pytest.approx(mean, abs=1e-10)


def with_gaps() -> pd.DataFrame:
    """Return PANEL without one county-year in eight, by a rule that years and cohorts share."""
    panel = counties()
    county = panel["firm_id"].astype(int)
    return panel[(county * 7 + panel["year"] * 3) % 8 > 0].reset_index(drop=True)


def change_by_hand(panel, cohort, year, *, balanced=False, rows=False) -> float:
    """Return one effect of mean changes: of counties seen twice, always, or of all rows."""
    wide = panel.pivot(index="firm_id", columns="year", values="lemp")
    if balanced:
        wide = wide.dropna()
    own = panel.drop_duplicates("firm_id").set_index("firm_id")["cohort"].loc[wide.index]
    pair = wide[[cohort - 1, year]] if rows else wide[[cohort - 1, year]].dropna()
    change = [
        pair.loc[group, year].mean() - pair.loc[group, cohort - 1].mean()
        for group in ((own == cohort).fillna(False)[pair.index], own.isna()[pair.index])
    ]
    return change[0] - change[1]


@pytest.mark.parametrize(
    ("gaps", "rule"),
    [("pairs", {}), ("balanced", {"balanced": True}), ("every_row", {"rows": True})],
)
def test_gaps_in_the_panel(gaps, rule):
    panel = with_gaps()
    found = rows(panel, firms="panel", gaps=gaps)
    for cohort, year in ((2004, 2006), (2006, 2007), (2007, 2007)):
        effect = found.loc[f"att_gt[{cohort},{year}]", "estimate"]
        assert effect == pytest.approx(change_by_hand(panel, cohort, year, **rule), abs=1e-12)


@pytest.mark.parametrize("comparison", ["never_treated", "not_yet_treated"])
def test_firms_treated_from_the_first_year_on_are_left_out(comparison):
    """No covariate is dated before their entry, which concerns nobody else."""
    panel = counties()
    county = panel["firm_id"].astype(int)
    early = panel["cohort"].isna() & (county % 5 == 0)
    treated = panel.assign(cohort=panel["cohort"].mask(early, 2003))
    treated = treated.assign(cluster_entry=cluster_entry(treated))
    given = {"method": "doubly_robust", "comparison": comparison, "firms": "panel"} | ON_POPULATION
    found = rows(treated, **given)[["estimate", "std_error"]]
    without = rows(panel[~early].reset_index(drop=True), **given)[["estimate", "std_error"]]
    pd.testing.assert_frame_equal(found, without, rtol=1e-9)


def test_a_comparison_firm_stops_where_others_of_its_cluster_enter():
    """The pool outside treated clusters, year by year: later states still compare."""
    panel = counties()
    found = rows(panel, firms="panel", controls_from="outside_treated_clusters")
    wide = panel.pivot(index="firm_id", columns="year", values="lemp")
    own = panel.drop_duplicates("firm_id").set_index("firm_id").loc[wide.index]
    change = wide[2005] - wide[2003]
    clean = own["cohort"].isna() & ~(own["cluster_entry"] <= 2005).fillna(False)
    treated = (own["cohort"] == 2004).fillna(False)
    expected = change[treated].mean() - change[clean].mean()
    assert found.loc["att_gt[2004,2005]", "estimate"] == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"firms": "panel", "designs": ["matched"]}, "compares every firm"),
        ({"gaps": "balanced"}, "gaps is for firms: panel"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        GroupTimeSpec.model_validate(SPEC | changes)
