"""Start a study: inspect delivered files and append a section to params.yaml that runs."""

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipeline.commands.add import refuse_name
from pipeline.commands.params_text import with_study
from pipeline.commands.start.asked import ToldColumns
from pipeline.commands.start.questions import all_questions
from pipeline.commands.start.read import Read, read_files
from pipeline.commands.start.screen import screen
from pipeline.commands.start.section import study_text
from pipeline.commands.undo import all_or_nothing
from pipeline.errors import DataError
from pipeline.params.settings import load_yaml, study_block
from stages.command import Command, Reply, run_command
from stages.run import PARAMS, Folders

_NOTES = {
    "raw": "# {study}\n\nQUESTION: source, licence, units, known gaps of what was delivered.\n",
    "rules": "# {study}: tables that the evaluation writes\n\nNone yet.\n",
}


def main(arguments: list[str] | None = None) -> None:
    """Copy the files to data/raw/<study>/, list the study and append its section."""
    run_command(Command("start", __doc__, _declare, _reply), arguments)


def _declare(parser: ArgumentParser) -> None:
    parser.add_argument("study", help="a name: a-z, 0-9 and _, a letter first")
    parser.add_argument("files", nargs="+", type=Path, help="the panel and, if any, the register")
    parser.add_argument("--id", metavar="COLUMN", help="who a row is of")
    parser.add_argument(
        "--year",
        metavar="COLUMN",
        help="the year, wave or other period of a row; else the year in the names of yearly files, "
        "where no column agrees with it",
    )
    parser.add_argument(
        "--entry", metavar="COLUMN", help="when a firm entered; or one year, with --treated"
    )
    parser.add_argument("--treated", metavar="COLUMN", help="0 and 1: whether a firm has support")
    for name, told in (("cluster", "where support was given out"), ("outcome", "what may move")):
        parser.add_argument(
            f"--{name}", metavar="COLUMN", action="append", default=[], help=f"{told}; repeatable"
        )
    parser.add_argument(
        "--from", dest="earlier", metavar="STUDY", help="go by its columns, rules and outcomes"
    )


def _reply(chosen: Namespace) -> Reply:
    asked = ToldColumns(
        firm_id=chosen.id,
        year=chosen.year,
        entry=chosen.entry,
        treated=chosen.treated,
        cluster=chosen.cluster,
        outcomes=chosen.outcome,
        earlier=_earlier(chosen.earlier),
        earlier_study=chosen.earlier,
    )
    read = start(chosen.study, chosen.files, asked)
    found = {"study": chosen.study, "questions": all_questions(read)}
    return Reply(screen(chosen.study, read), found)


def _earlier(study: str | None) -> dict[str, Any]:
    return {} if study is None else study_block(load_yaml(PARAMS), study)


def start(study: str, files: list[Path], asked: ToldColumns | None = None) -> Read:
    """Write everything that a new study needs; nothing where a file cannot be used."""
    refuse_name(load_yaml(PARAMS), study)
    read, folders = read_files(files, asked or ToldColumns()), Folders(study)
    with all_or_nothing(Path(), Path("data") / f".started-{study}") as changes:
        for folder, note in ((folders.raw, _NOTES["raw"]), (folders.rules, _NOTES["rules"])):
            changes.write(folder / "README.md", note.format(study=study).encode("utf-8"))
        for file in files:
            changes.copy(file, folders.raw / file.name)
        for source, place in _rules_files(read, folders.rules):
            changes.copy(source, place)
        section = study_text(study, read)
        text = with_study(PARAMS.read_bytes().decode("utf-8"), study, section)
        changes.write(PARAMS, text.encode("utf-8"))
    return read


def _rules_files(read: Read, rules: Path) -> Iterator[tuple[Path, Path]]:
    """Yield where each table of the earlier study's rules is, and where it goes."""
    for file in read.earlier.files:
        source = rules.parent / str(read.asked.earlier_study) / file
        if not source.is_file():
            raise DataError(
                f"{source.as_posix()}, which section clean of {read.asked.earlier_study} names, "
                "does not exist: put it there, or take the rule that reads it out of that section"
            )
        yield source, rules / file


if __name__ == "__main__":
    main()
