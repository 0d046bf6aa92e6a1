"""The export for Stata: names, labels, privacy, and every figure by an independent computation."""

import io
import re
from typing import get_args, get_origin

import numpy as np
import pandas as pd
import pytest
from import_closure import ROOT
from stacked_tables import estimation, outcomes, random_study, treatment, weights_from
from stata_commands import Stata
from workspace import contents, project, section

from pipeline.analyses.specs import estimate_specs
from pipeline.commands.stata.matched_panel import label, variable_names
from pipeline.commands.stata.package import COMMANDS, dta_bytes, stata_files
from pipeline.effects.study import prepare_study
from pipeline.errors import DataError
from pipeline.estimators.registry import ESTIMATORS
from pipeline.params.estimate import EstimateSection
from pipeline.params.study import SECTIONS
from stages import balance, clean, estimate, export, match, obtain, score
from stages.run import run_stage


def group_time(method, covariates, missing="renormalise"):
    section = estimation(missing).model_dump(exclude_none=True)
    spec = {
        "name": "main",
        "estimator": "group_time",
        "designs": ["matched"],
        "outcomes": "all",
        "terms": ["att"],
        "average": "event",
        "method": method,
        "covariates": covariates,
        "base": "universal",
        "cluster": "assignment",
        "bands": None,
        "weight_matched_again": True,
    }
    return EstimateSection.model_validate(section | {"specs": [spec]})


def dated(weights, seed=5):
    """Return COVARIATES with one number and one category for every firm and stack."""
    rng = np.random.default_rng(seed)
    table = weights[["stack", "firm_id"]].drop_duplicates().reset_index(drop=True)
    table["size"] = rng.normal(size=len(table))
    table["sector"] = np.where(rng.random(len(table)) < 0.5, "food", "metal")
    return table.astype({"sector": "str"})


def study_of(section, seed=0, n_firms=80, **named):
    panel, matches, weights = random_study(seed, n_firms=n_firms)
    return prepare_study(
        panel,
        matches,
        weights,
        outcomes=outcomes(**named),
        treatment=treatment(-3, 2),
        matched_times={},
        estimate=section,
        covariates=dated(weights),
    )


def exported(study, folder, name="random"):
    files = stata_files(name, study, estimate_specs(study).estimates)
    for file, content in files.items():
        (folder / file).write_bytes(content)
    return files


@pytest.mark.parametrize(
    "spec",
    [
        {"average": "event", "cluster": "assignment"},
        {"average": "pooled", "cluster": "firm"},
        {"average": "event", "cluster": "firm", "year_effects_by": "sector"},
    ],
)
@pytest.mark.parametrize("missing", ["renormalise", "drop_set"])
def test_stacked_figures_are_those_of_dense_least_squares(tmp_path, spec, missing):
    exported(study_of(estimation(missing, **spec)), tmp_path)
    stata = Stata(tmp_path)
    stata.run("estimates.do")
    assert stata.commands.count("reghdfe") == 1
    assert stata.asserts == 4


def test_two_way_clusters_and_components_are_exported(tmp_path):
    panel, matches, _ = random_study(3)
    once = matches.drop_duplicates(["firm_id"]).groupby("set_id").filter(lambda s: len(s) > 1)
    once = once[once.groupby("set_id")["treated"].transform("any")].copy()
    n_control = (~once["treated"]).groupby(once["set_id"]).transform("sum")
    once = once[n_control > 0]
    for cluster in ("set_and_assignment", "components"):
        study = prepare_study(
            panel, once, weights_from(once, panel), outcomes=outcomes(), matched_times={},
            treatment=treatment(-3, 2), estimate=estimation("drop_set", cluster=cluster),
        )  # fmt: skip
        text = exported(study, tmp_path)["estimates.do"].decode()
        wanted = "cluster set" if cluster == "set_and_assignment" else "component"
        assert f"vce(cluster {wanted})" in text
        assert {"set", "component"} <= set(pd.read_stata(tmp_path / "matched.dta").columns)


def test_errors_that_stata_does_not_know_or_that_exposure_joins_are_told(tmp_path):
    panel, matches, weights = random_study(0, n_firms=80)
    number = pd.factorize(panel["firm_id"])[0]
    placed = panel.assign(lat=number / 10.0, lon=0.0, exposure_component=panel["cluster"])
    near = {"cutoff_km": 30.0, "latitude": "lat", "longitude": "lon"}
    for cluster, asked, said in (
        ("distance", {"conley": near}, "* not repeated here: errors by distance"),
        ("exposure_component", {}, "vce(cluster level_exposure_component)"),
    ):
        study = prepare_study(
            placed, matches, weights, outcomes=outcomes(), matched_times={},
            treatment=treatment(-3, 2), estimate=estimation(cluster=cluster, **asked),
        )  # fmt: skip
        assert said in exported(study, tmp_path)["estimates.do"].decode()


def test_a_pair_of_levels_is_exported(tmp_path):
    section = estimation(average="event", cluster=["assignment", "sector"])
    text = exported(study_of(section), tmp_path)["estimates.do"].decode()
    assert "vce(cluster cluster level_sector)" in text
    rows = pd.read_stata(tmp_path / "matched.dta")
    assert rows["level_sector"].nunique() > 1
    assert (rows.groupby("unit")["level_sector"].nunique() == 1).all()


@pytest.mark.parametrize(
    ("method", "covariates"),
    [("difference", []), ("outcome_regression", ["size"]), ("doubly_robust", ["size"])],
)
def test_group_time_figures_are_those_of_a_plain_computation(tmp_path, method, covariates):
    exported(study_of(group_time(method, covariates), n_firms=120), tmp_path)
    stata = Stata(tmp_path)
    stata.run("estimates.do")
    assert stata.commands.count("csdid") == 2
    # two stacks x three years x (estimate, error), two means of a stack, the average
    assert stata.asserts == 2 * 3 * 2 + 2 * 2 + 1


def test_a_wrong_figure_would_be_seen(tmp_path):
    files = exported(study_of(estimation()), tmp_path)
    text = files["estimates.do"].decode()
    wrong = re.sub(r"(reldif\(r\(se\), )[-\d.e]+", r"\g<1>0.5", text)
    assert wrong != text
    (tmp_path / "estimates.do").write_text(wrong)
    with pytest.raises(AssertionError, match=r"reldif\(r\(se\)"):
        Stata(tmp_path).run("estimates.do")


def test_estimates_of_other_tables_are_refused():
    study = study_of(group_time("difference", []))
    estimates = estimate_specs(study).estimates
    estimates["estimate"] += 0.1
    with pytest.raises(DataError, match="run `dvc repro`"):
        stata_files("random", study, estimates)


def test_what_csdid_cannot_repeat_has_a_reason():
    section = group_time("difference", [], missing="drop_set")
    study = study_of(section)
    text = stata_files("random", study, estimate_specs(study).estimates)["estimates.do"].decode()
    assert "not repeated here: matched sets count only where complete" in text
    assert "csdid y" not in text


def test_a_proportional_outcome_is_pointed_to_ppmlhdfe():
    panel, matches, weights = random_study(0)
    panel["sales"] = panel["sales"].abs()
    named = {"column": "sales", "transform": "proportional", "unit": "US$", "label": "Sales"}
    study = prepare_study(
        panel, matches, weights, outcomes=outcomes(sales=named), treatment=treatment(-3, 2),
        matched_times={}, estimate=estimation(),
    )  # fmt: skip
    text = stata_files("random", study, estimate_specs(study).estimates)["estimates.do"].decode()
    assert "ppmlhdfe" in text
    assert "reghdfe y" not in text


def test_effects_adjusted_for_covariates_are_not_repeated():
    study = study_of(estimation(average="event", covariates=["size"]))
    text = stata_files("random", study, estimate_specs(study).estimates)["estimates.do"].decode()
    assert "not repeated here: adjusted for covariates" in text
    assert "reghdfe y" not in text


def test_estimators_that_the_registry_says_are_repeated_have_commands():
    assert {name for name, row in ESTIMATORS.items() if row.in_stata} == set(COMMANDS)


def test_the_file_has_labels_whole_years_and_stata_missing_values(tmp_path):
    long = "An outcome whose label is longer than the eighty characters that Stata keeps of a label"
    named = {"column": "sales", "transform": "level", "unit": "US$", "label": long}
    study = study_of(estimation(), an_outcome_with_a_name_longer_than_thirty_two=named)
    files = exported(study, tmp_path)
    with pd.io.stata.StataReader(tmp_path / "matched.dta") as reader:
        labels = reader.variable_labels()
        assert all(0 < len(text) <= 80 for text in labels.values())
        assert all(len(name) <= 32 for name in labels)
        assert reader.value_labels()["treated"] == {0: "comparison", 1: "treated"}
        rows = reader.read(convert_categoricals=False)
    assert rows["year"].dtype.kind == rows["stack"].dtype.kind == "i"
    never = rows["cohort"].isna()
    assert never.any() and (rows.loc[~never & (rows["treated"] == 1), "cohort"] > 2000).all()
    (weight,) = [name for name in rows if name.startswith("w_")]
    assert rows[weight].isna().any()
    assert b"F000" not in b"".join(files.values())
    again = stata_files("random", study, estimate_specs(study).estimates)
    assert again == files


def test_categories_have_value_labels(tmp_path):
    exported(study_of(group_time("outcome_regression", ["sector"]), n_firms=120), tmp_path)
    with pd.io.stata.StataReader(tmp_path / "matched.dta") as reader:
        assert reader.value_labels()["x_sector"] == {1: "food", 2: "metal"}
    assert "csdid y_sales i.x_sector if" in (tmp_path / "estimates.do").read_text()


def test_long_names_stay_apart_and_odd_letters_go():
    long = "a" * 40
    names = variable_names("y", [long, long + "b", "r&d"])
    assert len(set(names.values())) == 3
    assert all(len(name) <= 32 for name in names.values())
    assert names["r&d"] == "y_r_d"
    assert label("a  b") == "a b"
    assert label("x" * 81) == "x" * 77 + "..."


def test_letters_of_all_languages_survive():
    frame = pd.DataFrame({"y": [1.0]})
    content = dta_bytes(frame, "Año", {"y": "Exportación, participação"})
    with pd.io.stata.StataReader(io.BytesIO(content)) as reader:
        assert reader.variable_labels() == {"y": "Exportación, participação"}


@pytest.fixture
def michigan(tmp_path, monkeypatch):
    folder = project(tmp_path, {"michigan": section("michigan")})
    monkeypatch.chdir(folder)
    monkeypatch.setattr("sys.argv", ["stage", "michigan"])
    return folder


def test_an_export_before_a_run_says_what_to_do(michigan, capsys):
    with pytest.raises(SystemExit) as stop:
        export.main(["michigan", "--stata"])
    assert stop.value.code == 2
    assert "run `dvc repro`" in capsys.readouterr().err


@pytest.mark.slow
def test_every_published_average_of_a_study_is_repeated(michigan, capsys):
    for stage in (obtain, clean, score, match, balance, estimate):
        run_stage(stage.main, stage.SECTIONS)
    before = set(contents(michigan))
    export.main(["michigan", "--stata"])
    new = set(contents(michigan)) - before
    assert new and all(path.startswith("data/michigan/export/") for path in new)
    stata = Stata(michigan / "data" / "michigan" / "export")
    stata.run("estimates.do")
    # four designs, four observed outcomes; estimate, standard error, N, clusters
    assert stata.asserts == 4 * 4 * 4


def models_at(path):
    """Say whether the settings' models have a path; `*` is any name, or a position in a list."""
    name, *rest = path.split(".")
    return name in SECTIONS and _reaches(SECTIONS[name], rest)


def _reaches(kind, rest):
    if not rest:
        return True
    fields = getattr(kind, "model_fields", {})
    if "root" in fields:
        return _reaches(fields["root"].annotation, rest)
    if fields:
        return rest[0] in fields and _reaches(fields[rest[0]].annotation, rest[1:])
    parts = get_args(kind)
    if get_origin(kind) in (dict, list):
        return rest[0] == "*" and _reaches(parts[-1], rest[1:])
    return any(_reaches(part, rest) for part in parts)


def test_every_setting_named_on_the_page_exists():
    page = (ROOT / "docs" / "stata.md").read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| `")]
    assert len(rows) >= 60
    for row in rows:
        ours = row.split(" | ", 1)[1]
        for path in re.findall(r"`([a-z_*.]+\.[a-z_*.]+)`", ours):
            assert models_at(path), path
    commands = {
        "psmatch2", "pstest", "teffects", "kmatch", "csdid", "reghdfe", "eventstudyinteract",
        "did_imputation", "ppmlhdfe", "boottest", "leebounds",
    }  # fmt: skip
    assert commands <= set(re.findall(r"^## `(\w+)`", page, re.MULTILINE))


@pytest.mark.parametrize(
    ("path", "known"),
    [
        ("match.designs.*.caliper_sd", True),
        ("match.designs.*.calliper", False),
        ("estimate.specs.*.wild_bootstrap.draws", True),
        ("outcomes.*.transform", True),
        ("nowhere.key", False),
    ],
)
def test_paths_are_looked_up_in_the_models(path, known):
    assert models_at(path) is known
