"""What `start` makes of small programmes: roles by name, values and timing, and what it asks."""

import numpy as np
import pandas as pd
import pytest
from ruamel.yaml import YAML

from pipeline.commands.start.asked import ToldColumns
from pipeline.commands.start.questions import all_questions
from pipeline.commands.start.read import read_files
from pipeline.commands.start.screen import screen
from pipeline.commands.start.section import study_text
from pipeline.errors import DataError
from pipeline.panel.clean import clean_panel
from pipeline.panel.sources import obtain_tables
from pipeline.params.study import read_study
from stages.start import start


def programme(**columns):
    """Return a panel of 40 firms over 8 years, 12 of which enter in the fifth or sixth."""
    rng = np.random.default_rng(3)
    firm, year = np.repeat(np.arange(40), 8), np.tile(np.arange(2001, 2009), 40)
    entry = np.where(firm < 12, 2005 + firm % 2, 0)
    table = pd.DataFrame({"id": firm, "year": year, "ventas": rng.lognormal(3, 1, 320)})
    given = {"firm": firm, "year": year, "entry": entry, "rng": rng}
    return table.assign(**{name: make(given) for name, make in columns.items()})


def entry_column(given):
    return given["entry"]


def read_of(tmp_path, table, **asked):
    table.to_csv(tmp_path / "p.csv", index=False)
    return read_files([tmp_path / "p.csv"], ToldColumns(**asked))


@pytest.mark.parametrize(
    "name",
    ["inicio_apoyo", "data_adesao", "annee_entree", "first_treat", "treat_year",
     "fecha_primer_desembolso", "Año de inicio", "cohort"],
)  # fmt: skip
def test_entry_columns_in_four_languages_are_found(name, tmp_path):
    read = read_of(tmp_path, programme(**{name: entry_column}))
    assert (read.entered.columns, read.keys.year) == ([name], "year")
    assert read.entered.settings["never"] == [0.0]
    assert read.design.n_treated == 12


@pytest.mark.parametrize("never", [-1, 0, 9999])
def test_a_code_for_never_is_taken_as_one_and_a_word_is_asked_about(never, tmp_path):
    table = programme(inicio=lambda g: np.where(g["entry"] > 0, g["entry"], never))
    assert read_of(tmp_path, table).entered.settings["never"] == [never]
    table["inicio"] = table["inicio"].astype(str).replace(str(never), "nunca")
    read = read_of(tmp_path, table)
    assert read.columns.used["inicio"].codes == ["nunca"]
    assert "clean.missing_codes" in all_questions(read)
    assert read.design.n_treated == 12


def test_the_order_of_headers_never_beats_what_they_mean(tmp_path):
    table = programme(
        **{
            "fecha_postulacion": lambda g: np.where(g["entry"] > 0, g["entry"] - 1, 0),
            "Año de inicio": entry_column,
            "ventas_exterior": lambda g: g["rng"].lognormal(1, 1, 320) * (g["firm"] % 3 == 0),
        }
    ).rename(columns={"year": "Año"})
    first = ["fecha_postulacion", "Año de inicio", "ventas_exterior"]
    read = read_of(tmp_path, table[[*first, *(c for c in table.columns if c not in first)]])
    assert (read.keys.firm_id, read.keys.year) == ("id", "Año")
    assert read.entered.columns == ["Año de inicio"]
    assert read.columns.used["sales"].name == "ventas"
    assert read.columns.used["exports"].name == "ventas_exterior"
    assert "dates the application" in read.columns.left_out["fecha_postulacion"]


MADE = {
    "x1": lambda g: ((g["entry"] > 0) & (g["year"] >= g["entry"])).astype(int),
    "x2": lambda g: (g["entry"] > 0) * g["year"],
    "x3": lambda g: np.where((g["entry"] > 0) & (g["year"] >= g["entry"]), 12.0, 0.0),
    "x4": lambda g: np.where(g["entry"] > 0, g["year"] - g["entry"], np.nan),
    "x5": lambda g: np.where(g["entry"] > 0, 500.0 + g["firm"], 0.0),
    "x6": lambda g: (g["year"] >= 2005) * ((g["firm"] % 7) / 7),
    "x7": lambda g: np.full(320, 1.5),
    "x8": lambda g: 100.0 + g["year"] % 10,
    "factor_expansion": lambda g: 1.0 + g["firm"] % 5,
    "months_since_entry": lambda g: g["rng"].integers(0, 9, 320),
}


def test_no_function_of_treatment_of_the_year_and_no_weight_is_a_covariate(tmp_path):
    table = programme(**MADE, capital=lambda g: g["rng"].lognormal(2, 1, 320), inicio=entry_column)
    read = read_of(tmp_path, table)
    assert not set(MADE) & {column.name for column in read.columns.used.values()}
    assert set(MADE) <= set(read.columns.left_out)
    compared = {setting["column"] for setting in read.design.covariates.values()}
    assert compared == {"sales"} | ({"capital"} & compared)


def test_exports_that_are_missing_where_there_are_none_are_asked_about(tmp_path):
    table = programme(
        inicio=entry_column,
        exports=lambda g: np.where(g["firm"] % 2, g["rng"].lognormal(1, 1, 320), np.nan),
    )
    read = read_of(tmp_path, table)
    asked = all_questions(read)
    assert "does missing mean no exports?" in asked["outcomes.exports_any.column"]
    assert "clean.missing_as_zero: [exports]" in asked["outcomes.exports_any.column"]
    assert not any(c["column"] == "exports" for c in read.design.covariates.values())
    table.loc[table.index[1], "exports"] = 0
    asked = all_questions(read_of(tmp_path, table))
    assert "is sometimes zero and 50% missing" in asked["outcomes.exports_any.column"]
    table["exports"] = table["exports"].fillna(0)
    assert "outcomes.exports_any.column" not in all_questions(read_of(tmp_path, table))


@pytest.mark.parametrize(
    ("name", "period"),
    [("wave", "wave"), ("ola", "wave"), ("trimestre", "quarter"), ("mes", "month")],
)
def test_the_word_of_a_period_that_is_no_year_is_asked_for(name, period, tmp_path):
    table = programme(inicio=entry_column)
    table["inicio"] = table["inicio"].where(table["inicio"] == 0, table["inicio"] - 2000)
    table[name] = table.pop("year") - 2000
    read = read_of(tmp_path, table)
    assert (read.keys.year, read.keys.period, read.entered.columns) == (name, period, ["inicio"])
    assert "half_year, quarter, month" in all_questions(read)["exhibit.period"]
    assert f"period: {period}" in study_text("nueva", read)


def test_a_column_that_says_who_but_not_when_is_asked_for_the_year(tmp_path):
    table = programme(beneficiario=lambda g: (g["entry"] > 0).astype(int))
    read = read_of(tmp_path, table)
    assert read.entered.settings["source"] == "group"
    assert "In which year did all of them enter" in str(all_questions(read))
    given = read_of(tmp_path, table, treated="beneficiario", entry="2005")
    assert given.entered.settings["entry_year"] == 2005
    assert "treatment.entry.entry_year" not in all_questions(given)


def test_the_command_line_goes_before_every_guess_and_asks_less(tmp_path):
    table = programme(
        inicio=entry_column, otro=entry_column, capital=lambda g: g["rng"].lognormal(2, 1, 320),
        zona=lambda g: np.where(g["firm"] % 4, "norte", "sur"),
    )  # fmt: skip
    read = read_of(tmp_path, table, entry="otro", cluster=["zona"], outcomes=["capital"])
    assert (read.entered.columns, read.design.cluster) == (["otro"], ["zona"])
    assert read.columns.outcomes == ["capital"]
    assert not {"treatment.entry.column", "data.cluster"} & set(all_questions(read))
    with pytest.raises(
        DataError, match=r"--outcome captal: p\.csv has no such column; did you mean"
    ):
        read_of(tmp_path, table, outcomes=["captal"])


def test_an_earlier_study_gives_units_rules_and_outcomes_that_agree(tmp_path):
    earlier = {
        "data": {"columns": {
            "sales": {"kind": "number", "column": "ventas", "unit": "pesos", "label": "Ventas"},
            "jobs": {"kind": "number", "column": "absent", "unit": "jobs", "label": "Jobs"},
        }},
        "clean": {
            "duplicates": {"identical": "refuse", "conflicting": "refuse"},
            "jumps": [{"columns": ["sales"], "factor": 10.0, "action": "report"}],
            "tails": [{"columns": ["jobs"], "method": "trim", "lower_percentile": 1.0,
                       "upper_percentile": 99.0, "by": ["year"]}],
        },
        "outcomes": {"turnover": {"column": "sales", "transform": "log", "unit": "pesos",
                                  "label": "Ventas"},
                     "jobs_log": {"column": "jobs", "transform": "log", "unit": "jobs",
                                  "label": "Jobs"}},
    }  # fmt: skip
    read = read_of(tmp_path, programme(inicio=entry_column), earlier=earlier)
    study = read_study(YAML(typ="safe").load(study_text("nueva", read)), "nueva")
    assert study.data.columns["sales"].unit == "pesos"
    assert list(study.outcomes.root) == ["turnover"]
    assert (len(study.clean.jumps), len(study.clean.tails)) == (1, 0)
    assert "read other columns: tails" in all_questions(read)["clean"]


def test_tables_of_an_earlier_study_come_with_the_rules_that_read_them(tmp_path, monkeypatch):
    columns = {"sales": {"kind": "number", "column": "ventas", "unit": "pesos", "label": "Ventas"}}
    price = {"columns": ["sales"], "file": "prices.csv", "kind": "index", "base_year": 2003,
             "by": None}  # fmt: skip
    clean = {"duplicates": {"identical": "refuse", "conflicting": "refuse"}, "prices": [price]}
    text = {"old": {"data": {"columns": columns}, "clean": clean}, "studies": ["old"]}
    monkeypatch.chdir(tmp_path)
    for folder in ("data/rules/old", "data/raw"):
        (tmp_path / folder).mkdir(parents=True)
    YAML().dump(text, tmp_path / "params.yaml")
    programme(inicio=entry_column).to_csv("p.csv", index=False)
    told = ToldColumns(earlier=text["old"], earlier_study="old")
    before = (tmp_path / "params.yaml").read_bytes()
    with pytest.raises(DataError, match=r"data/rules/old/prices\.csv, which section clean of old"):
        start("nueva", [tmp_path / "p.csv"], told)
    assert (tmp_path / "params.yaml").read_bytes() == before
    (tmp_path / "data/rules/old/prices.csv").write_text("year,value\n2003,1\n")
    read = start("nueva", [tmp_path / "p.csv"], told)
    assert (tmp_path / "data/rules/nueva/prices.csv").read_text() == "year,value\n2003,1\n"
    assert "do they hold for these data? prices.csv" in all_questions(read)["clean"]
    section = YAML(typ="safe").load((tmp_path / "params.yaml").read_text("utf-8"))["nueva"]
    assert section["clean"]["prices"] == [price]


def test_one_screen_says_what_was_read_and_why(tmp_path):
    many = {f"zz{n}": lambda g: g["rng"].normal(size=320) for n in range(40)}
    read = read_of(tmp_path, programme(inicio=entry_column, **many))
    lines = screen("nueva", read).splitlines()
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 100
    assert "p.csv, 320 rows of 40 firms, year 2001 to 2008" in lines[0]
    assert any("inicio" in line and "by name; 12 enter, from 2005 on" in line for line in lines)
    assert len(study_text("nueva", read).splitlines()) <= 155


def test_fewer_than_twenty_treated_clusters_get_corrected_errors(tmp_path):
    table = programme(inicio=entry_column)
    assert "bias_reduced: true" in study_text("nueva", read_of(tmp_path, table))
    table["inicio"] = np.where(table["id"] < 25, 2005, 0)
    assert "bias_reduced" not in study_text("nueva", read_of(tmp_path, table))
    table["inicio"] = table["inicio"].mask(table["id"].between(20, 24), 2006)
    assert "bias_reduced: true" in study_text("nueva", read_of(tmp_path, table)), "few in a year"


def lognormal(given):
    return given["rng"].lognormal(2, 1, 320)


@pytest.mark.parametrize("order", [1, -1])
def test_the_column_of_fewest_words_is_taken_and_others_are_named(order, tmp_path):
    table = programme(
        inicio=entry_column, ventas_mercado_interno=lognormal, empleo_mujeres=lognormal,
        empleo=lognormal, log_empleo=lognormal,
    )  # fmt: skip
    read = read_of(tmp_path, table[list(table.columns)[::order]])
    assert read.columns.used["sales"].name == "ventas"
    assert read.columns.used["employment"].name == "empleo"
    asked = all_questions(read)
    assert asked["outcomes.sales_log.column"] == (
        "QUESTION: is ventas all sales of the firm? As well may be ventas_mercado_interno"
    )
    assert asked["outcomes.employment_log.column"].endswith("may be empleo_mujeres")
    told = all_questions(read_of(tmp_path, table, outcomes=["ventas"]))
    assert not any(path.startswith("outcomes.") for path in told)


def test_labels_of_stata_variables_are_read(tmp_path):
    table = programme(inicio=entry_column, v2=lognormal).rename(columns={"ventas": "v1"})
    labels = {"v1": "Ventas totales", "v2": "Personal ocupado"}
    table.to_stata(tmp_path / "p.dta", write_index=False, variable_labels=labels)
    read = read_files([tmp_path / "p.dta"], ToldColumns())
    found = [(c.name, c.why) for c in (read.columns.used[n] for n in ("sales", "employment"))]
    assert found == [("v1", "by label"), ("v2", "by label")]


def test_a_column_that_names_sales_is_never_left_out_as_not_needed(tmp_path):
    table = programme(inicio=entry_column, empleo=lognormal, ventas_eu=lognormal)
    table["ventas"] = "muchas"
    read = read_of(tmp_path, table, outcomes=["empleo"])
    assert read.columns.left_out["ventas"] == "sales by its name, but its cells are no numbers"


@pytest.mark.parametrize(("missing", "asked"), [(0.0, False), (0.04, False), (0.06, True)])
def test_missing_exports_beside_zeros_are_asked_about_from_five_percent_on(
    missing, asked, tmp_path
):
    table = programme(inicio=entry_column, exports=lognormal)
    table.loc[table["id"] % 2 == 0, "exports"] = 0
    table.loc[: int(missing * len(table)) - 1, "exports"] = np.nan
    read = read_of(tmp_path, table)
    assert ("outcomes.exports_any.column" in all_questions(read)) == asked


@pytest.mark.parametrize(("last_entrants", "slopes"), [(4, 0), (8, 1), (16, 2)])
def test_the_smallest_entry_year_bears_the_slopes_of_the_adjustment(
    last_entrants, slopes, tmp_path
):
    table = programme(**{f"zz{n}": lognormal for n in range(8)})
    late = table["id"].between(16, 15 + last_entrants)
    table["inicio"] = np.select([table["id"] < 16, late], [2004, 2006], 0)
    read = read_of(tmp_path, table)
    study = read_study(YAML(typ="safe").load(study_text("nueva", read)), "nueva")
    trends, specs = ["sales_growth_3_1", "sales_growth_2_1"], study.estimate.specs
    assert specs[0].covariates == trends[:slopes], "trends before levels"
    assert (len(specs), specs[-1].covariates) == (2 - (slopes == 2), trends[: max(slopes, 2)])
    assert len(read.design.scored) >= 2


@pytest.mark.parametrize(("never", "compared"), [(0, "never_treated"), (2007, "not_yet_treated")])
def test_firms_yet_to_enter_are_compared_where_every_firm_enters(never, compared, tmp_path):
    table = programme(inicio=lambda g: np.where(g["entry"] > 0, g["entry"], never))
    text = study_text("nueva", read_of(tmp_path, table))
    study = read_study(YAML(typ="safe").load(text), "nueva")
    assert study.treatment.comparison == compared


def test_an_outcome_that_entry_decides_is_no_covariate_and_alone_is_refused(tmp_path):
    table = programme(inicio=entry_column)
    table["ventas"] = np.where(table["inicio"] > 0, table["ventas"], 0.0)
    with pytest.raises(DataError, match=r"p\.csv has no number by which firms compare: [^.]*$"):
        read_of(tmp_path, table)
    table["capital"] = table["id"] % 5 + 1.0
    read = read_of(tmp_path, table)
    assert (read.columns.outcomes, read.columns.covariates) == (["sales"], ["capital"])
    read_study(YAML(typ="safe").load(study_text("nueva", read)), "nueva")


def sectors(given, text=True):
    """Return classes of four digits in which few firms are, of two divisions."""
    number = np.where(given["firm"] % 2, 1010, 110) + given["firm"] % 10
    return [f"{n:04d}" for n in number] if text else number


@pytest.mark.parametrize("text", [True, False], ids=["text", "numbers"])
def test_a_sector_of_thin_classes_gives_way_to_its_division(text, tmp_path):
    table = programme(inicio=entry_column, CIIU=lambda given: sectors(given, text))
    read = read_of(tmp_path, table)
    study = read_study(YAML(typ="safe").load(study_text("nueva", read)), "nueva")
    (rule,) = study.clean.first_digits
    assert (rule.column, rule.digits) == ("ciiu_2", 2)
    assert study.match.designs["covariates"].exact == ["ciiu_2"]
    assert {study.data.columns[name].column for name in ("ciiu", "ciiu_2")} == {"CIIU"}
    asked = all_questions(read).get("clean.first_digits", "")
    assert (rule.code_digits, "lose a zero" in asked) == ((None, False) if text else (4, True))
    panel = clean_panel(
        obtain_tables(study.data, tmp_path).panel, None, {},
        data=study.data, clean=study.clean, treatment=study.treatment,
    ).panel  # fmt: skip
    assert set(panel["ciiu_2"]) == {"01", "10"}


def test_a_sector_whose_classes_suffice_or_that_is_no_code_stays(tmp_path):
    table = programme(inicio=entry_column, sector=lambda g: np.where(g["firm"] % 2, 1010, 2010))
    assert read_of(tmp_path, table).design.exact == ["sector"]
    table["sector"] = 1010 + table["id"] % 20
    assert read_of(tmp_path, table).design.exact == [], "of one division"
    table["sector"] = "class " + (table["id"] % 20).astype(str).str.zfill(4)
    read = read_of(tmp_path, table)
    assert (read.design.exact, "first_digits" in study_text("nueva", read)) == ([], False)


@pytest.mark.parametrize(("first_year", "is_told"), [(2001, False), (2002, True)])
def test_it_says_where_covariates_leave_no_year_in_which_to_see_a_trend(
    tmp_path, first_year, is_told
):
    """Growth over two spans reads every of three years before entry, and three of four."""
    rng = np.random.default_rng(3)
    firm, year = np.repeat(np.arange(80), 8), np.tile(np.arange(2001, 2009), 80)
    entry = np.where(firm < 40, 2005, 0)
    table = pd.DataFrame({"id": firm, "year": year, "ventas": rng.lognormal(3, 1, 640)})
    table = table.assign(inicio=entry)[year >= first_year]
    read = read_of(tmp_path, table)
    spans = ["sales_growth_3_1", "sales_growth_2_1"]
    assert read.design.without_free_lead == ({"sales": spans} if is_told else {})
    text = study_text("study", read)
    assert ("covariates read sales in every year of the window before entry" in text) == is_told
    assert ("leave out sales_growth_3_1 or sales_growth_2_1" in text) == is_told
    YAML().load(text)
