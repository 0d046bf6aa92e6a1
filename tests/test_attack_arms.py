"""An attack on published files of several arms of known firms: together they tell of none."""

import pytest
from attack import attack, counts_found, values_found
from attack_world import worlds
from attacked_arms import attacked_arms

MINIMUM = 5

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def attacked(tmp_path_factory):
    return attacked_arms(tmp_path_factory.mktemp("attacked"))


@pytest.fixture(scope="module")
def known(attacked):
    return worlds(attacked)


def test_every_arm_is_published_and_attacked(attacked, known):
    assert set(known) == {"", "credit", "wide", "near"}


def test_no_count_of_few_firms_is_shown_or_follows(attacked, known):
    found = counts_found(attacked.files(), known, MINIMUM)
    assert not found, "\n".join(map(str, found))


def test_no_firms_value_follows(attacked, known):
    found = values_found(attacked.files(), known, MINIMUM)
    assert not found, "\n".join(map(str, found))


def test_the_attack_finds_the_firms_between_arms_where_nothing_is_hidden(attacked, known):
    found = attack(attacked.unprotected(), known, MINIMUM)
    between = [one for one in found if one.how in ("difference", "complement")]
    assert any(one.what.startswith("wide ") and "- ESTIMATES" in one.what for one in between)
    assert {"shown", "sums"} <= {one.how for one in found}
