"""Published means: which stay where sets of firms differ by few, and whose means they then are."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from published_sets import firms, populations
from results import study_results

from pipeline.datasets.balance import BALANCE, BALANCE_SUMMARY, SUPPORT
from pipeline.datasets.dominance import OUTCOME_DOMINANCE
from pipeline.datasets.populations import POPULATION_SETS
from pipeline.datasets.samples import BASELINES
from pipeline.datasets.store import as_stored
from pipeline.effects.populations import Population
from pipeline.exhibits.inputs import Dominance
from pipeline.publishing.disclosure.counted import COUNTINGS, placed
from pipeline.publishing.disclosure.figures import with_matched_counts
from pipeline.publishing.disclosure.vet import vet

HEADLINE = "covariates_lags"
COMPARED = firms(*range(100, 180))


def path(design, time, *, treated=True):
    return Population("OUTCOME_PATHS", design, "sales_log", event_time=time, treated=treated)


def balance(sample, *, treated=True, stack="all", design="covariates"):
    return Population("BALANCE", design, "age", stack=stack, sample=sample, treated=treated)


def paths_shown(designs, time=-1):
    """Return for sets of treated firms by design whether both groups' means are shown."""
    sets = {path(design, time): firms(*codes) for design, codes in designs.items()}
    sets |= {path(design, time, treated=False): COMPARED for design in designs}
    results = replace(study_results(), populations=populations(sets))
    paths = vet(results).paths
    own = paths[(paths["outcome"] == "sales_log") & (paths["event_time"] == time)]
    known = own.groupby("design")["mean"].apply(lambda means: means.notna().tolist())
    return {design: known[design] for design in designs}


def test_of_paths_that_differ_by_few_firms_those_of_the_headlines_design_stay():
    found = paths_shown({"unmatched": range(60), HEADLINE: range(3, 60)})
    assert found == {"unmatched": [False, False], HEADLINE: [True, True]}
    found = paths_shown({"unmatched": range(60), HEADLINE: range(10, 60)})
    assert found == {"unmatched": [True, True], HEADLINE: [True, True]}


def test_sets_that_only_overlap_and_sets_of_the_same_firms_tell_nothing():
    both = [True, True]
    found = paths_shown({"unmatched": range(60), "covariates": range(30, 80)})
    assert found == {"unmatched": both, "covariates": both}
    assert paths_shown({"unmatched": range(60), "covariates": range(60)}) == found


def test_a_path_whose_reference_year_is_hidden_is_hidden_in_every_year():
    sets = {
        path(design, -1, treated=treated): firms(*range(start, 60)) if treated else COMPARED
        for design, start in (("unmatched", 0), (HEADLINE, 3))
        for treated in (True, False)
    }
    later = {
        path(design, 2, treated=treated): firms(*range(start, 60)) if treated else COMPARED
        for design, start in (("unmatched", 0), (HEADLINE, 10))
        for treated in (True, False)
    }
    vetted = vet(replace(study_results(), populations=populations(sets, later))).paths
    own = vetted[(vetted["outcome"] == "sales_log") & vetted["event_time"].isin([-1, 2])]
    hidden = own.groupby("design")["mean"].apply(lambda means: means.isna().all())
    assert hidden["unmatched"] and not hidden[HEADLINE]


def balanced(before, after, *, others=range(100, 180), matched=range(100, 150)):
    """Return results whose `age` is of these treated firms before and after matching."""
    sets = {
        balance("before"): firms(*before),
        balance("after"): firms(*after),
        balance("before", treated=False): firms(*others),
        balance("after", treated=False): firms(*matched),
    }
    results = study_results()
    own = (results.balance["design"] == "covariates") & (results.balance["covariate"] == "age")
    late = own & (results.balance["sample"] == "after")
    results.balance.loc[late, ["mean_treated", "mean_control", "n_treated"]] = 15.0, 14.9, 59
    return replace(results, populations=populations(sets))


def of_age(results):
    rows = results.balance[results.balance["design"] == "covariates"]
    return rows[rows["covariate"] == "age"].set_index("sample")


def test_before_matching_the_treated_are_the_matched_where_few_were_lost():
    results = balanced(range(60), range(1, 60))
    private, shown = of_age(results), of_age(vet(results))
    assert shown.loc["before", "of_matched"] and not shown.loc["after", "of_matched"]
    assert shown.loc["before", ["mean_treated", "n_treated"]].tolist() == [15.0, 59]
    assert shown.loc["before", "mean_control"] == private.loc["before", "mean_control"]
    gap = (private["mean_treated"] - private["mean_control"])["before"]
    deviation = gap / private.loc["before", "std_diff"]
    expected = (15.0 - private.loc["before", "mean_control"]) / deviation
    assert shown.loc["before", "std_diff"] == pytest.approx(expected)
    assert shown.loc["after"].equals(private.loc["after"])


def test_the_summary_of_differences_is_of_the_published_ones():
    results = balanced(range(60), range(1, 60))
    shown = vet(results)
    own = shown.balance[(shown.balance["design"] == "covariates")]
    before = own.loc[own["sample"] == "before", "std_diff"].abs()
    summary = shown.details.of(BALANCE_SUMMARY).set_index(["design", "sample"])
    assert summary.loc[("covariates", "before"), "mean_std_diff"] == pytest.approx(before.mean())


def test_where_enough_were_lost_both_samples_keep_their_means():
    results = balanced(range(60), range(6, 60))
    assert of_age(vet(results)).equals(of_age(results).astype({"n_treated": "Int64"}))


def test_a_difference_goes_where_it_tells_the_treated_with_the_comparison_firms_of_another():
    """Of the same comparison firms, two differences of means tell that of the treated."""
    results = balanced(range(60), range(1, 60), matched=range(100, 180))
    shown = of_age(vet(results))
    assert shown.loc["after", ["mean_treated", "std_diff"]].notna().all()
    assert shown.loc["before", "of_matched"]


def lost(dominant=None):
    """Return results with the treated kept and lost; one firm may have most of one fate's mean."""
    fates = {"kept": range(50), "lost": range(50, 70), "no_match": range(50, 57)}
    fates["no_covariate"] = range(57, 70)
    names = {fate: Population("SUPPORT", "covariates", "age", sample=fate) for fate in fates}
    sizes = np.ones(200)
    sizes[50] = 1.0 if dominant is None else dominant
    sets = {names[fate]: firms(*codes) for fate, codes in fates.items()}
    rows = [
        {"design": "covariates", "stack": "all", "fate": fate, "covariate": "age"}
        | {"n_treated": len(codes), "mean": 7.5}
        for fate, codes in fates.items()
    ]
    share = pd.DataFrame(
        [
            {"design": "covariates", "stack": "all", "covariate": "age", "sample": "no_match"}
            | {"treated": True, "share": 100 * sizes[50] / sizes[50:57].sum()}
        ]
    )
    none = pd.DataFrame(columns=list(OUTCOME_DOMINANCE.columns))
    panel = pd.DataFrame(columns=["column", "scope", "first_year", "treated", "share"])
    return replace(
        study_results(),
        support=as_stored(SUPPORT, pd.DataFrame(rows)),
        dominance=Dominance(none, share, panel),
        populations=populations((sets, sizes)),
    )


def test_a_dominated_fate_takes_one_with_it_from_which_it_could_be_worked_out():
    calm = vet(lost()).support.set_index("fate")["mean"].notna()
    assert calm.all()
    shown = vet(lost(30.0)).support.set_index("fate")["mean"].notna()
    assert shown.to_dict() == {
        "kept": True, "lost": True, "no_match": False, "no_covariate": False,
    }  # fmt: skip


def test_a_fate_of_few_firms_is_not_told_by_all_that_are_lost():
    results = lost()
    few = results.support["fate"] == "no_match"
    results.support.loc[few, "n_treated"] = 3
    sets = {
        Population("SUPPORT", "covariates", "age", sample=fate): firms(*codes)
        for fate, codes in {
            "lost": range(50, 70), "no_match": range(50, 53), "no_covariate": range(53, 70)
        }.items()
    }  # fmt: skip
    shown = vet(replace(results, populations=populations(sets))).support.set_index("fate")["mean"]
    assert shown.notna().to_dict() == {
        "kept": True, "lost": True, "no_match": False, "no_covariate": False,
    }  # fmt: skip


def test_a_dominated_mean_of_an_entry_year_takes_another_with_it():
    """All entry years less all others but one would tell it, however many these are."""
    years = range(2009, 2014)
    units = {
        str(year): firms(*range(10 * i, 10 * i + 10), stack=year) for i, year in enumerate(years)
    }
    units["all"] = [unit for own in units.values() for unit in own]
    own = {balance("before", stack=stack): held for stack, held in units.items()}
    results = study_results()
    age = results.balance[
        (results.balance["design"] == "covariates") & (results.balance["covariate"] == "age")
    ]
    parts = [age.assign(stack=str(year)) for year in years]
    table = pd.concat([results.balance, *parts], ignore_index=True)
    place = {"design": "covariates", "stack": "2009", "covariate": "age", "sample": "before"}
    share = pd.DataFrame([place | {"treated": True, "share": 60.0}])
    sizes = np.ones(200)
    shown = vet(
        replace(
            lost(),
            support=None,
            balance=table,
            dominance=replace(lost().dominance, covariates=share),
            populations=populations((own, sizes)),
        )
    ).balance
    rows = shown[(shown["covariate"] == "age") & (shown["sample"] == "before")]
    rows = rows[rows["design"] == "covariates"].set_index("stack")["mean_treated"]
    assert rows.notna().to_dict() == {
        "2009": False, "2010": True, "2011": True, "2012": True, "2013": False, "all": True,
    }  # fmt: skip


def test_of_baselines_that_differ_by_few_firms_the_headlines_stays():
    sets = {
        Population("BASELINES", design, "sales_log", treated=treated): firms(*codes)
        for design, start in (("unmatched", 0), (HEADLINE, 1))
        for treated, codes in ((True, range(start, 60)), (False, range(100, 160)))
    }
    shown = vet(replace(study_results(), populations=populations(sets))).details.of(BASELINES)
    known = shown[shown["outcome"] == "sales_log"].groupby("design")["mean"].count()
    assert known["unmatched"] == 0 and known[HEADLINE] > 0


def test_weights_that_nobody_knows_make_a_difference_of_their_own():
    """Else the difference after weighting would tell the treated by the plain comparison mean."""
    results = balanced(range(60), range(1, 60), matched=range(100, 180))
    sets = results.populations.sets
    weighted = (sets["sample"] == "after") & ~sets["treated"]
    known = replace(results.populations, sets=sets.assign(weighted=weighted))
    shown = of_age(vet(replace(results, populations=known)))
    assert shown.loc["after", ["mean_treated", "std_diff"]].notna().all()
    assert set(sets.columns) == set(POPULATION_SETS.columns)


def test_a_number_hidden_after_matching_is_not_told_before_it():
    results = balanced(range(60), range(1, 60))
    late = results.balance["sample"] == "after"
    own = (results.balance["covariate"] == "age") & (results.balance["design"] == "covariates")
    hidden = vet(results).balance
    hidden.loc[late & own, "n_treated"] = pd.NA
    shown = of_age(replace(results, balance=with_matched_counts(hidden)))
    assert shown["n_treated"].isna().all()


def test_a_mean_goes_with_its_number():
    """A mean of whole numbers is a fraction that tells of how many it is."""
    results = lost()
    results.support["n_treated"] = results.support["n_treated"].mask(
        results.support["fate"] == "kept"
    )
    shown = vet(results).support.set_index("fate")["mean"]
    assert shown.isna().to_dict() == {
        "kept": True, "lost": False, "no_match": False, "no_covariate": False,
    }  # fmt: skip


def test_numbers_of_matched_treated_are_counted_as_those_after_matching():
    counting = next(one for one in COUNTINGS if one.table is BALANCE)
    rows = study_results().balance
    moved = rows["sample"] == "before"
    for column, parts in (("n_treated", {"after"}), ("n_control", {"before", "after"})):
        found = placed(counting, rows.assign(of_matched=moved), column)
        assert set(found["part"]) == parts
