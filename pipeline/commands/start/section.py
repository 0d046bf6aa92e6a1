"""Write the section of params.yaml that a new study starts from."""

import json
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any

import pandas as pd

from pipeline.commands.start.columns import (
    PanelGuess,
    RegisterGuess,
    guess_panel,
    guess_register,
    wide_columns,
)
from pipeline.commands.start.files import Delivery, deliveries
from pipeline.commands.start.numbers import is_year, numbers, pointed
from pipeline.errors import DataError
from pipeline.panel.delivered import long_layout
from pipeline.params.data import Wide
from pipeline.params.settings import read_value
from pipeline.params.written import FileFormat

_TEMPLATE = Path(__file__).with_name("section.yaml")
_OUTCOMES = {"sales": "log", "employment": "log", "exports": "any"}
_YEAR = "year"


@dataclass(frozen=True)
class _Panel:
    """Hold the panel in long layout, what data.source says of it, and questions."""

    table: pd.DataFrame
    source: str
    questions: list[str]


def start_section(study: str, files: list[Path]) -> str:
    """Inspect the panel and, where given, the register; return a commented section that runs.

    The table with more rows is the panel; files whose names differ in a year are one table. Raises
    DataError where a file cannot be read, or where nothing tells who was treated.
    """
    delivered = deliveries(files)
    panel = _panel(delivered[0])
    if len(panel.table.columns) < 3:
        raise DataError(
            f"{delivered[0].pattern} has {len(panel.table.columns)} columns; a panel has a firm, a "
            "year and what is measured: check its delimiter, or give the panel itself"
        )
    guess = guess_panel(panel.table)
    register = _register(delivered[1:])
    if not _chosen(guess):
        raise DataError(
            f"{delivered[0].pattern} measures nothing in numbers beside firm, year and entry: "
            "classes such as 10-19 are text; deliver a column of numbers by which firms compare"
        )
    last = numbers(panel.table[guess.year]).max()
    first = _first_entry(guess, register)
    return Template(_TEMPLATE.read_text(encoding="utf-8")).substitute(
        study=study,
        source=panel.source + _register_source(delivered[1:]),
        firm_id=quoted(guess.firm_id),
        year=quoted(guess.year),
        cluster=_cluster(guess, panel.table),
        register=_register_columns(register),
        columns=_columns(guess, panel.table),
        clean=_clean(guess, register),
        outcomes=_outcomes(guess),
        entry=_entry(guess, register),
        last_event_time=max(0, min(3, int(last) - (first or int(last)))),
        covariates=_covariates(guess),
        covariate_names=_names(guess),
        questions=_questions(guess, panel, register, len(delivered)),
    )


def default_section() -> dict[str, Any]:
    """Return the section of a study about which nothing is known, as settings are read."""
    blank = dict.fromkeys(
        ("cluster", "columns", "outcomes", "covariates", "covariate_names", "firm_id", "year"),
        " {}",
    )
    blank |= dict.fromkeys(("source", "register", "clean", "questions"), "")
    blank |= {"study": "study", "entry": "source:", "last_event_time": "3"}
    text = Template(_TEMPLATE.read_text(encoding="utf-8")).substitute(blank)
    section: dict[str, Any] = read_value(text)["study"]
    return section


def quoted(text: str) -> str:
    """Return text as YAML takes it whatever is in it: JSON is YAML."""
    return json.dumps(text, ensure_ascii=False)


def _label(column: str) -> str:
    return quoted(" ".join(column.split()))


def _panel(delivery: Delivery) -> _Panel:
    """Bring yearly files and wide columns into one long table."""
    table, questions = pointed(delivery.table, delivery.written), list[str]()
    lines = f"\n      panel: {quoted(delivery.pattern)}" + _format(delivery.written, "format")
    if delivery.written.sheet is not None:
        questions.append(f"is sheet {delivery.written.sheet} of {delivery.pattern} the right one?")
    if delivery.partial:
        named = ", ".join(delivery.partial)
        questions.append(f"some yearly files lack {named}: is it called otherwise there? rename")
    dated = any(is_year(table[name]) for name in table.columns)
    if delivery.years and not dated:
        lines += "\n      year_in_name: true"
        return _Panel(table.assign(**{_YEAR: delivery.year}), lines, questions)
    wide = {} if dated else wide_columns(table)
    if wide:
        lines += "\n      # for each column, the wide column that holds it in each year"
        lines += "\n      wide:\n        columns:" + _wide_lines(wide)
        table = long_layout(table, Wide(columns=wide), _YEAR)
    return _Panel(table, lines, questions)


def _wide_lines(wide: dict[str, dict[int, str]]) -> str:
    return "".join(
        f"\n          {quoted(name)}:" + "".join(f"\n            {at}: {quoted(column)}"
                                           for at, column in by_year.items())
        for name, by_year in wide.items()
    )  # fmt: skip


def _format(written: FileFormat, key: str) -> str:
    given = written.model_dump(exclude_defaults=True)
    if not given:
        return ""
    lines = [f"\n        {name}: {value!r}" for name, value in given.items()]
    return f"\n      {key}:" + "".join(lines)


def _register(others: list[Delivery]) -> RegisterGuess | None:
    if not others:
        return None
    return guess_register(pointed(others[0].table, others[0].written))


def _register_source(others: list[Delivery]) -> str:
    if not others:
        return ""
    named = f"\n      register_file: {quoted(others[0].pattern)}"
    return named + _format(others[0].written, "register_format")


def _register_columns(register: RegisterGuess | None) -> str:
    if register is None:
        return ""
    lines = [f"\n      {setting}: {quoted(column)}" for setting, column in register.columns.items()]
    return "\n    # one row per firm and programme\n    register_columns:" + "".join(lines)


def _entry(guess: PanelGuess, register: RegisterGuess | None) -> str:
    """Return the lines of treatment.entry."""
    if register is not None:
        lines = "source: register\n      # the programme evaluated; null counts entry into any"
        return lines + "\n      programme: null\n      other_programmes: keep"
    if guess.entry is not None:
        lines = f"source: entry_year\n      column: {_standard(guess, guess.entry.column)}"
        codes = "".join(f"\n      - {code:g}" for code in guess.entry.never)
        return lines + (
            f"\n      # codes of firms that never enter\n      never:{codes}" * bool(codes)
        )
    if guess.indicator is None:
        raise DataError(
            "nothing tells who was treated: give the register too, or a panel with each firm's "
            "entry year or with one 0/1 column that never falls, or whose name begins with treat, "
            "support, grant or program"
        )
    asked = "\n      # QUESTION: is this 1 from support on? Its values say so, not its name"
    return (
        f"source: indicator{'' if guess.indicator_is_named else asked}"
        f"\n      column: {guess.indicator}\n      switches_off: refuse"
    )


def _first_entry(guess: PanelGuess, register: RegisterGuess | None) -> int | None:
    if register is not None:
        return register.first_entry
    return None if guess.entry is None else guess.entry.first_entry


def _standard(guess: PanelGuess, column: str) -> str:
    """Return the standard name of a delivered column."""
    return next(name for name, delivered in guess.numbers.items() if delivered == column)


def _clean(guess: PanelGuess, register: RegisterGuess | None) -> str:
    lines = ""
    if guess.codes:
        lines += "\n    # words in columns of numbers: do they mean that nothing is known?"
        lines += "\n    missing_codes:"
        for name, found in guess.codes.items():
            lines += f"\n      {name}:" + "".join(f"\n      - {quoted(code)}" for code in found)
    if register is not None and register.several and len(register.columns) > 2:
        lines += "\n    # what holds for a firm with several rows in the register"
        lines += "\n    register_values:\n      texts: join\n      numbers: sum"
    return lines


def _cluster(guess: PanelGuess, table: pd.DataFrame) -> str:
    """Return a place and a sector that every row has, else the firm."""
    complete = [std for std, name in guess.texts.items() if table[name].notna().all()]
    places = [s for s in complete if any(w in s for w in ("muni", "comuna", "region", "depart"))]
    sectors = [s for s in complete if any(w in s for w in ("sector", "ciiu", "isic", "cnae"))]
    chosen = [*places[:1], *sectors[:1]] if places else ["firm_id"]
    return "".join(f"\n    - {name}" for name in chosen)


def _columns(guess: PanelGuess, table: pd.DataFrame) -> str:
    lines = []
    for name, column in guess.numbers.items():
        missing = numbers(table[column]).isna().mean()
        minimum = guess.minimum[name]
        lines.append(
            f"\n      {name}:  # {missing:.1%} missing\n        kind: number\n"
            f"        column: {quoted(column)}\n        unit: QUESTION\n"
            f"        label: {_label(column)}"
            + (f"\n        minimum: {minimum}" if minimum is not None else "")
        )
    for name, column in guess.texts.items():
        lines.append(
            f"\n      {name}:  # {table[column].isna().mean():.1%} missing, "
            f"{table[column].nunique()} codes\n        kind: text\n"
            f"        column: {quoted(column)}\n        label: {_label(column)}"
        )
    return "".join(lines)


def _outcomes(guess: PanelGuess) -> str:
    lines = []
    known = [name for name in _OUTCOMES if name in guess.numbers]
    for column, transform in _OUTCOMES.items():
        lines.append(f"\n    {column}_{transform}:\n      label: {column.capitalize()}")
        if column in known:
            lines.append(f"\n      column: {column}\n      transform: {transform}")
            lines.append("\n      unit: QUESTION")
        else:
            lines.append(
                "\n      unit: QUESTION\n      observed: false\n"
                "      reason: 'QUESTION: not delivered, or in which column?'"
            )
    for column in [] if known else _measured(guess)[:1]:
        lines.append(f"\n    {column}_level:\n      label: {column}\n      column: {column}")
        lines.append("\n      transform: level\n      unit: QUESTION")
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
    """Return covariates that every study has: employment and sales, else the last number."""
    known = [name for name in guess.numbers if name in {"employment", "sales"}]
    return known or _measured(guess)[-1:]


def _measured(guess: PanelGuess) -> list[str]:
    """Return the numbers that do not tell who was treated, those that change by year first."""
    entry = None if guess.entry is None else _standard(guess, guess.entry.column)
    measured = [name for name in guess.numbers if name not in {*guess.flags, entry}]
    return sorted(measured, key=lambda name: name not in guess.changing)


def _questions(
    guess: PanelGuess, panel: _Panel, register: RegisterGuess | None, n_tables: int
) -> str:
    asked = [
        "in which unit is each column? (unit: QUESTION)",
        "at which level was support given out? cluster is that level, for every firm",
        "may the programme affect other firms of its clusters? then comparison firms come from "
        "elsewhere, controls_from: outside_treated_clusters; `all` assumes that it does not",
        "is entry the approval, the first payment or the first activity?",
        "which codes mean missing (-1, 999999, s/d)? clean.missing_codes",
        "do firms of other programmes stay among the comparison firms?",
        *guess.questions,
        *panel.questions,
        *(register.questions if register is not None else []),
    ]
    if guess.left_out:
        asked.append(f"left out, since they name somebody: {', '.join(guess.left_out)}. Right?")
    if n_tables > 2:
        asked.append("more than two tables were given: the third and later ones are not used")
    return "".join(f"\n# QUESTION: {question}" for question in asked)
