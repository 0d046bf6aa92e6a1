"""Exit told by a flag of the panel: rows left out, and the year from which a firm is gone."""

import pandas as pd
import pytest
from test_cleaning import rows
from test_panel import CLEAN, DATA, clean
from text_tables import table

from pipeline.panel.rules.exits import exits_by_flag
from pipeline.params.clean import CleanSection, ExitFlag
from pipeline.params.clean_faults import clean_faults
from pipeline.params.data import DataSection

# A closes for good, B for a year; C is closed in every row; D never.
PANEL = """
firm_id year cohort sales status
A       2001 2002   10    1
A       2002 2002   0     9
A       2003 2002   0     9
B       2001 -      20    1
B       2002 -      0     9
B       2003 -      22    1
C       2001 -      0     9
C       2002 -      0     9
D       2001 -      30    1
"""


def flagged():
    return exits_by_flag(rows(PANEL), ExitFlag(column="status", gone=["9"]))


def test_flagged_rows_leave_and_the_first_of_them_for_good_is_the_year_of_exit():
    panel = flagged().panel
    assert panel[["firm_id", "year"]].to_numpy().tolist() == [
        ["A", 2001],
        ["B", 2001],
        ["B", 2003],
        ["D", 2001],
    ]
    years = panel.groupby("firm_id")["exit_year"].first()
    assert years["A"] == 2002 and years[["B", "D"]].isna().all()


def test_who_is_gone_and_who_came_back_are_counted_apart():
    ruled = flagged()
    counted = {found.rule.code: (found.count, found.firms) for found in ruled.issues}
    assert counted == {"flagged_gone": (4, 2), "flagged_gone_and_back": (1, 1)}
    assert ruled.step.fields == {"column": "status", "values": "9"}


def test_a_code_in_words_does_as_well_and_the_flow_tells_what_it_cost():
    raw = table(
        """
        id  yr   sales support town sector
        01  2001 10    0       A    open
        01  2002 12    1       A    open
        02  2001 20    0       B    open
        02  2002 0     0       B    closed
        03  2001 20    0       B    open
        03  2002 21    0       B    open
        """,
        id="str",
    )
    named = CLEAN | {"exit": {"column": "sector", "gone": ["closed", "cerrada"]}}
    found = clean(raw, rules=named, cluster=["town"])
    assert found.panel.set_index(["firm_id", "year"])["exit_year"].dropna().to_dict() == {
        ("02", 2001): 2002.0
    }
    step = found.sample_flow.set_index("rule").loc["not_flagged_gone"]
    assert step["firm_years_lost"] == 1 and step["firms_lost"] == 0


def test_a_flag_that_no_row_has_changes_nothing_but_the_column():
    found = clean(
        table("id yr sales support town sector\n1 2001 1 0 A x\n1 2002 1 1 A x\n2 2001 3 0 B x"),
        rules=CLEAN | {"exit": {"column": "sector", "gone": ["closed"]}},
    )
    assert found.panel["exit_year"].isna().all() and len(found.panel) == 3


@pytest.mark.parametrize("taken", [True, False])
def test_a_column_of_the_panel_that_has_its_name_is_refused(taken):
    columns = dict(DATA["columns"])
    if taken:
        columns["exit_year"] = columns["sales"]
    section = CleanSection.model_validate(CLEAN | {"exit": {"column": "town", "gone": ["x"]}})
    faults = list(clean_faults(section, DataSection.model_validate(DATA | {"columns": columns})))
    assert len(faults) == taken and all("exit_year" in fault for fault in faults)


def test_the_index_of_rows_does_not_matter():
    shuffled = rows(PANEL).sample(frac=1, random_state=2)
    found = exits_by_flag(shuffled, ExitFlag(column="status", gone=["9"]))
    pd.testing.assert_frame_equal(found.every.sort_index(), flagged().every)
