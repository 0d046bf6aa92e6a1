"""Walk sections of settings: every option that there is, and every rule that is set.

A rule is a group of options: `clean.tails`. The name of one of several (a column, a design), or
its number in a list, is its place, which is no part of an option's path.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, get_args

from pydantic import BaseModel, RootModel
from pydantic.fields import FieldInfo

from pipeline.params.settings import Settings


@dataclass(frozen=True)
class Option:
    """Hold one option: the rule that it is of, its name, and where it is declared."""

    rule: str
    name: str
    declared_in: type[BaseModel]
    field: FieldInfo

    @property
    def path(self) -> str:
        """Return rule and name: `clean.tails.method`."""
        return f"{self.rule}.{self.name}"


@dataclass(frozen=True)
class SetRule:
    """Hold the options of one rule as they are set, with its place among its like, if any."""

    code: str
    place: str | None
    options: dict[str, Any]


def options_of(model: type[BaseModel], rule: str) -> Iterator[Option]:
    """Yield every option of a section's model, with those of all kinds of a rule.

    Kinds that share an option each yield it.
    """
    for name, field in model.model_fields.items():
        nested = _models(field.annotation)
        for inner in nested:
            yield from options_of(inner, rule if issubclass(model, RootModel) else f"{rule}.{name}")
        if not nested:
            yield Option(rule, name, model, field)


def rules_of(settings: Settings, code: str, place: str | None = None) -> Iterator[SetRule]:
    """Yield the section's own options, if any, then the rules in it, defaults filled in."""
    fields = type(settings).model_fields
    nested = [name for name, field in fields.items() if _models(field.annotation)]
    own = {name: getattr(settings, name) for name in fields if name not in nested}
    if own:
        yield SetRule(code, place, own)
    for name in nested:
        for own_place, inner in _settings_in(getattr(settings, name)):
            yield from rules_of(inner, f"{code}.{name}", own_place or place)


def _settings_in(value: Any) -> Iterator[tuple[str | None, Settings]]:
    """Yield the settings that a value is, or holds by name or number."""
    if isinstance(value, Settings):
        yield None, value
    elif isinstance(value, dict):
        yield from value.items()
    elif isinstance(value, list):
        yield from ((str(number), item) for number, item in enumerate(value))


def _models(annotation: Any) -> list[type[BaseModel]]:
    """Return the models of settings that an annotation names, in lists, keys and choices too."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    found = [model for part in get_args(annotation) for model in _models(part)]
    return list(dict.fromkeys(found))
