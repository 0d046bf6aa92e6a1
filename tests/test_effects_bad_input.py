"""Bad input x every estimator: a row with the reason, or one clear error; never a raw failure.

`GRID` spoils one small study; every estimator and analysis is asked for at once, and warnings of
numpy count as failures. What the rows may not hold is in `faults_of`.
"""

import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from bad_chains import SPECS as REDONE
from bad_chains import chained
from bad_studies import (
    DRAWS,
    EVENTS,
    LEVEL,
    SPECS,
    Inputs,
    inputs,
    of_reused_firms,
    plain_panel,
    spec,
)
from told import said

from pipeline.effects.collected import Results
from pipeline.effects.study import outcome_sample
from pipeline.errors import EvaluationError, Reason
from pipeline.estimators.stacked import fit_cells
from pipeline.estimators.stacked_regressors import event_regressors
from pipeline.estimators.year_cells import year_cells
from pipeline.exhibits.words.language import tell
from pipeline.inference.analytic import infer
from pipeline.inference.counts import Counts

ADJUSTED = said("eigenvalues_adjusted")
LONE_CLUSTER = said("treated_in_one_cluster")
LONE_COMPARISON = said("comparison_in_one_cluster")
LONE_IN_COHORT = said("every_entry_year_in_one_cluster")
NEGATIVE = said("negative_variance")
NO_FREEDOM = said("no_freedom")
NO_VARIATION = said("no_variation")
ONE_CLUSTER = said("one_cluster")

NUMBERS = ["estimate", "std_error", "statistic", "df", "p_value", "conf_low", "conf_high"]
REASONS = ("no standard error", "no bootstrap", "not bootstrapped", "no randomisation")
NOT_ESTIMATED_BY_INTENT = ("reference period", "alive in base and entry year by construction")


def number(panel):
    return panel["firm_id"].str[1:].astype(int)


def treated(panel):
    return panel["cohort"].notna()


def after(panel):
    return (panel["year"] >= panel["cohort"]).fillna(False).astype(bool)


def entering(entry_of, years=None, n_firms=24):
    """Return the panel in which firm n enters in entry_of(n), None for never."""
    panel = plain_panel(n_firms) if years is None else plain_panel(n_firms, years)
    cohort = pd.array([entry_of(n) for n in number(panel)], dtype="Int64")
    return panel.assign(cohort=cohort)


def eight_in_2004(n):
    return 2004 if n < 8 else None


def changed(**columns):
    """Return the plain panel with columns made from it; numbers stay numbers."""
    panel = plain_panel()
    made = {name: make(panel) if callable(make) else make for name, make in columns.items()}
    panel = panel.assign(**made)
    sizes = {name: panel[name].astype("float64") for name in ("sales", "exports", "size")}
    return panel.assign(**sizes)


def both(make):
    """Change both outcome columns in the same way."""
    return changed(
        sales=lambda panel: make(panel, panel["sales"]),
        exports=lambda panel: make(panel, panel["exports"]),
    )


def exact(panel, effect):
    """Return outcomes that firm, year and treatment explain without anything left."""
    line = number(panel) / 7 + (panel["year"] - 2000) / 3
    return 1e9 * (line + 0.1 + 2.2 * effect * after(panel))


def weighing(change):
    """Return inputs whose comparison weights of one firm are changed."""
    good = inputs()
    weights = good.weights.copy()
    change(weights, ~weights["treated"] & (weights["firm_id"] == "F010"))
    return good.but(weights=weights)


def set_weight(value):
    return lambda weights, chosen: weights.__setitem__(
        "weight", weights["weight"].mask(chosen, value)
    )


def one_of_reused(panel, **settings):
    """Return inputs in which comparison firms serve several treated ones."""
    return inputs(panel, specs=of_reused_firms(SPECS), **settings)


# name -> what makes the inputs.
GRID = {
    "one cohort": lambda: inputs(entering(eight_in_2004)),
    "all treated in the first year": lambda: inputs(entering(lambda n: 2001 if n < 8 else None)),
    "cohort before the first year": lambda: inputs(entering(lambda n: 1990 if n < 8 else None)),
    "cohort after the last year": lambda: inputs(entering(lambda n: 2010 if n < 8 else None)),
    "one of two cohorts after the last year": lambda: inputs(
        entering(lambda n: 2004 if n < 4 else 2010 if n < 8 else None)
    ),
    "single pre-year": lambda: inputs(entering(eight_in_2004, range(2003, 2008))),
    "single post-year": lambda: inputs(entering(eight_in_2004, range(2001, 2005))),
    "two years": lambda: inputs(entering(eight_in_2004, range(2003, 2005))),
    "one year": lambda: inputs(entering(eight_in_2004, range(2004, 2005))),
    "window without pre-years": lambda: inputs(window=(-1, 2)),
    "window without post-years": lambda: inputs(window=(-3, 0)),
    "anticipation": lambda: inputs(anticipation=1),
    "anticipation longer than the pre-period": lambda: inputs(
        entering(eight_in_2004, range(2003, 2008)), anticipation=2
    ),
    "every second year": lambda: inputs(plain_panel().query("year % 2 == 1")),
    "a year missing": lambda: inputs(plain_panel().query("year != 2005")),
    "one cluster": lambda: inputs(changed(cluster="c")),
    "two clusters": lambda: inputs(changed(cluster=lambda p: np.where(number(p) % 2, "a", "b"))),
    "a cluster for each group": lambda: inputs(
        changed(cluster=lambda p: np.where(treated(p), "a", "b"))
    ),
    "one treated cluster": lambda: inputs(
        changed(cluster=lambda p: p["cluster"].where(~treated(p), "T"))
    ),
    "one comparison cluster": lambda: inputs(
        changed(cluster=lambda p: p["cluster"].where(treated(p), "C"))
    ),
    "each cohort in one cluster": lambda: inputs(
        changed(cluster=lambda p: p["cluster"].where(~treated(p), "T" + p["cohort"].astype("str")))
    ),
    "one treated firm": lambda: inputs(entering(lambda n: 2004 if n < 1 else None)),
    "one treated firm a cohort": lambda: inputs(entering(lambda n: 2004 + n if n < 2 else None)),
    "one comparison firm": lambda: one_of_reused(plain_panel(9), pairs=1),
    "one pair": lambda: inputs(entering(lambda n: 2004 if n < 1 else None, n_firms=2), pairs=1),
    "more effects than observations": lambda: inputs(
        entering(lambda n: 2004 if n < 1 else None, n_firms=2), pairs=1, window=(-3, 3)
    ),
    "two pairs": lambda: inputs(entering(lambda n: 2004 if n < 2 else None, n_firms=4), pairs=1),
    "constant": lambda: inputs(changed(sales=3.0, exports=3.0)),
    "constant within firms": lambda: inputs(both(lambda p, _: 1.7 + number(p) / 7)),
    "the same in all firms of a year": lambda: inputs(both(lambda p, _: p["year"] / 7 - 280)),
    "fitted exactly, no effect": lambda: inputs(both(lambda p, _: exact(p, 0.0))),
    "fitted exactly, with an effect": lambda: inputs(both(lambda p, _: exact(p, 1.0))),
    "missing after entry": lambda: inputs(both(lambda p, y: y.where(~after(p)))),
    "missing from the first entry on": lambda: inputs(both(lambda p, y: y.where(p["year"] < 2004))),
    "missing in the base years": lambda: inputs(
        both(lambda p, y: y.where(~p["year"].isin([2003, 2004])))
    ),
    "missing everywhere": lambda: inputs(both(lambda p, _: np.nan)),
    "observed for treated firms only": lambda: inputs(both(lambda p, y: y.where(treated(p)))),
    "observed for comparison firms only": lambda: inputs(both(lambda p, y: y.where(~treated(p)))),
    "sets broken": lambda: inputs(
        both(lambda p, y: y.where(number(p) % 2 == 1)), missing="drop_set"
    ),
    "zero for the treated": lambda: inputs(
        changed(exports=lambda p: p["exports"].where(~treated(p), 0.0))
    ),
    "zero for comparison firms": lambda: inputs(
        changed(exports=lambda p: p["exports"].where(treated(p), 0.0))
    ),
    "zero before entry": lambda: inputs(
        changed(exports=lambda p: p["exports"].where(p["year"] >= 2004, 0.0))
    ),
    "zero for the treated after entry": lambda: inputs(
        changed(exports=lambda p: p["exports"].where(~after(p), 0.0))
    ),
    "above zero in one firm only": lambda: inputs(
        changed(exports=lambda p: p["sales"].where(number(p) == 0, 0.0))
    ),
    "zero nowhere": lambda: inputs(changed(exports=lambda p: p["sales"])),
    "zero everywhere": lambda: inputs(changed(exports=0.0)),
    "infinite": lambda: inputs(changed(sales=lambda p: p["sales"].where(p.index != 5, np.inf))),
    "huge": lambda: inputs(changed(sales=lambda p: p["sales"].where(p.index != 5, 1e300))),
    "tiny": lambda: inputs(both(lambda p, y: y * 1e-300)),
    "wide range": lambda: inputs(
        changed(exports=lambda p: p["exports"] * np.where(number(p) == 0, 1e14, 1e-6))
    ),
    "negative under log": lambda: inputs(changed(sales=lambda p: -p["sales"])),
    "treated firms all exit": lambda: inputs(
        plain_panel().loc[lambda p: ~(after(p) & (p["year"] > p["cohort"].fillna(9999)))]
    ),
    "comparison firms all exit": lambda: inputs(
        plain_panel().loc[lambda p: treated(p) | (p["year"] <= 2005)]
    ),
    "covariate constant": lambda: inputs(changed(size=1.0)),
    "covariate separates": lambda: inputs(changed(size=lambda p: 1.0 + treated(p))),
    "covariate missing": lambda: inputs(changed(size=np.nan)),
    "covariate missing for the treated": lambda: inputs(
        changed(size=lambda p: p["size"].where(~treated(p)))
    ),
    "covariate missing in one cohort": lambda: inputs(
        changed(size=lambda p: p["size"].where((p["cohort"] != 2004).fillna(True).astype(bool)))
    ),
    "covariate infinite": lambda: inputs(
        changed(size=lambda p: p["size"].where(number(p) != 3, np.inf)),
        specs=unweighted(),
        analyses={},
    ),
    "covariate negative as a weight": lambda: inputs(changed(size=lambda p: -p["size"])),
    "covariate zero for the treated": lambda: inputs(
        changed(size=lambda p: p["size"].where(~treated(p), 0.0))
    ),
    "every firm its own sector": lambda: inputs(changed(sector=lambda p: "s" + p["firm_id"])),
    "a sector of the treated": lambda: inputs(
        changed(sector=lambda p: np.where(treated(p), "t", "c"))
    ),
    "sector missing": lambda: inputs(
        changed(sector=lambda p: p["sector"].where(number(p) != 3, None))
    ),
    "weights zero": lambda: weighing(lambda weights, _: weights.__setitem__("weight", 0.0)),
    "weights of comparison firms zero": lambda: weighing(
        lambda weights, _: set_weight(0.0)(weights, ~weights["treated"])
    ),
    "weight negative": lambda: weighing(set_weight(-1.0)),
    "weight missing": lambda: weighing(set_weight(np.nan)),
    "weight infinite": lambda: weighing(set_weight(np.inf)),
    "weight all but zero": lambda: weighing(set_weight(1e-320)),
}


def unweighted():
    return [one for one in SPECS if "weight_by" not in one]


# Where nothing can go on: class and words of the one message.
STOPS = {
    "all treated in the first year": "never observed in the years before entry",
    "cohort before the first year": "never observed in the years before entry",
    "one year": "never observed in the years before entry",
    "anticipation longer than the pre-period": "never observed in the years before entry",
    "missing everywhere": "outcomes.sales is never observed in the years before entry (2001-2004)",
    "infinite": "sales: 1 values are infinite or beyond 1e+100",
    "huge": "sales: 1 values are infinite or beyond 1e+100",
    "negative under log": "sales: 168 values are negative, which `log` cannot take",
    "covariate negative as a weight": "weight_by size: 40 values are negative",
    "sector missing": "1 firms have no `sector` in their base year",
    "weight negative": "matched: 1 of 24 weights are negative, missing or infinite",
    "weight missing": "matched: 1 of 24 weights are negative, missing or infinite",
    "weight infinite": "matched: 1 of 24 weights are negative, missing or infinite",
}

# Inputs that do not harm every estimator, and the reason that some row gives.
SAYS = {
    "one cluster": ONE_CLUSTER,
    "one treated cluster": LONE_CLUSTER,
    "one comparison cluster": LONE_COMPARISON,
    "each cohort in one cluster": LONE_IN_COHORT,
    "one treated firm a cohort": LONE_IN_COHORT,
    "one comparison firm": LONE_COMPARISON,
    "constant": "the outcome does not vary within the absorbed effects",
    "fitted exactly, with an effect": NO_VARIATION,
    "missing after entry": "observed together after entry",
    "observed for treated firms only": "are observed together at event time −1",
    "covariate constant": "covariate size is constant",
    "covariate separates": "covariates separate treated from comparison firms",
    "covariate missing": "no firm has all of the covariates size",
    "covariate infinite": "covariate size has values that are infinite",
    "weights zero": "no treated and comparison firms",
    "one treated firm": "no treated firm is left without the largest firm",
    "single pre-year": "no pre-trend can be seen",
    "two clusters": "no standard error: normal inference needs three clusters or more",
}


def faults_of(results: Results) -> list[str]:
    """Return what no results table may hold, one line per row."""
    estimates, tests = results.estimates, results.tests
    note = estimates["note"].fillna("").astype("str")
    known = {name: estimates[name].notna() for name in NUMBERS}
    with_reason = note.str.contains("|".join(REASONS))
    with_reason |= note.isin(NOT_ESTIMATED_BY_INTENT) | (note == "")
    own_error = estimates["inference"].isin(["analytic", "cluster_bootstrap", "abadie_imbens"])
    checks = {
        "infinite": np.isinf(estimates[NUMBERS].astype("float64")).any(axis=1),
        "no estimate and no reason": ~known["estimate"] & (note == ""),
        "an error of no estimate": ~known["estimate"] & known["std_error"],
        "no error and no reason": known["estimate"]
        & ~known["std_error"]
        & ((note == "") | ~with_reason),
        "an error of zero": estimates["std_error"] <= 0,
        "an error that is rounding": estimates["std_error"] < 1e-11 * estimates["estimate"].abs(),
        "an error without a test": known["std_error"]
        & ~known["p_value"]
        & own_error
        & (estimates["band"] == "pointwise"),
        "a test without an error": known["p_value"] & ~known["std_error"],
        "a test of one cluster": known["p_value"]
        & (estimates[["n_clusters", "n_treated_clusters"]] < 2).fillna(False).any(axis=1),
        "a p-value outside 0 to 1": known["p_value"] & ~estimates["p_value"].between(0, 1),
        "an interval beside the estimate": (estimates["conf_low"] > estimates["estimate"])
        | (estimates["conf_high"] < estimates["estimate"]),
        "a firm named": note.str.contains(r"\bF0\d\d"),
    }
    found = [
        f"{what}: {row.design} {row.outcome} {row.estimator} {row.term} {row.inference}: {row.note}"
        for what, flags in checks.items()
        for row in estimates[flags.fillna(False).astype(bool)].itertuples()
    ]
    silent = tests["p_value"].isna() & tests["statistic"].isna() & tests["note"].isna()
    sure = (tests["p_value"] == 0) & (tests["statistic"] > 1e5)
    found += [f"test: {row.estimator} {row.test}" for row in tests[silent | sure].itertuples()]
    return found + [
        f"{name}.{column}"
        for name, table in results.details.items()
        for column in table.select_dtypes("number")
        if np.isinf(table[column].to_numpy(float, na_value=np.nan)).any()
    ]


def estimated(made: Inputs) -> Results:
    """Estimate with numpy's warnings as failures."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return made.results()


def thin(made: Inputs) -> Inputs:
    """Return the inputs with few specs, one design and outcome: default tests are short."""
    settings = made.estimate.model_dump(exclude_unset=True)
    specs = [one for one in settings["specs"] if one["name"] in QUICK]
    for one in specs:
        one["designs"], one["outcomes"] = one["designs"][:1], ["sales"]
    analyses = {"margins": settings["analyses"]["margins"] | {"designs": ["matched"]}}
    section = type(made.estimate).model_validate(settings | {"specs": specs, "analyses": analyses})
    return made.but(estimate=section)


QUICK = {"main", "twoway", "gt_outcome_regression", "sun_abraham", "imputation", "wooldridge"}


def check_one(name: str, made: Inputs) -> None:
    """Assert that bad input stops with its message, or goes on without a faulty row."""
    if name in STOPS:
        with pytest.raises(EvaluationError) as stopped:
            estimated(made)
        assert STOPS[name] in str(stopped.value)
        assert "F0" not in str(stopped.value)
        return
    results = estimated(made)
    assert not faults_of(results)
    notes = " ".join(pd.concat([results.estimates["note"], results.tests["note"]]).dropna())
    assert SAYS.get(name, "") in notes


@pytest.mark.slow
@pytest.mark.parametrize("name", GRID)
def test_every_estimator_and_analysis_goes_on_or_says_why(name):
    check_one(name, GRID[name]())


THIN = [
    *("one cluster", "one comparison cluster", "each cohort in one cluster", "one treated firm"),
    *("fitted exactly, with an effect", "constant", "missing after entry", "covariate constant"),
    *("infinite", "weight negative", "weights zero", "all treated in the first year"),
    *(
        "more effects than observations",
        "zero for the treated",
        "one of two cohorts after the last year",
    ),
]


@pytest.mark.parametrize("name", THIN)
def test_the_estimators_of_a_usual_study_go_on_or_say_why(name):
    made = thin(GRID[name]())
    if name not in ("covariate constant", "one treated firm"):
        check_one(name, made)
    else:
        assert not faults_of(estimated(made))


def test_an_outcome_that_fails_leaves_the_others_as_they_are():
    alone = thin(inputs())
    spoilt = changed(exports=lambda p: p["exports"].where(~after(p)))
    named = {"exports": LEVEL | {"column": "exports"}, "sales": LEVEL}
    made = thin(inputs(spoilt, outcomes=named))
    specs = [one.model_copy(update={"outcomes": "all"}) for one in made.estimate.specs]
    settings = made.estimate.model_copy(update={"specs": specs})
    found = estimated(made.but(estimate=settings)).estimates
    lost, kept = found[found["outcome"] == "exports"], found[found["outcome"] == "sales"]
    assert lost["estimate"].isna().all() and lost["note"].notna().all()
    plain = estimated(alone).estimates
    of_sales = plain[plain["outcome"] == "sales"].reset_index(drop=True)
    shared = kept[kept["estimator"].isin(of_sales["estimator"])].reset_index(drop=True)
    pd.testing.assert_frame_equal(shared[NUMBERS], of_sales[NUMBERS])


def test_an_exact_fit_keeps_its_estimate_and_shows_no_significance():
    rows = estimated(thin(GRID["fitted exactly, with an effect"]())).estimates
    of_sales = rows[(rows["outcome"] == "sales") & rows["named"].isin(["att", "event[0]"])]
    exact_rows = of_sales[of_sales["note"].fillna("").str.contains(NO_VARIATION)]
    estimators = {"main", "twoway", "sun_abraham", "wooldridge", "imputation"}
    assert estimators <= set(exact_rows["estimator"])
    assert exact_rows["estimate"].to_numpy(float) == pytest.approx(2.2e9)
    assert exact_rows[["std_error", "p_value", "conf_low"]].isna().all(axis=None)


def test_one_comparison_cluster_would_leave_the_comparison_out_of_the_variance():
    """Its scores sum to zero, whatever its firms do: what is left is the treated firms' part."""
    made = inputs(changed(cluster=lambda p: p["cluster"].where(treated(p), "C")))
    study = made.study()
    sample = outcome_sample(study, "matched", "sales")
    cluster = sample.stacks.cluster[sample.unit]
    cells = year_cells(sample, study.panel, None)
    influence = infer(fit_cells(sample, event_regressors(sample), cells), "assignment").influence
    (comparison,) = np.unique(cluster[~sample.treated])
    of_treated = np.delete(influence, comparison, axis=0)
    assert np.abs(influence[comparison]).max() < 1e-12 < np.abs(of_treated).max()
    rows = estimated(thin(made)).estimates
    assert rows.loc[rows["estimator"] == "main", "std_error"].isna().all()


def test_a_category_where_a_number_is_needed_is_named():
    made = inputs()
    text = made.covariates.assign(size="small")
    with pytest.raises(EvaluationError, match="size is a category, and this needs a number"):
        made.but(covariates=text).results()


@pytest.mark.parametrize(
    ("name", "panel", "settings", "message"),
    [
        ("nobody enters", lambda: entering(lambda n: None), {}, "no firm of the panel enters"),
        (
            "nobody stays out",
            lambda: entering(lambda n: 2004 + n % 2),
            {},
            "no entry year has both treated and comparison firms",
        ),
        (
            "last cohort alone",
            lambda: entering(lambda n: 2003 + n % 3),
            {"comparison": "not_yet_treated"},
            "beside the entrants of 2005: with clean.window.last_year: 2004 these are comparison",
        ),
        (
            "every second year",
            lambda: plain_panel().query("year % 2 == 1"),
            {},
            "the panel has no rows of 2004; check treatment.entry",
        ),
        (
            "covariate constant",
            lambda: changed(size=1.0),
            {},
            "covariate size is constant",
        ),
    ],
)
def test_risk_sets_and_scores_stop_with_one_message(name, panel, settings, message):
    with pytest.raises(EvaluationError, match=message):
        chained(panel(), **settings)


# What bootstrap, randomisation and one difference per firm redo, on spoilt panels.
CHAINS = {
    "good": plain_panel,
    "constant": lambda: changed(sales=3.0),
    "fitted exactly": lambda: changed(sales=lambda p: exact(p, 1.0)),
    "one treated firm": lambda: entering(lambda n: 2004 if n == 3 else None),
    "one cluster": lambda: changed(cluster="c"),
    "two clusters": lambda: changed(cluster=lambda p: np.where(number(p) % 2, "a", "b")),
    "missing after entry": lambda: changed(sales=lambda p: p["sales"].where(~after(p))),
    "treated firms only": lambda: changed(sales=lambda p: p["sales"].where(treated(p))),
    "comparison firms all exit": lambda: plain_panel().loc[
        lambda p: treated(p) | (p["year"] <= 2005)
    ],
}


@pytest.mark.slow
@pytest.mark.parametrize("redone", REDONE, ids=lambda one: one["name"])
@pytest.mark.parametrize("name", CHAINS)
def test_what_is_matched_again_goes_on_or_says_why(name, redone):
    panel = CHAINS[name]()
    if redone["estimator"] == "matched_difference":  # one entry year, clusters of one firm
        panel = panel[(panel["cohort"] != 2005).fillna(True).astype(bool)]
        panel = panel.assign(cluster=panel["firm_id"])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        results = chained(panel, specs=[redone])
    assert not faults_of(results)


@pytest.mark.parametrize(
    ("average", "terms", "said"), [("event", EVENTS, ADJUSTED), ("pooled", ["att"], NEGATIVE)]
)
def test_two_way_variances_below_zero(average, terms, said):
    """V_first + V_second - V_both need not be positive; here it is not for some event time.

    Of several effects negative eigenvalues are set to zero, and the average says so; of a single
    one nothing would be left, and there is no standard error.
    """
    asked = spec("main", "stacked", average=average, terms=terms, designs=["matched"])
    asked |= {"cluster": "set_and_assignment"} | ({"bands": DRAWS} if terms == EVENTS else {})
    found = []
    for seed in range(12):
        panel = plain_panel(seed=seed).assign(cluster=lambda p: "c" + (number(p) % 3).astype("str"))
        made = inputs(
            panel, specs=[asked], romano_wolf=None, analyses={}, outcomes={"sales": LEVEL}
        )
        results = estimated(made)
        assert not faults_of(results)
        rows = results.estimates[results.estimates["note"].fillna("").str.contains(said)]
        found.append(len(rows) > 0)
        assert (rows["std_error"].isna() == (said == NEGATIVE)).all()
    assert any(found)


def test_reasons_in_their_order():
    """Too few clusters speak first; then the error computed: zero, or none."""
    enough = Counts(4, 4, 40, 8, 4, 4)
    assert enough.why_none(0.1) is None
    assert tell(enough.why_none(0.0)) == NO_VARIATION
    assert tell(enough.why_none(float("nan"))) == NO_FREEDOM
    negative = Reason("negative_variance")
    assert tell(enough.why_none(float("nan"), negative)) == NEGATIVE
    assert tell(replace(enough, n_clusters=1).why_none(0.1)) == ONE_CLUSTER
    assert tell(replace(enough, n_treated_clusters=1).why_none(0.0)) == LONE_CLUSTER
    assert tell(replace(enough, n_control_clusters=1).why_none(0.1)) == LONE_COMPARISON
    two_years = replace(enough, n_entry_years=2, lone_entry_years=(2004,))
    assert two_years.why_none(0.1) is None
    assert "with a single treated or comparison cluster: 2004" in tell(two_years.left_out)
    assert tell(replace(two_years, lone_entry_years=(2003, 2004)).why_none(0.1)) == LONE_IN_COHORT
