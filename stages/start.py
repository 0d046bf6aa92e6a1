"""Start a study: inspect delivered files and append a section to params.yaml that runs."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from pipeline.commands.add import refuse_name
from pipeline.commands.params_text import with_study
from pipeline.commands.start.section import start_section
from pipeline.commands.undo import all_or_nothing
from pipeline.params.settings import load_yaml
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


def _reply(chosen: Namespace) -> Reply:
    start(chosen.study, chosen.files)
    return Reply(
        f"{PARAMS}: section {chosen.study}; answer its QUESTION lines, then `dvc repro`\n",
        {"study": chosen.study},
    )


def start(study: str, files: list[Path]) -> None:
    """Write everything that a new study needs; nothing where a file cannot be used."""
    refuse_name(load_yaml(PARAMS), study)
    section, folders = start_section(study, files), Folders(study)
    with all_or_nothing(Path(), Path("data") / f".started-{study}") as changes:
        for folder, note in ((folders.raw, _NOTES["raw"]), (folders.rules, _NOTES["rules"])):
            changes.write(folder / "README.md", note.format(study=study).encode("utf-8"))
        for file in files:
            changes.copy(file, folders.raw / file.name)
        text = with_study(PARAMS.read_bytes().decode("utf-8"), study, section)
        changes.write(PARAMS, text.encode("utf-8"))


if __name__ == "__main__":
    main()
