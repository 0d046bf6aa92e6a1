"""Stand-in data for a confidential study: the same columns and types, made-up values.

What stays of a firm is its pattern: the years in which it appears, and its treatment. Everything
else is drawn from a normal distribution with the column's mean and standard deviation, rounded to
two digits, on logs where all values are positive. Results from it mean nothing.
"""

import io
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.datasets.arrays import Floats
from pipeline.errors import DataError
from pipeline.panel.obtained import read_obtained
from pipeline.params.data import FileSource, RegisterColumns, SumColumn
from pipeline.params.links_file import LinksFile
from pipeline.params.study import StudySection
from pipeline.params.treatment import RegisterEntry

SEED = 20240101
_NOTE = """\
# STAND-IN DATA: made up, not {study}

The files beside this one have the columns and types of the confidential data, the years in which
firms appear and which of them were treated. Every other value is drawn at random. They show that
the code runs; no figure that they give means anything. README.md says how to obtain the data.
"""


def stand_in_files(root: Path, name: str, study: StudySection) -> dict[str, bytes]:
    """Return the stand-in files of a study by their path in the archive.

    Raises DataError where the study has no files of its own, or `obtain` has not run.
    """
    source = study.data.source
    if not isinstance(source, FileSource):
        raise DataError(f"{name}.data.confidential is for data in files; this study has none")
    if source.wide is not None or not source.panel.endswith(".csv"):
        raise DataError(f"{name}: stand-ins are made for a panel in one long CSV file only")
    if not isinstance(study.data.firm_id, str):
        raise DataError(f"{name}: stand-ins are made for firms that one column names only")
    obtained = root / "data" / name / "obtained"
    panel, register = read_obtained(obtained, "panel"), read_obtained(obtained, "register")
    if panel is None:
        raise DataError(f"{obtained.as_posix()} does not exist yet: run `dvc repro`")
    rng = np.random.default_rng(SEED)
    codes = _firm_codes(panel[study.data.firm_key])
    files = {source.panel: made_up_panel(panel, study, codes, rng)}
    if register is not None and source.register_file and study.data.register_columns:
        columns = study.data.register_columns
        files[source.register_file] = made_up_register(register, columns, codes, rng)
    links = read_obtained(obtained, "links")
    if links is not None and study.data.links is not None:
        files[str(study.data.links.file)] = made_up_links(links, study.data.links, codes, rng)
    folder = f"data/raw/{name}"
    written = {f"{folder}/{file}": _csv(table) for file, table in files.items()}
    return {**written, f"{folder}/STAND-IN.md": _NOTE.format(study=name).encode("utf-8")}


def made_up_panel(
    panel: pd.DataFrame, study: StudySection, codes: dict[object, str], rng: np.random.Generator
) -> pd.DataFrame:
    """Return the delivered panel with made-up values; years and treatment as they are."""
    kept, firm = {study.data.year, *_treatment_columns(study)}, panel[study.data.firm_key]
    weight = _weight_column(study)
    table = panel.copy()
    for column in panel.columns:
        if column == study.data.firm_key:
            table[column] = firm.map(codes)
        elif column == weight:
            table[column] = _made_up_weights(panel[column], firm, rng)
        elif column not in kept:
            table[column] = _made_up(panel[column], firm, rng)
    return table


def made_up_register(
    register: pd.DataFrame,
    columns: RegisterColumns,
    codes: dict[object, str],
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Return who took which part when, of firms of the panel, with names and numbers made up.

    Programmes, components, roles, decisions and dates stay: they say who was treated.
    """
    known = register[register[columns.firm_key].isin(list(codes))]
    firm = known[columns.firm_key].map(codes)
    made = {name: _made_up(known[name], firm, rng) for name in columns.fields("number").values()}
    if columns.name is not None:
        made[columns.name] = firm
    return known[columns.named].assign(**made, **{columns.firm_key: firm})


def made_up_links(
    links: pd.DataFrame, declared: LinksFile, codes: dict[object, str], rng: np.random.Generator
) -> pd.DataFrame:
    """Return as many links, with who is linked to whom drawn and weights made up.

    Kinds and years stay, and how often a firm stands at either end; firms that the panel lacks go.
    """
    ends = [declared.source, declared.target]
    known = links[links[ends].isin(list(codes)).all(axis=1)].reset_index(drop=True)
    table = known[declared.named].assign(
        **{end: known[end].map(codes).to_numpy()[rng.permutation(len(known))] for end in ends}
    )
    if declared.weight is not None:
        weight = _made_up(known[declared.weight], known[declared.source], rng)
        table[declared.weight] = weight.clip(lower=0.001)  # above zero, as weights must be
    table = table[table[declared.source] != table[declared.target]]
    return table.drop_duplicates([name for name in declared.named if name != declared.weight])


def _weight_column(study: StudySection) -> str | None:
    """Return the delivered column of sampling weights, None where the study has none."""
    named = study.data.columns.get(study.data.weight or "")
    return None if named is None or isinstance(named, SumColumn) else named.column


def _made_up_weights(values: pd.Series, firm: pd.Series, rng: np.random.Generator) -> pd.Series:
    """Draw one number above zero for each firm, as sampling weights must be."""
    known = pd.to_numeric(values, errors="coerce").dropna().to_numpy(float)
    known = known[known > 0]
    if not len(known):
        return values
    code = pd.factorize(firm)[0]
    drawn = _scaled(rng.normal(size=code.max() + 1), known)[code]
    return pd.Series(np.maximum(drawn, 0.001), index=values.index)


def _treatment_columns(study: StudySection) -> set[str]:
    """Return the delivered columns that say who was treated, and those that filters read."""
    entry, columns = study.treatment.entry, study.data.columns
    named = set() if isinstance(entry, RegisterEntry) else {entry.column}
    named |= {rule.column for rule in study.clean.filters}
    found = [columns[name] for name in named if name in columns]
    return {column.column for column in found if not isinstance(column, SumColumn)}


def _firm_codes(ids: pd.Series) -> dict[object, str]:
    """Number the firms in an order that tells nothing of their identifiers."""
    firms = np.random.default_rng(SEED).permutation(np.array(ids.unique(), dtype=object))
    return {firm: f"S{number:06d}" for number, firm in enumerate(firms, 1)}


def _made_up(values: pd.Series, firm: pd.Series, rng: np.random.Generator) -> pd.Series:
    """Draw a column: half of its variance lies between firms; missing as often as it was."""
    numbers = pd.to_numeric(values, errors="coerce")
    if numbers.notna().sum() < values.notna().sum():
        return _made_up_text(values, firm, rng)
    known = numbers.dropna().to_numpy(float)
    if not len(known):
        return values
    code = pd.factorize(firm)[0]
    missing = rng.random(len(values)) < 1 - len(known) / len(values)
    shock = np.sqrt(0.5) * (rng.normal(size=code.max() + 1)[code] + rng.normal(size=len(code)))
    return pd.Series(np.where(missing, np.nan, _scaled(shock, known)), index=values.index)


def _scaled(shock: Floats, known: Floats) -> Floats:
    """Give standard shocks the scale of a column: shares, logs where positive, else levels."""
    if set(np.unique(known)) <= {0.0, 1.0}:
        cut = np.quantile(shock, 1 - _two_digits(known.mean()))
        return np.asarray(shock > cut, dtype=np.float64)
    least, whole = known.min(), bool((known == np.round(known)).all())
    if least > 0:
        logs = np.log(known)
        drawn = np.exp(_two_digits(logs.mean()) + _two_digits(logs.std()) * shock)
    else:
        drawn = _two_digits(known.mean()) + _two_digits(known.std()) * shock
        drawn = drawn if least < 0 else np.maximum(drawn, 0.0)
    rounded: Floats = np.asarray(np.round(drawn, 0 if whole else 3), dtype=np.float64)
    return np.maximum(rounded, 1.0) if whole and least > 0 else rounded


def _made_up_text(values: pd.Series, firm: pd.Series, rng: np.random.Generator) -> pd.Series:
    """Draw one of as many made-up categories for each firm."""
    code = pd.factorize(firm)[0]
    n_values = max(int(values.nunique()), 1)
    drawn = rng.integers(n_values, size=code.max() + 1)[code]
    return pd.Series([f"category {n + 1}" for n in drawn], index=values.index)


def _two_digits(value: float) -> float:
    return float(f"{value:.2g}")


def _csv(table: pd.DataFrame) -> bytes:
    buffer = io.StringIO()
    table.to_csv(buffer, index=False, lineterminator="\n")
    return buffer.getvalue().encode("utf-8")
