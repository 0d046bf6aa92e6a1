"""Start a study: inspect delivered files and append a section to params.yaml that runs."""

import re
import shutil
from argparse import ArgumentParser, Namespace
from pathlib import Path

from pipeline.commands.start.section import start_section
from pipeline.datasets.complete import replacing, write_file
from pipeline.errors import ParamsError
from pipeline.params.settings import load_yaml
from stages.command import Answer, Command, run_command
from stages.run import PARAMS, Folders

_NOTES = {
    "raw": "# {study}\n\nQUESTION: source, licence, units, known gaps of what was delivered.\n",
    "rules": "# {study}: tables that the evaluation writes\n\nNone yet.\n",
}


def main(arguments: list[str] | None = None) -> None:
    """Copy the files to data/raw/<study>/, list the study and append its section."""
    run_command(Command("start", __doc__, _declare, _answer), arguments)


def _declare(parser: ArgumentParser) -> None:
    parser.add_argument("study", help="a name: a-z, 0-9 and _, a letter first")
    parser.add_argument("files", nargs="+", type=Path, help="the panel and, if any, the register")


def _answer(chosen: Namespace) -> Answer:
    start(chosen.study, chosen.files)
    return Answer(
        f"{PARAMS}: section {chosen.study}; answer its QUESTION lines, then `dvc repro`\n",
        {"study": chosen.study},
    )


def start(study: str, files: list[Path]) -> None:
    """Write everything that a new study needs; nothing where a file cannot be used."""
    if not re.fullmatch("[a-z][a-z0-9_]*", study):
        raise ParamsError(f"{study!r} is not a study name; use a-z, 0-9 and _, a letter first")
    if study in load_yaml(PARAMS):
        raise ParamsError(f"params.yaml has a section {study} already: choose another name")
    section = start_section(study, files)
    folders = Folders(study)
    made = [folder for folder in (folders.raw, folders.rules) if not folder.exists()]
    try:
        _copy(files, folders)
        text = PARAMS.read_text(encoding="utf-8").rstrip("\n") + "\n"
        head = re.compile(r"^studies:\n", flags=re.MULTILINE)
        listed = head.sub(f"studies:\n- {study}\n", text, count=1)
        write_file(PARAMS, (listed + section).encode("utf-8"))
    except OSError:
        for folder in made:
            shutil.rmtree(folder, ignore_errors=True)
        raise


def _copy(files: list[Path], folders: Folders) -> None:
    for folder, note in ((folders.raw, _NOTES["raw"]), (folders.rules, _NOTES["rules"])):
        write_file(folder / "README.md", note.format(study=folders.study).encode("utf-8"))
    for file in files:
        with replacing(folders.raw / file.name) as fresh:
            shutil.copyfile(file, fresh)


if __name__ == "__main__":
    main()
