"""Small files as ministries send them, in four languages: what `start` takes each column for."""

import re
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pytest

from pipeline.commands.start.asked import ToldColumns
from pipeline.commands.start.questions import all_questions
from pipeline.commands.start.read import read_files
from pipeline.commands.start.section import study_text
from pipeline.errors import DataError
from pipeline.panel.footers import n_footer_rows
from pipeline.panel.readers import read_table
from pipeline.params.settings import read_value
from pipeline.params.study import cross_faults, read_study
from pipeline.params.written import FileFormat

N, T = 40, 8
FIRM, YEAR = np.repeat(np.arange(N), T), np.tile(np.arange(2006, 2006 + T), N)
ENTRY = np.where(FIRM < 16, 2009 + FIRM % 2, 0)
ON = (ENTRY > 0) & (YEAR >= ENTRY)
WHEN = np.where(ENTRY > 0, ENTRY, np.nan)
PLACE = np.array(["Ñuñoa", "Macul", "Maipú", "Talca", "Arica"])[FIRM % 5]
EXPORTER = FIRM % 3 == 0
RNG = np.random.default_rng(5)


def money():
    return RNG.lognormal(4, 1, N * T).round(2)


def people():
    return RNG.integers(1, 99, N * T)


@dataclass(frozen=True)
class Sent:
    """Hold the columns sent, a register beside, and what they are."""

    columns: dict
    firm: str
    year: str
    entry: str
    named: dict = field(default_factory=dict)
    never: tuple = ()
    register: dict = field(default_factory=dict)
    asked: dict = field(default_factory=dict)


MEMBERS = np.arange(16)
SENT = {
    "half-years beside a year": Sent(
        {"Periodo": [f"{y}-S1" for y in YEAR], "RUT": [f"{7000000 + f}-K" for f in FIRM],
         "Semestre": 1 + YEAR % 2, "Año": YEAR, "Nº trabajadores": people(),
         "Ventas (M$)": money(), "Beneficiaria": np.where(ON, "Sí", "No"), "Comuna": PLACE},
        "RUT", "Año", "Beneficiaria", {"Ventas (M$)": "sales", "Nº trabajadores": "employment"},
    ),
    "start before year, parts before the total": Sent(
        {"Año de inicio": WHEN, "Año": YEAR, "RUC": [f"CL-{f}" for f in FIRM],
         "ventas_exterior": EXPORTER * money(), "ventas_nacionales": money(),
         "ventas_totales": money(), "empleo_mujeres": people(), "empleo_total": people(),
         "fecha_postulacion": WHEN - 1},
        "RUC", "Año", "Año de inicio",
        {"ventas_totales": "sales", "empleo_total": "employment", "ventas_exterior": "exports"},
        ("fecha_postulacion",),
        asked={"outcomes.sales_log.column": "may be ventas_nacionales"},
    ),
    "register of decisions, of approved and own money": Sent(
        {"NIT": FIRM, "Vigencia": YEAR, "Ingresos operacionales": money(),
         "Planta de personal": people(), "Activo total": money(), "Código CIIU": 1010 + FIRM % 3},
        "NIT", "Vigencia", "fecha_ingreso",
        {"Ingresos operacionales": "sales", "Planta de personal": "employment"},
        register={"NIT": MEMBERS, "Fecha de postulación": "2008-02-01",
                  "fecha_ingreso": [f"{2009 + i % 2}-06-30" for i in MEMBERS],
                  "Estado": np.where(MEMBERS < 12, "Aprobado", "Rechazado"),
                  "Monto aprobado": 1000.0 + MEMBERS, "Aporte RNR": 10.0 + MEMBERS,
                  "Aporte propio": 5.0},
        asked={"register:amount": "Monto aprobado",
               "register:own_contribution": "Aporte propio", "register:decision": "Estado"},
    ),
    "treated in words, after, their product, a total of the sector": Sent(
        {"id_estabelecimento": FIRM, "ano": YEAR, "tratado": np.where(ENTRY > 0, "Sim", "Não"),
         "pos": np.where(YEAR >= 2009, "Sim", "Não"), "tratado_pos": ON.astype(int),
         "empregados": people(), "receita_liquida": money(),
         "total_receita_setor": 1e6 + YEAR, "peso_amostral": 1 + FIRM % 4},
        "id_estabelecimento", "ano", "tratado_pos",
        {"receita_liquida": "sales", "empregados": "employment"},
        ("tratado", "pos", "total_receita_setor", "peso_amostral"),
    ),
    "two groups in words, outcomes of treated firms alone": Sent(
        {"firm_id": FIRM, "year": YEAR, "group": np.where(FIRM < 16, "Treatment", "Non-treated"),
         "survey_round": YEAR - 2005, "sales_domestic": money(), "sales_total": money(),
         "num_employees": people(), "hours_received": ON * RNG.integers(5, 20, N * T),
         "satisfaction": np.where(FIRM < 16, people(), np.nan)},
        "firm_id", "year", "group", {"sales_total": "sales", "num_employees": "employment"},
        ("survey_round", "hours_received", "satisfaction"),
        asked={"treatment.entry.entry_year": "In which year"},
    ),
    "two programmes": Sent(
        {"Company ID": FIRM, "Fiscal Year": YEAR, "Net sales (USD)": money(),
         "Cost of sales": money(), "FTE employees": people(), "Year founded": 1980 + FIRM % 20,
         "Grant A year": np.where(FIRM < 10, WHEN, np.nan),
         "Grant B year": np.where((FIRM > 8) & (FIRM < 16), 2010, np.nan),
         "Amount received": ON * 5000},
        "Company ID", "Fiscal Year", "Grant A year",
        {"Net sales (USD)": "sales", "FTE employees": "employment"},
        ("Grant B year", "Amount received"),
        asked={"treatment.entry.column": "As well may be Grant B year: firms that these alone"},
    ),
    "months in the programme, 9999 for never": Sent(
        {"codigo": FIRM, "anio": YEAR, "ventas": money(), "personal_ocupado": people(),
         "tratamiento": np.where(ENTRY > 0, "SI", "NO"),
         "anio_tratamiento": np.where(ENTRY > 0, ENTRY, 9999),
         "meses_en_programa": ON * (YEAR - ENTRY + 1) * 12, "ponderador": 1.0},
        "codigo", "anio", "anio_tratamiento",
        {"ventas": "sales", "personal_ocupado": "employment"},
        ("tratamiento", "meses_en_programa", "ponderador"),
    ),
    "an application, a first aid and what it adds up to": Sent(
        {"identifiant": FIRM, "exercice": YEAR, "annee_demande": WHEN - 1,
         "annee_premiere_aide": WHEN, "chiffre_affaires": money(),
         "chiffre_affaires_export": np.where(EXPORTER, money(), np.nan), "nb_salaries": people(),
         "subvention_cumulee": ON * 1000.0 * (YEAR - ENTRY + 1)},
        "identifiant", "exercice", "annee_premiere_aide",
        {"chiffre_affaires": "sales", "chiffre_affaires_export": "exports",
         "nb_salaries": "employment"},
        ("annee_demande", "subvention_cumulee"),
        asked={"outcomes.exports_any.column": "does missing mean no exports?"},
    ),
    "headings of two lines, dates of founding and of joining": Sent(
        {"CNPJ": FIRM, "Ano\ncalendário": YEAR, "Receita Operacional Líquida\n(R$ mil)": money(),
         "Nº médio de\nempregados": people(), "Valor exportado (US$)": EXPORTER * money(),
         "Data de abertura": [f"{1980 + f % 20}-05-02" for f in FIRM],
         "Data de adesão": [f"{e}-05-02" if e else "" for e in ENTRY],
         "CNAE": [f"{10 + f % 4}.{11 + f % 7}-{f % 9}/00" for f in FIRM]},
        "CNPJ", "Ano\ncalendário", "Data de adesão",
        {"Receita Operacional Líquida\n(R$ mil)": "sales",
         "Nº médio de\nempregados": "employment", "Valor exportado (US$)": "exports"},
    ),
    "in and out of the programme, firms that closed": Sent(
        {"CUIT": FIRM, "año": YEAR, "estado": np.where(FIRM > 36, "Baja", "Activa"),
         "facturación_anual": money(), "dotación_promedio": people() + 0.5,
         "inscripción_programa": WHEN - 1, "ingreso_al_programa": WHEN,
         "egreso_programa": WHEN + 2, "participó": (ENTRY > 0).astype(int)},
        "CUIT", "año", "ingreso_al_programa",
        {"facturación_anual": "sales", "dotación_promedio": "employment"},
        ("inscripción_programa", "egreso_programa", "participó"),
    ),
    "a register whose identifiers have a prefix": Sent(
        {"RUC": FIRM + 1000, "Ejercicio": YEAR, "Ventas": money(), "Empleados": people()},
        "RUC", "Ejercicio", "Fecha de firma",
        {"Ventas": "sales", "Empleados": "employment"},
        register={"RUC": [f"RUC {f + 1000}" for f in MEMBERS], "Fecha de recepción": "2008-01-05",
                  "Fecha de depósito del expediente": "2008-02-05",
                  "Fecha de firma": [f"{2009 + i % 2}-01-01" for i in MEMBERS]},
        asked={"clean.identifier": "so written 100%"},
    ),
    "halves counted from one": Sent(
        {"cnpj_raiz": FIRM, "semestre": YEAR - 2005, "receita": money(), "empregos": people(),
         "inicio_apoio": np.where(ENTRY > 0, ENTRY - 2005, 0),
         "nota_avaliacao_final": np.where(ON, people(), np.nan)},
        "cnpj_raiz", "semestre", "inicio_apoio",
        {"receita": "sales", "empregos": "employment"}, ("nota_avaliacao_final",),
        asked={"exhibit.period": "what does semestre count?"},
    ),
}  # fmt: skip


def written(folder, columns, name="p.csv"):
    pd.DataFrame(columns).to_csv(folder / name, index=False)
    return folder / name


def read_sent(folder, sent):
    files = [written(folder, sent.columns)]
    files += [written(folder, sent.register, "r.csv")] if sent.register else []
    return read_files(files, ToldColumns())


@pytest.mark.parametrize("sent", SENT.values(), ids=SENT)
def test_what_a_ministry_sends_is_taken_for_what_it_is(sent, tmp_path):
    read = read_sent(tmp_path, sent)
    register = {} if read.register is None else read.register.columns
    assert (read.keys.firm_id, read.keys.year) == (sent.firm, sent.year)
    assert [*read.entered.columns, *[register[k] for k in register if k == "entry_year"]] == [
        sent.entry
    ]
    assert read.design.n_treated == len({f for f in FIRM if f < 16}) or "Grant" in sent.entry
    assert sent.named.items() <= read.columns.standard.items()
    compared = {read.columns.used[str(c["column"])].name for c in read.design.covariates.values()}
    assert not {*sent.never, sent.entry} & {*compared, *map(str, read.columns.outcomes)}
    asked = all_questions(read) | {f"register:{role}": name for role, name in register.items()}
    assert [path for path, words in sent.asked.items() if words not in asked[path]] == []
    text = study_text("s", read)  # passes `check` but for its questions
    assert len(text.splitlines()) <= 150
    block = read_value(re.sub(r"\bQUESTION\b", "unit", text))["s"]
    assert not list(cross_faults(read_study({"s": block}, "s")))


def test_rows_of_totals_are_asked_about_by_name_and_by_sum(tmp_path):
    table = pd.DataFrame({"codigo": FIRM.astype(str), "anio": YEAR, "inicio": WHEN,
                          "ventas": money(), "empleo": people()})  # fmt: skip
    read = read_files([written(tmp_path, table)], ToldColumns())
    assert "clean.filters" not in all_questions(read)
    sums = table.groupby("anio")[["ventas", "empleo"]].sum().reset_index()
    for name in ("TOTAL GENERAL", "99"):
        read = read_files(
            [written(tmp_path, pd.concat([table, sums.assign(codigo=name)]))], ToldColumns()
        )
        assert f"{T} rows seem to be a total" in all_questions(read)["clean.filters"]


FOOTERS = {
    "total": [["TOTAL", None, None, 9e9]],
    "source": [["TOTAL", None, None, 9e9], ["Fuente: SE. Cifras preliminares.", None, None, None]],
    "note": [[None, "Cifras sin ajuste", None, None]],
}


@pytest.mark.parametrize("footer", FOOTERS)
def test_a_footer_is_left_out_by_start_and_by_the_setting_that_it_names(footer, tmp_path):
    firm, year = np.repeat(np.arange(100, 130), 4), np.tile(np.arange(2001, 2005), 30)
    panel = pd.DataFrame({"rut": firm, "anio": year, "apoyo": (firm < 112) * (year > 2002)})
    panel["ventas"] = 10.0 * firm + year
    below = pd.DataFrame(FOOTERS[footer], columns=panel.columns)
    pd.concat([panel.astype(object), below]).to_excel(tmp_path / "p.xlsx", index=False)
    read = read_files([tmp_path / "p.xlsx"], ToldColumns())
    assert (read.keys.firm_id, read.keys.year, read.design.n_treated) == ("rut", "anio", 12)
    assert f"({len(below)} of p.xlsx)" in read.questions["data.source.format.footer"]
    found = read_table(tmp_path / "p.xlsx", FileFormat(**read.source["format"]), 1000)
    assert [str(year) for year in found["anio"]] == [str(year) for year in year]
    assert len(read_table(tmp_path / "p.xlsx", FileFormat(), 1000)) == 120 + len(below)


def test_a_last_row_of_a_firm_is_no_footer():
    table = pd.DataFrame({"firm": ["a"] * 30, "year": range(30), "sales": 1.0, "jobs": 2.0})
    table.loc[29] = ["Total Energies", 2010, None, 3.0]
    table["sales"] = table["sales"].where(table.index % 3 > 0)
    assert n_footer_rows(table) == 0
    table.loc[29, ["firm", "sales", "jobs"]] = ["b", None, None]
    assert n_footer_rows(table) == 0


@pytest.mark.parametrize("form", ["ventas_{:02d}", "{} ventas", "ventas{}"])
def test_columns_by_year_are_found_however_the_year_is_written(form, tmp_path):
    wide = {"rut": np.arange(N), "ano_apoyo": np.where(np.arange(N) < 16, 2009, np.nan)}
    years = range(6, 12) if "02d" in form else range(2006, 2012)
    wide |= {form.format(y): RNG.lognormal(4, 1, N) for y in years}
    read = read_files([written(tmp_path, wide)], ToldColumns())
    assert list(read.source["wide"]["columns"]) == ["ventas"]
    assert (read.table["year"].min(), read.table["year"].max()) == (2006, 2011)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"quarter": [f"{y}Q1" for y in YEAR]}, "quarter writes a year and a part of it in one"),
        ({"periodo": YEAR * 100 + 3}, "periodo writes a year and a part of it in one"),
        ({"ano": YEAR, "safra": np.where(ENTRY > 0, "Turma 2009", "controle")},
         "a year stands among words in safra; deliver the year alone"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_with_what_to_deliver(columns, message, tmp_path):
    sent = {"cnpj": FIRM, **columns, "receita": money(), "inicio": WHEN}
    if "ano" in columns:
        del sent["inicio"]
    with pytest.raises(DataError, match=message):
        read_files([written(tmp_path, sent)], ToldColumns())


def test_a_column_that_few_words_divide_is_no_assignment_cluster(tmp_path):
    read = read_sent(tmp_path, SENT["in and out of the programme, firms that closed"])
    assert read.design.cluster == ["CUIT"]
