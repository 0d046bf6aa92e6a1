"""Say what exhibits say in the language of the report, with its number format.

Sentences stand in one data file a language, `en.yaml`, `es.yaml` and `pt.yaml`, by section and
code; code names them and fills their fields, and nothing reads what they say. A study's exhibits
are made inside `its results.speaking()`; outside of it everything is English, of years.

Every sentence may hold the study's words for the unit, {firm} and {firms}, with a capital {Firms},
and for the period: {period}, {periods}, with a capital {Period}, {Periods}, what comes every period
{by_period}, and {agree:un|una}, of two forms the one that goes with the word.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any

from pipeline.errors import Reason
from pipeline.params.exhibit import (
    ARTICLES,
    ExhibitSection,
    PeriodName,
    PeriodWord,
)
from pipeline.params.nouns import LanguageCode

# Fields of reasons that hold a code, which is a word of the section of their name; those that hold
# a level that errors are clustered by, or arms and exposures, which the study names.
_CODED = ("group", "weights")
_LEVELS = ("inner_level", "outer_level", "first_level", "second_level")
_ARMS = ("arms", "exposure")


@dataclass(frozen=True)
class Speech:
    """Hold a language, the marks between digits, and what units, a period and levels are called."""

    language: LanguageCode = "en"
    decimal_mark: str = "."
    group_mark: str = ","
    period: PeriodName | PeriodWord = "year"
    firm: str = "firm"
    firms: str = "firms"
    levels: Mapping[str, str] = field(default_factory=dict)


_ENGLISH = Speech()
MINUS = "\u2212"
_SPEECH: ContextVar[Speech] = ContextVar("speech", default=_ENGLISH)


@contextmanager
def speaking(exhibit: ExhibitSection, levels: Mapping[str, str] | None = None) -> Iterator[None]:
    """Make every phrase and number inside the block follow a study's settings.

    `levels` are what it calls the levels that errors are clustered by: without them no reason that
    names one can be told.
    """
    told = Speech(
        language=exhibit.language,
        decimal_mark=exhibit.decimal_mark,
        group_mark=exhibit.group_mark,
        period=exhibit.period,
        firm=exhibit.firm,
        firms=exhibit.firms,
        levels={} if levels is None else levels,
    )
    token = _SPEECH.set(told)
    try:
        yield
    finally:
        _SPEECH.reset(token)


def speech() -> Speech:
    """Return the language and marks of the block that runs."""
    return _SPEECH.get()


def say(code: str, **fields: object) -> str:
    """Return the sentence of `section.code` in the report's language, its fields filled in."""
    return _sentence(code).format(**{**_unit_forms(), **_period_forms(), **fields})


def _sentence(code: str) -> str:
    return sentences(speech().language)[code]


def _unit_forms() -> dict[str, object]:
    """Return the forms of the word for the unit."""
    firms = speech().firms
    return {"firm": speech().firm, "firms": firms, "Firms": firms[:1].upper() + firms[1:]}


def _period_forms() -> dict[str, object]:
    """Return the forms of the word for the period, by the field of sentences that they fill."""
    word = speech().period
    if isinstance(word, PeriodWord):
        one, many = word.one, word.many
        by_period = _sentence("language.by_period").format(one=one)
        form = ARTICLES[speech().language].index(word.article)
    else:
        one, many = _sentence(f"period_one.{word}"), _sentence(f"period_many.{word}")
        by_period = _sentence(f"period_each.{word}")
        form = int(_sentence(f"period_form.{word}")) - 1
    return {
        "period": one,
        "periods": many,
        "Period": one[:1].upper() + one[1:],
        "Periods": many[:1].upper() + many[1:],
        "by_period": by_period,
        "agree": _Agreeing(form),
    }


@dataclass(frozen=True)
class _Agreeing:
    """Choose, of the two forms `un|una` of a word, the one that goes with that for the period."""

    form: int

    def __format__(self, forms: str) -> str:
        return forms.split("|")[self.form]


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
    """Hold a number that is formatted with the report's marks and a minus; years have none."""

    value: float

    def __format__(self, spec: str) -> str:
        return marked(format(self.value, spec)).replace("-", MINUS)


def _told(name: str, value: Any) -> object:
    """Return a field as a sentence holds it: the user's own text stays as it is.

    Of text that the user gave by language, that of the report's.
    """
    if isinstance(value, Mapping):
        return value[speech().language]
    if isinstance(value, Reason):
        return tell(value, name if name == "step" else "reason")
    if isinstance(value, list | tuple):
        return ", ".join(f"{_told(name, item)}" for item in value)
    if isinstance(value, int | float):
        return _Marked(value)
    if name in (*_LEVELS, *_ARMS):
        levels = speech().levels
        return levels[value] if name in _LEVELS else levels.get(value, value)
    return say(f"{name}.{value}") if name in _CODED else value
