"""Which inference goes with which design: what is refused, two-way clusters, the bootstrap."""

import numpy as np
import pandas as pd
import pytest
import simulation
from stacked_tables import (
    estimation,
    joined,
    matches_from,
    outcomes,
    panel_from,
    random_study,
    treatment,
    weights_from,
)
from told import estimate_specs, said
from workspace import section

from pipeline.effects.sample import stacked_sample
from pipeline.effects.study import prepare_study
from pipeline.effects.terms import ATT, Term, event
from pipeline.errors import IdentificationError, Reason, SupportError
from pipeline.estimators.stacked import fit_cells
from pipeline.estimators.stacked_regressors import pooled_regressors
from pipeline.estimators.year_cells import year_cells
from pipeline.exhibits.numbers import term_key
from pipeline.exhibits.words.language import tell
from pipeline.inference import bootstrap
from pipeline.inference.analytic import infer
from pipeline.inference.bootstrap import Redo, bootstrap_terms
from pipeline.inference.cautions import cluster_caution
from pipeline.inference.counts import unit_clusters
from pipeline.inference.validity import require_valid
from pipeline.matching.designs import design_risk_sets, match_designs
from pipeline.panel.clean import clean_panel
from pipeline.params.clean import CleanSection
from pipeline.params.data import DataSection
from pipeline.params.estimate import EstimateSection
from pipeline.params.inference_faults import Remade, inference_faults
from pipeline.params.match import MatchSection
from pipeline.params.outcomes import OutcomesSection
from pipeline.params.score import ScoreSection
from pipeline.params.treatment import TreatmentSection
from pipeline.params.valid_inference import VALID
from pipeline.selection.covariates import dated_covariates
from pipeline.selection.propensity import score_risk_sets
from pipeline.selection.risk_sets import pooled_risk_sets, risk_sets
from pipeline.simulation.simulate import simulate_programme

PANEL = """
firm_id cluster 2003 2004 2005
a       A       1    2    4
b       B       2    2    3
c       C       1    1    5
m       A       1    3    2
n       B       2    1    2
o       D       5    5    6
"""
SETS = """
stack set_id firm_id treated
2005  s1     a       1
2005  s1     n       0
2005  s2     b       1
2005  s2     o       0
2005  s3     c       1
2005  s3     m       0
"""


def stacks(sets):
    panel = panel_from(PANEL, dict.fromkeys("abc", 2005))
    matches = matches_from(sets)
    return joined(panel, weights_from(matches, panel), matches, (-2, 0))


def spec(**changes):
    return estimation(**changes).specs[0]


def test_components_join_sets_and_clusters_that_share_a_firm():
    units = stacks(SETS)
    (code,) = unit_clusters(units, "components")
    firm = ["abcmno"[i] for i in units.firm]
    groups = pd.Series(firm).groupby(code).agg("".join).map(sorted).map("".join)
    # Cluster A joins s1 (a) and s3 (m); B joins s1 (n) and s2 (b): all firms hang together.
    assert groups.tolist() == ["abcmno"]
    apart = SETS.replace("s3     m       0", "s3     o       0").replace(
        "s2     o       0", "s2     n       0"
    )
    two = stacks(apart.replace("s1     n       0", "s1     m       0"))
    (code,) = unit_clusters(two, "components")
    firm = ["abcmno"[i] for i in two.firm]
    groups = pd.Series(firm).groupby(code).agg("".join).map(sorted).map("".join)
    assert sorted(groups) == ["am", "bn", "co"]


def dense_two_way(sample, cells, first, second):
    """Cluster in two directions by dummies and the formula of Cameron, Gelbach & Miller."""
    x = (sample.treated & (sample.event_time >= 0)).astype(float)
    effects = [pd.get_dummies(pd.Series(code), dtype=float) for code in (sample.unit, cells)]
    columns = np.column_stack([x, *effects])
    root = np.sqrt(sample.weight)
    pinv = np.linalg.pinv(columns * root[:, None])
    residual = sample.y - columns @ (pinv @ (sample.y * root))
    bread = pinv @ pinv.T
    scores = columns * (sample.weight * residual)[:, None]

    def meat(code):
        sums = pd.DataFrame(scores).groupby(code).sum().to_numpy()
        return sums.T @ sums

    both = pd.factorize(pd.Series(list(zip(first, second, strict=True))))[0]
    total = meat(first) + meat(second) - meat(both)
    n_clusters = min(len(set(first)), len(set(second)))
    n, k = len(x), 1 + len(set(cells))
    factor = n_clusters / (n_clusters - 1) * (n - 1) / (n - k)
    return factor * (bread @ total @ bread)[0, 0]


def used_once(seed):
    """Return a study matched one to one, no firm twice, in clusters of four."""
    panel, _, _ = random_study(seed, missing_share=0.0)
    first = panel.drop_duplicates("firm_id").set_index("firm_id")["cohort"]
    treated, others = first[first.notna()], list(first[first.isna()].index)
    rows = [
        (stack, f"{stack}-{i}", firm, flag)
        for i, (own, stack) in enumerate(treated.items())
        for firm, flag in ((own, 1), (others[i], 0))
    ]
    table = pd.DataFrame(rows, columns=["stack", "set_id", "firm_id", "treated"])
    matches = matches_from(table.to_string(index=False))
    return panel, matches, weights_from(matches, panel)


@pytest.mark.parametrize("seed", [1, 2])
def test_two_way_clusters_follow_the_formula(seed):
    panel, matches, weights = used_once(seed)
    units = joined(panel, weights, matches, (-2, 2))
    sample = stacked_sample(units, panel["sales"].to_numpy(), "renormalise")
    cells = year_cells(sample, panel, None)
    first, second = (code[sample.unit] for code in unit_clusters(units, "set_and_assignment"))
    fit = fit_cells(sample, pooled_regressors(sample), cells, by_entry=False).where([ATT])
    found = infer(fit, "set_and_assignment")
    assert found.covariance[0, 0] == pytest.approx(
        dense_two_way(sample, cells.codes, first, second)
    )
    assert found.counts.n_clusters == min(len(set(first)), len(set(second)))


@pytest.mark.parametrize("cluster", ["set_and_assignment", "components"])
def test_set_clusters_reach_the_estimates(cluster):
    panel, matches, weights = used_once(5)
    study = prepare_study(
        panel,
        matches,
        weights,
        outcomes=outcomes(),
        treatment=treatment(-2, 2),
        matched_times={},
        estimate=estimation(cluster=cluster),
    )
    results = estimate_specs(study)
    assert set(results.estimates["cluster"]) == {cluster}
    att = results.estimates.set_index("named").loc["att"]
    assert att["n_clusters"] < 12 if cluster == "components" else att["n_clusters"] == 9


def component_rows(of_firm, terms=("att",), **spec):
    """Estimate the pairs of `used_once` with firms in the assignment clusters that `of_firm` gives.

    Pairs are numbered: of_firm(number of the pair, whether treated) -> name of the cluster.
    """
    panel, matches, _ = used_once(5)
    number = {set_id: i for i, set_id in enumerate(matches["set_id"].unique())}
    cluster = {
        row.firm_id: of_firm(number[row.set_id], row.treated) for row in matches.itertuples()
    }
    panel = panel.assign(cluster=panel["firm_id"].map(cluster).fillna("unmatched"))
    results = estimate_specs(
        prepare_study(
            panel,
            matches,
            weights_from(matches, panel),
            outcomes=outcomes(),
            treatment=treatment(-2, 2),
            matched_times={},
            estimate=estimation(terms=list(terms), cluster="components", **spec),
        )
    )
    return results.estimates.set_index(["term", "inference"])


def chain(number, treated):
    """Put each pair across two clusters, so that all hang together."""
    return f"c{number + (0 if treated else 1)}"


def thirds(number, treated):
    return f"c{number % 3}"


@pytest.mark.parametrize("average", ["pooled", "event"])
def test_a_single_component_has_no_standard_error(average):
    row = component_rows(chain, average=average).loc[("att", "analytic")]
    assert row["n_clusters"] == 1 and np.isfinite(row["estimate"])
    assert row[["std_error", "conf_low", "conf_high", "p_value"]].isna().all()
    assert "hang together in a single component; use cluster: assignment" in row["note"]


def test_a_bootstrap_of_a_single_component_says_that_there_is_none():
    rows = component_rows(chain, wild_bootstrap={"draws": 99, "seed": 1})
    row = rows.loc[("att", "wild_bootstrap")]
    assert np.isnan(row["p_value"]) and np.isnan(row["conf_low"])
    assert row["note"].startswith("no bootstrap: without a standard error")


def test_few_components_are_counted_and_warned_of():
    row = component_rows(thirds).loc[("att", "analytic")]
    assert row["n_clusters"] == 3 and row["df"] == 2
    assert row["note"].endswith(
        "matched sets and assignment clusters hang together in 3 components: too few for the "
        "interval, which is too short; a wild bootstrap is not applicable; compare cluster: "
        "assignment"
    )


@pytest.mark.parametrize(
    ("n_clusters", "said"),
    [(5, "a wild bootstrap is not applicable"), (6, "too few for the interval"), (20, None)],
)
def test_the_caution_ends_where_clusters_are_enough(n_clusters, said):
    found = cluster_caution("components", n_clusters, n_clusters)
    assert found is None if said is None else said in tell(found)
    assert ("bootstrap" in ("" if found is None else tell(found))) == (n_clusters < 6)
    assert cluster_caution("assignment", n_clusters, 20) is None


@pytest.mark.parametrize("cluster", ["set_and_assignment", "components"])
@pytest.mark.parametrize("reuse", ["set", "stack"])
def test_reused_firms_have_no_set_clusters(cluster, reuse):
    panel, matches, weights = random_study(3) if reuse == "stack" else (None, None, None)
    if reuse == "stack":
        units = joined(panel, weights, matches, (-2, 2))
    else:
        units = stacks(SETS.replace("s2     o       0", "s2     n       0"))
    with pytest.raises(IdentificationError, match="design matched: matched sets are"):
        require_valid(spec(cluster=cluster), units, Remade())
    require_valid(spec(cluster="assignment"), units, Remade())


def test_a_refusal_names_what_is_valid():
    units = stacks(SETS.replace("s2     o       0", "s2     n       0"))
    with pytest.raises(IdentificationError) as caught:
        require_valid(spec(cluster="components"), units, Remade())
    assert str(caught.value) == (
        "estimate.specs.main: cluster: components is not valid for the design matched: matched "
        "sets are clusters only without replacement and where no firm serves two entry years (some "
        "firm is in two sets or entry years); use cluster: assignment, whose interval is "
        "conditional on the match, or smooth weights (method: entropy, odds) with inference: "
        "cluster_bootstrap"
    )


def test_neighbours_are_never_bootstrapped():
    asked = spec(cluster="assignment", inference="cluster_bootstrap", draws=50, seed=1)
    with pytest.raises(IdentificationError, match="the bootstrap fails for matched neighbours"):
        require_valid(asked, stacks(SETS), Remade())
    require_valid(asked, stacks(SETS), Remade(smooth=True))


def test_every_offered_combination_has_a_rule():
    fields = {"cluster": ("assignment", "firm", "set_and_assignment", "components")}
    for cluster in fields["cluster"]:
        assert ("analytic", cluster) in VALID
    with pytest.raises(ValueError, match="needs draws and seed"):
        spec(inference="cluster_bootstrap")
    with pytest.raises(ValueError, match="draws assignment clusters"):
        spec(inference="cluster_bootstrap", draws=50, seed=1, cluster="firm")


# The bootstrap, on simulated firms.


def programme(draws, average="pooled"):
    """Return everything an estimation of two smooth designs needs, on 900 simulated firms."""
    block = section("simulated")
    covariates = ["employment_log", "age", "foreign_owned"]
    model = block["score"]["models"]["covariates"] | {"covariates": covariates, "fit": "pooled"}
    block["score"]["models"] = {"covariates": model}
    block["match"]["designs"] = {
        "odds": {"score": "covariates", "method": "odds"},
        "entropy": {
            "score": "covariates",
            "method": "entropy",
            "covariates": covariates,
            "moments": 1,
            "base": "equal",
        },
    }
    block["outcomes"] = {"sales_log": block["outcomes"]["sales_log"]}
    named = {"name": "main", "estimator": "stacked", "outcomes": "all", "terms": ["att"]}
    named["average"] = average
    block["estimate"] |= {
        "headline": {"spec": "main", "design": "odds", "term": "att"},
        "analyses": {},
        "missing": "renormalise",
        "specs": [
            named
            | {"designs": ["unmatched", "odds", "entropy"], "cluster": "assignment"}
            | {"inference": "cluster_bootstrap", "draws": draws, "seed": 4}
        ],
    }
    data = DataSection.model_validate(block["data"])
    chosen = TreatmentSection.model_validate(block["treatment"])
    score = ScoreSection.model_validate(block["score"])
    match = MatchSection.model_validate(block["match"])
    firms = simulate_programme(
        simulation.settings(firms=900, municipalities=12, sectors=5, treated_clusters=24),
        np.random.default_rng(2),
    )
    panel = clean_panel(
        firms.panel,
        firms.register,
        {},
        data=data,
        clean=CleanSection.model_validate(block["clean"]),
        treatment=chosen,
    ).panel
    candidates = risk_sets(panel, chosen).firms
    dated = dated_covariates(panel, candidates, score.covariates)
    scores = score_risk_sets(pooled_risk_sets(candidates, score), dated, score).scores
    matched = match_designs(scores, dated, match)
    sections = {
        "outcomes": OutcomesSection.model_validate(block["outcomes"]),
        "treatment": chosen,
        "matched_times": {},
        "estimate": EstimateSection.model_validate(block["estimate"]),
    }
    tables = (panel, matched.matches, matched.weights)
    return tables, sections, Redo(scores, dated, score, match)


def once(lots, rng):
    """Draw every cluster once."""
    return np.ones(len(lots.code))


@pytest.mark.parametrize("average", ["event", "pooled"])
def test_a_sample_of_every_cluster_once_gives_back_the_estimate(monkeypatch, average):
    tables, sections, redo = programme(50, average)
    study = prepare_study(*tables, **sections)
    plain = sections | {"estimate": _analytic(sections["estimate"])}
    results = estimate_specs(prepare_study(*tables, **plain))
    estimate = results.estimates.set_index(["design", "named"])["estimate"]

    monkeypatch.setattr(bootstrap.ClusterLots, "draw", once)
    asked = study.estimate.specs[0].model_copy(update={"draws": 1})
    for design in ("unmatched", "odds", "entropy"):
        found = bootstrap_terms(study, redo, asked, design, ["sales_log"]).terms["sales_log"]
        assert found[ATT].iloc[0] == pytest.approx(estimate[design, "att"], rel=1e-7)


def test_the_bootstrap_redoes_what_the_spec_asks_for_beside_other_methods(monkeypatch):
    """Covariates and means of event times are redone; rows by other methods have none of theirs."""
    tables, sections, redo = programme(50, "event")
    draws = {"draws": 99, "seed": 1}
    changes = {"designs": ["odds"], "terms": ["att", "event"], "covariates": ["employment_log"]}
    changes |= {"bias_reduced": True, "wild_bootstrap": draws, "bands": draws}
    changes |= {"placebo_entry_years": 1}
    changes |= {"event_bins": [{"first_event_time": 0, "last_event_time": 1}]}
    settings = sections["estimate"].model_dump(exclude_unset=True)
    settings["specs"][0] |= changes
    asked = EstimateSection.model_validate(settings)
    both = {"covariates": redo.covariates, "score": redo.score}
    study = prepare_study(*tables, **sections | {"estimate": asked}, **both)
    monkeypatch.setattr(bootstrap.ClusterLots, "draw", once)
    rows = estimate_specs(study, redo).estimates
    drawn = rows[rows["inference"] == "cluster_bootstrap"].set_index("named")
    assert drawn.index.is_unique and set(drawn["sample"]) == {"all"}
    assert {"att", "event[1]", "event_bin[0,1]"} <= set(drawn.index)
    spec = study.estimate.specs[0].model_copy(update={"draws": 1})
    found = bootstrap_terms(study, redo, spec, "odds", ["sales_log"]).terms["sales_log"].iloc[0]
    for term in (ATT, event(1), Term("event_bin", None, None, 0, 1)):
        assert found[term] == pytest.approx(drawn.loc[term_key(term), "estimate"], rel=1e-7)


def _analytic(settings):
    plain = settings.specs[0].model_copy(
        update={"inference": "analytic", "draws": None, "seed": None}
    )
    return settings.model_copy(update={"specs": [plain]})


def bootstrapped(designs, draws):
    """Return the rows of one estimation with the bootstrap, by design and inference."""
    tables, sections, redo = programme(draws)
    settings = sections["estimate"]
    kept = settings.specs[0].model_copy(update={"designs": designs})
    chosen = sections | {"estimate": settings.model_copy(update={"specs": [kept]})}
    rows = estimate_specs(prepare_study(*tables, **chosen), redo).estimates
    return rows.set_index(["design", "inference"])


def assert_plausible(rows, design, draws):
    analytic, drawn = rows.loc[(design, "analytic")], rows.loc[(design, "cluster_bootstrap")]
    assert drawn["estimate"] == analytic["estimate"]
    # The error of a standard error from 200 draws is a twentieth; weights add to the spread.
    assert 0.6 < drawn["std_error"] / analytic["std_error"] < 1.6
    assert drawn["note"] == f"design and effect redone in {draws} samples of clusters"
    upper, lower = drawn["conf_high"] - drawn["estimate"], drawn["estimate"] - drawn["conf_low"]
    assert upper == pytest.approx(lower)


@pytest.mark.slow
@pytest.mark.parametrize("design", ["unmatched", "odds", "entropy"])
def test_bootstrap_rows_stand_beside_analytic_ones(design):
    assert_plausible(bootstrapped([design], 200), design, 200)


def test_the_same_seed_draws_the_same_samples_and_the_panel_stays():
    tables, sections, redo = programme(50)
    before = tables[0].copy(deep=True)
    study = prepare_study(*tables, **sections)
    asked = study.estimate.specs[0].model_copy(update={"draws": 3})
    first, again = (
        bootstrap_terms(study, redo, asked, "odds", ["sales_log"]).terms["sales_log"]
        for _ in range(2)
    )
    pd.testing.assert_frame_equal(first, again)
    assert first[ATT].nunique() == 3
    pd.testing.assert_frame_equal(tables[0], before)


def test_clusters_are_drawn_whole_and_from_both_groups():
    _, _, redo = programme(50)
    firms = redo.scores[redo.scores["model"] == "covariates"].reset_index(drop=True)
    rule = redo.match.designs["odds"]
    risk_sets = list(design_risk_sets(redo.scores, redo.covariates, "odds", rule))
    lots = bootstrap.cluster_lots(redo, "odds", risk_sets)
    cluster = pd.concat([risk_set.firms["cluster"] for risk_set in risk_sets])
    times = pd.Series(lots.draw(np.random.default_rng(0))).groupby(cluster.to_numpy())
    assert (times.min() == times.max()).all()
    near = firms.groupby("cluster")["treated"].any()
    assert times.max().sum() == len(near)
    assert times.max()[near].sum() == near.sum()


def test_too_many_failed_samples_leave_a_row_with_the_reason(monkeypatch):
    tables, sections, redo = programme(50)
    study = prepare_study(*tables, **sections)

    def fails(*_):
        raise SupportError(Reason("moments_not_met", {"n_control": 9}))

    monkeypatch.setattr(bootstrap.Draws, "weights", fails)
    rows = estimate_specs(study, redo).estimates
    asked = rows[rows["inference"] == "cluster_bootstrap"]
    assert len(asked) and asked[["std_error", "p_value", "conf_low"]].isna().all(axis=None)
    assert set(asked["note"]) == {
        "no bootstrap: the effect can be estimated in 0 of 50 samples of clusters only; "
        f"the last failed of: {said('moments_not_met', n_control=9)}"
    }
    kept = rows[(rows["inference"] == "analytic") & (rows["named"] == "att")]
    assert kept["std_error"].notna().all()


def test_effects_in_proportion_are_not_bootstrapped_and_say_so():
    tables, sections, redo = programme(50)
    ratio = sections["outcomes"].root["sales_log"].model_copy(update={"transform": "proportional"})
    settings = sections["estimate"]
    kept = settings.specs[0].model_copy(update={"designs": ["odds"]})
    chosen = sections | {
        "outcomes": OutcomesSection({"sales_log": ratio}),
        "estimate": settings.model_copy(update={"specs": [kept]}),
    }
    rows = estimate_specs(prepare_study(*tables, **chosen), redo).estimates
    asked = rows[rows["inference"] == "cluster_bootstrap"]
    assert len(asked)
    assert asked["std_error"].isna().all()
    assert asked["note"].str.contains("not bootstrapped").all()


# What params alone decide, `impact check` refuses.

NEAREST = {
    "score": "covariates",
    "method": "nearest",
    "distance": "linear",
    "ratio": 1,
    "replacement": False,
    "caliper_sd": None,
    "exact": [],
    "order": "largest",
}
ODDS = {"score": "covariates", "method": "odds"}
SHARED = {**NEAREST, "replacement": True, "tie_tolerance": 1e-6}
FIRM_BY_FIRM = {
    "estimator": "matched_difference",
    "cluster": "firm",
    "inference": "abadie_imbens",
}
STACKED = {"estimator": "stacked", "average": "event"}
BOOTSTRAP = {
    **STACKED,
    "cluster": "assignment",
    "inference": "cluster_bootstrap",
    "draws": 50,
    "seed": 1,
}


def faults_of(design, asked, *, by_firm=True):
    block = section("simulated")
    designs = {"score": ScoreSection, "match": MatchSection}
    block["match"]["designs"] = {"matched": design}
    asked = {"name": "main", "designs": ["matched"], "outcomes": "all", "terms": ["att"], **asked}
    estimate = EstimateSection.model_validate(
        {
            "conf_level": 0.95,
            "power": 0.8,
            "missing": "renormalise",
            "headline": {"spec": "main", "design": "matched", "term": "att"},
            "specs": [asked],
        }
    )
    sections = {name: model.model_validate(block[name]) for name, model in designs.items()}
    return list(inference_faults(estimate, **sections, by_firm=by_firm))


@pytest.mark.parametrize(
    ("design", "asked", "lacks"),
    [
        (NEAREST, FIRM_BY_FIRM, "does not match neighbours with replacement"),
        (SHARED, FIRM_BY_FIRM, None),
        (NEAREST, BOOTSTRAP, "weights do not change smoothly"),
        (ODDS, BOOTSTRAP, None),
        (ODDS, {**STACKED, "cluster": "components"}, "has no matched sets"),
        (ODDS, {**STACKED, "cluster": "set_and_assignment"}, "has no matched sets"),
        (NEAREST, {**STACKED, "cluster": "components"}, None),
        (SHARED, {**STACKED, "cluster": "components"}, None),  # firms that serve once, data decide
        (ODDS, {**STACKED, "cluster": "assignment"}, None),
    ],
)
def test_what_params_decide_is_refused_by_check(design, asked, lacks):
    found = faults_of(design, asked)
    assert len(found) == (lacks is not None)
    assert all(lacks in line and "the design matched" in line for line in found)


def test_hc3_is_refused_by_check_where_support_was_given_out_to_clusters():
    asked = {"estimator": "cross_section", "base_value": "subtracted", "cluster": "firm"}
    asked |= {"inference": "hc3"}
    assert faults_of(NEAREST, asked) == []
    (fault,) = faults_of(NEAREST, asked, by_firm=False)
    assert "hc3 is not valid for the design matched" in fault
    assert "use inference: analytic with cluster: assignment" in fault
