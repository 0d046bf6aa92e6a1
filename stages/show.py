"""Print the committed main table of a study, or another one, in the terminal."""

import csv
import io
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Any

from pipeline.commands.audit.rebuild import published_results
from pipeline.errors import ParamsError
from pipeline.exhibits.inputs import StudyResults
from pipeline.exhibits.render.table_csv import render_csv
from pipeline.exhibits.render.terminal import render_text
from pipeline.exhibits.tables.table import Table
from pipeline.publishing.study import study_tables
from stages.command import Command, Reply, run_command


def main(arguments: list[str] | None = None) -> None:
    """Print every part of the table asked for, or the one part that a file name names."""
    run_command(Command("show", __doc__, _declare, _reply), arguments)


def _declare(parser: ArgumentParser) -> None:
    parser.add_argument("study", help="a study of params.yaml")
    parser.add_argument("table", nargs="?", default="main_effects", help="its key, or a file name")
    parser.add_argument("--arm", help="an arm of the study; the headline's if absent")


def _reply(chosen: Namespace) -> Reply:
    results = _of_arm(published_results(Path(), chosen.study), chosen.arm)
    tables = study_tables(results)
    asked = chosen.table
    shown = {name: t for name, t in tables.items() if asked in (name, t.part.table)}
    if not shown:
        raise ParamsError(f"{chosen.study} has no table {asked}; it has {', '.join(tables)}")
    with results.speaking():
        text = "\n".join(map(render_text, shown.values()))
        data = [{"table": name, **_data(table)} for name, table in shown.items()]
    return Reply(text, {"study": chosen.study, "tables": data})


def _of_arm(results: StudyResults, name: str | None) -> StudyResults:
    """Return the results of an arm; raise ParamsError where there is none, or it has none."""
    if name is None:
        return results
    arm = results.settings.treatment.one_arm(name)
    if arm not in results.arms:
        raise ParamsError(
            f"arm {arm} of {results.study} has no results; `impact show {results.study} arms` "
            "tells why"
        )
    return results.arms[arm]


def _data(table: Table) -> dict[str, Any]:
    """Return a table's figures, unrounded, one by one, and its notes."""
    figures = list(csv.DictReader(io.StringIO(render_csv(table))))
    return {"figures": figures, "notes": list(table.notes)}


if __name__ == "__main__":
    main()
