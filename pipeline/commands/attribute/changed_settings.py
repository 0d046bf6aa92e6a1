"""Which settings of a study differ between two states, and the study with some of them changed.

Sections in lists go by their names, so that a place in a list says nothing. What only one state has
(a design that was added) is one setting, whatever it holds.
"""

import copy
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from pipeline.params.leaves import have_names, leaves

_Path = tuple[str, ...]
_ABSENT = object()


class _Named(dict[str, Any]):
    """Hold sections that params.yaml has as a list, by name."""


@dataclass(frozen=True)
class Setting:
    """Hold one setting that differs, or several that stand only together; values as written."""

    paths: tuple[_Path, ...]
    before: tuple[str, ...]
    after: tuple[str, ...]

    @property
    def names(self) -> list[str]:
        """Return the full paths below the study."""
        return [".".join(path) for path in self.paths]

    @property
    def label(self) -> str:
        """Return the last key, which tells it from most others."""
        more = f" and {len(self.paths) - 1} more" if len(self.paths) > 1 else ""
        return f"{self.paths[0][-1]}{more}"

    def joined(self, other: "Setting") -> "Setting":
        """Return both as one."""
        return Setting(
            self.paths + other.paths, self.before + other.before, self.after + other.after
        )


class Change:
    """Hold a study's section in two states, and the settings that differ."""

    def __init__(self, before: dict[str, Any], after: dict[str, Any]) -> None:
        self._before, self._after = _keyed(before), _keyed(after)
        self.settings = [
            Setting((path,), (_shown(self._before, path),), (_shown(self._after, path),))
            for path in _differences(self._before, self._after)
        ]

    def section(self, chosen: Collection[Setting]) -> dict[str, Any]:
        """Return the section as it was before, the chosen settings as they are after."""
        if len(chosen) == len(self.settings):
            return dict(_plain(self._after))
        tree = copy.deepcopy(self._before)
        for setting in chosen:
            for path in setting.paths:
                _put(tree, path, _at(self._after, path))
        return dict(_plain(tree))

    def join(self, together: Collection[Setting]) -> None:
        """Take several settings as one, in the place of the first."""
        first, *others = [setting for setting in self.settings if setting in together]
        joint = first
        for other in others:
            joint = joint.joined(other)
        kept = [joint if s == first else s for s in self.settings if s not in others]
        self.settings = kept


def _keyed(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _keyed(child) for key, child in value.items()}
    if isinstance(value, list) and value and have_names(value):
        parts = {s["name"]: {k: v for k, v in s.items() if k != "name"} for s in value}
        return _Named({name: _keyed(part) for name, part in parts.items()})
    return value


def _plain(value: Any) -> Any:
    if isinstance(value, _Named):
        return [{"name": name, **_plain(part)} for name, part in value.items()]
    if isinstance(value, dict):
        return {key: _plain(child) for key, child in value.items()}
    return value


def _differences(before: Any, after: Any, path: _Path = ()) -> Iterator[_Path]:
    if isinstance(before, dict) and isinstance(after, dict):
        for key in [*before, *(key for key in after if key not in before)]:
            one, two = before.get(key, _ABSENT), after.get(key, _ABSENT)
            yield from _differences(one, two, (*path, key))
    elif before is _ABSENT or after is _ABSENT or before != after:
        yield path


def _at(tree: Any, path: _Path) -> Any:
    for key in path:
        tree = tree.get(key, _ABSENT)
    return tree


def _put(tree: Any, path: _Path, value: Any) -> None:
    *parents, last = path
    for key in parents:
        tree = tree[key]
    if value is _ABSENT:
        tree.pop(last, None)
    else:
        tree[last] = copy.deepcopy(value)


def _shown(tree: Any, path: _Path) -> str:
    """Return a value as params.yaml writes it; of a section how many settings it holds."""
    value = _at(tree, path)
    if value is _ABSENT:
        return "absent"
    if not isinstance(value, dict):
        return next(iter(leaves(value)))[1]
    n_settings = sum(1 for _ in leaves(_plain(value)))
    return f"{n_settings} settings"
