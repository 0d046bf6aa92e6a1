"""What cleaning found, as readers see it: said by code and fields in the report's language."""

import dataclasses

import pandas as pd
import pytest
from results import study_results

from pipeline.exhibits.tables.issues import issues_table
from pipeline.exhibits.words.language import speaking


def shown(results):
    with speaking(results.settings.exhibit):
        (table,) = issues_table(results)
    return [(row.label, *(cell.plain() for cell in row.cells)) for row in table.rows()]


@pytest.mark.parametrize(
    ("code", "labels"),
    [
        (
            "en",
            [
                "sales: missing value; kept as missing",
                "sales: prices or currency, cpi.csv; deflated to prices of 2010 by an index",
            ],
        ),
        (
            "es",
            [
                "sales: valor ausente; queda ausente",
                "sales: precios o moneda, cpi.csv; deflactado a precios de 2010 por un índice",
            ],
        ),
        (
            "pt",
            [
                "sales: valor ausente; fica ausente",
                "sales: preços ou moeda, cpi.csv; deflacionado a preços de 2010 por um índice",
            ],
        ),
    ],
)
def test_findings_are_said_in_the_language_of_the_report(code, labels):
    assert [label for label, *_ in shown(study_results(language=code))] == labels


def test_each_finding_shows_rows_firms_and_years():
    _, rows, firms, years = shown(study_results())[0]
    assert (rows, firms, years) == ("900", "310", "2006\u20132013")


def test_what_is_hidden_is_marked_and_what_is_of_no_firm_is_a_dash():
    results = study_results()
    hidden = results.issues.assign(
        count=pd.array([None, 4], dtype="Int64"), firms=pd.array([None, None], dtype="Int64")
    )
    found = shown(dataclasses.replace(results, issues=hidden))
    assert found[0][1:] == ("c", "c", "c")
    assert found[1][1:3] == ("4", "\u2014")


def test_nothing_found_is_no_table():
    results = study_results()
    assert issues_table(dataclasses.replace(results, issues=results.issues.head(0))) == []
