"""Effects by pre-entry group: by hand, equal or not, too small, matched again."""

import numpy as np
import pandas as pd
import pytest
from analysed import analysed, rows_of, section
from keyed import figure, rows_with
from matched_sets import nearest_design
from pydantic import ValidationError
from scipy.stats import f as f_distribution
from scipy.stats import t as t_distribution
from stacked_tables import no_matches

from pipeline.datasets.fits import DETECTABLE
from pipeline.datasets.samples import GROUPING_LOSSES
from pipeline.errors import ParamsError
from pipeline.matching.redo import Redo
from pipeline.params.match import MatchSection
from pipeline.params.score import ScoreSection

# Changes of pairs: 8, 6, 3, 1; the first two treated firms are small, the others large.
TEXT = """
firm_id cluster 2001 2002
T1      a       10   20
T2      b       30   37
T3      c       10   14
T4      d       20   22
C1      e       10   12
C2      f       20   21
C3      g       15   16
C4      h       20   21
"""
JOBS = {"T1": 5.0, "T2": 9.0, "T3": 10.0, "T4": 80.0}
# Comparison firms are all small, but count in the group of the firm that they are matched to.
ALL_JOBS = JOBS | {f"C{i}": 5.0 for i in range(1, 5)}
SIZE = {"label": "Size", "transform": "level", "column": "jobs", "edges": [10]}


def run(grouping=SIZE, *, jobs=ALL_JOBS, least=2, text=TEXT, n_pairs=4, match="common", **more):
    asked = {"match": match, "least_firms": least, "by": {"size": grouping}}
    return analysed(
        text,
        n_pairs,
        (-1, 0),
        columns={"jobs": jobs},
        estimate=section(groups=asked),
        **more,
    )


def effects(results):
    rows = rows_of(results, "groups").loc[[("all", "att")]]
    return rows.set_index("group")


def joint_tests(results):
    return results.tests.set_index("named")


def test_each_group_is_the_mean_of_its_pairs():
    found = effects(run())["estimate"]
    assert found.to_dict() == pytest.approx({"size=g1": (8 + 6) / 2, "size=g2": 2})


def test_equality_is_one_wald_test_on_the_same_clusters():
    """Groups share no cluster here: the variance of the difference is the sum."""
    results = run()
    rows, test = effects(results), joint_tests(results).loc["equality[size]"]
    small, large = rows.loc["size=g1"], rows.loc["size=g2"]
    by_hand = (small["estimate"] - large["estimate"]) ** 2 / (
        small["std_error"] ** 2 + large["std_error"] ** 2
    )
    assert test["statistic"] == pytest.approx(by_hand)
    assert (test["df"], test["df_denominator"]) == (1, 7)
    assert test["p_value"] == pytest.approx(f_distribution.sf(by_hand, 1, 7))


def test_groups_in_common_clusters_are_compared_with_their_covariance():
    """Every cluster holds one firm of each group, with the same residuals: no variance is left."""
    text = TEXT.replace(" c ", " a ").replace(" d ", " b ").replace(" g ", " e ")
    text = text.replace(" h ", " f ")
    text = text.replace("10   14", "10   18").replace("20   22", "20   25")
    text = text.replace("15   16", "15   17")
    asked = {"match": "common", "least_firms": 2, "by": {"size": SIZE}, "cluster": "assignment"}
    results = analysed(text, 4, (-1, 0), columns={"jobs": ALL_JOBS}, estimate=section(groups=asked))
    rows = effects(results)
    assert rows["estimate"].to_dict() == pytest.approx({"size=g1": 7, "size=g2": 5})
    assert rows["std_error"].iloc[0] == pytest.approx(rows["std_error"].iloc[1])
    assert np.isnan(joint_tests(results).loc["equality[size]", "statistic"])


def test_a_group_too_small_is_not_shown_and_not_tested():
    results = run(SIZE | {"edges": [8]}, least=2)
    rows = effects(results)
    assert np.isnan(rows.loc["size=g1", "estimate"]) and rows.loc["size=g1", "n_treated"] == 1
    assert rows.loc["size=g1", "note"].startswith("suppressed: fewer than 2 treated")
    assert rows.loc["size=g2", "estimate"] == pytest.approx((6 + 3 + 1) / 3)
    assert "nothing to compare" in joint_tests(results).loc["equality[size]", "note"]


def test_p_values_come_with_their_correction():
    """Benjamini-Hochberg over two: the larger p, and the smaller of it and twice the smaller."""
    results = run()
    p_values = effects(results)["p_value"]
    q_values = joint_tests(results)["p_value"]
    low, high = p_values.sort_values()
    assert q_values[f"q_value[{p_values.idxmax()}]"] == pytest.approx(high)
    assert q_values[f"q_value[{p_values.idxmin()}]"] == pytest.approx(min(2 * low, high))
    assert "q_equality[size]" not in q_values


def test_firms_of_no_group_are_counted():
    results = run(jobs=ALL_JOBS | {"T1": np.nan}, least=1 + 1)
    assert figure(results, GROUPING_LOSSES, "n_firms", grouping="size", treated=True) == 1
    assert effects(results).loc["size=g1", "note"].startswith("suppressed")


def groups(results):
    """Return what GROUPS says of each group: position, transform, edges and label."""
    rows = results.details["GROUPS"].set_index("subgroup").drop(columns=["design", "grouping"])
    return {
        name: tuple(row) for name, row in rows.astype(object).where(rows.notna(), None).iterrows()
    }


def test_groups_are_codes_from_the_lowest_up_with_edges_and_labels_beside():
    cut = run(SIZE | {"edges": [8, 10.5]})
    assert groups(cut) == {
        "g1": (1, "level", None, 8, None),
        "g2": (2, "level", 8, 10.5, None),
        "g3": (3, "level", 10.5, None, None),
    }
    named = run(SIZE | {"labels": ["small", "large"]})
    assert groups(named) == {
        "g1": (1, "level", None, 10, "small"),
        "g2": (2, "level", 10, None, "large"),
    }
    assert effects(named)["estimate"].equals(effects(run())["estimate"]), "labels are words only"
    above = run({"label": "Exporter", "transform": "any", "column": "jobs"})
    assert groups(above) == {
        "g1": (1, "any", None, None, None),
        "g2": (2, "any", None, None, None),
    }


def test_groups_may_be_text_and_entry_years():
    texts = {"T1": "north", "T2": "south", "T3": "north", "T4": "south", "C1": "south"}
    text = {"label": "Region", "transform": "category", "column": "jobs"}
    found = effects(run(text, jobs=texts))["estimate"]
    assert found.to_dict() == pytest.approx({"size=north": (8 + 3) / 2, "size=south": (6 + 1) / 2})
    assert groups(run(text, jobs=texts)) == {
        "north": (1, "category", None, None, None),
        "south": (2, "category", None, None, None),
    }
    years = effects(run({"label": "Entry year", "transform": "entry_year"}))["estimate"]
    assert years.to_dict() == pytest.approx({"size=2002": (8 + 6 + 3 + 1) / 4})


def test_exporters_are_those_above_zero():
    any_export = {"label": "Exporter", "transform": "any", "column": "jobs"}
    found = effects(run(any_export, jobs={"T1": 0.0, "T2": 0.0, "T3": 1.0, "T4": 2.0}))
    assert found["estimate"].to_dict() == pytest.approx({"size=g1": 7, "size=g2": 2})


def test_without_sets_a_group_compares_its_own_firms():
    jobs = JOBS | {"C1": 5.0, "C2": 9.0, "C3": 10.0, "C4": 80.0}
    found = effects(run(jobs=jobs, matches=no_matches()))["estimate"]
    small = (10 + 7) / 2 - (2 + 1) / 2
    large = (4 + 2) / 2 - (1 + 1) / 2
    assert found.to_dict() == pytest.approx({"size=g1": small, "size=g2": large})


def test_without_sets_a_role_of_participants_is_compared_with_everyone():
    role = {"label": "Role", "transform": "category", "column": "jobs"}
    roles = {"T1": "supplier", "T2": "supplier", "T3": "sponsor", "T4": "sponsor"}
    found = effects(run(role, jobs=roles, matches=no_matches()))["estimate"]
    change = (2 + 1 + 1 + 1) / 4
    assert found.to_dict() == pytest.approx(
        {"size=supplier": 8.5 - change, "size=sponsor": 3 - change}
    )


def redo(firms=("T1", "T2", "T3", "T4", "C1", "C2", "C3", "C4")):
    """Return what matches again on a score that pairs every T with every C of its group."""
    scores = pd.DataFrame(
        {
            "model": "m",
            "stack": 2002,
            "firm_id": sorted(firms),
            "treated": [f[0] == "T" for f in sorted(firms)],
            "base_year": 2001,
            "cluster": sorted(firms),
            "in_treated_cluster": False,
            "propensity_score": 0.5,
            # all alike but for order: equal scores are refused
            "linear_score": [0.001 * place for place in range(len(firms))],
            "on_support": True,
        }
    )
    covariates = scores[["stack", "firm_id"]].assign(x=0.0)
    x = {"label": "x", "column": "sales", "transform": "level", "at": -1}
    model = {
        "controls_from": "all",
        "covariates": ["x"],
        "fit": "per_stack",
        "link": "logit",
        "missing": "drop_firm",
        "support": "none",
    }
    design = nearest_design("m")
    return Redo(
        scores,
        covariates,
        ScoreSection.model_validate(
            {"covariates": {"x": x}, "unmatched": {"controls_from": "all"}, "models": {"m": model}}
        ),
        MatchSection.model_validate(
            {
                "designs": {"matched": design},
                "balance": {"denominator": "pooled", "threshold": 0.1},
            }
        ),
    )


def test_matched_within_groups_firms_meet_firms_of_their_group():
    """C3 and C4 are the large ones: changes 10 and 7 against 2 and 1, 4 and 2 against 1 and 1."""
    jobs = JOBS | {"C1": 5.0, "C2": 9.0, "C3": 10.0, "C4": 80.0}
    found = effects(run(jobs=jobs, match="within", redo=redo()))["estimate"]
    assert found.to_dict() == pytest.approx({"size=g1": 8.5 - 1.5, "size=g2": 3 - 1})


def test_a_group_that_cannot_be_matched_again_says_so():
    """All comparison firms are small, so that the large find none."""
    row = effects(run(match="within", redo=redo())).loc["size=g2"]
    assert np.isnan(row["estimate"])
    assert row["note"] == "suppressed: fewer than 2 treated or comparison firms with the outcome"


def test_what_only_participants_have_is_not_matched_within():
    role = {"label": "Role", "transform": "category", "column": "role"}
    asked = {"match": "within", "least_firms": 2, "by": {"size": role}}
    results = analysed(
        TEXT,
        4,
        (-1, 0),
        columns={"role": {f"T{i}": "supplier" for i in range(1, 5)}},
        estimate=section(groups=asked),
        redo=redo(),
    )
    assert "use match: common" in effects(results).loc["size", "note"]


def test_groups_that_are_no_pre_entry_groups_are_refused():
    with pytest.raises(ParamsError, match=r"by\.size\.at is 0: groups are dated -1 or earlier"):
        run(SIZE | {"at": 0})
    with pytest.raises(ParamsError, match="column is wage, which the panel lacks"):
        run(SIZE | {"column": "wage"})
    with pytest.raises(ParamsError, match="use match: common"):
        run(match="within")


@pytest.mark.parametrize(
    ("grouping", "fault"),
    [
        ({"transform": "category"}, "edges go with level and years_since"),
        ({"edges": []}, "edges go with level"),
        ({"edges": [10, 10]}, "edges must ascend"),
        ({"labels": ["small"]}, "labels need one name"),
        ({"column": None}, "a column goes with every transform"),
    ],
)
def test_groupings_are_complete(grouping, fault):
    with pytest.raises(ValidationError, match=fault):
        run(SIZE | grouping)


def test_an_outcome_that_is_not_observed_is_a_row_with_the_reason():
    outcome = {"observed": False, "reason": "no data", "column": None, "transform": None}
    assert effects(run(outcome=outcome)).loc["size", "note"] == "not observed: no data"


def test_the_detectable_difference_is_that_of_the_standard_error_of_the_difference():
    """Groups share no cluster: eight of them, and the variance of the difference is the sum."""
    results = run()
    errors = effects(results)["std_error"]
    error = np.sqrt((errors**2).sum())
    by_hand = (t_distribution.ppf(0.975, 7) + t_distribution.ppf(0.8, 7)) * error
    assert figure(results, DETECTABLE, "effect", grouping="size") == pytest.approx(by_hand)


def test_of_three_groups_the_pair_that_is_told_apart_most_easily_counts():
    text = TEXT + "T5 i 10 15\nT6 j 10 40\nC5 k 10 11\nC6 l 10 11\n"
    jobs = ALL_JOBS | {"T5": 200.0, "T6": 200.0, "C5": 5.0, "C6": 5.0}
    results = run(SIZE | {"edges": [10, 100]}, jobs=jobs, text=text, n_pairs=6)
    errors = effects(results)["std_error"]
    least = np.sqrt((errors.drop("size=g3") ** 2).sum())
    by_hand = (t_distribution.ppf(0.975, 7) + t_distribution.ppf(0.8, 7)) * least
    assert figure(results, DETECTABLE, "effect", grouping="size") == pytest.approx(by_hand)


def test_no_difference_is_detectable_where_one_group_is_left():
    results = run(SIZE | {"edges": [8]})
    assert rows_with(results, DETECTABLE, grouping="size").empty
