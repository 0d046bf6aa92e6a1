"""Damaged and random files of every kind end in a table or in a message, never otherwise."""

import gzip
import io
import random
import zipfile

import pandas as pd
import pytest

from pipeline.commands.start.files import deliveries
from pipeline.errors import EvaluationError
from pipeline.panel.numbers import numeric
from pipeline.panel.readers import read_table
from pipeline.panel.values import firm_identifier, text
from pipeline.panel.years import calendar_year
from pipeline.params.data import NumberColumn
from pipeline.params.written import FileFormat, YearsWritten

ENDINGS = ("csv", "tsv", "parquet", "dta", "xlsx", "csv.gz", "zip")
FIRMS = pd.DataFrame(
    {"id": ["007", "12", "9"], "year": [2001, 2002, 2003], "sector": ["0110", "b;c", "ñ"],
     "sales": [1234.5, 7.0, None], "day": pd.to_datetime(["2001-01-01"] * 3)}
)  # fmt: skip
FORMATS = [
    {}, {"delimiter": ";"}, {"encoding": "utf-16"}, {"encoding": "cp1252"}, {"header_rows": 2},
    {"header_row": 3}, {"value_labels": True}, {"sheet": "x"}, {"hidden": "read"},
]  # fmt: skip
NUMBER = NumberColumn(kind="number", column="c", unit="US$", label="C")
YEAR = NumberColumn(kind="number", column="c", unit="year", label="C")
TYPED = (
    text,
    lambda values: firm_identifier(values, "c"),
    lambda values: numeric(values, NUMBER),
    lambda values: numeric(values, YEAR, YearsWritten("%d/%m/%y", 1950)),
    lambda values: calendar_year(values, "c"),
    lambda values: calendar_year(values, "c", YearsWritten("serial")),
)


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """Return the same firms as bytes of every kind of file."""
    folder = tmp_path_factory.mktemp("sound")
    FIRMS.to_csv(folder / "f.csv", index=False)
    FIRMS.to_csv(folder / "f.tsv", index=False, sep="\t")
    FIRMS.to_parquet(folder / "f.parquet")
    labels = {"year": {2001: "a", 2002: "b"}}
    FIRMS.to_stata(folder / "f.dta", write_index=False, version=118, value_labels=labels)
    FIRMS.to_excel(folder / "f.xlsx", index=False)
    (folder / "f.csv.gz").write_bytes(gzip.compress((folder / "f.csv").read_bytes()))
    with zipfile.ZipFile(folder / "f.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(folder / "f.dta", "f.dta")
    return {ending: (folder / f"f.{ending}").read_bytes() for ending in ENDINGS}


def struck(content, rng):
    """Return bytes cut off, or with some of them changed."""
    changed = bytearray(content)
    if rng.random() < 0.3:
        return bytes(changed[: rng.randrange(len(changed))])
    for _ in range(rng.choice([1, 1, 2, 5, 20])):
        changed[rng.randrange(len(changed))] = rng.randrange(256)
    return bytes(changed)


def repacked(content, rng):
    """Return an archive of which one part is struck, or left out, and the rest is sound."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    one = rng.choice(sorted(parts))
    parts[one] = struck(parts[one] or b" ", rng)
    if rng.random() < 0.1:
        del parts[one]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    return packed.getvalue()


def damaged(sound, ending, rng):
    chance = rng.random()
    if chance < 0.1:
        return rng.randbytes(rng.randrange(300))
    if chance < 0.15:
        return sound[rng.choice(ENDINGS)]
    if chance < 0.5 and ending in {"xlsx", "zip"}:
        return repacked(sound[ending], rng)
    return struck(sound[ending], rng)


def read_and_type(path, written):
    """Return whether a file is a table; every column of it is of a type, or refused."""
    try:
        frame = read_table(path, written, 1000)
    except EvaluationError as error:
        assert "\n" not in str(error)
        return False
    assert 0 < len(frame) <= 1000
    assert frame.columns.is_unique
    for name in frame.columns:
        for typed in TYPED:
            try:
                typed(frame[name])
            except EvaluationError:
                continue
    return True


def start(path):
    try:
        deliveries([path])
    except EvaluationError:
        return


def fuzz(sound, folder, seed, n):
    rng, n_tables = random.Random(seed), 0
    for _ in range(n):
        ending = rng.choice(ENDINGS)
        path = folder / f"f.{ending}"
        path.write_bytes(damaged(sound, ending, rng))
        n_tables += read_and_type(path, FileFormat(**rng.choice(FORMATS)))
        start(path)
    return n_tables


@pytest.mark.filterwarnings("ignore")
def test_damaged_files_end_in_a_table_or_a_message(sound, tmp_path):
    assert 0 < fuzz(sound, tmp_path, 1, 25) < 25


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("seed", [2, 3])
def test_many_damaged_files_end_in_a_table_or_a_message(seed, sound, tmp_path):
    assert 0 < fuzz(sound, tmp_path, seed, 800) < 800
