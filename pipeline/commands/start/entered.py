"""Who entered when: the entry year, the 0/1 column or the register that tells it."""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from pipeline.commands.start.asked import ToldColumns
from pipeline.commands.start.courses import by_year_alone, course_of, first_after, is_lag
from pipeline.commands.start.keys import Keys
from pipeline.commands.start.numbers import is_flag, is_number, numbers
from pipeline.commands.start.register import RegisterGuess
from pipeline.commands.start.roles import denies, role_of
from pipeline.errors import DataError
from pipeline.panel.values import text
from pipeline.panel.years import years_of

# What stands for "never" where a year is expected.
_NEVER = (0.0, -1.0, -9.0, -99.0, 99.0, 999.0, 9999.0, 10000.0)
_NOT_ENTRY = {"application", "exit", "founded", "age", "weight", "person", "of_treatment"}
_EVENTS = "is it approval, first payment or first activity?"


@dataclass(frozen=True)
class Entered:
    """Hold what tells entry, the entry year by firm as far as it can be read, and questions.

    `settings` are those of treatment.entry; `columns` the panel's columns that they need.
    """

    settings: dict[str, Any]
    columns: list[str]
    by_firm: pd.Series
    why: str
    questions: dict[str, str] = field(default_factory=dict)

    @property
    def first(self) -> int | None:
        """Return the first entry year."""
        known = self.by_firm.dropna()
        return int(known.min()) if len(known) else None

    @property
    def by_all(self) -> bool:
        """Say whether every firm enters; one whose application was decided on may not."""
        return bool(self.by_firm.notna().all()) and "accepted" not in self.settings

    def settings_with(self, standard: dict[str, str]) -> dict[str, Any]:
        """Return the settings with the panel's column under its standard name."""
        names = {"column": standard[self.columns[0]]} if self.columns else {}
        return {**self.settings, **names}


def guess_entered(
    table: pd.DataFrame, keys: Keys, register: RegisterGuess | None, asked: ToldColumns
) -> Entered:
    """Return what tells who entered when: what the command line says, else register, year, flag.

    Raises DataError where nothing does.
    """
    if asked.treated is not None:
        return _flagged(table, keys, asked.treated, asked, "as you say")
    if asked.entry is not None and asked.entry_in_one_year is None:
        return _named_entry(table, keys, register, asked)
    if register is not None:
        return _registered(register, table[keys.firm_id])
    names = [str(n) for n in table.columns if n not in (keys.firm_id, keys.year)]
    found = (
        _best_entry_year(table, keys, names)
        or _best_flag(table, keys, names, asked)
        or _best_groups(table, keys, names, asked)
    )
    if found is None:
        raise DataError(
            f"nothing tells who was treated: {_in_words(table, keys, names)}give the register too, "
            "or name the column of entry years or of 0 and 1 with --entry or --treated; columns: "
            + ", ".join(names)
        )
    return found


def _in_words(table: pd.DataFrame, keys: Keys, names: list[str]) -> str:
    """Say which columns hold a year of the panel in words (group of 2010), one value a firm."""
    years, found = numbers(table[keys.year]), list[str]()
    for name in (n for n in names if role_of(n) not in _NOT_ENTRY and not is_number(table, n)):
        one_a_firm = table.groupby(keys.firm_id)[name].nunique(dropna=False).max() == 1
        inside = numbers(text(table[name]).str.extract(r"((?:19|20)\d{2})")[0])
        if one_a_firm and inside.between(years.min(), years.max()).any():
            found.append(name)
    if not found:
        return ""
    return (
        f"a year stands among words in {', '.join(found)}; deliver the year alone, and nothing for "
        "firms that never enter; else "
    )


def _named_entry(
    table: pd.DataFrame, keys: Keys, register: RegisterGuess | None, asked: ToldColumns
) -> Entered:
    """Take the entry column that the command line names, of the panel or of the register."""
    name = str(asked.entry)
    if name in table.columns:
        if is_flag(table[name]):
            return _flagged(table, keys, name, asked, "as you say")
        return _dated(table, keys, name, "as you say", {})
    if register is not None and name in register.table.columns:
        return _registered(register, table[keys.firm_id])
    raise DataError(
        f"--entry {name}: no such column; the panel has {', '.join(map(str, table.columns))}"
    )


def _registered(register: RegisterGuess, firms: pd.Series) -> Entered:
    entries = register.entries()
    ids = text(firms)
    by_firm = pd.Series(entries.reindex(pd.Index(ids.unique())).to_numpy(float), ids.unique())
    first = firms.drop_duplicates()
    by_firm = pd.Series(by_firm.reindex(text(first)).to_numpy(), first.to_numpy())
    settings = {"source": "register", "programme": None, "other_programmes": "keep"}
    settings |= _accepted(register)
    column = register.columns["entry_year"]
    n_found = int(by_firm.notna().sum())
    why = f"register: {len(entries):,} firms, {n_found:,} in the panel"
    asked = {"data.register_columns.entry_year": f"does {column} date entry, and {_EVENTS}"}
    return Entered(settings, [], by_firm, why, {**register.questions, **asked})


def _accepted(register: RegisterGuess) -> dict[str, Any]:
    """Leave open which decisions count as entry, where the register has decisions."""
    column = register.columns.get("decision")
    if column is None:
        return {}
    return {"accepted": [f"QUESTION: which values of {column} mean that a firm took part?"]}


def _codes(table: pd.DataFrame, name: str) -> list[float]:
    values = numbers(years_of(table[name]))
    return [code for code in _NEVER if (values == code).any()]


def _dated(
    table: pd.DataFrame, keys: Keys, name: str, why: str, questions: dict[str, str]
) -> Entered:
    values, codes = _read(table, name)
    given = values.mask(values.isin(codes))
    settings: dict[str, Any] = {"source": "entry_year", "column": name}
    if codes:
        settings["never"] = codes
    return Entered(settings, [name], given.groupby(table[keys.firm_id]).first(), why, questions)


def _best_entry_year(table: pd.DataFrame, keys: Keys, names: list[str]) -> Entered | None:
    """Return the column that is a firm's entry year by its values; one whose name says so first."""
    usual = [n for n in names if role_of(n) == "entry"]
    others = [n for n in names if role_of(n) not in {"entry", *_NOT_ENTRY} and n not in usual]
    tried = ((name, _entry_year(table, keys, name, named=name in usual))
             for name in [*usual, *others])  # fmt: skip
    found = {name: entered for name, entered in tried if entered is not None}
    if not found:
        return None
    name, best = next(iter(found.items()))
    return best if len(found) == 1 else _beside_others(best, [n for n in found if n != name])


def _beside_others(best: Entered, others: list[str]) -> Entered:
    """Name the other columns that may date entry, of another programme say."""
    ((path, asked),) = best.questions.items()
    told = (
        f"{asked}. As well may be {', '.join(others)}: firms that these alone date now count as "
        "never treated"
    )
    return replace(best, questions={path: told})


def _entry_year(table: pd.DataFrame, keys: Keys, name: str, *, named: bool) -> Entered | None:
    """Return the column where it is the same in all rows of a firm, a year of the panel or never.

    It is missing or one code in some firms, and after the panel's first year in others. Where its
    name says so, all firms may enter.
    """
    years, values, codes = numbers(table[keys.year]), *_read(table, name)
    given = values.mask(values.isin(codes)).dropna()
    first, last = years.min(), years.max()
    if len(codes) > 1 or not len(given) or (given % 1 != 0).any():
        return None
    inside = given.between(first, last)
    if not (inside.mean() > 0.5 if named else inside.all()) or is_flag(table[name]):
        return None
    if not named and not (len(given) < len(values) and given.gt(first).any()):
        return None
    if _differs(values, table[keys.firm_id]):
        return None
    why = "by name" if named else "by values: one year a firm, none for others"
    asked = {"treatment.entry.column": f"is {name} the year of entry, and {_EVENTS} columns: "
             f"{', '.join(map(str, table.columns))}"}  # fmt: skip
    return _dated(table, keys, name, why, asked)


def _read(table: pd.DataFrame, name: str) -> tuple[pd.Series, list[float]]:
    return numbers(years_of(table[name])), _codes(table, name)


def _differs(values: pd.Series, firms: pd.Series) -> bool:
    """Say whether a column differs between the rows of some firm."""
    by_firm = values.fillna(-np.inf).groupby(firms)
    return bool((by_firm.min() != by_firm.max()).any())


def _best_flag(
    table: pd.DataFrame, keys: Keys, names: list[str], asked: ToldColumns
) -> Entered | None:
    """Return the 0/1 column that tells of support by name, else the only one that never falls.

    One that changes within firms says when, too, and goes before one that does not.
    """
    flags = {n: course_of(table, keys, n) for n in names
             if is_flag(table[n]) and not is_lag(n, names)}  # fmt: skip
    named = [n for n in flags if role_of(n) == "treated"]
    rising = [n for n, course in flags.items()
              if course == "rises" and role_of(n) in {None, "entry", "of_treatment"}
              and not by_year_alone(table, keys, n)]  # fmt: skip
    changing = [n for course in ("rises", "falls") for n in named if flags[n] == course]
    if changing:
        return _flagged(table, keys, changing[0], asked, "by name")
    if len(rising) == 1:
        why = "the only 0/1 column that rises within firms and never falls"
        return _flagged(table, keys, rising[0], asked, why)
    return _flagged(table, keys, named[0], asked, "by name") if named else None


def _best_groups(
    table: pd.DataFrame, keys: Keys, names: list[str], asked: ToldColumns
) -> Entered | None:
    """Return the column of two words, one a firm, one of which is that of treated firms."""
    for name in names:
        words = text(table[name]).dropna().unique()
        if len(words) == 2 and table.groupby(keys.firm_id)[name].nunique(dropna=False).max() == 1:
            treated = [word for word in words if role_of(word) == "treated" and not denies(word)]
            if len(treated) == 1:
                group = (text(table[name]) == treated[0]).rename(name)
                return _grouped(table, keys, group, asked, "by its words")
    return None


def _flagged(table: pd.DataFrame, keys: Keys, name: str, asked: ToldColumns, why: str) -> Entered:
    """Take a 0/1 column: from when on, where it changes; of whom only, where it does not."""
    if not is_flag(table[name]):
        raise DataError(f"--treated {name}: it must be 0 and 1, or words for false and true")
    course = course_of(table, keys, name)
    if course == "constant":
        return _grouped(table, keys, (numbers(table[name]) == 1).rename(name), asked, why)
    values, path = numbers(table[name]), "treatment.entry.column"
    years = numbers(table[keys.year]).where(values == 1)
    questions = {path: f"is {name} 1 from support on, and {_EVENTS}"}
    if course == "falls":
        questions["treatment.entry.switches_off"] = (
            f"{name} returns to 0 in some firms: absorbing counts them as treated from their first "
            "year of support on, refuse stops"
        )
    if why == "as you say":
        questions.pop(path)
    settings = {"source": "indicator", "column": name,
                "switches_off": "absorbing" if course == "falls" else "refuse"}  # fmt: skip
    by_firm = years.groupby(table[keys.firm_id]).min()
    return Entered(settings, [name], by_firm, why, questions)


def _grouped(
    table: pd.DataFrame, keys: Keys, treated: pd.Series, asked: ToldColumns, why: str
) -> Entered:
    """Take a column that never changes: it says who entered, one year for all says when.

    `treated` flags the rows of firms that did, and has the column's name.
    """
    name, years = str(treated.name), numbers(table[keys.year])
    given = asked.entry_in_one_year
    year = first_after(table, keys, years) if given is None else given
    questions = {} if given is not None else {
        "treatment.entry.entry_year": f"{name} never changes within a firm: it says who, not when. "
        f"In which year did all of them enter ({years.min():g} to {years.max():g})?"
    }  # fmt: skip
    settings = {"source": "group", "column": name,
                "treated": str(text(table[name])[treated].iloc[0]), "entry_year": year}  # fmt: skip
    firms = table[keys.firm_id]
    by_firm = pd.Series(np.where(treated.groupby(firms).max(), float(year), np.nan),
                        treated.groupby(firms).max().index)  # fmt: skip
    return Entered(settings, [name], by_firm, why, questions)
