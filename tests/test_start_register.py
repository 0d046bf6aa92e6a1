"""What `start` makes of a register that tells decisions: who applied is not yet who entered."""

import pandas as pd
import pytest
from ruamel.yaml import YAML
from test_start_programme import programme

from pipeline.commands.start.asked import ToldColumns
from pipeline.commands.start.questions import all_questions
from pipeline.commands.start.read import read_files
from pipeline.commands.start.screen import screen
from pipeline.commands.start.section import study_text
from pipeline.params.questions import open_questions
from pipeline.params.study import read_study

DECISIONS = ["aprobado"] * 12 + ["rechazado"] * 8


def read_with(tmp_path, **columns):
    """Return what is read of a panel of 40 firms and a register of 20 with these columns."""
    programme().to_csv(tmp_path / "p.csv", index=False)
    register = pd.DataFrame({"id": range(20), "anio": 2005, **columns})
    register.to_csv(tmp_path / "r.csv", index=False)
    return read_files([tmp_path / "p.csv", tmp_path / "r.csv"], ToldColumns())


def written(read):
    """Return the section as params.yaml holds it; it must be valid."""
    block = YAML(typ="safe").load(study_text("nueva", read))
    read_study(block, "nueva")
    return block["nueva"]


@pytest.mark.parametrize(
    "name",
    ["decision", "Decisión", "decisão", "resultado", "situação", "estado", "status", "statut",
     "estado de la solicitud", "résultat", "eligible", "elegible", "Elegível", "décision finale"],
)  # fmt: skip
def test_who_was_accepted_is_asked_where_a_column_tells_decisions(name, tmp_path):
    block = written(read_with(tmp_path, **{name: DECISIONS}))
    assert block["data"]["register_columns"]["decision"] == name
    asked = block["treatment"]["entry"]["accepted"]
    assert asked == [f"QUESTION: which values of {name} mean that a firm took part?"]
    (line,) = [line for line in open_questions(block) if "entry.accepted" in line]
    assert "list the values of data.register_columns.decision that count as entry" in line


def test_eligibility_beside_a_decision_is_no_decision(tmp_path):
    read = read_with(tmp_path, elegible=["si", "no"] * 10, resultado=DECISIONS)
    assert read.register.columns["decision"] == "resultado"
    assert read.register.columns["eligible"] == "elegible"


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        (DECISIONS, True),
        ([*DECISIONS[:16], *["anulado"] * 4], False),
        ([f"acta {n}" for n in range(20)], False),
    ],
)
def test_values_of_a_decision_are_written_where_many_firms_share_each(values, shown, tmp_path):
    read = read_with(tmp_path, resultado=values)
    text = study_text("nueva", read)
    assert ("# of [aprobado, rechazado]" in text) == shown
    assert any(value in text for value in values) == shown
    told = screen("nueva", read) + "".join(open_questions(written(read)))
    assert "treatment.entry.accepted" in told
    assert not any(value in told for value in values)


@pytest.mark.parametrize(
    "column",
    [
        {"fecha_decision": ["2005-03-01", "2005-04-02"] * 10},
        {"estado": list("abcdefghijkl") + ["a"] * 8},
        {"resultado_neto": [n + 0.5 for n in range(20)]},
        {"resultado": "aprobado"},
    ],
)
def test_dates_amounts_places_and_one_value_are_no_decision(column, tmp_path):
    read = read_with(tmp_path, **column)
    assert "decision" not in read.register.columns
    assert "accepted" not in read.entered.settings


@pytest.mark.parametrize("values", [DECISIONS, [1, 0] * 10, ["si", None] * 10])
def test_other_classes_of_a_register_are_asked_about(values, tmp_path):
    read = read_with(tmp_path, beneficio=values, monto=range(100, 120), nombre=list("abcde") * 4)
    asked = all_questions(read)["treatment.entry"]
    assert "say who was accepted: beneficio? Then name it at" in asked
    assert read.register.columns["amount"] == "monto"
    written(read)


def test_a_register_without_classes_is_not_asked_about(tmp_path):
    read = read_with(tmp_path, monto=range(100, 120), lema=[f"x{n}" for n in range(20)])
    assert "treatment.entry" not in all_questions(read)


def test_decisions_leave_firms_that_never_entered(tmp_path):
    panel = programme()
    panel[panel["id"] < 20].to_csv(tmp_path / "p.csv", index=False)
    register = pd.DataFrame({"id": range(20), "anio": [2004, 2005] * 10})
    compared = {}
    for name, table in {"none": register, "some": register.assign(decision=DECISIONS)}.items():
        table.to_csv(tmp_path / "r.csv", index=False)
        read = read_files([tmp_path / "p.csv", tmp_path / "r.csv"], ToldColumns())
        compared[name] = written(read)["treatment"]["comparison"]
    assert compared == {"none": "not_yet_treated", "some": "never_treated"}


LINES = ["Programa Territorial"] * 14 + ["Capital Semilla"] * 6


@pytest.mark.parametrize(
    "name",
    ["instrumento", "Línea", "linha de apoio", "Fondo", "modalidade", "Convocatoria", "dispositif",
     "Nombre del programa"],
)  # fmt: skip
def test_several_programmes_of_a_register_are_asked_about(name, tmp_path):
    read = read_with(tmp_path, **{name: LINES, "resultado": DECISIONS})
    assert read.register.columns["programme"] == name
    assert f"Its value in {name}, or null" in all_questions(read)["treatment.entry.programme"]
    assert written(read)["data"]["register_columns"]["programme"] == name


def test_a_line_that_all_rows_share_or_that_numbers_them_is_no_programme(tmp_path):
    alone = {"linea": "nodos", "fondo": [f"f{n}" for n in range(20)]}
    for name, values in alone.items():
        assert "programme" not in read_with(tmp_path, **{name: values}).register.columns


def test_classes_that_tell_no_decision_are_asked_about_as_programmes(tmp_path):
    classes = {"arranjo produtivo": list("abcd") * 5, "cohorte": ["cohorte 1", "cohorte 2"] * 10}
    asked = all_questions(read_with(tmp_path, **classes))
    assert "treatment.entry" not in asked
    assert "differ in arranjo produtivo: does one tell" in asked["treatment.entry.programme"]
    asked = all_questions(read_with(tmp_path, programa=LINES, **classes))
    assert "As well rows of the register differ in arranjo" in asked["treatment.entry.programme"]


def test_who_was_accepted_is_not_asked_twice(tmp_path):
    given = {"resultado": DECISIONS, "beneficio": ["si", "no"] * 10}
    assert "treatment.entry" not in all_questions(read_with(tmp_path, **given))
