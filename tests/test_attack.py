"""An attack on published files of firms that are known: it finds none, unless nothing is hidden."""

import pytest
from attack import attack, counts_found, values_found
from attack_world import worlds
from attacked_study import attacked_project

MINIMUM = 5

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def attacked(tmp_path_factory):
    return attacked_project(tmp_path_factory.mktemp("attacked"))


@pytest.fixture(scope="module")
def known(attacked):
    return worlds(attacked)


def lines(found) -> str:
    return "\n".join(map(str, found))


def test_no_count_of_few_firms_is_shown_or_follows(attacked, known):
    found = counts_found(attacked.files(), known, MINIMUM)
    assert not found, lines(found)


def test_no_firms_value_follows(attacked, known):
    found = values_found(attacked.files(), known, MINIMUM)
    assert not found, lines(found)


def test_the_attack_finds_what_a_threshold_of_one_firm_leaves_open(attacked, known):
    found = attack(attacked.unprotected(), known, MINIMUM)
    how = {one.how for one in found}
    assert {"shown", "count", "difference", "complement", "share x total", "sums"} <= how
    assert {"row space", "lone entry year"} & how
    assert len(found) > 500
