"""Say what exhibits say in the language of the report, with its number format.

Sentences stand in one data file a language, `en.yaml`, `es.yaml` and `pt.yaml`, by section and
code; code names them and fills their fields, and nothing reads what they say. A study's exhibits
are made inside `speaking(its exhibit section)`; outside of it everything is English.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from importlib import resources

from pipeline.errors import Reason
from pipeline.exhibits.words.portuguese import PORTUGUESE_RETOLD
from pipeline.exhibits.words.spanish import SPANISH_RETOLD
from pipeline.params.exhibit import ExhibitSection, LanguageCode

_RETOLD: dict[LanguageCode, Mapping[str, str]] = {
    "en": {},
    "es": SPANISH_RETOLD,
    "pt": PORTUGUESE_RETOLD,
}


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


def tell(reason: Reason) -> str:
    """Return what a reason or remark says, in the report's language.

    A list is told with commas; a field that names a vocabulary is told by it, other text as it is.
    """
    return say(f"reason.{reason.code}", **{n: _told(n, v) for n, v in reason.fields.items()})


def _told(name: str, value: object) -> object:
    if isinstance(value, Reason):
        return tell(value)
    if isinstance(value, list | tuple):
        return ", ".join(str(item) for item in value)
    word = f"{name}.{value}"
    return say(word) if word in sentences(speech().language) else value


def retell(text: str) -> str:
    """Return a text that another stage wrote, in the report's language where it is known.

    Labels and units of the user's are returned as they are.
    """
    for pattern, phrase in _patterns(speech().language):
        if found := pattern.fullmatch(text):
            return phrase.format(**{k: retell(v) for k, v in found.groupdict().items()})
    return text


def join_words(words: list[str]) -> str:
    """Return `a`, `a and b`, or `a, b and c`."""
    if len(words) < 2:
        return "".join(words)
    return say("language.and", first=", ".join(words[:-1]), last=words[-1])


@cache
def _patterns(language: LanguageCode) -> list[tuple[re.Pattern[str], str]]:
    """Return what is retold as patterns that find the fields in an English text."""
    return [
        (re.compile(_FIELD.sub(r"(?P<\1>.+?)", re.escape(phrase)), re.DOTALL), translation)
        for phrase, translation in _RETOLD[language].items()
    ]


# A field as `re.escape` leaves it.
_FIELD = re.compile(r"\\\{(\w+)\\\}")
