"""Name every single setting by its full path, as `dvc params diff` does."""

from collections.abc import Iterator
from typing import Any


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield (full path, value as written); lists of sections are numbered, others stay whole."""
    if isinstance(value, dict):
        children = list(value.items())
    elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
        children = list(enumerate(value))
    else:
        yield path, _shown(value)
        return
    for key, child in children:
        yield from leaves(child, f"{path}.{key}" if path else str(key))


def _shown(value: Any) -> str:
    """Return a value as params.yaml writes it."""
    if isinstance(value, list):
        return "[" + ", ".join(_shown(item) for item in value) + "]"
    words = {None: "null", True: "true", False: "false"}
    return words[value] if value is None or isinstance(value, bool) else str(value)
