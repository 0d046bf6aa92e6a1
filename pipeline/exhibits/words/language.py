"""Say what exhibits say in the language of the report, with its number format.

English sentences stand in the code, with named fields; `spanish.py` and `portuguese.py` map each to
its translation. A study's exhibits are made inside `speaking(its exhibit section)`; outside of it
everything is English.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache

from pipeline.exhibits.words.portuguese import PORTUGUESE, PORTUGUESE_RETOLD
from pipeline.exhibits.words.spanish import SPANISH, SPANISH_RETOLD
from pipeline.params.exhibit import ExhibitSection, LanguageCode

_PHRASES: dict[LanguageCode, Mapping[str, str]] = {"en": {}, "es": SPANISH, "pt": PORTUGUESE}
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


def say(phrase: str, **fields: object) -> str:
    """Return a phrase of the code in the report's language, its fields filled in."""
    return _PHRASES[speech().language].get(phrase, phrase).format(**fields)


def retell(text: str) -> str:
    """Return a text that another stage wrote, in the report's language where it is known.

    Labels and units of the user's are returned as they are.
    """
    phrases = _PHRASES[speech().language]
    if text in phrases and "{" not in text:
        return phrases[text]
    for pattern, phrase in _patterns(speech().language):
        if found := pattern.fullmatch(text):
            return phrase.format(**{k: retell(v) for k, v in found.groupdict().items()})
    return text


def join_words(words: list[str]) -> str:
    """Return `a`, `a and b`, or `a, b and c`."""
    if len(words) < 2:
        return "".join(words)
    return say("{first} and {last}", first=", ".join(words[:-1]), last=words[-1])


@cache
def _patterns(language: LanguageCode) -> list[tuple[re.Pattern[str], str]]:
    """Return what is retold as patterns that find the fields in an English text."""
    return [
        (re.compile(_FIELD.sub(r"(?P<\1>.+?)", re.escape(phrase)), re.DOTALL), translation)
        for phrase, translation in _RETOLD[language].items()
    ]


# A field as `re.escape` leaves it.
_FIELD = re.compile(r"\\\{(\w+)\\\}")
