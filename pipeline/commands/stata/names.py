"""Names and labels that Stata accepts: 32 characters for a variable, 80 for its label."""

import re
from collections.abc import Iterable

_NAME = 32
_LABEL = 80
_OTHER = re.compile(r"[^A-Za-z0-9_]")


def variable_names(stem: str, names: Iterable[str]) -> dict[str, str]:
    """Return a valid and different variable name `<stem>_<name>` for each name.

    A name too long is cut, and numbered where two then agree.
    """
    found: dict[str, str] = {}
    for name in names:
        whole = _OTHER.sub("_", f"{stem}_{name}")
        chosen, number = whole[:_NAME], 2
        while chosen in found.values():
            tail = f"_{number}"
            chosen, number = whole[: _NAME - len(tail)] + tail, number + 1
        found[name] = chosen
    return found


def label(text: str) -> str:
    """Return a label of at most 80 characters; a longer one ends in three dots."""
    line = " ".join(text.split())
    return line if len(line) <= _LABEL else f"{line[: _LABEL - 3]}..."
