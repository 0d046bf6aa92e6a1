"""Stata's 27 kinds of missing value, in every type of number, are missing and nothing else."""

import struct

import numpy as np
import pandas as pd
import pytest

from pipeline.panel.readers import read_table
from pipeline.params.written import FileFormat

# How each type of number writes the kind at a place in `. .a .b ... .z`.
WRITTEN = {
    "int8": lambda place: struct.pack("<b", 101 + place),
    "int16": lambda place: struct.pack("<h", 32_741 + place),
    "int32": lambda place: struct.pack("<i", 2_147_483_621 + place),
    "float32": lambda place: struct.pack("<I", 0x7F000000 + place * 0x800),
    "float64": lambda place: struct.pack("<Q", 0x7FE0000000000000 + place * 0x10000000000),
}


@pytest.mark.parametrize("kind", WRITTEN)
@pytest.mark.parametrize("labels", [False, True])
def test_every_kind_of_missing_value_is_missing(kind, labels, tmp_path):
    path, n = tmp_path / "f.dta", 27
    firms = pd.DataFrame({"sales": np.ones(n + 1, dtype=kind)})
    firms.to_stata(path, write_index=False, version=117)
    content = bytearray(path.read_bytes())
    start, width = content.index(b"<data>") + len("<data>"), np.dtype(kind).itemsize
    for place in range(n):
        at = start + place * width
        content[at : at + width] = WRITTEN[kind](place)
    path.write_bytes(content)
    found = read_table(path, FileFormat(value_labels=labels), 100)["sales"]
    assert found.isna().tolist() == [True] * n + [False]
    assert found.iloc[-1] == 1
