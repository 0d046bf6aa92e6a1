"""Values as params.yaml writes them: on one line, or one a line."""

import json
import re
from typing import Any

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*")
# What YAML reads as something else than the text.
_WORDS = {"null", "true", "false", "yes", "no", "on", "off", "y", "n"}


def quoted(text: str) -> str:
    """Return text as YAML takes it whatever is in it: JSON is YAML."""
    return json.dumps(text, ensure_ascii=False)


def flow(value: Any) -> str:
    """Return a value on one line, as params.yaml holds it."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{flow(k)}: {flow(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(flow, value)) + "]"
    if isinstance(value, str):
        is_plain = _PLAIN.fullmatch(value) and value.lower() not in _WORDS
        return value if is_plain else quoted(value)
    if isinstance(value, float):
        return f"{value:g}"
    return json.dumps(value)


def block(values: dict[str, Any], indent: int, key: str = "", comment: str = "") -> str:
    """Return one line a value, indented; below a key and its comment where it has one."""
    if not values:
        return ""
    pad = "\n" + " " * indent
    above = f"\n{' ' * (indent - 2)}# {comment}" * bool(comment)
    head = f"{above}\n{' ' * (indent - 2)}{key}:" if key else ""
    return head + "".join(f"{pad}{flow(k)}: {flow(v)}" for k, v in values.items())


def lines(values: list[str], indent: int) -> str:
    """Return a list, one value a line."""
    return "".join(f"\n{' ' * indent}- {flow(value)}" for value in values)
