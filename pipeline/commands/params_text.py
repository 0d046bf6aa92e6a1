"""Put a study into the text of params.yaml and take one out; every other character stays.

The same serves dvc.lock. What comes out is read again and held against what was meant, so that an
unusual way of writing YAML is refused and never spoilt.
"""

from collections.abc import Collection, Iterable
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import MappingNode, Node, SequenceNode

from pipeline.errors import ParamsError

_LIST = "studies"
_BY_HAND = (
    "the file is not written one section below another, or a section uses an anchor of another: "
    "edit it by hand"
)

# Where a part of the text begins and ends, and what stands there instead.
_Cut = tuple[int, int, str]


def with_study(text: str, study: str, section: str) -> str:
    """Return the text with the study first in `studies:` and its section, as written, at the end.

    `section` is a mapping of its own, with the study's name as its only key.
    """
    text = text.rstrip("\n") + "\n"
    place, entry = _insertion(_value(_block(text), _LIST), text)
    new = text[:place] + entry.format(study) + text[place:] + section
    before = _content(text)
    names = [study, *(before[_LIST] or [])]
    return _held(new, before | {_LIST: names, study: _content(section)[study]})


def without_study(text: str, study: str) -> str:
    """Return the text without the study's section and without its name in `studies:`."""
    before, block = _content(text), _block(text)
    cuts = [*_entries(text, block, {study}), *_name(text, _value(block, _LIST), study)]
    left = [name for name in before[_LIST] or [] if name != study] or None
    kept = {name: value for name, value in before.items() if name != study}
    return _held(_cut(text, cuts), kept | {_LIST: left})


def without_stages(lock: str, stages: Collection[str]) -> str:
    """Return the text of dvc.lock without some of its stages."""
    block, before = _value(_block(lock), "stages"), _content(lock)
    if not isinstance(block, MappingNode):
        return lock
    kept = {name: entry for name, entry in before["stages"].items() if name not in stages}
    return _held(_cut(lock, _entries(lock, block, stages)), before | {"stages": kept or None})


def _cut(text: str, cuts: Iterable[_Cut]) -> str:
    """Return the text with parts of it left out or replaced."""
    for start, end, instead in sorted(cuts, reverse=True):
        text = text[:start] + instead + text[end:]
    return text


def _entries(text: str, block: MappingNode, names: Collection[str]) -> list[_Cut]:
    """Return the parts that are entries of a mapping; comments above an entry go with it."""
    keys = [key for key, _ in block.value]
    starts = [_start(text, key) for key in keys]
    parts = zip(keys, starts, [*starts[1:], len(text)], strict=True)
    return [(start, end, "") for key, start, end in parts if key.value in names]


def _start(text: str, key: Node) -> int:
    """Return where the line of a key begins, or the comments and blank lines above it."""
    start = key.start_mark.index - key.start_mark.column
    while start:
        above = text.rfind("\n", 0, start - 1) + 1
        line = text[above:start].strip()
        if line and not text[above:start].startswith("#"):
            return int(start)
        start = above
    # what stands above everything belongs to the file
    return int(key.start_mark.index - key.start_mark.column)


def _insertion(names: Node, text: str) -> tuple[int, str]:
    """Return where a first name of the list goes, and how it is written there."""
    if isinstance(names, SequenceNode) and names.flow_style:
        return names.start_mark.index + 1, "{}, " if names.value else "{}"
    if isinstance(names, SequenceNode):
        column = names.start_mark.column
        return names.start_mark.index - column, f"{' ' * column}- {{}}\n"
    return text.find("\n", names.start_mark.index - 1) + 1, "- {}\n"


def _name(text: str, names: Node, study: str) -> list[_Cut]:
    """Return the parts of the list that name a study."""
    if not isinstance(names, SequenceNode):
        return []
    if names.flow_style:
        left = ", ".join(name.value for name in names.value if name.value != study)
        return [(names.start_mark.index, names.end_mark.index, f"[{left}]" if left else "")]
    starts = [
        text.rfind("\n", 0, name.start_mark.index) + 1
        for name in names.value
        if name.value == study
    ]
    return [(start, text.find("\n", start) + 1, "") for start in starts]


def _block(text: str) -> MappingNode:
    node = YAML(pure=True).compose(text)
    if not isinstance(node, MappingNode):
        raise ParamsError(_BY_HAND)
    return node


def _value(block: MappingNode, name: str) -> Node:
    values: dict[str, Node] = {key.value: value for key, value in block.value}
    if name not in values:
        raise ParamsError(f"{name}: is missing")
    return values[name]


def _content(text: str) -> dict[str, Any]:
    try:
        return dict(YAML(typ="safe", pure=True).load(text))
    except YAMLError:
        raise ParamsError(_BY_HAND) from None


def _held(text: str, meant: dict[str, Any]) -> str:
    """Return the text if it says what was meant; raise ParamsError where it does not."""
    if _content(text) != meant:
        raise ParamsError(_BY_HAND)
    return text
