"""A study starts in one command, from a Stata file and a workbook, and runs to its tables."""

import subprocess
import sys

import numpy as np
import pytest
import simulation
from workspace import project, section

from pipeline.commands.start.files import guess_format
from pipeline.errors import ParamsError
from pipeline.params.settings import load_yaml
from pipeline.params.study import check_studies
from pipeline.simulation.simulate import simulate_programme

STAGES = ["obtain", "clean", "score", "match", "balance", "estimate", "exhibit"]


@pytest.fixture(scope="module")
def delivered(tmp_path_factory):
    """Deliver simulated firms as ministries do: foreign names, Stata, Excel, semicolons."""
    folder = tmp_path_factory.mktemp("delivered")
    firms = simulate_programme(
        simulation.settings(firms=1200, municipalities=15, sectors=4, treated_clusters=20),
        np.random.default_rng(1),
    )
    names = {"firm_id": "rut", "year": "anio", "sales": "ventas", "employment": "empleo"}
    panel = firms.panel.rename(columns=names)
    panel.to_stata(folder / "empresas.dta", write_index=False)
    panel.to_csv(folder / "empresas.csv", index=False, sep=";", decimal=",", encoding="cp1252")
    register = firms.register[firms.register["programme"] == "cdp"]
    register = register.rename(columns={"firm_id": "rut", "entry_year": "ingreso"})
    register.to_excel(folder / "beneficiarios.xlsx", index=False)
    return folder


def started(tmp_path, files):
    """Start study `nueva` in a fresh copy of the project; return its folder."""
    folder = project(tmp_path, {"michigan": section("michigan")})
    command = [sys.executable, "-m", "stages.start", "nueva", *map(str, files)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.parametrize("panel", ["empresas.dta", "empresas.csv"])
def test_the_section_is_valid_and_knows_the_columns(panel, delivered, tmp_path):
    folder = started(tmp_path, [delivered / panel, delivered / "beneficiarios.xlsx"])
    with pytest.raises(ParamsError) as caught:
        check_studies(folder / "params.yaml", folder)
    open_lines = str(caught.value).splitlines()
    assert len(open_lines) >= 6
    assert all("QUESTION" in line for line in open_lines)
    text = (folder / "params.yaml").read_text(encoding="utf-8")
    answered = text.replace("QUESTION", "pesos")
    (folder / "params.yaml").write_text(answered, "utf-8")
    assert check_studies(folder / "params.yaml", folder) == ["nueva", "michigan"]
    data = load_yaml(folder / "params.yaml")["nueva"]["data"]
    assert (data["firm_id"], data["year"]) == ("rut", "anio")
    assert data["columns"]["sales"]["column"] == "ventas"
    assert data["columns"]["employment"]["column"] == "empleo"
    assert data["cluster"] == ["municipality", "sector"]
    assert data["register_columns"] == {
        "firm_id": "rut",
        "entry_year": "ingreso",
        "programme": "programme",
    }


def test_marks_of_text_files_are_guessed(delivered):
    written = guess_format(delivered / "empresas.csv")
    assert (written.delimiter, written.decimal) == (";", ",")


@pytest.mark.slow
def test_a_started_study_runs_to_its_tables(delivered, tmp_path):
    folder = started(tmp_path, [delivered / "empresas.dta", delivered / "beneficiarios.xlsx"])
    for stage in STAGES:
        subprocess.run([sys.executable, "-m", f"stages.{stage}", "nueva"], cwd=folder, check=True)
    assert (folder / "reports" / "nueva" / "tables" / "main_effects.tex").is_file()


def test_a_panel_without_treatment_is_refused_before_anything_is_written(delivered, tmp_path):
    folder = project(tmp_path, {"michigan": section("michigan")})
    before = (folder / "params.yaml").read_bytes()
    command = [sys.executable, "-m", "stages.start", "nueva", str(delivered / "empresas.dta")]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "nothing tells who was treated" in done.stderr
    assert (folder / "params.yaml").read_bytes() == before
