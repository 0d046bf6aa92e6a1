"""Name every single setting by its full path, as `dvc params diff` does."""

from collections.abc import Iterator
from typing import Any


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield (full path, value as written); sections in lists go by name, or by their number.

    A list of sections with names hence gives what the same sections give keyed by name. Lists of
    values stay whole.
    """
    if isinstance(value, dict):
        children = list(value.items())
    elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
        named = have_names(value)
        parts = [{k: v for k, v in s.items() if k != "name"} for s in value] if named else value
        children = list(zip(places(value), parts, strict=True))
    else:
        yield path, _shown(value)
        return
    for key, child in children:
        yield from leaves(child, f"{path}.{key}" if path else str(key))


def have_names(items: list[Any]) -> bool:
    """Say whether the items of a list are sections that each have a `name` of their own."""
    names = [item.get("name") if isinstance(item, dict) else None for item in items]
    return all(isinstance(name, str) for name in names) and len(set(names)) == len(names)


def places(items: list[Any]) -> list[str]:
    """Return what stands for each item of a list in a path: its name, or else its number."""
    if have_names(items):
        return [str(item["name"]) for item in items]
    return [str(number) for number in range(len(items))]


def _shown(value: Any) -> str:
    """Return a value as params.yaml writes it."""
    if isinstance(value, list):
        return "[" + ", ".join(_shown(item) for item in value) + "]"
    words = {None: "null", True: "true", False: "false"}
    return words[value] if value is None or isinstance(value, bool) else str(value)
