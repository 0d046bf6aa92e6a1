"""What a column's name says that it is, in English, Spanish, Portuguese or French.

Meanings are tried in an order in which the more special comes first (exports before sales, the date
of an application before that of entry), so that no order of columns decides.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Literal, cast

from pipeline.params.settings import read_value

Role = Literal[
    "person", "weight", "of_treatment", "application", "exit", "founded", "age", "entry", "exports",
    "ratio", "assets", "wages", "employment", "sales", "broad_sector", "sector", "place", "amount",
    "treated", "period", "year", "firm_id",
]  # fmt: skip

# The standard outcomes and how each is measured.
OUTCOMES: dict[str, str] = {"sales": "log", "employment": "log", "exports": "any"}
_MEANINGS = Path(__file__).with_name("roles.yaml")
_PLACE = (
    r"mun\w*|m?c?pio|mpios?|comuna\w*|commune\w*|region\w*|\w*regiao|depart\w*|dept\w*|dpto|depto|provinc\w*|prov|estado|edo|state\w*"
    r"|uf|county|district\w*|distrito|ciudad|cidade|city|ville|locali\w*|canton|place|parish|concelho"
    r"|freguesia|zip\w*|postal|ubigeo|zona|zone|bairro|barrio|pais|pays|country"
)
_SECTOR = (
    r"sector\w*|setor\w*|secteur\w*|ciiu\w*|isic\w*|cnae\w*|nace\w*|naics\w*|scian\w*|sic\d*|naf\d*|ape\d*|indust\w*"
    r"|rubro|giro|branche|ramo|rama|activi\w*|actividad\w*|atividad\w*"
)
# Of columns whose names tell nothing.
_LABELS: ContextVar[Mapping[str, str]] = ContextVar("labels", default=MappingProxyType({}))
# R.U.T. is one word.
_INITIALS = re.compile(r"(?<![A-Za-z.])(?:[A-Za-z]\.){2,}[A-Za-z]?(?![A-Za-z])")
_CAPITAL = re.compile(r"(?<=[a-z])(?=[A-Z])")
# "salariés" counts people, "salaries" are wages.
_PEOPLE_PAID = re.compile("salariée?s?", re.IGNORECASE)
# A whole of the firm, and parts of one.
_TOTAL = re.compile(r" (?:total\w*|tot|totais|totaux|global\w*|overall) ")
_PART = re.compile(
    r" (?:nacional\w*|nacionais|national\w*|nationaux|domesti\w*|intern[ao]s?|local\w*|mujer\w*"
    r"|mulher\w*|femmes?|women|female|hombre\w*|homen\w*|hommes|men|male|tempor\w*|eventual\w*"
    r"|permanent\w*|servicio\w*|servico\w*|services?|bienes|bens|biens|goods) "
)
_DENIAL = re.compile(r" (?:no|not|non|nao|sin|sem|sans|without|never|nunca|jamais|un\w+) ")
_LOGS = re.compile(r" (?:log|ln|lg) ")
# Words that mean something only as the whole name.
_WHOLE: dict[str, Role] = {"ca": "sales", "t": "period", "fecha": "year", "date": "year",
                           "data": "year"}  # fmt: skip


@contextmanager
def described(labels: Mapping[str, str]) -> Iterator[None]:
    """Read columns by these labels where their names tell nothing."""
    token = _LABELS.set(labels)
    try:
        yield
    finally:
        _LABELS.reset(token)


def role_of(name: str) -> Role | None:
    """Return what a column is by its name, else by its label; None where these tell nothing."""
    label = _LABELS.get().get(name, "")
    return _role_in(name_words(name)) or (_role_in(name_words(label)) if label else None)


def is_told_by_label(name: str) -> bool:
    """Say whether a column is read by its label."""
    return name in _LABELS.get() and _role_in(name_words(name)) is None


def _role_in(read: str) -> Role | None:
    if read.strip() in _WHOLE:
        return _WHOLE[read.strip()]
    return next((role for role, pattern in _meanings() if pattern.search(read)), None)


def _all_words(name: str) -> str:
    """Return the words of a name and of its label."""
    return name_words(f"{name} {_LABELS.get().get(name, '')}")


@cache
def _meanings() -> list[tuple[Role, re.Pattern[str]]]:
    parts = read_value(_MEANINGS.read_text(encoding="utf-8"))
    return [
        (cast("Role", part["role"]), re.compile(rf" (?:{_filled('|'.join(part['any']))}) "))
        for part in parts
    ]


def _filled(pattern: str) -> str:
    return pattern.replace("PLACE", _PLACE).replace("SECTOR", _SECTOR)


def in_logs(name: str) -> bool:
    """Say whether a name tells that values are logarithms."""
    return _LOGS.search(_all_words(name)) is not None


def denies(name: str) -> bool:
    """Say whether words deny something: "no tratado", "non-treated", "sem apoio", "untreated"."""
    return _DENIAL.search(name_words(name)) is not None


def breadth(name: str) -> int:
    """Say how much of a firm a name speaks of: 0 all of it, 1 not said, 2 a part (home sales)."""
    read = _all_words(name)
    if _PART.search(read) is not None:
        return 2
    return 0 if _TOTAL.search(read) is not None else 1


def name_words(name: str) -> str:
    """Return a name's words in small letters without accents, between blanks."""
    whole = _INITIALS.sub(lambda found: found[0].replace(".", "") + " ", name.strip())
    read = _CAPITAL.sub(" ", _PEOPLE_PAID.sub(" salaries e ", whole))
    return f" {re.sub('[^a-z0-9]+', ' ', plain(read)).strip()} "


def plain(name: str) -> str:
    """Return a name in small letters without accents."""
    parts = unicodedata.normalize("NFKD", name.strip().lower())
    return "".join(mark for mark in parts if not unicodedata.combining(mark))
