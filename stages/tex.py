r"""Check that LaTeX files quote known numbers only, by \result{key}; name the unknown."""

from argparse import ArgumentParser, Namespace
from dataclasses import asdict
from pathlib import Path

from pipeline.commands.audit.tex_keys import (
    KeyUsed,
    UnknownKeysError,
    check_keys,
    known_keys,
    quotable_keys,
)
from stages.command import Command, Reply, run_command


def main(arguments: list[str] | None = None) -> None:
    """Print unknown keys with file, line and the nearest known key; exit 2 if there are any."""
    run_command(Command("tex", __doc__, _declare, _reply), arguments)


def _declare(parser: ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", type=Path, help="LaTeX files")


def _reply(chosen: Namespace) -> Reply:
    found = check_keys(chosen.files, known_keys(Path()), quotable_keys(Path()))
    lines = [_in_words(key, "is made by a command: LaTeX will check it") for key in found.made]
    lines += [_in_words(key, f"is unknown{_nearest(key)}") for key in found.unknown]
    counted = f"{found.n_keys} keys, {len(found.unknown)} unknown"
    return Reply(
        "\n".join([*lines, counted]) + "\n",
        asdict(found),
        UnknownKeysError(counted) if found.unknown else None,
    )


def _in_words(key: KeyUsed, what: str) -> str:
    return f"{key.file}:{key.line}: {key.key} {what}"


def _nearest(key: KeyUsed) -> str:
    if key.quotable:
        return "; exhibit.quote in params.yaml adds it to the numbers"
    return f"; did you mean {key.nearest}?" if key.nearest else ""


if __name__ == "__main__":
    main()
