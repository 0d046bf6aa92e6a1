"""Files of arms: where they stand, what they hold, and what the manifest says of them."""

import csv
import io
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from results import study_results

from pipeline.datasets.arms import ARM_CONTRASTS, ARM_FLOW
from pipeline.datasets.details import DETAILS
from pipeline.datasets.exposure import EXPOSED
from pipeline.datasets.store import conform, empty
from pipeline.exhibits.inputs import StudyResults
from pipeline.params.arms import Arms
from pipeline.publishing.arm_files import of_arm
from pipeline.publishing.disclosure.joined_arms import OfArm, join_arms, part_arms
from pipeline.publishing.disclosure.told_of_arms import hide_contrasts, hide_small_counts_of_arms
from pipeline.publishing.publication import publish, read_published
from pipeline.publishing.study import build_published, build_texts

ARMS = {
    "headline": "training",
    "named": {name: {"source": "register", "component": [name]} for name in ("credit", "training")},
}
FLOW = {"n_listed": [40, 60], "n_joint": 0, "n_after_another": 0, "n_until": 0}


def results_of_arms() -> StudyResults:
    """Return made-up results of two arms; effects of the other one are twice those."""
    made = study_results(figures=[], tables=["main_effects", "sample_flow"])
    treatment = made.settings.treatment.model_copy(update={"arms": Arms.model_validate(ARMS)})
    plain = replace(made, settings=replace(made.settings, treatment=treatment))
    doubled = plain.estimates.assign(estimate=2 * plain.estimates["estimate"])
    arms = {
        "credit": replace(plain, arm="credit", estimates=doubled),
        "training": replace(plain, arm="training"),
    }
    flow = pd.DataFrame({"arm": ["credit", "training"], **FLOW, "n_entrants": [40, 60]})
    return replace(
        arms["training"],
        arms=arms,
        arm_flow=conform(ARM_FLOW, flow.reindex(columns=list(ARM_FLOW.columns))),
        arm_contrasts=empty(ARM_CONTRASTS),
        exposed=empty(EXPOSED),
    )


@pytest.fixture(scope="module")
def publication():
    return publish(results_of_arms())


@pytest.fixture(scope="module")
def files(publication):
    return build_published(publication)


def test_an_arms_file_stands_in_its_folder():
    assert of_arm("results/estimates.csv", "credit") == "results/credit/estimates.csv"
    assert of_arm("estimates", "") == "estimates"


def test_each_arm_is_published_and_what_all_share_once(files):
    headline, other = (pd.read_csv(io.BytesIO(files[p])) for p in _estimates())
    known = headline["estimate"].notna() & (headline["reason"].isna())
    both = headline.merge(other, on=list(_key(headline)), suffixes=("", "_of_other"))
    assert known.sum() > 20
    both = both.dropna(subset=["estimate", "estimate_of_other"])
    assert np.allclose(both["estimate_of_other"], 2 * both["estimate"])
    assert "results/arm_flow.csv" in files
    shared = ("arm_flow", "sample_flow", "profile", "issues", "data_rules")
    assert not any(f"results/credit/{name}.csv" in files for name in shared)
    assert "results/credit/datapackage.json" in files
    assert {"tables/main_effects.md", "tables/credit/main_effects.md"} <= files.keys()
    assert "tables/credit/sample_flow.md" not in files


def _estimates() -> tuple[str, str]:
    return "results/estimates.csv", "results/credit/estimates.csv"


def _key(rows: pd.DataFrame) -> list[str]:
    first = rows.columns.get_loc("estimand")
    return list(rows.columns[:first])


def test_what_is_published_is_read_again_by_arm(publication):
    shown = publication.results
    read = read_published(publication.csvs, shown.study, shown.settings)
    assert (read.arm, list(read.arms)) == ("training", ["credit", "training"])
    pd.testing.assert_frame_equal(read.arms["credit"].estimates, shown.arms["credit"].estimates)
    pd.testing.assert_frame_equal(read.arms["credit"].sample_flow, shown.sample_flow)
    assert read.arms["credit"].arm_flow is None
    assert read.arm_flow is not None
    assert list(read.arm_flow["n_entrants"]) == [40, 60]


def test_arms_are_joined_as_further_designs_and_taken_apart_again():
    results = results_of_arms()
    whole = join_arms(results)
    assert {of.arm_folder for of in whole.arm_of.values()} == {"credit"}
    assert len(whole.results.estimates) == 2 * len(results.estimates)
    apart = part_arms(whole.results, results)
    for arm, own in results.arms.items():
        for name in ("estimates", "balance", "tests"):
            again = getattr(apart[arm], name).reset_index(drop=True)
            pd.testing.assert_frame_equal(again, getattr(own, name).reset_index(drop=True))
        for table in DETAILS:
            assert len(apart[arm].details.of(table)) == len(own.details.of(table))


def test_a_sum_of_effects_goes_with_one_that_is_hidden():
    results = results_of_arms()
    arms = results.settings.treatment.arms.model_copy(
        update={"contrasts": {"less": {"credit": -1.0, "training": 1.0}}}
    )
    row = {"estimand": "contrast", "contrast": "less", "design": "matched", "outcome": "sales_log"}
    row |= {"estimator": "stacked", "estimate": 0.1, "std_error": 0.01}
    rows = pd.DataFrame([row | {"term": "att"}, row | {"term": "event", "event_time": 1}])
    contrasts = conform(ARM_CONTRASTS, rows.reindex(columns=list(ARM_CONTRASTS.columns)))
    everyone = {"sample": "all", "grouping": "all", "subgroup": "all"}
    hidden = pd.DataFrame(
        [everyone | row | {"arm": "credit", "design": "credit/matched", "term": "att"}]
    ).assign(event_time=pd.array([None], dtype="Int64"))
    arm_of = {"credit/matched": OfArm("credit", "matched")}
    shown = hide_contrasts(contrasts, hidden, arms, arm_of).set_index("term")
    assert pd.isna(shown.loc["att", "estimate"])
    assert shown.loc["att", "reason"] == "tells_hidden_effect"
    assert shown.loc["event", "estimate"] == 0.1
    other = hidden.assign(arm="training", design="unmatched")
    assert hide_contrasts(contrasts, other, arms, arm_of)["estimate"].notna().all()


def test_a_class_of_exposure_of_few_firms_is_told_by_no_other():
    results = results_of_arms()
    rows = pd.DataFrame({"class": [0, 1, 2], "n_firms": [90, 40, 3], "mean": [np.nan, 2.0, 9.0]})
    rows = rows.assign(exposure="near", measure="km", share=rows["n_firms"] / 133)
    counts = ["n_cells", "n_entered", "n_stronger", "n_also", "n_participants", "n_outside"]
    rows[counts] = 0
    exposed = conform(EXPOSED, rows.reindex(columns=list(EXPOSED.columns)))
    shown = hide_small_counts_of_arms(replace(results, exposed=exposed)).exposed
    assert shown["n_firms"].fillna(-1).to_list() == [90, -1, -1]
    assert shown["share"].isna().all()
    assert shown["mean"].isna().all()
    large = hide_small_counts_of_arms(
        replace(results, exposed=exposed.assign(n_firms=[90, 40, 30]))
    )
    assert large.exposed["n_firms"].to_list() == [90, 40, 30]


def test_tables_of_every_arm_are_made_again_from_what_is_published(publication, files):
    again = build_texts(publication.results)
    assert {path: files[path] for path in again} == again
    assert "tables/credit/main_effects.tex" in again


def test_the_file_of_all_tables_has_those_of_every_arm(files):
    floats = files["tables.tex"].decode()
    assert r"\input{\reportsfolder/madeup/tables/main_effects}" in floats
    assert r"\input{\reportsfolder/madeup/tables/credit/main_effects}" in floats
    assert r"\label{tab:madeup:credit:main_effects}" in floats
    assert floats.count("(credit)}") == 1


def test_the_manifest_counts_what_every_file_shows(files):
    listed = csv.DictReader(io.StringIO(files["manifest.csv"].decode()))
    rows = {row["file"]: row for row in listed}
    assert rows.keys() == files.keys() - {"manifest.csv"}
    for path in _estimates():
        counts = pd.read_csv(io.BytesIO(files[path]))[["n_treated", "n_control"]].to_numpy(float)
        assert int(rows[path]["smallest_count"]) == counts[counts > 0].min()
    assert int(rows["results/arm_flow.csv"]["smallest_count"]) == 40
