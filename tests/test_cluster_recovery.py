"""Effects on participants and on those around them come back, unless an assumption is broken."""

import pandas as pd
import pytest
from cluster_worlds import (
    ARMS,
    EXPOSURES,
    PROGRAMMES,
    drawn,
    in_mc_errors,
    mapped,
    over_seeds,
    own_of,
)

SEEDS, FEW_SEEDS = range(12), range(8)
OUTSIDE = "outside_treated_clusters"
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def rightly_mapped() -> pd.DataFrame:
    return over_seeds(mapped(ARMS, EXPOSURES, OUTSIDE), SEEDS)


def biases(table: pd.DataFrame) -> pd.Series:
    return table.groupby("arm")["error"].agg(in_mc_errors)


def test_every_arm_recovers_its_truth_where_exposure_is_mapped_rightly(rightly_mapped):
    found = biases(rightly_mapped)
    assert set(found.index) == set(ARMS)
    assert found.abs().max() < 3
    truth = rightly_mapped.groupby("arm")["truth"].mean()
    assert truth["many_around"] > 4 * truth["few_around"] > 0.1


def test_exposed_firms_in_the_pool_hide_part_of_the_effect():
    """Nobody counts as exposed: gains of neighbours and suppliers are taken off each effect."""
    found = biases(over_seeds(mapped(PROGRAMMES, {}, "all"), FEW_SEEDS))
    assert found[["cdp", "other"]].max() < -3


def test_a_wrong_mapping_leaves_exposed_firms_in_the_pool():
    """Only suppliers count as exposed, while neighbours gain more."""
    arms = {name: ARMS[name] for name in [*PROGRAMMES, "suppliers"]}
    links = {name: EXPOSURES[name] for name in ("suppliers", "joined")}
    found = biases(over_seeds(mapped(arms, links, "all"), FEW_SEEDS))
    assert found[["cdp", "other"]].max() < -3


def test_effects_in_proportion_to_the_share_are_wrong_and_classes_are_not(rightly_mapped):
    """Where few take part others gain 4 percent, where many do 30: no line through zero."""
    wide = rightly_mapped.pivot(index="seed", columns="arm")
    ratio = wide["share", "many_around"] / wide["share", "few_around"]
    assert ratio.between(1.5, 4).all()
    in_proportion = wide["estimate", "few_around"] * ratio
    assert in_mc_errors(in_proportion - wide["truth", "many_around"]) < -3
    assert abs(in_mc_errors(wide["error", "many_around"])) < 3


def test_own_effects_are_what_participation_adds_to_the_exposure_of_participants():
    """Own takes neighbours' gains off the total; here nothing passes on links."""
    study, unlinked = mapped(ARMS, EXPOSURES, OUTSIDE), {"supply": 0, "labour_flow": 0}
    rows = [own_of(study, drawn(seed, link_percent=unlinked), "cdp") for seed in FEW_SEEDS]
    found = pd.DataFrame(rows)
    assert abs(in_mc_errors(found["estimate"] - found["truth"])) < 3
    assert found["truth"].mean() < 0.15
