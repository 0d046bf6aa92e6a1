r"""Find \result{...} keys in LaTeX files that no study's numbers know.

LaTeX stops at the first unknown key; this names all of them at once, with the nearest known one,
and needs no LaTeX. Standard library only: it answers at once, from a text editor too.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from pipeline.errors import ParamsError

_KEY = re.compile(r"\\result\s*\{(?P<key>[^{}]*)\}")
_COMMENT = re.compile(r"(?<!\\)((?:\\\\)*)%[^\n]*")
# A key made by a command or an argument of one is known only when LaTeX runs.
_MADE = re.compile(r"[\\#]")


@dataclass(frozen=True)
class KeysUsed:
    """Count the keys of some files, and hold what is wrong and what cannot be told."""

    n_keys: int
    unknown: list[str]
    made_by_commands: list[str]


def check_keys(files: list[Path], known: set[str]) -> KeysUsed:
    """Look up every key of the files, comments left out; raise ParamsError for an absent file."""
    unknown, made, count = [], [], 0
    for file in files:
        for line, key in _keys(_text(file)):
            count += 1
            if _MADE.search(key):
                made.append(f"{file}:{line}: {key} is made by a command: LaTeX will check it")
            elif key not in known:
                unknown.append(f"{file}:{line}: {key} is unknown{_nearest(key, known)}")
    return KeysUsed(count, unknown, made)


def known_keys(root: Path) -> set[str]:
    """Return the keys of every reports/<study>/numbers.json; raise ParamsError where none is."""
    files = sorted((root / "reports").glob("*/numbers.json"))
    if not files:
        raise ParamsError("no reports/<study>/numbers.json here: run from the project's folder")
    return {key for file in files for key in json.loads(file.read_text(encoding="utf-8"))}


def _keys(text: str) -> Iterator[tuple[int, str]]:
    """Yield (line, key); the line is that of the command, blanks around a key count."""
    uncommented = _COMMENT.sub(r"\1", text)
    for match in _KEY.finditer(uncommented):
        yield uncommented.count("\n", 0, match.start()) + 1, match["key"]


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ParamsError(f"{file} does not exist") from None
    except UnicodeDecodeError:
        return file.read_text(encoding="latin-1")


def _nearest(key: str, known: set[str]) -> str:
    near = get_close_matches(key.strip(), sorted(known), n=1, cutoff=0.6)
    return f"; did you mean {near[0]}?" if near else ""
