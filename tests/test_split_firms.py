"""Firms that a panel writes in several ways: refused with the rule that joins them, or declined."""

import pandas as pd
import pytest

from pipeline.errors import DataError
from pipeline.panel.split_firms import refuse_split_firms
from pipeline.params.identifier import Identifier

IDS = [f"{7_000_000 + 1_311 * i:08d}" for i in range(30)]
OTHERWISE = {
    "width": (lambda one: one.lstrip("0"), "clean.identifier.width: 8"),
    "case": (lambda one: f"{one}k", "clean.identifier.case: upper"),
    "decimals": (lambda one: f"{one}.0", "clean.identifier.decimals: remove"),
    "characters": (lambda one: f"{one[:4]}-{one[4:]}", "clean.identifier.characters: remove"),
    "spaces": (lambda one: f"{one[:4]} {one[4:]}", "clean.identifier.spaces: remove"),
}


def years(ids, first, last):
    rows = [(one, year) for one in ids for year in range(first, last + 1)]
    return pd.DataFrame(rows, columns=["firm_id", "year"])


@pytest.mark.parametrize("way", OTHERWISE)
def test_a_file_written_otherwise_is_refused_with_its_rule_or_declined(way):
    write, rule = OTHERWISE[way]
    before = [f"{one}K" for one in IDS] if way == "case" else IDS
    panel = pd.concat([years(before, 2001, 2003), years(map(write, IDS[:20]), 2004, 2006)])
    with pytest.raises(DataError, match=r"20 firms of the panel .* never in the same year") as said:
        refuse_split_firms(panel, Identifier())
    assert f"{way} ({rule}" in str(said.value)
    assert not any(one in str(said.value) for one in IDS)
    refuse_split_firms(panel, Identifier(near_misses=[way]))
    refuse_split_firms(panel, Identifier(near_misses="decline"))


def test_firms_that_are_seen_in_one_year_are_firms_of_their_own():
    panel = pd.concat([years(IDS, 2001, 2003), years([one.lstrip("0") for one in IDS], 2003, 2005)])
    refuse_split_firms(panel, Identifier())
    refuse_split_firms(years(IDS, 2001, 2005), Identifier())
