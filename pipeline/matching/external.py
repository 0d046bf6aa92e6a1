"""Pairs or weights made elsewhere, adopted as a design: effects and exhibits then follow."""

from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.datasets.arrays import Flags, Integers
from pipeline.errors import DataError, SupportError
from pipeline.matching.sets import MatchedSets
from pipeline.matching.stack import RiskSet, StackMatch, matched, weighted
from pipeline.panel.delivered import point_decimals
from pipeline.panel.exact_codes import refuse_inexact
from pipeline.panel.identifiers import LETTER_FORMS, PART_MARK, PLAIN_FORMS, form_without, texts
from pipeline.panel.number_marks import typed_numbers
from pipeline.panel.origin import file_origin, located
from pipeline.panel.readers import file_kind, first_row, read_table
from pipeline.panel.values import firm_identifier
from pipeline.panel.years import calendar_year
from pipeline.params.identifier import Identifier
from pipeline.params.match import ExternalDesign, MatchSection

# How programs write that a firm has no weight.
_NO_WEIGHT = ("", ".", "NA", "NaN", "nan")
_LARGEST_FILE = 20_000_000


def read_brought(
    folder: Path, section: MatchSection, written: Identifier, firms: "pd.Series[str]"
) -> dict[str, pd.DataFrame]:
    """Read the file of every external design: firm_id, control_id, weight, stack, as declared.

    `firms` are those of the study, `written` says how their identifiers are. A file whose
    identifiers are not all among them as they stand is rewritten by the same rules as the panel.
    Rows without a weight are dropped: psmatch2 leaves it empty for firms that it does not use.

    Raises DataError where a file or column is absent, a weight is negative or no number, or a firm
    is none of the study's.
    """
    known = pd.Index(firms.unique())
    return {
        name: _read(folder / design.file, design, written, known)
        for name, design in section.designs.items()
        if isinstance(design, ExternalDesign)
    }


def adopt(risk_set: RiskSet, design: ExternalDesign) -> StackMatch:
    """Turn a stack's rows of a file into sets or weights; comparison weights sum to the treated.

    Raises DataError where a row names a firm that is not in the risk set or is in the wrong
    group, SupportError where a group has no firm in the file.
    """
    assert risk_set.brought is not None, "external designs come with the rows of their file"
    if design.content == "weights":
        return _adopt_weights(risk_set, risk_set.brought)
    return _adopt_pairs(risk_set, risk_set.brought)


def rows_of_stack(
    rows: pd.DataFrame | None, stack: int, n_stacks: int, where: str
) -> pd.DataFrame | None:
    """Return the rows of a file that belong to one entry year.

    Raises DataError where the file does not say which, and there are several.
    """
    if rows is None:
        return None
    if "stack" in rows.columns:
        return rows[(rows["stack"] == stack).fillna(False)].reset_index(drop=True)
    if n_stacks > 1:
        raise DataError(
            f"{where}: the study has {n_stacks} entry years, and the file does not say to which a "
            "row belongs; name its column in stack"
        )
    return rows


def _read(path: Path, design: ExternalDesign, written: Identifier, known: pd.Index) -> pd.DataFrame:
    if not path.is_file():
        raise DataError(f"{path.as_posix()} does not exist, but a design names it")
    raw = read_table(path, design.format, _LARGEST_FILE)
    named = [design.firm_id, design.control_id, design.weight, design.stack]
    absent = [name for name in named if name is not None and name not in raw.columns]
    if absent:
        raise DataError(f"{path.name} lacks the columns {', '.join(absent)}, which a design names")
    codes = {"firm_id": design.firm_id, "control_id": design.control_id}
    of_firms = {name: column for name, column in codes.items() if column is not None}
    with located(file_origin(path.name, raw.index, first_row(path, design.format))):
        raw = raw.reset_index(drop=True)
        refuse_inexact(raw, of_firms.values(), file_kind(path))
        weights = _weights(raw, design, path)
        used = raw[weights > 0]
        stack = {} if design.stack is None else {"stack": calendar_year(used[design.stack],
                                                                        design.stack)}  # fmt: skip
        ids = _as_known(used, of_firms, written, known)
    _refuse_unknown(ids, known, path)
    rows = pd.DataFrame({**ids, **stack, "weight": weights[weights > 0]})
    return rows.reset_index(drop=True)


def _as_known(
    rows: pd.DataFrame, of_firms: dict[str, str], written: Identifier, known: pd.Index
) -> dict[str, pd.Series]:
    """Return identifiers as they stand where all are known so, else as declared of the panel.

    A file made of PANEL is written as declared already, and loses no check digit twice.
    """
    plain = {name: firm_identifier(rows[column], column) for name, column in of_firms.items()}
    if all(ids.isin(known).all() for ids in plain.values()):
        return plain
    rules = written.of_parts(len(str(known[0]).split(PART_MARK)))
    return {name: firm_identifier(rows[column], column, rules) for name, column in of_firms.items()}


def _refuse_unknown(ids: dict[str, pd.Series], known: pd.Index, path: Path) -> None:
    """Raise DataError with the number of firms that the study lacks, and of those it nearly has."""
    named = pd.Index(pd.concat(list(ids.values())).unique())
    unknown = named[~named.isin(known)]
    if unknown.empty:
        return
    near = _nearly(unknown, known)
    but_for = f"; nearly, but for {', '.join(near)} (clean.identifier)" if near else ""
    raise DataError(
        f"{path.name}: {len(unknown)} of {len(named)} firms are in no risk set of the study"
        f"{but_for}: a risk set has firms active in base and entry year, with every covariate of "
        "the score model and inside the comparison pool; write identifiers as the panel has them, "
        "or take such rows out",
        pd.DataFrame({"firm_id": unknown}),
    )


def _nearly(unknown: pd.Index, known: pd.Index) -> list[str]:
    """Return the ways of writing in which some unknown firms differ from known ones.

    Letters count where nothing else is enough.
    """
    found, told = np.zeros(len(unknown), dtype=np.bool_), []
    for way in (*PLAIN_FORMS, *LETTER_FORMS):
        forms = (pd.Index(form_without(texts(ids), [way])) for ids in (unknown, known))
        near = next(forms).isin(next(forms)) & ~(found & (way in LETTER_FORMS))
        found |= near
        told += [f"{way} {near.sum()}"] if near.any() else []
    return told


def _weights(raw: pd.DataFrame, design: ExternalDesign, path: Path) -> "pd.Series[float]":
    """Return weights, 0 where a firm has none; all 1 where the file has no column of them."""
    if design.weight is None:
        return pd.Series(1.0, index=raw.index)
    values = point_decimals(raw, {design.weight}, design.format)[design.weight]
    given = values.notna() & ~values.astype("str").str.strip().isin(_NO_WEIGHT)
    numbers = typed_numbers(values.where(given))
    faulty = (numbers.isna() & given) | (numbers < 0) | np.isinf(numbers)
    if faulty.any():
        raise DataError(
            f"{path.name}: {int(faulty.sum())} weights are negative, infinite or no number; "
            "correct them, or leave firms that are not used empty"
        )
    return numbers.fillna(0.0)


def _adopt_weights(risk_set: RiskSet, rows: pd.DataFrame) -> StackMatch:
    if rows["firm_id"].duplicated().any():
        raise DataError(
            f"{risk_set.where}: {int(rows['firm_id'].duplicated().sum())} rows of the file repeat "
            "a firm; name the column of entry years in stack, or remove them",
            rows[rows["firm_id"].duplicated()],
        )
    weight = np.zeros(len(risk_set.firms))
    weight[_positions(risk_set, rows["firm_id"])] = rows["weight"].to_numpy()
    _require_both(risk_set, weight > 0)
    return weighted(risk_set, weight)


def _adopt_pairs(risk_set: RiskSet, rows: pd.DataFrame) -> StackMatch:
    treated = _positions(risk_set, rows["firm_id"])
    control = _positions(risk_set, rows["control_id"])
    wrong = ~risk_set.treated[treated] | risk_set.treated[control]
    if wrong.any():
        raise DataError(
            f"{risk_set.where}: {int(wrong.sum())} pairs of the file do not join a treated firm to "
            "a comparison firm of this entry year",
            rows[wrong],
        )
    total = np.bincount(treated, weights=rows["weight"], minlength=len(risk_set.firms))
    share = rows["weight"].to_numpy() / total[treated]
    order = np.lexsort((control, treated))
    distance = np.zeros(len(order))
    sets = MatchedSets(treated[order], control[order], share[order], distance)
    _require_both(risk_set, np.isin(np.arange(len(total)), [*treated, *control]))
    return matched(risk_set, sets, None)


def _positions(risk_set: RiskSet, firm_id: pd.Series) -> Integers:
    """Return the row of each firm in the risk set."""
    found = pd.Index(risk_set.firms["firm_id"]).get_indexer(pd.Index(firm_id))
    if (found < 0).any():
        raise DataError(
            f"{risk_set.where}: {int((found < 0).sum())} rows of the file name a firm that is not "
            "in this risk set (not active in base and entry year, lacking a covariate of the "
            "score model, or from outside the comparison pool)",
            pd.DataFrame({"firm_id": firm_id[found < 0]}),
        )
    return np.asarray(found, dtype=np.int64)


def _require_both(risk_set: RiskSet, used: Flags) -> None:
    n_treated, n_control = (used & risk_set.treated).sum(), (used & ~risk_set.treated).sum()
    if not n_treated or not n_control:
        raise SupportError(
            f"{risk_set.where}: the file has {n_treated} treated and {n_control} comparison firms "
            "of this entry year; a comparison needs both",
            reason=risk_set.because("file_lacks_group", int(n_treated), int(n_control)),
        )
