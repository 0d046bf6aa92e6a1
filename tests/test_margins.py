"""Margins of a level with zeros: by hand, and parts that add up exactly."""

import numpy as np
import pytest
from analysed import analysed, rows_of, section
from keyed import figure

from pipeline.datasets.fits import UNIT_DEPENDENCE
from pipeline.datasets.samples import ZEROS

# Totals: treated 5 to 12, comparison 3 to 4; firms above zero 2 to 2 and 2 to 1. C3 never exports.
TEXT = """
firm_id cluster 2001 2002
T1      a       2    6
T2      b       0    6
T3      c       3    0
C1      d       2    4
C2      e       1    0
C3      f       0    0
"""
RATIOS = {"transform": "proportional"}


def run(text=TEXT, **margins):
    estimate = section(margins=margins)
    return analysed(text, 3, (-1, 0), outcome=RATIOS, estimate=estimate)


def estimates(results):
    return rows_of(results, "margins")["estimate"]


def test_parts_are_ratios_of_ratios_and_add_up():
    found = estimates(run()).loc["all"]
    assert found["level"] == pytest.approx(np.log((12 / 5) / (4 / 3)))
    assert found["firms_above_zero"] == pytest.approx(np.log((2 / 2) / (1 / 2)))
    assert found["level_per_firm"] == pytest.approx(np.log((6 / 2.5) / (4 / 1.5)))
    assert found["firms_above_zero"] + found["level_per_firm"] == pytest.approx(
        found["level"], abs=1e-15
    )


def test_parts_add_up_exactly_where_the_panel_has_holes_and_several_years():
    rng = np.random.default_rng(4)
    lines = ["firm_id cluster 2000 2001 2002 2003"]
    for i, group in enumerate("TC" * 8):
        values = np.where(rng.random(4) < 0.3, 0, rng.lognormal(size=4).round(3)).astype(str)
        values[3] = "x" if i % 5 == 0 else values[3]
        lines.append(f"{group}{i // 2 + 1} {group}{i % 3} {' '.join(values)}")
    results = analysed("\n".join(lines), 8, (-2, 1), outcome=RATIOS, estimate=section(margins={}))
    rows = rows_of(results, "margins").loc["all"]
    parts = rows.loc["firms_above_zero", "estimate"] + rows.loc["level_per_firm", "estimate"]
    assert parts == pytest.approx(rows.loc["level", "estimate"], abs=1e-14)
    main = rows_of(results, "main").loc[("all", "att")]
    assert rows.loc["level", "estimate"] == pytest.approx(main["estimate"], abs=1e-9)
    assert rows.loc["level", "std_error"] == pytest.approx(main["std_error"], rel=1e-9)


def test_the_intensive_margin_is_the_log_difference_of_those_that_stay():
    """T1 and C1 alone are above zero in both years."""
    row = rows_of(run(), "margins").loc[("base_exporters", "att")]
    assert row["estimate"] == pytest.approx(np.log(3) - np.log(2))
    assert "selected by who stays above zero" in row["note"]
    assert row[["n_treated", "n_control"]].tolist() == [1, 1]


def test_firms_are_counted_by_their_zeros():
    results = run()
    for treated in (True, False):
        assert figure(results, ZEROS, "n_firms", treated=treated) == 3
    assert figure(results, ZEROS, "n_above_zero_at_base", treated=True) == 2
    assert figure(results, ZEROS, "n_never_above_zero", treated=False) == 1
    assert figure(results, ZEROS, "n_never_above_zero", treated=True) == 0


def test_no_base_exporters_is_a_reason():
    text = TEXT.replace("T1      a       2", "T1      a       0").replace("3    0", "0    3")
    rows = rows_of(run(text), "margins")
    row = rows.loc[("base_exporters", "att")]
    assert np.isnan(row["estimate"])
    assert row["note"] == "no treated firm is above zero in the base year"
    assert rows.loc[("all", "level"), "note"] == row["note"]


def test_no_exporter_at_all_is_a_reason():
    zeros = [f"{g}{i} {g}{i} 0 0" for i in (1, 2, 3) for g in "TC"]
    text = "firm_id cluster 2001 2002\n" + "\n".join(zeros)
    rows = rows_of(run(text), "margins")
    assert rows["estimate"].isna().all()
    assert rows.loc[("base_exporters", "att"), "note"] == (
        "no treated and no comparison firm is above zero in the base year"
    )


def test_where_all_export_only_the_level_per_firm_moves():
    text = TEXT.replace(" 0 ", " 1 ").replace("    0", "    2")
    found = estimates(run(text)).loc["all"]
    assert found["firms_above_zero"] == pytest.approx(0, abs=1e-12)
    assert found["level_per_firm"] == pytest.approx(found["level"])


def test_asinh_is_on_request_only_and_shows_its_units():
    assert not [term for _, term in estimates(run()).index if "sinh" in term]
    results = run(unit_dependent=["asinh"])
    row = rows_of(results, "margins").loc[("all", "asinh")]

    def by_hand(factor):
        change = np.arcsinh(factor * np.array([6, 6, 0, 4, 0, 0])) - np.arcsinh(
            factor * np.array([2, 0, 3, 2, 1, 0])
        )
        return change[:3].mean() - change[3:].mean()

    assert row["estimate"] == pytest.approx(by_hand(1))
    others = {"x100": 100, "per_million": 1e-6}
    for column, factor in others.items():
        found = figure(results, UNIT_DEPENDENCE, column, term="asinh")
        assert found == pytest.approx(by_hand(factor))
    assert row["scale"] == "asinh_points"
    assert f"{by_hand(100):.3f} in a hundredth of it" in row["note"]


def test_a_level_that_is_not_observed_is_a_row_with_the_reason():
    outcome = {"observed": False, "reason": "no customs data", "column": None, "transform": None}
    results = analysed(TEXT, 3, (-1, 0), outcome=outcome, estimate=section(margins={}))
    assert rows_of(results, "margins").loc[("all", "level"), "note"] == (
        "not observed: no customs data"
    )
