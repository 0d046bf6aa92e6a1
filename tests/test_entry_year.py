"""Entry years that stand in a column of the panel: rules, refusals, and how a study finds them."""

import numpy as np
import pandas as pd
import pytest
from test_start_guesses import started, write_csv

from pipeline.errors import DataError
from pipeline.panel.entry import cohorts_from_entry_year
from pipeline.params.treatment import EntryYearEntry

ENTRY = EntryYearEntry(source="entry_year", column="first", never=[0])


def panel(first):
    """Return two years of each firm, with the given values of the column."""
    firms = [firm for firm in "abc" for _ in range(2)]
    return pd.DataFrame({"firm_id": firms, "year": [2001, 2002] * 3, "first": first})


def test_codes_and_missing_values_mean_never():
    found = cohorts_from_entry_year(panel([2002.0, 2002.0, 0.0, 0.0, np.nan, np.nan]), ENTRY)
    assert found.to_dict() == {"a": 2002}
    assert found.dtype == "Int64"


def test_entry_after_the_panel_is_kept():
    found = cohorts_from_entry_year(panel([2002.0, 2002.0, 2009.0, 2009.0, 0.0, 0.0]), ENTRY)
    assert found.to_dict() == {"a": 2002, "b": 2009}


@pytest.mark.parametrize(
    ("first", "message"),
    [
        ([2001.5, 2001.5, 0, 0, 0, 0], r"first is no whole year: 2 rows"),
        ([2001, 2002, 0, 0, 0, 0], r"first differs between the rows of a firm: 2 rows"),
        ([2002, np.nan, 0, 0, 0, 0], r"first differs between the rows of a firm: 2 rows"),
        ([2002, 2002, 9999, 9999, 0, 0], r"more than 50 years outside the panel: 2 rows.*never"),
        ([-1, -1, 2002, 2002, 0, 0], r"first is 0 or less, which is no year: 2 rows.*never"),
    ],
)
def test_what_is_no_entry_year_is_refused(first, message):
    with pytest.raises(DataError, match=message):
        cohorts_from_entry_year(panel([float(value) for value in first]), ENTRY)


@pytest.mark.parametrize(("first_wave", "refused"), [(1, True), (0, False)])
def test_zero_is_an_entry_only_where_the_panel_has_a_wave_zero(first_wave, refused):
    waves = panel([0.0, 0.0, 2.0, 2.0, np.nan, np.nan])
    waves = waves.assign(year=[first_wave, first_wave + 1] * 3)
    asked = EntryYearEntry(source="entry_year", column="first")
    if refused:
        with pytest.raises(DataError, match=r"first is 0 or less, .*: 2 rows; .* never enter"):
            cohorts_from_entry_year(waves, asked)
    else:
        assert cohorts_from_entry_year(waves, asked).to_dict() == {"a": 0, "b": 2}


FIRMS = [f"c{i}" for i in range(8)]
HEADER = ["unit", "year", "size", "pay", "first.treat", "treat"]


def rows(entry, years=range(2001, 2006)):
    """Return rows of firms whose entry years are given, an ever-treated flag beside."""
    return [
        [firm, year, i + 1, 0.5 * i + year % 3, first, int(first not in ("", 0))]
        for i, (firm, first) in enumerate(zip(FIRMS, entry, strict=True))
        for year in years
    ]


def test_a_code_that_many_firms_share_is_named():
    firms = [str(firm) for firm in range(12)]
    panel = pd.DataFrame({"firm_id": firms, "year": 2002, "first": 9999.0})
    with pytest.raises(DataError, match=r"treatment\.entry\.never \(\[9999\] here\), or correct"):
        cohorts_from_entry_year(panel, ENTRY)
    few = panel.assign(first=[9999.0] * 9 + [2002.0] * 3)
    with pytest.raises(DataError, match=r"treatment\.entry\.never, or correct"):
        cohorts_from_entry_year(few, ENTRY)


@pytest.mark.parametrize("never", [0, ""])
def test_a_started_study_finds_the_column(never, tmp_path):
    table = [HEADER, *rows([2003, 2003, 2004, never, never, never, never, never])]
    study, text = started(write_csv(tmp_path / "f.csv", table))
    entry = study.treatment.entry
    assert (entry.source, entry.column) == ("entry_year", "first_treat")
    assert entry.never == ([0] if never == 0 else [])
    assert study.treatment.window.last_event_time == 2
    assert "is first.treat the year of entry, and" in text
    assert "pay_level" in study.outcomes.root
    assert list(study.score.covariates) == ["pay", "size"]


@pytest.mark.parametrize("entries", [[2003] * 4 + [2004] * 4, [2001] * 8])
def test_a_column_named_entry_is_one_though_every_firm_enters(entries, tmp_path):
    header = [*HEADER[:4], "entry_year", "size_2"]
    study, _ = started(write_csv(tmp_path / "f.csv", [header, *rows(entries)]))
    assert study.treatment.entry.column == "entry_year"


def test_a_year_of_foundation_is_no_entry_year(tmp_path):
    founded = [1990, 1995, 2003, 2004, 1999, 2003, 2002, 2001]
    header = [*HEADER[:4], "founded", "treat"]
    table = [[*row[:5], int(row[4] > 2002 and row[1] > 2002)] for row in rows(founded)]
    study, _ = started(write_csv(tmp_path / "f.csv", [header, *table]))
    assert study.treatment.entry.source == "indicator"
