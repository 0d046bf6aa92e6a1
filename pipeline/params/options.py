"""Walk sections of settings: every option that there is, and every rule that is set.

A rule is a group of options with a code: `clean_tails`. The name of one of several (a column, a
design), or its number in a list, is its place, for which a star stands in an option's path.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, get_args, get_origin

from pydantic import BaseModel, RootModel
from pydantic.fields import FieldInfo

from pipeline.params.settings import Settings


@dataclass(frozen=True)
class Option:
    """Hold one option: the rule that it is of, its name, its path in params, who declares it.

    A star in the path stands for the names or numbers of several.
    """

    rule: str
    name: str
    path: str
    declared_in: type[BaseModel]
    field: FieldInfo

    @property
    def code(self) -> str:
        """Return rule and name: `clean_tails.method`."""
        return f"{self.rule}.{self.name}"


@dataclass(frozen=True)
class SetRule:
    """Hold the options of one rule as they are set, with its place among its like, if any."""

    code: str
    place: str | None
    options: dict[str, Any]


def options_of(model: type[BaseModel], rule: str, path: str = "") -> Iterator[Option]:
    """Yield every option of a section's model, with those of all kinds of a rule.

    Kinds that share an option each yield it.
    """
    here = path or rule
    for name, field in model.model_fields.items():
        nested = _models(field.annotation)
        is_root = issubclass(model, RootModel)
        star = ".*" if _is_several(field.annotation) else ""
        for inner in nested:
            code, at = (rule, here) if is_root else (f"{rule}_{name}", f"{here}.{name}")
            yield from options_of(inner, code, f"{at}{star}")
        if not nested:
            yield Option(rule, name, f"{here}.{name}", model, field)


def rules_of(settings: Settings, code: str, place: str | None = None) -> Iterator[SetRule]:
    """Yield the section's own options, if any, then the rules in it, defaults filled in."""
    fields = type(settings).model_fields
    nested = [name for name, field in fields.items() if _models(field.annotation)]
    own = {name: getattr(settings, name) for name in fields if name not in nested}
    if own:
        yield SetRule(code, place, own)
    for name in nested:
        for own_place, inner in _settings_in(getattr(settings, name)):
            yield from rules_of(inner, f"{code}_{name}", own_place or place)


def _settings_in(value: Any) -> Iterator[tuple[str | None, Settings]]:
    """Yield the settings that a value is, or holds by name or number."""
    if isinstance(value, Settings):
        yield None, value
    elif isinstance(value, dict):
        yield from value.items()
    elif isinstance(value, list):
        yield from ((str(number), item) for number, item in enumerate(value))


def _is_several(annotation: Any) -> bool:
    """Say whether an annotation is of a list, or of a mapping by name."""
    return get_origin(annotation) in (dict, list)


def _models(annotation: Any) -> list[type[BaseModel]]:
    """Return the models of settings that an annotation names, in lists, keys and choices too."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    found = [model for part in get_args(annotation) for model in _models(part)]
    return list(dict.fromkeys(found))
