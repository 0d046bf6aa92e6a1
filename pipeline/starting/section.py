"""Write the section of params.yaml that a new study starts from."""

from pathlib import Path
from string import Template

import pandas as pd

from pipeline.errors import DataError
from pipeline.params.data import FileFormat
from pipeline.readers import read_table
from pipeline.starting.columns import PanelGuess, guess_panel, guess_register
from pipeline.starting.files import guess_format

_TEMPLATE = Path(__file__).with_name("section.yaml")
_LARGEST_TABLE = 20_000_000
_OUTCOMES = {"sales": "log", "employment": "log", "exports": "any"}


def start_section(study: str, files: list[Path]) -> str:
    """Inspect the panel and, where given, the register; return a commented section that runs.

    The file with more rows is the panel. Raises DataError where a file cannot be read, or where
    nothing tells who was treated.
    """
    written = {file: guess_format(file) for file in files}
    tables = {file: read_table(file, written[file], _LARGEST_TABLE) for file in files}
    panel, *register = sorted(files, key=lambda file: -len(tables[file]))
    guess = guess_panel(tables[panel])
    entry, register_lines, first_entry = _entry(guess, {file: tables[file] for file in register})
    years = pd.to_numeric(tables[panel][guess.year], errors="coerce").dropna()
    return Template(_TEMPLATE.read_text(encoding="utf-8")).substitute(
        study=study,
        panel=panel.name,
        register_file=_register_file(register, written),
        format=_format(written[panel], "format"),
        firm_id=guess.firm_id,
        year=guess.year,
        cluster=_cluster(guess),
        register=register_lines,
        columns=_columns(guess, tables[panel]),
        outcomes=_outcomes(guess),
        entry=entry,
        last_event_time=max(0, min(3, int(years.max()) - (first_entry or int(years.max())))),
        covariates=_covariates(guess),
        covariate_names=_names(guess),
        questions=_questions(guess),
    )


def _format(written: FileFormat, key: str) -> str:
    given = written.model_dump(exclude_defaults=True)
    if not given:
        return ""
    lines = [f"\n        {name}: {value!r}" for name, value in given.items()]
    return f"\n      {key}:" + "".join(lines)


def _register_file(register: list[Path], written: dict[Path, FileFormat]) -> str:
    if not register:
        return ""
    named = f"\n      register_file: {register[0].name!r}"
    return named + _format(written[register[0]], "register_format")


def _entry(guess: PanelGuess, register: dict[Path, pd.DataFrame]) -> tuple[str, str, int | None]:
    """Return the lines of treatment.entry and register_columns, and the first entry year."""
    for table in register.values():
        firm_id, entry_year, programme = guess_register(table)
        lines = (
            f"\n    register_columns:\n      firm_id: {firm_id!r}\n      entry_year: {entry_year!r}"
        )
        lines += f"\n      programme: {programme!r}" if programme else ""
        first = pd.to_numeric(table[entry_year], errors="coerce").min()
        entry = "source: register\n      programme: null\n      other_programmes: keep"
        return entry, lines, None if pd.isna(first) else int(first)
    if guess.indicator is None:
        raise DataError(
            "nothing tells who was treated: give the register too, or a panel with a 0/1 column "
            "whose name begins with treat, support, grant or program"
        )
    entry = f"source: indicator\n      column: {guess.indicator}\n      switches_off: refuse"
    return entry, "", None


def _cluster(guess: PanelGuess) -> str:
    places = [s for s in guess.texts if s.startswith(("muni", "region", "comuna", "depart"))][:1]
    sectors = [s for s in guess.texts if s.startswith(("sector", "ciiu", "isic", "cnae"))][:1]
    chosen = [*places, *sectors] if places else ["firm_id"]
    return "".join(f"\n    - {name}" for name in chosen)


def _columns(guess: PanelGuess, table: pd.DataFrame) -> str:
    lines = []
    for name, column in guess.numbers.items():
        missing = table[column].isna().mean()
        minimum = guess.minimum[name]
        lines.append(
            f"\n      {name}:  # {missing:.1%} missing\n        kind: number\n"
            f"        column: {column!r}\n        unit: QUESTION\n        label: {column!r}"
            + (f"\n        minimum: {minimum}" if minimum is not None else "")
        )
    for name, column in guess.texts.items():
        lines.append(
            f"\n      {name}:  # {table[column].isna().mean():.1%} missing, "
            f"{table[column].nunique()} codes\n        kind: text\n"
            f"        column: {column!r}\n        label: {column!r}"
        )
    return "".join(lines)


def _outcomes(guess: PanelGuess) -> str:
    lines = []
    for column, transform in _OUTCOMES.items():
        lines.append(f"\n    {column}_{transform}:\n      label: {column.capitalize()}")
        if column in guess.numbers:
            lines.append(f"\n      column: {column}\n      transform: {transform}")
            lines.append("\n      unit: QUESTION")
        else:
            lines.append(
                "\n      unit: QUESTION\n      observed: false\n      reason: not delivered"
            )
    return "".join(lines)


def _covariates(guess: PanelGuess) -> str:
    return "".join(
        f"\n      {name}:\n        label: {name}\n        column: {name}\n"
        f"        transform: {'log' if name in {'sales', 'employment'} else 'level'}\n"
        "        at: -1"
        for name in _chosen(guess)
    )


def _names(guess: PanelGuess) -> str:
    return "".join(f"\n        - {name}" for name in _chosen(guess))


def _chosen(guess: PanelGuess) -> list[str]:
    """Return covariates that every study has: employment and sales, else the first number."""
    known = [name for name in guess.numbers if name in {"employment", "sales"}]
    others = [name for name in guess.numbers if name != guess.indicator]
    return known or others[:1]


def _questions(guess: PanelGuess) -> str:
    asked = [
        "in which unit is each column? (unit: QUESTION)",
        "at which level was support given out? cluster is that level, for every firm",
        "is entry the approval, the first payment or the first activity?",
        "which codes mean missing (-1, 999999, s/d)? clean.missing_codes",
        "do firms of other programmes stay among the comparison firms?",
        *guess.questions,
    ]
    return "".join(f"\n# QUESTION: {question}" for question in asked)
