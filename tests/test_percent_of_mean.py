"""Effects in percent of the comparison mean: those of the level, divided by a mean that is said."""

import dataclasses

import pytest
from bad_studies import LEVEL
from results import study_results
from stacked_tables import estimation, random_study, treatment
from test_cross_section import SPEC, section
from told import estimate_specs

from pipeline.datasets.fits import DETECTABLE
from pipeline.datasets.samples import BASELINES
from pipeline.effects.study import prepare_study
from pipeline.errors import IdentificationError
from pipeline.exhibits.numbers import study_numbers
from pipeline.exhibits.tables.panels import Shown, lettered_panels
from pipeline.exhibits.units import unit_words
from pipeline.exhibits.words.main_notes import main_notes
from pipeline.exhibits.words.methods_paragraph import methods_sentences
from pipeline.exhibits.words.short_notes import short_notes
from pipeline.params.analysis_faults import Sections, analysis_faults
from pipeline.params.outcomes import Outcome, OutcomesSection

PERCENT = LEVEL | {"transform": "percent_of_mean"}
FIGURES = ["estimate", "std_error", "conf_low", "conf_high"]
FLAT = {"name": "flat", "estimator": "twoway", "terms": ["att"]}


@pytest.fixture(scope="module")
def results():
    panel, matches, weights = random_study(5)
    panel = panel.assign(sales=panel["sales"] + 10)
    extra = {key: value for key, value in SPEC.items() if key not in ("name", "base_value")}
    specs = [SPEC, extra | FLAT]
    study = prepare_study(
        panel,
        matches,
        weights,
        outcomes=OutcomesSection.model_validate({"sales": LEVEL, "relative": PERCENT}),
        treatment=treatment(-3, 2),
        matched_times={},
        estimate=section(*specs),
    )
    return estimate_specs(study)


def of(table, outcome, *key):
    rows = table[table["outcome"] == outcome].drop(columns="outcome")
    return rows.set_index(list(key)).sort_index()


def test_effects_errors_and_intervals_are_divided_by_the_comparison_mean(results):
    baselines = results.details[BASELINES.name].set_index(["outcome", "treated"])["mean"]
    mean = baselines["sales", False]
    assert baselines["relative", False] == mean
    key = ["estimator", "named", "inference"]
    level, percent = (of(results.estimates, name, *key) for name in ("sales", "relative"))
    assert level.index.equals(percent.index)
    assert level["estimate"].notna().sum() > 10
    expected = level[FIGURES].to_numpy() * 100 / mean
    assert percent[FIGURES].to_numpy() == pytest.approx(expected, rel=1e-9, nan_ok=True)
    assert (percent["scale"] == "percent_of_mean").all()
    p_values = percent["p_value"].to_numpy()
    assert p_values == pytest.approx(level["p_value"].to_numpy(), rel=1e-9, nan_ok=True)


def test_paths_stay_in_the_unit_of_the_column(results):
    level, percent = (
        of(results.paths, name, "design", "treated", "event_time") for name in ("sales", "relative")
    )
    assert percent["mean"].to_numpy() == pytest.approx(level["mean"].to_numpy())


def test_a_detectable_effect_in_percent_has_no_size_in_the_unit(results):
    table = results.details[DETECTABLE.name].set_index("outcome")
    assert table.loc["sales", "effect_in_unit"].notna().any()
    assert table.loc["relative", "effect_in_unit"].isna().all()


def test_a_mean_that_is_not_above_zero_is_refused():
    panel, matches, weights = random_study(5)
    with pytest.raises(IdentificationError, match="needs a comparison mean above zero"):
        prepare_study(
            panel.assign(sales=panel["sales"] - 10),
            matches,
            weights,
            outcomes=OutcomesSection.model_validate({"sales": PERCENT}),
            treatment=treatment(-3, 2),
            matched_times={},
            estimate=estimation(),
        )


def test_what_has_no_mean_before_entry_or_is_told_in_the_unit_is_refused():
    with pytest.raises(ValueError, match="percent_of_mean needs the mean before entry"):
        Outcome.model_validate(PERCENT | {"post_only": True})
    asked = {"designs": ["matched"], "outcomes": ["sales"], "cluster": "firm"}
    by = {"jobs": {"column": "jobs", "at": -1}}
    sizes = asked | {"by": by, "comparison": "own_size"}
    made = section(SPEC, analyses={"size_weighted": sizes})
    outcomes = OutcomesSection.model_validate({"sales": PERCENT})
    data = type("Data", (), {"columns": {}, "register_columns": None})
    given = {"outcomes": outcomes, "treatment": treatment(-1, 0), "estimate": made}
    fault, *_ = analysis_faults(Sections(data=data, clean=None, **given))
    assert "sales is in percent of a mean, and size_weighted is told in the unit" in fault


def in_percent(results):
    """Return results whose log outcome is told in percent of the mean."""
    settings = results.settings
    known = settings.outcomes.root
    changed = known["sales_log"].model_copy(update={"transform": "percent_of_mean"})
    outcomes = OutcomesSection.model_construct(root=known | {"sales_log": changed})
    table = results.estimates
    own = table["outcome"] == "sales_log"
    return dataclasses.replace(
        results,
        settings=dataclasses.replace(settings, outcomes=outcomes),
        estimates=table.assign(scale=table["scale"].mask(own, "percent_of_mean")),
    )


def test_the_mean_is_said_to_be_taken_as_fixed_and_keys_of_numbers_say_percent():
    plain = study_results()
    percent = in_percent(plain)

    def said(results):
        shown = Shown({1: "sales_log"}, lettered_panels(results))
        notes = [*main_notes(results, shown), *short_notes(results, shown)]
        return " ".join([*notes, *methods_sentences(results)])

    assert said(percent).count("taken as fixed") == 2
    assert "mean before entry take that mean as fixed" in said(percent)
    assert "as fixed" not in said(plain)
    assert unit_words("percent_of_mean") == "percent of the comparison mean"
    keys = [key for key in study_numbers(percent) if ".sales_log." in key]
    assert any(key.endswith(".pct_of_mean_low") for key in keys)
    assert not any(key.endswith(".pct_low") for key in keys)
