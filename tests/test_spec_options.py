"""An option of a spec is known to all or declared as its own; reading another is an error."""

from typing import get_args

import pytest
from bad_studies import spec
from pydantic import Field

from pipeline.params import estimate, match
from pipeline.params.design_rules import OfDesign
from pipeline.params.spec_options import OPTIONS, EstimatesAsked, OfPanel, OfScore

CLASSES = get_args(get_args(estimate.Spec)[0])


def test_a_class_that_leaves_a_trait_out_is_refused():
    with pytest.raises(TypeError, match="Bare does not declare in_logs_only"):

        class Bare(EstimatesAsked):
            gives = "effects"
            own = frozenset()


def test_an_option_that_nobody_knows_is_refused():
    with pytest.raises(TypeError, match="Misspelt: covariate must be an option of all specs"):

        class Misspelt(EstimatesAsked):
            gives = "effects"
            in_logs_only = False
            own = frozenset()
            covariate: list[str] = Field(default_factory=list)


def test_an_option_of_all_specs_is_not_one_class_s_own():
    with pytest.raises(TypeError, match="Owned: covariates must be"):

        class Owned(EstimatesAsked):
            gives = "effects"
            in_logs_only = False
            own = frozenset({"covariates"})
            covariates: list[str] = Field(default_factory=list)


def test_reading_an_option_that_there_is_not_is_an_error():
    with pytest.raises(ValueError, match="covariate is not an option of specs: inference, conley"):
        asked("twoway").option("covariate")


def asked(estimator, **options):
    made = spec("one", estimator, **options)
    section = {"specs": [made], "headline": {"spec": "one", "design": "matched", "term": "att"}}
    rules = {"conf_level": 0.95, "power": 0.8, "missing": "renormalise"}
    return estimate.EstimateSection.model_validate(rules | section).specs[0]


def test_an_option_is_the_spec_s_or_what_one_without_it_runs_with():
    adjusted = asked("stacked", average="event", covariates=["size"])
    assert adjusted.option("covariates") == ["size"]
    assert asked("twoway").option("covariates") == ()


def test_every_option_of_all_specs_is_one_of_some_class():
    assert set(OPTIONS) <= {name for one in CLASSES for name in one.model_fields}


def test_every_option_that_names_covariates_or_columns_is_marked():
    named = {"covariates", "bias_adjustment", "weight_by", "year_effects_by"}
    for one in CLASSES:
        marked = {
            name
            for name, field in one.model_fields.items()
            if any(isinstance(mark, OfScore | OfPanel) for mark in field.metadata)
        }
        assert marked == named & set(one.model_fields)


def test_methods_are_those_that_a_class_can_ask_for():
    few = {"bias_reduced", "wild_bootstrap", "randomisation", "cluster_bootstrap"}
    assert estimate.StackedSpec.methods() == few
    assert estimate.TwowaySpec.methods() == {"bias_reduced"}
    assert estimate.MatchedDifferenceSpec.methods() == {"abadie_imbens"}
    assert estimate.LeeBoundsSpec.methods() == set()


def test_the_average_alone_asks_for_nothing_beside_it():
    drawn = {"draws": 99, "seed": 1}
    full = asked(
        "stacked",
        average="event",
        terms=["att", "event"],
        bands=True,
        cluster="assignment",
        inference="cluster_bootstrap",
        **drawn,
        wild_bootstrap=drawn,
        randomisation=drawn,
        bias_reduced=True,
        event_bins=[{"first_event_time": 0, "last_event_time": 1}],
    )
    alone = full.only_average("matched")
    assert full.asked_beside_analytic == ["bias_reduced", "wild_bootstrap", "randomisation"]
    assert (alone.terms, alone.designs, alone.asked_beside_analytic) == (["att"], ["matched"], [])
    for name in ("inference", "draws", "seed", "bands", "event_bins"):
        assert alone.option(name) == OPTIONS[name]
    plain = asked("twoway").only_average("matched")
    assert set(plain.model_dump()) == set(asked("twoway").model_dump())


def test_every_setting_of_a_design_that_names_covariates_is_marked():
    for one in get_args(get_args(match.AnyDesign)[0]):
        marked = {
            name
            for name, field in one.model_fields.items()
            if any(isinstance(mark, OfDesign) for mark in field.metadata)
        }
        assert marked == {"exact", "covariates", "base_covariate"} & set(one.model_fields)
