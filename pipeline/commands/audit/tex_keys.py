r"""Find \result{...} keys in LaTeX files that no study's numbers know.

LaTeX stops at the first unknown key; this names all of them at once, with the nearest known one,
and needs no LaTeX. Standard library only: it answers at once, from a text editor too.
"""

import json
import re
from collections.abc import Iterator, Set
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path

from pipeline.errors import EvaluationError, ParamsError

_KEY = re.compile(r"\\result\s*\{(?P<key>[^{}]*)\}")
_COMMENT = re.compile(r"(?<!\\)((?:\\\\)*)%[^\n]*")
# A key made by a command or an argument of one is known only when LaTeX runs.
_MADE = re.compile(r"[\\#]")


class UnknownKeysError(EvaluationError):
    """Report keys that no study's numbers know: whoever writes the report must act."""


@dataclass(frozen=True)
class KeyUsed:
    """Hold one key and where it stands; the nearest known one, where it is unknown and one is.

    `quotable` says whether `exhibit.quote` would bring the key.
    """

    file: str
    line: int
    key: str
    nearest: str | None = None
    quotable: bool = False


@dataclass(frozen=True)
class KeysUsed:
    """Count the keys of some files; hold those unknown and those that only LaTeX can tell."""

    n_keys: int
    unknown: list[KeyUsed]
    made: list[KeyUsed]


def check_keys(files: list[Path], known: set[str], every: Set[str] = frozenset()) -> KeysUsed:
    """Look up every key of the files, comments left out; raise ParamsError for an absent file.

    `every` holds the keys that studies could quote.
    """
    used = [KeyUsed(str(file), line, key) for file in files for line, key in _keys(_text(file))]
    unknown = [key for key in used if key.key not in known and not _MADE.search(key.key)]
    return KeysUsed(
        n_keys=len(used),
        unknown=[
            replace(key, nearest=_nearest(key.key, known), quotable=key.key in every)
            for key in unknown
        ],
        made=[key for key in used if _MADE.search(key.key)],
    )


def known_keys(root: Path) -> set[str]:
    """Return the keys of every reports/<study>/numbers.json; raise ParamsError where none is."""
    files = sorted((root / "reports").glob("*/numbers.json"))
    if not files:
        raise ParamsError("no reports/<study>/numbers.json here: run from the project's folder")
    return {key for file in files for key in json.loads(file.read_text(encoding="utf-8"))}


def quotable_keys(root: Path) -> set[str]:
    """Return the keys of every reports/<study>/numbers_all.json."""
    files = (root / "reports").glob("*/numbers_all.json")
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


def _nearest(key: str, known: set[str]) -> str | None:
    near = get_close_matches(key.strip(), sorted(known), n=1, cutoff=0.6)
    return near[0] if near else None
