"""Read sections of params.yaml into frozen, checked settings.

YAML 1.2 by ruamel.yaml, as DVC reads it (PyYAML reads `1e-3` as text and `on` as true).
Each fault becomes one line: full path, value found, nearest known key.
"""

import re
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Strict, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from pipeline.errors import ParamsError
from pipeline.params.leaves import places


class Settings(BaseModel):
    """Hold one block of settings: immutable, without unknown keys, numbers without quotes."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, strict=True)


# YAML knows lists only: a pair is written as a list of two.
IntegerPair = Annotated[tuple[int, int], Strict(False)]


# A default that could not be made because another key has a fault, which is told.
_CONSEQUENCE = "default_factory_not_called"

_BLOCK = "write a block, one `key: value` a line"
_LIST = "write a list, one value a line with a dash in front"

# What a value must be, by the name that pydantic gives the fault, with the fields that it gives.
_WORDS = {
    "bool_type": "write true or false, without quotes",
    "int_type": "write a whole number",
    "int_from_float": "write a whole number",
    "float_type": "write a number",
    "finite_number": "write a finite number",
    "string_type": "write a text, in quotes where it looks like a number",
    "list_type": _LIST,
    "tuple_type": _LIST,
    "dict_type": _BLOCK,
    "model_type": _BLOCK,
    "model_attributes_type": _BLOCK,
    "none_required": "write null",
    "literal_error": "write {expected}",
    "enum": "write {expected}",
    "greater_than": "must be above {gt}",
    "greater_than_equal": "must be {ge} or more",
    "less_than": "must be below {lt}",
    "less_than_equal": "must be {le} or less",
    "too_short": "needs {min_length} or more, not {actual_length}",
    "too_long": "takes {max_length} or fewer, not {actual_length}",
    "string_too_short": "needs {min_length} or more characters",
    "string_too_long": "takes {max_length} or fewer characters",
    "string_pattern_mismatch": "must match {pattern}",
    "union_tag_invalid": "{discriminator} is '{tag}': write {expected_tags}",
    "union_tag_not_found": "{discriminator} is missing: it says which settings there are",
}

Section = TypeVar("Section", bound=Settings)


def load_yaml(path: Path) -> dict[str, Any]:
    """Read params.yaml as plain dictionaries; raise ParamsError where it is not valid YAML."""
    try:
        content = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ParamsError(f"{path} is missing: run from the folder that holds it") from None
    except (YAMLError, UnicodeDecodeError) as error:
        raise ParamsError(f"{path} is not valid YAML: {_yaml_fault(error)}") from None
    if not isinstance(content, dict):
        raise ParamsError(f"{path} holds no settings: expected `studies:` and one section a study")
    return content


def read_value(text: str) -> Any:
    """Return one value as params.yaml would hold it."""
    return YAML(typ="safe", pure=True).load(text)


def study_names(content: dict[str, Any]) -> list[str]:
    """Return the studies that `studies:` lists; raise ParamsError where it is not a list."""
    names = content.get("studies")
    if not isinstance(names, list) or not names or not all(isinstance(n, str) for n in names):
        raise ParamsError("studies must be a list of study names, one per line, dashes in front")
    return names


def study_block(content: dict[str, Any], study: str) -> dict[str, Any]:
    """Return the block of one study; raise ParamsError naming the studies that exist."""
    block = content.get(study)
    if not isinstance(block, dict):
        known = [name for name in content if name != "studies"]
        raise ParamsError(
            f"{study} is not a study in params.yaml{nearest_known(study, known)}; "
            f"it has {', '.join(known) or 'none'}"
        )
    return block


def parse_section(block: dict[str, Any], study: str, section: str, model: type[Section]) -> Section:
    """Check one section of a study's block against its model."""
    if section not in block:
        raise ParamsError(f"{study}.{section} is missing: every study needs this section")
    try:
        return model.model_validate(block[section])
    except ValidationError as error:
        raise ParamsError(
            "\n".join(_faults(error, block[section], f"{study}.{section}", model))
        ) from None


def _faults(error: ValidationError, content: Any, prefix: str, model: type[BaseModel]) -> list[str]:
    """Turn a pydantic error into one line per fault: path, rule, value found, nearest key."""
    return [
        _describe(fault, _keys_written(fault, content), prefix, model)
        for fault in error.errors()
        if fault["type"] != _CONSEQUENCE
    ]


def _keys_written(fault: Any, content: Any) -> list[str]:
    """Return a fault's path as the file has it, without the tags that pydantic puts between.

    Where a key chooses among kinds of settings (`method: nearest`), the path that pydantic
    reports names the kind too, which is no key of the file. Sections in a list go by their name;
    those keyed by name are checked as a list, so that pydantic reports their number.
    """
    written = []
    for part in fault["loc"]:
        if isinstance(content, list) and part in range(len(content)):
            written.append(places(content)[part])
            content = content[part]
        elif isinstance(content, dict) and (part in content or isinstance(part, int)):
            key = part if part in content else list(content)[part]
            written.append(str(key))
            content = content[key]
    return [*written, str(fault["loc"][-1])] if fault["type"] == "missing" else written


def _describe(fault: Any, location: list[str], prefix: str, model: type[BaseModel]) -> str:
    path = ".".join([prefix, *location])
    if fault["type"] == "extra_forbidden":
        known = sorted(_known_keys(model))
        return f"{path} is not a setting{nearest_known(location[-1], known)}"
    if fault["type"] == "missing":
        return f"{path} is missing"
    found = fault["input"]
    message = _in_words(fault)
    if isinstance(found, dict | list):
        return f"{path}: {message}"
    return f"{path} is {found!r}: {message}{_comma_hint(found)}"


def _in_words(fault: Any) -> str:
    """Return what a fault of pydantic says that the value must be."""
    words = _WORDS.get(fault["type"])
    if words is None:  # our own rules, which speak for themselves
        return str(fault["msg"]).removeprefix("Value error, ")
    return words.format(**fault.get("ctx", {}))


def _known_keys(model: type[BaseModel]) -> set[str]:
    """Collect the keys of a model and of every model nested in it."""
    keys: set[str] = set()
    pending: list[Any] = [model]
    seen: set[Any] = set()
    while pending:
        current = pending.pop()
        if current in seen:
            continue
        seen.add(current)
        if isinstance(current, type) and issubclass(current, BaseModel):
            keys.update(current.model_fields)
            pending.extend(field.annotation for field in current.model_fields.values())
        else:
            pending.extend(getattr(current, "__args__", ()))
    return keys


def nearest_known(found: str, known: list[str]) -> str:
    """Return "; did you mean x?" where a known name is close, else nothing."""
    near = get_close_matches(found, known, n=1, cutoff=0.6)
    return f"; did you mean {near[0]}?" if near else ""


def _comma_hint(found: Any) -> str:
    if not isinstance(found, str) or not re.fullmatch(r"[+-]?\d+([.,]\d+)?([eE][+-]?\d+)?", found):
        return ""
    return ", with a point, not a comma" if "," in found else ", without quotes"


def _yaml_fault(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error).splitlines()[0]
    return f"line {mark.line + 1}: {problem}" if mark else problem
