"""How `start` dates rows of yearly files whose columns hold other years: founding, registration."""

import pytest
from test_start_programme import programme

from pipeline.commands.start.asked import ToldColumns
from pipeline.commands.start.questions import all_questions
from pipeline.commands.start.read import read_files


def yearly(tmp_path, asked=None, **columns):
    """Return what is read of a file a year whose name has the year, with columns of years."""
    table = programme(
        municipio=lambda g: [f"m{f % 7}" for f in g["firm"]],
        inicio_apoyo=lambda g: g["entry"],
        **columns,
    )
    for year, rows in table.groupby("year"):
        rows.drop(columns="year").to_csv(tmp_path / f"padron {year}.csv", index=False)
    return read_files(sorted(tmp_path.glob("*.csv")), asked or ToldColumns())


@pytest.mark.parametrize("name", ["Año de inicio de operaciones", "año de alta", "anio_registro"])
def test_the_year_of_files_is_found_beside_a_column_of_other_years(name, tmp_path):
    read = yearly(tmp_path, **{name: lambda g: 1980 + g["firm"] % 15})
    assert (read.source["year_in_name"], read.keys.year) == (True, "year")
    assert sorted(read.table["year"].unique()) == list(range(2001, 2009))
    asked = all_questions(read)["data.source.year_in_name"]
    assert "the year in the name of their file?" in asked and "--year" in asked and name in asked
    assert "data.year" not in all_questions(read)


def test_a_column_that_agrees_with_the_names_dates_rows(tmp_path):
    read = yearly(tmp_path, ejercicio=lambda g: g["year"], fundada=lambda g: 1980 + g["firm"] % 15)
    assert "year_in_name" not in read.source
    assert read.keys.year == "ejercicio"


def test_years_within_files_of_several_years_date_rows(tmp_path):
    table = programme(inicio=lambda g: g["entry"])
    for half, rows in table.groupby(table["year"] > 2004):
        rows.to_csv(tmp_path / f"padron {2009 if half else 2005}.csv", index=False)
    read = read_files(sorted(tmp_path.glob("*.csv")), ToldColumns())
    assert "year_in_name" not in read.source
    assert len(read.table["year"].unique()) == 8


def test_the_command_line_names_another_column_of_the_year(tmp_path):
    given = {"ciclo": lambda g: g["year"] + 1}
    assert yearly(tmp_path, **given).keys.year == "year"
    told = yearly(tmp_path, ToldColumns(year="ciclo"), **given)
    assert "year_in_name" not in told.source
    assert sorted(told.table["ciclo"].unique()) == list(range(2002, 2010))
