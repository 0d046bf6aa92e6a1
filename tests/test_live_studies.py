"""The studies that params.yaml lists, whatever they are. No other test depends on which."""

import pytest
from import_closure import ROOT
from workspace import STUDIES, section

from pipeline.commands.explore import headline_only
from pipeline.params.leaves import leaves
from pipeline.params.settings import load_yaml
from pipeline.params.study import check_studies, read_study

CONTENT = load_yaml(ROOT / "params.yaml")
LISTED = CONTENT["studies"] or []
# Blocks of a programme of clusters, of which tests have studies of their own (arms_study.py,
# arm_studies.py, cluster_worlds.py).
OF_CLUSTER_PROGRAMMES = (
    "data.source.settings.other_programme_",
    "data.source.settings.cluster_programme.",
    "data.links.",
    "data.register_columns.",
    "data.columns.tradable.",
    "clean.register_values.",
    "treatment.exposure.",
    "treatment.arms.",
    "treatment.pools.",
    "estimate.other_arms",
    "exhibit.arm_labels.",
)


@pytest.mark.skipif(not LISTED, reason="no study is listed")
def test_params_are_valid():
    assert check_studies(ROOT / "params.yaml", ROOT) == LISTED


@pytest.mark.parametrize("study", LISTED)
def test_every_study_can_be_explored(study):
    """What its section asks for beside the headline, analyses among it, is left out."""
    settings = read_study(CONTENT, study)
    only = headline_only(settings)
    assert [spec.name for spec in only.estimate.specs] == [settings.estimate.headline.spec]
    assert not only.estimate.analyses.asked()


@pytest.mark.parametrize("study", sorted(path.stem for path in STUDIES.glob("*.yaml")))
def test_studies_that_tests_run_have_the_settings_of_those_shipped(study):
    """Values may differ, as where somebody tries a caliper; a setting that tests lack may not.

    Which outcomes the page shows first is left to each: tests change what outcomes are.
    """
    if study not in LISTED:
        pytest.skip(f"{study} is not listed")
    shipped, own = (dict(leaves(block)) for block in (CONTENT[study], section(study)))
    lacking = shipped.keys() - own.keys() - {"exhibit.cards"}
    lacking = {path for path in lacking if not path.startswith(OF_CLUSTER_PROGRAMMES)}
    assert not lacking, f"copy section {study} to tests/studies/{study}.yaml: {sorted(lacking)}"
