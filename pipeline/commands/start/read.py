"""Read delivered files and say what they are, as far as names, values and timing tell."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.commands.start.asked import ToldColumns
from pipeline.commands.start.columns import Columns, guess_columns
from pipeline.commands.start.design import ProposedDesign, choose_cluster, propose_design
from pipeline.commands.start.earlier import (
    Earlier,
    go_by_earlier,
    identifier_of,
    outcomes_of,
)
from pipeline.commands.start.entered import Entered, guess_entered
from pipeline.commands.start.files import Delivery, deliveries
from pipeline.commands.start.identifiers import (
    FEW_FOUND,
    guess_identifier,
    share_found,
    written,
)
from pipeline.commands.start.keys import Keys, guess_keys
from pipeline.commands.start.labels import telling_labels
from pipeline.commands.start.numbers import numbers, pointed
from pipeline.commands.start.register import RegisterGuess, guess_register
from pipeline.commands.start.roles import described
from pipeline.commands.start.totals import asked_of_footers, asked_of_totals
from pipeline.commands.start.wide import wide_columns
from pipeline.commands.start.year_in_names import (
    asked_of_names,
    columns_of_years,
    year_is_in_names,
)
from pipeline.errors import DataError
from pipeline.panel.delivered import long_layout
from pipeline.panel.years import years_of
from pipeline.params.data import Wide
from pipeline.params.written import FileFormat

_YEAR = "year"


@dataclass(frozen=True)
class Read:
    """Hold what was read of delivered files: the panel in long layout, and each guess.

    `identifier` are the settings of clean.identifier by which the register finds its firms.
    """

    files: list[str]
    asked: ToldColumns
    table: pd.DataFrame
    source: dict[str, Any]
    keys: Keys
    register: RegisterGuess | None
    entered: Entered
    columns: Columns
    design: ProposedDesign
    earlier: Earlier
    identifier: dict[str, Any]
    questions: dict[str, str]


def read_files(files: list[Path], asked: ToldColumns) -> Read:
    """Return what delivered files hold and what each column seems to be.

    The table with more rows is the panel; files whose names differ in a year are one table. Raises
    DataError where a file cannot be read, or where nothing tells who was treated or how firms
    compare.
    """
    delivered = deliveries(files)
    labels = {
        name: label
        for delivery in reversed(delivered)
        for name, label in telling_labels(map(str, delivery.table.columns), delivery.labels).items()
    }
    with described(labels):
        return _read(delivered, asked)


def _read(delivered: list[Delivery], asked: ToldColumns) -> Read:
    for delivery in delivered:
        _refuse_values_as_names(delivery)
    table, source, questions = _panel(delivered[0], asked)
    _refuse_few_columns(table, delivered[0].pattern)
    asked = replace(asked, outcomes=asked.outcomes or outcomes_of(asked.earlier, table.columns))
    asked.require(table.columns, delivered[0].pattern)
    keys = guess_keys(table, asked)
    table = table.assign(**{keys.year: _years_where_known(table[keys.year])})
    questions |= asked_of_totals(table, keys) | asked_of_footers(delivered)
    register = _register(delivered[1:], asked, keys.firm_id)
    identifier = dict[str, Any]()
    if register is not None:
        table, register, identifier, found = _found_in_panel(
            table, keys.firm_id, register, identifier_of(asked.earlier)
        )
        questions |= found
    entered = guess_entered(table, keys, register, asked)
    columns = guess_columns(table, keys, entered, asked)
    _refuse_nothing_to_compare(columns, delivered[0].pattern)
    cluster = choose_cluster(table, keys, columns, asked.cluster)
    design = propose_design(table, keys, entered, columns, cluster)
    columns = columns.only({str(c["column"]) for c in design.covariates.values()})
    columns = replace(columns, used=columns.used | design.broader)
    if register is not None:
        source |= _register_source(delivered[1])
    return Read(
        [d.pattern for d in delivered], asked, table, source, keys, register, entered, columns,
        design, go_by_earlier(asked.earlier, columns), identifier, questions,
    )  # fmt: skip


def _refuse_values_as_names(delivery: Delivery) -> None:
    """Raise DataError where names of columns are values of theirs: the file has no header."""
    table = delivery.table
    alike = [name for name in table.columns if (table[name].astype("str") == str(name)).any()]
    if len(alike) > 1:
        raise DataError(
            f"{delivery.pattern} has values for names of columns: {len(alike)} of the first row "
            "stand below it again; put a row of names above the values"
        )


def _refuse_few_columns(table: pd.DataFrame, panel: str) -> None:
    """Raise DataError where a panel has no room for a firm, a year and what is measured."""
    if len(table.columns) < 3:
        raise DataError(
            f"{panel} has {len(table.columns)} columns; a panel has a firm, a year and what is "
            "measured: check its delimiter, or give the panel itself"
        )


def _refuse_nothing_to_compare(columns: Columns, panel: str) -> None:
    """Raise DataError where a panel measures nothing, or nothing that entry does not decide."""
    if not columns.outcomes:
        raise DataError(
            f"{panel} measures nothing in numbers beside firm, year and entry: "
            "classes such as 10-19 are text; deliver a column of numbers by which firms compare"
        )
    if not columns.covariates:
        raise DataError(
            f"{panel} has no number by which firms compare: all that it measures is the same "
            "everywhere, tells the year alone or is decided by entry; deliver a column of numbers, "
            "such as age or sales, in which firms differ before entry"
        )


def _panel(
    delivery: Delivery, asked: ToldColumns
) -> tuple[pd.DataFrame, dict[str, Any], dict[str, str]]:
    """Bring yearly files and wide columns into one long table, with its source and questions."""
    table, questions = pointed(delivery.table, delivery.written), dict[str, str]()
    source: dict[str, Any] = {"panel": delivery.pattern} | _format(delivery.written, "format")
    if delivery.written.sheet is not None:
        questions["data.source.format.sheet"] = (
            f"is sheet {delivery.written.sheet} of {delivery.pattern} the right one?"
        )
    if delivery.partial:
        questions["data.source.rename"] = (
            f"some yearly files lack {', '.join(delivery.partial)}: is it called otherwise there?"
        )
    if delivery.years and year_is_in_names(table, delivery.year, asked):
        source["year_in_name"] = True
        questions |= asked_of_names(table, delivery.pattern)
        return table.assign(**{_YEAR: delivery.year}), source, questions
    dated = bool(columns_of_years(table))
    wide = wide_columns(table)
    if wide and (not dated or table.iloc[:, 0].is_unique):
        source["wide"] = {"columns": wide}
        table = long_layout(table, Wide(columns=wide), _YEAR)
    return table, source, questions


def _years_where_known(values: pd.Series) -> pd.Series:
    years = numbers(years_of(values))
    return years if years.notna().any() else values


def _format(written: FileFormat, key: str) -> dict[str, Any]:
    given = written.model_dump(exclude_defaults=True)
    return {key: given} if given else {}


def _register(others: list[Delivery], asked: ToldColumns, firm_id: str) -> RegisterGuess | None:
    if not others:
        return None
    return guess_register(pointed(others[0].table, others[0].written), asked, firm_id)


def _found_in_panel(
    table: pd.DataFrame, firm_id: str, register: RegisterGuess, earlier: dict[str, Any]
) -> tuple[pd.DataFrame, RegisterGuess, dict[str, Any], dict[str, str]]:
    """Write identifiers so that the register finds its firms, where a way of writing does it."""
    listed = register.columns["firm_id"]
    ids = register.table[listed]
    settings = guess_identifier(table[firm_id], ids, earlier)
    share = share_found(table[firm_id], ids, settings)
    if not settings:
        asked = {"data.register_columns.firm_id": _few_found(share, listed, firm_id)}
        return table, register, {}, asked if share < FEW_FOUND else {}
    before = share_found(table[firm_id], ids, {})
    rewritten = register.table.assign(**{listed: written(ids, settings, "register")})
    question = f"as delivered {before:.0%} of the register is in the panel, so written {share:.0%}"
    asked = {"clean.identifier": f"{question}: are they the same firms?"}
    return (
        table.assign(**{firm_id: written(table[firm_id], settings)}),
        replace(register, table=rewritten),
        settings,
        asked if settings != earlier else {},
    )


def _few_found(share: float, listed: str, firm_id: str) -> str:
    """Ask why most of a register is not in the panel; what follows is guessed without it."""
    return (
        f"only {share:.0%} of the register is in the panel: is {listed} there what {firm_id} is "
        "here? Else name it. Are they written otherwise? Declare clean.identifier in this section "
        "and start another study with --from this one: it reads that rule first, for window and "
        "covariates are guessed from the firms found. Or say at treatment.unfound why"
    )


def _register_source(delivery: Delivery) -> dict[str, Any]:
    return {"register_file": delivery.pattern} | _format(delivery.written, "register_format")
