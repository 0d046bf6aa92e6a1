"""An evaluation of a DataFrame: the numbers of the stages, whatever its index and types."""

import ast
import re
from importlib import import_module

import numpy as np
import pandas as pd
import pytest
import simulation
from import_closure import ROOT
from ruamel.yaml import YAML
from workspace import project

from pipeline.commands.attribute.headline_effects import estimated_headlines
from pipeline.commands.explore import explore
from pipeline.commands.notebook import evaluate
from pipeline.commands.notebook_match import NOT_VETTED
from pipeline.datasets.balance import BALANCE
from pipeline.datasets.matches import WEIGHTS
from pipeline.datasets.panel import PANEL
from pipeline.datasets.results import ESTIMATES
from pipeline.datasets.store import read
from pipeline.errors import DataError, ParamsError, SupportError
from pipeline.exhibits.render import rounding
from pipeline.exhibits.units import percent
from pipeline.params.settings import parse_section, read_value
from pipeline.params.study import check_studies, read_study
from pipeline.simulation.simulate import simulate_programme
from stages.run import Folders

COLUMNS = ["id", "year", "municipality", "sector", "foreign_owned", "entry_year"]


@pytest.fixture(scope="module")
def frame():
    """Return firms and years; some firms enter in 2009, 2010 or 2011."""
    firms = simulate_programme(
        simulation.settings(firms=700, municipalities=10, sectors=4, treated_clusters=24),
        np.random.default_rng(5),
    )
    entry = firms.register.groupby("firm_id")["entry_year"].min()
    panel = firms.panel.assign(entry_year=firms.panel["firm_id"].map(entry))
    return panel.rename(columns={"firm_id": "id"})[[*COLUMNS, "sales", "employment"]]


def evaluated(frame, **changes):
    asked = {"firm": "id", "year": "year", "entry": "entry_year"}
    asked |= {"cluster": ["municipality", "sector"], "outcomes": ["sales", "employment"]}
    return evaluate(frame, **asked | changes)


@pytest.fixture(scope="module")
def study(frame):
    return evaluated(frame)


@pytest.fixture(scope="module")
def match(study):
    return study.match(["employment", "sales", "sector"], caliper_sd=0.2)


@pytest.fixture(scope="module")
def repeated(tmp_path_factory, study, match):
    """Run the stages on what `params` and `save` wrote; return the study's folders."""
    root = project(tmp_path_factory.mktemp("project"), {"mine": {}})
    study.save(root / "data" / "raw" / "mine")
    (root / "params.yaml").write_text("studies:\n- mine\n" + match.params("mine"))
    assert check_studies(root / "params.yaml", root) == ["mine"]
    block, folders = read_value((root / "params.yaml").read_text())["mine"], Folders("mine", root)
    for verb in ("obtain", "clean", "score", "match", "balance", "estimate"):
        stage = import_module(f"stages.{verb}")
        stage.main(
            folders,
            **{name: parse_section(block, "mine", name, s) for name, s in stage.SECTIONS.items()},
        )
    return folders


def assert_same(found, expected):
    assert len(found) == len(expected) > 0
    pd.testing.assert_frame_equal(found, expected, rtol=1e-8, atol=1e-9, check_dtype=False)


def test_params_runs_to_the_same_estimates(repeated, match):
    estimates = read(ESTIMATES, repeated.of("estimate"))
    for outcome in ("sales", "employment"):
        mine = (estimates["outcome"] == outcome) & (estimates["design"] == "matched")
        found = match.effects(outcome).tidy()
        assert found["estimate"].notna().sum() >= 5
        assert_same(found, estimates[mine].reset_index(drop=True))


def test_params_runs_to_the_same_weights_and_balance(repeated, match):
    for found, table, stage in (
        (match.weights, WEIGHTS, "match"),
        (match.balance(), BALANCE, "balance"),
    ):
        rows = read(table, repeated.of(stage))
        mine = rows[rows["design"] == "matched"].drop(columns="design")
        assert_same(found, mine.reset_index(drop=True))


def test_params_holds_every_default_and_means_the_same_when_read(study, match):
    both = [match.params("mine"), study.params("mine")]
    for text in both:
        content = read_value(text)
        again = read_study(content, "mine").model_dump(mode="json")
        specs = content["mine"]["estimate"]["specs"]
        content["mine"]["estimate"]["specs"] = [{"name": k, **spec} for k, spec in specs.items()]
        assert again == content["mine"]
    assert both[0] == both[1]


VARIANTS = {
    "index": lambda df: df.set_index(["id", "year"]),
    "shuffled": lambda df: df.sample(frac=1, random_state=1),
    "repeated index": lambda df: df.set_axis(np.zeros(len(df)), axis=0),
    "nullable": lambda df: df.convert_dtypes(),
    "categorical": lambda df: df.astype(
        dict.fromkeys(["id", "municipality", "sector", "entry_year", "foreign_owned"], "category")
    ),
    "objects": lambda df: df.astype(object),
    "numeric identifiers": lambda df: df.assign(id=df["id"].str[1:].astype(int)),
    "floats for identifiers": lambda df: df.assign(id=df["id"].str[1:].astype(float)),
    "dates": lambda df: df.assign(year=pd.to_datetime(df["year"].astype(str))),
    "indicator": lambda df: df.assign(entry_year=df["year"] >= df["entry_year"]),
    "codes": lambda df: df.assign(entry_year=df["entry_year"].fillna(9999)),
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_any_index_and_any_type_give_the_same_panel_and_weights(variant, frame, match):
    """Effects follow from these; identifiers are what they are."""
    given = VARIANTS[variant](frame)
    before = given.copy()
    found = evaluated(given, never=[9999]).match(["employment", "sales", "sector"], caliper_sd=0.2)
    pd.testing.assert_frame_equal(given, before)
    weights = ["stack", "treated", "weight", "base_year", "cluster"]
    values = ["year", "cohort", "cluster", "sales", "employment"]
    for of, columns in ((lambda m: m.weights, weights), (lambda m: m.cleaned.panel, values)):
        tables = [of(m)[columns].sort_values(columns) for m in (found, match)]
        assert_same(*(table.reset_index(drop=True) for table in tables))


def test_a_sampling_weight_weights_every_step(frame):
    """Weights of pairs are those of their treated firms, and the table says what weights."""
    times = frame["id"].map({firm: 1.0 + n % 3 for n, firm in enumerate(frame["id"].unique())})
    asked = {"weight": "factor", "outcomes": ["sales"]}
    study = evaluated(frame.assign(factor=times), **asked)
    found = study.match(["employment", "sector"], caliper_sd=0.2)
    own = found.weights.query("treated").set_index("firm_id")["weight"]
    given = frame.assign(factor=times).groupby("id")["factor"].first()
    assert (own == given.reindex(own.index)).all() and own.nunique() == 3
    assert "Weighted by sampling weight: factor" in found.effects("sales").table().content
    with pytest.raises(DataError, match="absent"):
        evaluated(frame, weight="absent")


def test_columns_of_any_name_are_known_by_it(frame, match):
    renamed = frame.rename(columns={"sales": "Sales (US$)", "sector": "cohort", "id": 7})
    study = evaluate(
        renamed,
        firm="7",
        year="year",
        entry="entry_year",
        cluster=["municipality", "cohort"],
        outcomes={"Sales (US$)": "log"},
    )
    found = study.match(
        {"employment": "log", "Sales (US$)": "log", "cohort": "category"}, caliper_sd=0.2
    )
    effects = found.effects("Sales (US$)").tidy()
    expected = match.effects("sales").tidy()
    np.testing.assert_allclose(effects["estimate"], expected["estimate"], rtol=1e-9)


def test_other_methods_take_their_settings(study):
    asked = {
        "odds": {},
        "entropy": {"moments": 2},
        "mahalanobis": {"ratio": 2, "replacement": True},
        "kernel": {"distance": "probability", "bandwidth": 0.06},
        "cells": {"exact": ["sector"]},
    }
    for method, rules in asked.items():
        found = study.match(["employment", "sector"], method=method, name=method, **rules)
        weights = found.weights.query("not treated").groupby("stack")["weight"].sum()
        treated = found.weights.query("treated").groupby("stack")["weight"].sum()
        np.testing.assert_allclose(weights, treated, rtol=1e-6)
    assert set(asked) <= set(study.designs)
    designs = read_study(read_value(study.params()), "study").match.designs
    assert set(asked) <= set(designs)


def test_exhibits_are_shown_and_say_that_they_are_not_vetted(match):
    effects = match.effects("sales")
    for shown in (effects.table(), effects.event_study(), match.plot()):
        assert NOT_VETTED in shown._repr_html_()
    table = effects.table().content
    assert "<table>" in table and "Matched firms" in table and ">sales<" in table
    assert "employment" not in table
    estimate = effects.tidy().set_index("term").loc["att", "estimate"]
    shown = rounding.fixed(percent(estimate), effects.results.decimals["sales"])
    assert f">{shown}<" in table
    assert effects.event_study().content.count("<svg") == 1


@pytest.mark.parametrize(
    ("changes", "error", "said"),
    [
        ({"entry": "entered"}, DataError, "the DataFrame has no column entered; it has id"),
        ({"outcomes": ["sale"]}, DataError, "the DataFrame has no column sale; it has id"),
        ({"outcomes": {"sales": "logs"}}, ParamsError, r"outcomes.sales.transform is 'logs'"),
        ({"outcomes": {"sector": "level"}}, ParamsError, "sector is a text column"),
        ({"window": (0, 3)}, ParamsError, "window.first_event_time"),
    ],
)
def test_what_cannot_be_evaluated_is_said_as_the_stages_say_it(frame, changes, error, said):
    with pytest.raises(error, match=said):
        evaluated(frame, **changes)


def test_text_in_an_outcome_is_counted_and_not_shown(frame):
    frame = frame.assign(sales=frame["sales"].astype(object))
    frame.loc[frame.index[:2], "sales"] = "secret"
    with pytest.raises(DataError, match="column sales: a value is no number: 2 rows") as refused:
        evaluated(frame, outcomes=["sales"])
    assert "secret" not in str(refused.value)


def test_what_a_notebook_shows_of_an_object_is_one_line(study, match):
    for shown in (study, match, match.effects("sales")):
        assert len(repr(shown)) < 100 and "\n" not in repr(shown)


def test_faults_of_a_design_and_of_rows_are_said_as_the_stages_say_them(frame, study, match):
    with pytest.raises(ParamsError, match=r"designs.matched.calipers is not a setting; .*caliper"):
        study.match(["sales"], calipers=0.2)
    with pytest.raises(ParamsError, match="nearst"):
        study.match(["sales"], method="nearst")
    with pytest.raises(ParamsError, match="adopts the pairs of a file"):
        study.match(["sales"], method="external")
    with pytest.raises(ParamsError, match="sale is not an outcome; did you mean sales"):
        match.effects("sale")
    with pytest.raises(SupportError, match="matched, stack 2009"):
        study.match(["sales"], caliper_sd=1e-12)
    twice = pd.concat([frame, frame.head(1).assign(sales=1.0)])
    with pytest.raises(DataError, match="firm") as refused:
        evaluated(twice)
    assert frame["id"].iloc[0] not in str(refused.value)
    with pytest.raises(DataError, match="several columns called sales"):
        evaluated(frame.rename(columns={"employment": "sales"}))


def test_the_ten_lines_of_the_page_run(frame, tmp_path, monkeypatch):
    page = (ROOT / "docs" / "notebook.md").read_text(encoding="utf-8")
    first, second = re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL)
    assert len(ast.parse(first).body) <= 10
    monkeypatch.chdir(tmp_path)
    frame.to_parquet("firms.parquet")
    names: dict = {}
    exec(first + second.replace("print(", "text = ("), names)
    assert "<table>" in names["effects"].table().content
    assert YAML(typ="safe").load(names["text"])["mystudy"]["data"]["firm_id"] == "id"
    assert (tmp_path / "data" / "raw" / "mystudy" / "panel.parquet").is_file()


def test_a_column_that_nobody_has_in_a_year_stops_as_clean_does(frame, match):
    empty = frame.assign(sales=frame["sales"].mask(frame["year"] == 2010))
    with pytest.raises(DataError, match="sales has no value in any row of 2010"):
        evaluated(empty)
    accepted = evaluated(empty, accept=["missing_year"])
    assert "accept:\n      - missing_year" in accepted.params()
    cleaned = match.cleaned.panel
    panel = cleaned.assign(sales=cleaned["sales"].mask(cleaned["year"] == 2010))
    for computed in (explore, lambda *given: estimated_headlines(*given, {})):
        with pytest.raises(DataError, match="sales has no value in any row of 2010"):
            computed({PANEL: panel}, match.study)
