"""Effects with firms weighted by size before entry: by hand."""

import numpy as np
import pytest
from analysed import analysed, rows_of, section
from keyed import figure, rows_with
from stacked_tables import no_matches

from pipeline.datasets.samples import CONCENTRATION, GROUPING_LOSSES
from pipeline.errors import ParamsError

TEXT = """
firm_id cluster 2001 2002
T1      a       10   20
T2      b       30   34
C1      c       10   12
C2      d       20   21
"""
JOBS = {"T1": 1.0, "T2": 3.0, "C1": 2.0, "C2": 2.0}


def run(comparison, column="jobs", *, jobs=JOBS, missing="renormalise", text=TEXT, **more):
    asked = {"comparison": comparison, "by": {"size": {"column": column}}}
    estimate = section(missing, size_weighted=asked)
    return analysed(text, 2, (-1, 0), columns={"jobs": jobs}, estimate=estimate, **more)


def row(results, term="att_by[size]"):
    return rows_of(results, "size_weighted").loc[("all", term)]


@pytest.mark.parametrize("missing", ["renormalise", "drop_set"])
def test_comparison_firms_carry_the_size_of_their_treated_firm(missing):
    found = row(run("treated_size", missing=missing))
    assert found["estimate"] == pytest.approx((1 * (10 - 2) + 3 * (4 - 1)) / 4)
    assert "that of their treated firm" in found["note"]
    assert found[["n_treated", "n_control"]].tolist() == [2, 2]


@pytest.mark.parametrize("missing", ["renormalise", "drop_set"])
def test_comparison_firms_may_count_by_their_own_size(missing):
    jobs = JOBS | {"C1": 1.0}
    found = row(run("own_size", jobs=jobs, missing=missing))
    assert found["estimate"] == pytest.approx((10 + 3 * 4) / 4 - (1 * 2 + 2 * 1) / 3)


def test_equal_sizes_give_the_average_over_firms():
    results = run("treated_size", jobs=dict.fromkeys(JOBS, 7.0))
    main = rows_of(results, "main").loc[("all", "att")]
    assert row(results)["estimate"] == pytest.approx(main["estimate"])
    assert row(results)["std_error"] == pytest.approx(main["std_error"])


def test_the_total_adds_up_over_treated_firms():
    """Growth of sales over own base sales, times base sales: 10 (1 - .2) + 30 (4/30 - 1/20)."""
    found = row(run("treated_size", "sales"), "total[size]")
    assert found["estimate"] == pytest.approx(10 * (1 - 0.2) + 30 * (4 / 30 - 1 / 20))
    assert found["scale"] == "US$"


def test_the_total_by_own_size_compares_totals():
    """Treated sales grow by 14 from 40, those of comparison firms by 3 from 30."""
    found = row(run("own_size", "sales"), "total[size]")
    assert found["estimate"] == pytest.approx(14 - 40 * 3 / 30)


def test_the_size_may_be_dated_earlier():
    text = TEXT.replace("2001 2002", "2001 2002").replace("cluster ", "cluster 2000 ")
    text = text.replace(" a ", " a 3 ").replace(" b ", " b 1 ").replace(" c ", " c 1 ")
    text = text.replace(" d ", " d 1 ")
    asked = {"comparison": "treated_size", "by": {"size": {"column": "sales", "at": -2}}}
    results = analysed(text, 2, (-2, 0), estimate=section(size_weighted=asked))
    assert row(results)["estimate"] == pytest.approx((3 * (10 - 2) + 1 * (4 - 1)) / 4)


def test_comparison_firms_without_a_size_are_counted_where_they_need_one():
    jobs = JOBS | {"C2": np.nan}
    place = {"estimator": "size_weighted", "grouping": "size", "treated": False}
    assert figure(run("own_size", jobs=jobs), GROUPING_LOSSES, "n_firms", **place) == 1
    assert rows_with(run("treated_size", jobs=jobs), GROUPING_LOSSES, **place).empty


def test_a_treated_firm_without_size_leaves_with_its_set_and_is_counted():
    for missing_size in (np.nan, 0.0):
        results = run("treated_size", jobs=JOBS | {"T2": missing_size})
        assert row(results)["estimate"] == pytest.approx(10 - 2)
        assert figure(results, GROUPING_LOSSES, "n_firms", treated=True) == 1


def test_nobody_with_a_size_is_a_reason():
    results = run("treated_size", jobs=dict.fromkeys(JOBS, np.nan))
    assert np.isnan(row(results)["estimate"])
    assert "no treated and comparison firms" in row(results)["note"]


@pytest.mark.parametrize("comparison", ["treated_size", "own_size"])
def test_a_negative_size_is_a_reason_and_the_rest_goes_on(comparison):
    results = run(comparison, jobs=JOBS | {"T2": -3.0})
    assert np.isnan(row(results)["estimate"])
    assert row(results)["note"].startswith("1 sizes are negative, which no weight can be")
    assert np.isfinite(rows_of(results, "main").loc[("all", "att"), "estimate"])


def test_designs_without_sets_take_own_size_only():
    found = row(run("treated_size", matches=no_matches()))
    assert (
        found["note"] == "comparison: treated_size needs matched sets; use own_size for this design"
    )
    assert np.isfinite(row(run("own_size", matches=no_matches()))["estimate"])


def test_effects_in_ratios_weight_by_the_level_already():
    found = row(run("treated_size", outcome={"transform": "proportional"}))
    assert "weights firms by the level already" in found["note"]


def test_sizes_after_entry_and_unknown_columns_are_refused():
    asked = {"comparison": "own_size", "by": {"size": {"column": "sales", "at": 0}}}
    with pytest.raises(ParamsError, match=r"by\.size\.at is 0: sizes are dated -1 or earlier"):
        analysed(TEXT, 2, (-1, 0), estimate=section(size_weighted=asked))
    with pytest.raises(ParamsError, match="column is wage, which the panel lacks"):
        run("own_size", "wage")


def test_the_largest_firm_of_each_group_is_told():
    """By hand: T2 has 3 of 4 treated jobs; comparison firms carry them, or 2 of 4 of their own."""
    carried, own = run("treated_size"), run("own_size")

    def share(results, treated):
        place = {"outcome": "all", "grouping": "size", "treated": treated}
        return figure(results, CONCENTRATION, "largest_firm_share", **place)

    assert share(carried, treated=True) == pytest.approx(3 / 4)
    assert share(carried, treated=False) == pytest.approx(3 / 4)
    assert share(own, treated=False) == pytest.approx(1 / 2)
