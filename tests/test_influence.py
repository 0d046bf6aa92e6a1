"""What is kept of results gives their errors, tests and averages again: from the tables alone."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from bad_studies import inputs
from scipy import stats

from pipeline.datasets.reasons import unpacked_remarks
from pipeline.datasets.results import ESTIMATES, EVENT_COVARIANCE, INFLUENCE, PLACE, TERM, TESTS
from pipeline.datasets.specs import SPECS
from pipeline.datasets.store import as_stored, write
from pipeline.inference import stored
from pipeline.inference.covariance import without_negative_eigenvalues

KEY = [*PLACE, *TERM]
PAGE = Path(__file__).parent.parent / "docs" / "outputs.md"


@pytest.fixture(scope="module")
def found():
    """Return every results table of every estimator and analysis, as it is stored."""
    results = inputs().results()
    return {
        dataset.name: as_stored(dataset, table[list(dataset.columns)])
        for dataset, table in (
            (ESTIMATES, results.estimates),
            (TESTS, results.tests),
            (EVENT_COVARIANCE, results.event_covariance),
            (INFLUENCE, results.influence),
            (SPECS, results.details["SPECS"]),
        )
    }


def inferred(found):
    """Return the rows of ESTIMATES whose errors are clustered sums."""
    rows = found["ESTIMATES"]
    plain = (rows["inference"] == "analytic") & (rows["band"] == "pointwise")
    return rows[plain & rows["std_error"].notna()]


def products(influence, *levels):
    """Return the products of influences, summed over the clusters at some levels, (k, k)."""
    columns = influence.groupby([*TERM, *levels], dropna=False)["influence"].sum()
    wide = columns.unstack(list(TERM)).fillna(0.0)
    return wide.T @ wide


def errors(influence):
    """Return the standard errors of one result's terms, clustered in one direction or two."""
    if influence["other_cluster"].isna().all():
        found = products(influence, "cluster")
    else:
        first, second = products(influence, "cluster"), products(influence, "other_cluster")
        found = first + second - products(influence, "cluster", "other_cluster")
        found.loc[:] = without_negative_eigenvalues(found.to_numpy())
    return pd.Series(np.sqrt(np.diag(found)), found.index, name="error")


def test_influences_give_every_standard_error_again(found):
    parts = {
        place: errors(own) for place, own in found["INFLUENCE"].groupby(list(PLACE), dropna=False)
    }
    again = pd.concat(parts, names=list(PLACE)).reset_index()
    rows = inferred(found).merge(again, on=KEY, how="left")
    np.testing.assert_allclose(rows["error"], rows["std_error"], rtol=1e-8)
    assert {"firm", "assignment", "components", "set_and_assignment"} == set(rows["cluster"])


def test_every_estimator_sample_and_analysis_has_influences(found):
    asked = {spec["name"] for spec in inputs().estimate.model_dump()["specs"]}
    analyses = {"margins", "survival", "groups", "size_weighted"}
    assert set(found["INFLUENCE"]["estimator"]) == asked | analyses
    samples = set(inferred(found)["sample"])
    assert {"placebo_entry", "survivors", "base_exporters", "without_largest_firm"} <= samples
    assert samples == set(found["INFLUENCE"]["sample"])


def test_what_has_no_row_of_estimates_is_a_lead(found):
    keys = found["INFLUENCE"][KEY].drop_duplicates()
    known = inferred(found)[KEY].assign(known=True)
    extra = keys.merge(known, on=KEY, how="left").query("known.isna()")
    assert len(extra) and (extra["event_time"] < 0).all()


def test_covariances_are_sums_of_products_of_influences(found):
    pairs, influence = found["EVENT_COVARIANCE"], found["INFLUENCE"]
    place = {"estimator": "main", "design": "matched", "sample": "all"}
    own = pairs[(pairs[list(place)] == list(place.values())).all(axis=1)]
    influence = influence[(influence[list(place)] == list(place.values())).all(axis=1)]
    assert own["term"].nunique() > 2
    for _, pair in own.iterrows():
        first, second = (
            influence[_is(influence, pair, prefix)].set_index("cluster")["influence"]
            for prefix in ("", "other_")
        )
        assert (first * second).sum() == pytest.approx(pair["covariance"], rel=1e-6, abs=1e-9)


def _is(table, pair, prefix):
    keep = np.ones(len(table), dtype=bool)
    for name in ("outcome", *TERM):
        value = pair[prefix + name]
        keep &= table[name].isna() if pd.isna(value) else (table[name] == value).fillna(False)
    return keep


def matrix(found, place, terms):
    """Return the covariance of event times from EVENT_COVARIANCE."""
    rows = found["EVENT_COVARIANCE"]
    rows = rows[(rows[list(place)] == list(place.values())).all(axis=1)]
    rows = rows[(rows["term"] == "event") & (rows["other_term"] == "event")]
    wide = rows.pivot(index="event_time", columns="other_event_time", values="covariance")
    return wide.loc[terms, terms].to_numpy(dtype=float)


@pytest.mark.parametrize("estimator", ["main", "adjusted", "two_ways"])
def test_event_covariances_give_the_joint_test_of_leads_again(found, estimator):
    tests = found["TESTS"].query("test == 'pre_trends' and estimator == @estimator")
    tested = tests[tests["statistic"].notna()]
    assert len(tested)
    for _, row in tested.iterrows():
        (times,) = (
            remark.fields["times"]
            for remark in unpacked_remarks(row["remarks"])
            if remark.code == "event_times_tested"
        )
        place = row[list(PLACE)].to_dict()
        rows = inferred(found)
        rows = rows[(rows[list(place)] == list(place.values())).all(axis=1)]
        beta = rows[rows["term"] == "event"].set_index("event_time")["estimate"].loc[times]
        wald = beta.to_numpy() @ np.linalg.solve(matrix(found, place, times), beta.to_numpy())
        assert wald / len(times) == pytest.approx(row["statistic"], rel=1e-6)


def test_event_covariances_give_the_error_of_the_average_over_event_times(found):
    rows = inferred(found).query("estimator == 'main' and sample == 'all'")
    average = rows[rows["term"] == "att"]
    assert len(average) > 2
    for _, row in average.iterrows():
        place = row[list(PLACE)].to_dict()
        own = rows[(rows[list(place)] == list(place.values())).all(axis=1)]
        events = own[(own["term"] == "event") & (own["event_time"] >= 0)]
        times = events["event_time"].tolist()
        error = np.sqrt(matrix(found, place, times).sum()) / len(times)
        assert error == pytest.approx(row["std_error"], rel=1e-8)


def test_influences_give_the_equality_of_groups_again(found):
    place = {"estimator": "groups", "design": "matched", "outcome": "sales", "grouping": "sector"}
    influence, rows = found["INFLUENCE"], inferred(found)
    own = influence[(influence[list(place)] == list(place.values())).all(axis=1)]
    wide = own.pivot(index="cluster", columns="subgroup", values="influence").fillna(0.0)
    effects = rows[(rows[list(place)] == list(place.values())).all(axis=1)]
    effects = effects.set_index("subgroup")["estimate"]
    first, second = wide.columns
    wald = (effects[second] - effects[first]) ** 2 / ((wide[second] - wide[first]) ** 2).sum()
    tests = found["TESTS"].query("test == 'equality'")
    test = tests[(tests[list(place)] == list(place.values())).all(axis=1)].iloc[0]
    assert wald == pytest.approx(test["statistic"], rel=1e-7)
    p_value = stats.f.sf(wald, 1, test["df_denominator"])
    assert test["p_value"] == pytest.approx(p_value, rel=1e-6)


def test_clusters_have_their_names_in_panel(found):
    panel, influence = inputs().panel, found["INFLUENCE"]
    for kind, column in (("assignment", "cluster"), ("firm", "firm_id")):
        alone = influence["other_cluster_kind"].isna()
        named = influence.loc[alone & (influence["cluster_kind"] == kind), "cluster"]
        assert set(named) <= set(panel[column])


def test_with_many_clusters_averages_alone_have_influences(found, monkeypatch):
    monkeypatch.setattr(stored, "MOST_CLUSTERS", 1)
    few = inputs().results()
    averages = found["INFLUENCE"][["cohort", "year", "event_time"]].isna().all(axis=1)
    assert 0 < len(few.influence) == averages.sum() < len(averages)
    assert len(few.event_covariance) == len(found["EVENT_COVARIANCE"])
    assert set(few.details["SPECS"]["influence_kept"]) == {"averages", "all", "none"}


def test_specs_say_whose_influences_are_kept(found):
    place = ["design", "outcome", "estimator"]
    kept = found["INFLUENCE"][place].drop_duplicates()
    specs = found["SPECS"].merge(kept, on=place, how="left", indicator=True)
    expected = np.where(specs["_merge"] == "both", "all", "none")
    assert specs["influence_kept"].tolist() == expected.tolist()
    assert set(expected) == {"all", "none"}


def test_the_page_shows_how_to_get_an_event_study_with_its_covariance(found, tmp_path, monkeypatch):
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    place = '{"estimator": "main", "design": "matched", "outcome": "sales", "term": "event"}'
    code = re.sub(r"place = \{.*?\}", f"place = {place}", code)
    for dataset in (ESTIMATES, EVENT_COVARIANCE):
        write(dataset, found[dataset.name], tmp_path / "data" / "simulated" / "estimate")
    monkeypatch.chdir(tmp_path)
    names: dict = {}
    exec(code, names)
    errors = names["plain"].dropna(subset="std_error").set_index("event_time")["std_error"]
    assert len(errors) > 3
    assert np.sqrt(np.diag(names["sigma"])) == pytest.approx(errors.to_numpy(), rel=1e-8)
    assert list(names["betahat"].index) == list(names["sigma"].columns)
