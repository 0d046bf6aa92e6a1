"""Years as delivered: numbers, two digits, dates; each form is read, or named with its setting."""

import datetime
import decimal

import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet
from pydantic import ValidationError
from test_delivered import data

from pipeline.errors import DataError
from pipeline.panel.numbers import numeric
from pipeline.panel.readers import read_table
from pipeline.panel.rules.standard import standard_names
from pipeline.panel.years import calendar_year, dates_of
from pipeline.params.clean import Identifier
from pipeline.params.data import NumberColumn, RegisterColumns
from pipeline.params.written import FileFormat, YearsWritten

ENTRY = NumberColumn(kind="number", column="entry", unit="year", label="Entry")


def years(*cells, **written):
    return calendar_year(pd.Series(list(cells)), "ano", YearsWritten(**written)).tolist()


@pytest.mark.parametrize(
    "cells",
    [
        (2003, 2004),
        (2003.0, 2004.0),
        ("2003", " 2004\u00a0"),
        ("2003.0", "2004.0"),
        ("2003-12-31", "2004-01-01T10:30:00Z"),
        ("2003/5/1", "2004-01-01 00:00:00.000"),
        ("31/12/2003", "01/02/2004"),
        ("12-31-2003", "31.12.2004"),
    ],
)
def test_a_year_is_read_from_whatever_leaves_no_doubt(cells):
    assert years(*cells) == [2003, 2004]


@pytest.mark.parametrize(
    "values",
    [
        pa.array([datetime.date(2003, 1, 2), datetime.date(2004, 1, 2)]),
        pa.array(pd.to_datetime(["2003-01-02", "2004-01-02"]).tz_localize("America/Lima")),
        pa.array([decimal.Decimal("2003"), decimal.Decimal("2004")]),
        pa.array(["2003", "2004"]).dictionary_encode(),
    ],
)
def test_a_year_is_read_from_every_type_of_parquet(values, tmp_path):
    parquet.write_table(pa.table({"v": values}), tmp_path / "f.parquet")
    found = read_table(tmp_path / "f.parquet", FileFormat(), 10)["v"]
    assert calendar_year(found, "v").tolist() == [2003, 2004]


@pytest.mark.parametrize(
    ("cells", "declared", "message"),
    [
        ((37_987, 38_353), "serial", "number of a day.*declare data.date_format: serial"),
        (("37987.5", "38353"), "serial", "number of a day.*declare data.date_format: serial"),
        ((20040101, 20050315), "%Y%m%d", "date of eight digits.*declare data.date_format"),
        (("2004-06", "2005-01"), "%Y-%m", "written as a date.*declare data.date_format"),
        (("6/2004", "1/2005"), "%m/%Y", "written as a date.*declare data.date_format"),
    ],
)
def test_a_date_without_doubt_of_its_kind_asks_for_its_form(cells, declared, message):
    with pytest.raises(DataError, match=f"column ano: a year is .*{message}.* row 2, 3"):
        years(*cells)
    assert years(*cells, date_format=declared) == [2004, 2005]
    entry = pd.Series(list(cells))
    assert numeric(entry, ENTRY, YearsWritten(declared)).tolist() == [2004, 2005]


def test_years_of_two_digits_need_their_century():
    written = {"two_digit_years_from": 1960}
    assert years("98", "03", "1999", "60", "59", **written) == [1998, 2003, 1999, 1960, 2059]
    assert years(98, 3.0, 1999, **written) == [1998, 2003, 1999]
    dates = {"date_format": "%d/%m/%y", **written}
    assert years("31/12/98", "29/02/04", **dates) == [1998, 2004]
    with pytest.raises(DataError, match="written as a date"):
        years("31/12/98", "29/02/04")


@pytest.mark.parametrize("cells", [("98", "99", "00"), (98, 99, 1), (71, 72), ("07", "08")])
def test_a_panel_with_years_of_two_digits_asks_for_their_century(cells):
    raw = pd.DataFrame({"id": range(len(cells)), "year": cells, "sales": 1.0})
    with pytest.raises(DataError, match=r"column year: years have two digits.*_years_from"):
        standard_names(raw, data(), Identifier())
    declared = data(two_digit_years_from=1950)
    assert standard_names(raw, declared, Identifier())["year"].min() > 1950


@pytest.mark.parametrize("cells", [(1, 2, 3), ("01", "02"), (0, 1), range(1, 80)])
def test_waves_are_no_years_of_two_digits(cells):
    raw = pd.DataFrame({"id": range(len(cells)), "year": list(cells), "sales": 1.0})
    assert standard_names(raw, data(), Identifier())["year"].max() == int(max(cells))


def test_dates_of_a_spreadsheet_mix_with_numbers_of_days():
    cells = pd.Series(["40117", "2009-11-01", "40117.75", "soon", None])
    found = dates_of(cells, YearsWritten("serial")).dt.strftime("%Y-%m-%d")
    assert found.tolist()[:3] == ["2009-10-31", "2009-11-01", "2009-10-31"]
    assert found.isna().tolist() == [False, False, False, True, True]


@pytest.mark.parametrize("cells", [(True, False), ("2004Q1", "2005"), ("04-05", "2005"), (2004.5,)])
def test_what_is_no_year_is_refused_by_row(cells):
    with pytest.raises(DataError, match=r"column ano: a year is .* row 2"):
        years(*cells)


def test_the_form_of_dates_is_checked_with_params():
    with pytest.raises(ValidationError, match=r"holds %Y or %y .*, or is serial"):
        RegisterColumns(firm_id="id", entry_year="e", date_format="dd/mm/yyyy")
    with pytest.raises(ValidationError, match="declare two_digit_years_from"):
        data(date_format="%d/%m/%y")
