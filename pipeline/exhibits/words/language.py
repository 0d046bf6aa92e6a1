"""Say what exhibits say in the language of the report, with its number format.

Sentences stand in one data file a language, `en.yaml`, `es.yaml` and `pt.yaml`, by section and
code; code names them and fills their fields, and nothing reads what they say. A study's exhibits
are made inside `speaking(its exhibit section)`; outside of it everything is English.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from pipeline.errors import Reason
from pipeline.params.exhibit import ExhibitSection, LanguageCode

# Fields of reasons that hold a code, which is a word of the section of their name.
_CODED = ("group", "weights")


@dataclass(frozen=True)
class Speech:
    """Hold a language and the marks between digits."""

    language: LanguageCode = "en"
    decimal_mark: str = "."
    group_mark: str = ","


_ENGLISH = Speech()
_SPEECH: ContextVar[Speech] = ContextVar("speech", default=_ENGLISH)


@contextmanager
def speaking(exhibit: ExhibitSection) -> Iterator[None]:
    """Make every phrase and number inside the block follow a study's settings."""
    token = _SPEECH.set(Speech(exhibit.language, exhibit.decimal_mark, exhibit.group_mark))
    try:
        yield
    finally:
        _SPEECH.reset(token)


def speech() -> Speech:
    """Return the language and marks of the block that runs."""
    return _SPEECH.get()


def say(code: str, **fields: object) -> str:
    """Return the sentence of `section.code` in the report's language, its fields filled in."""
    return sentences(speech().language)[code].format(**fields)


@cache
def sentences(language: LanguageCode) -> Mapping[str, str]:
    """Read a language's sentences by `section.code`."""
    # here, because reading words is not worth the wait of those who only import this
    from ruamel.yaml import YAML

    file = resources.files(__package__).joinpath(f"{language}.yaml")
    sections = YAML(typ="safe", pure=True).load(file.read_text(encoding="utf-8"))
    return {
        f"{section}.{code}": sentence
        for section, codes in sections.items()
        for code, sentence in codes.items()
    }


def tell(reason: Reason, section: str = "reason") -> str:
    """Return the sentence of a reason, or of a code of another section, its fields told."""
    told = {name: _told(name, value) for name, value in reason.fields.items()}
    return say(f"{section}.{reason.code}", **told)


def tell_all(reasons: Iterable[Reason]) -> str:
    """Return the sentences of several reasons as one."""
    return "; ".join(map(tell, reasons))


def marked(text: str) -> str:
    """Put the report's marks into English digits."""
    marks = {",": speech().group_mark, ".": speech().decimal_mark}
    return "".join(marks.get(character, character) for character in text)


def join_words(words: list[str]) -> str:
    """Return `a`, `a and b`, or `a, b and c`."""
    if len(words) < 2:
        return "".join(words)
    return say("language.and", first=", ".join(words[:-1]), last=words[-1])


@dataclass(frozen=True)
class _Marked:
    """Hold a number that is formatted with the report's marks; years have none."""

    value: float

    def __format__(self, spec: str) -> str:
        return marked(format(self.value, spec))


def _told(name: str, value: Any) -> object:
    """Return a field as a sentence holds it: the user's own text stays as it is."""
    if isinstance(value, Reason):
        return tell(value)
    if isinstance(value, list | tuple):
        return ", ".join(f"{_told(name, item)}" for item in value)
    if isinstance(value, int | float):
        return _Marked(value)
    return say(f"{name}.{value}") if name in _CODED else value
