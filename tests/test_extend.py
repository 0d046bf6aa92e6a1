"""What docs/extend.md says to add, added to a copy of the project: a study runs with all three."""

import os
import subprocess
import sys

import pandas as pd
import pytest
from extend_page import documented_blocks
from ruamel.yaml import YAML
from test_pipeline import small_section
from workspace import project, write_params

pytestmark = pytest.mark.slow

VERBS = ("check", "obtain", "clean", "score", "match", "balance", "estimate", "exhibit")
LANGUAGES = ("en", "es", "pt")


def insert(path, before: str, text: str) -> None:
    """Insert text before the first line that starts so."""
    content = path.read_text(encoding="utf-8")
    place = content.index(f"\n{before}") + 1
    path.write_text(f"{content[:place]}{text}\n\n{content[place:]}", encoding="utf-8")


def swap(path, old: str, new: str) -> None:
    content = path.read_text(encoding="utf-8")
    assert content.count(old) == 1
    path.write_text(content.replace(old, new), encoding="utf-8")


def append(path, imports: str, text: str) -> None:
    """Add imports on top, after the docstring, and text at the end."""
    content = path.read_text(encoding="utf-8")
    place = content.index("\nfrom ") + 1
    path.write_text(f"{content[:place]}{imports}\n{content[place:]}\n\n{text}", encoding="utf-8")


def say(folder, words: dict) -> None:
    """Add words to each language's file."""
    for language in LANGUAGES:
        path = folder / "exhibits" / "words" / f"{language}.yaml"
        said = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
        for section, codes in words.items():
            said.setdefault(section, {}).update(codes)
        with path.open("w", encoding="utf-8") as file:
            YAML(typ="safe").dump(said, file)


def blocks_of(heading: str, language: str = "python") -> list:
    found = documented_blocks(heading, language)
    return found if language == "python" else [YAML(typ="safe").load(block) for block in found]


def add_estimator(folder) -> dict:
    module, settings, row = blocks_of("An estimator")
    spec, words = blocks_of("An estimator", "yaml")
    rooms, params = folder / "estimators", folder / "params" / "estimate.py"
    (rooms / "mean_difference.py").write_text(module, encoding="utf-8")
    insert(params, "Spec = Annotated[", settings)
    swap(params, "[\n    StackedSpec\n", "[\n    MeanDifferenceSpec | StackedSpec\n")
    names = "estimate_mean_difference, mean_difference_rules, mean_difference_terms"
    imports = f"from pipeline.estimators.mean_difference import {names}\n"
    imports += "from pipeline.params.estimate import MeanDifferenceSpec"
    append(rooms / "registry.py", imports, row)
    say(folder, words)
    return spec


def add_table(folder) -> str:
    module, row = blocks_of("A table")
    (words,) = blocks_of("A table", "yaml")
    tables, params = folder / "exhibits" / "tables", folder / "params" / "exhibit.py"
    (tables / "firms_behind.py").write_text(module, encoding="utf-8")
    swap(params, '    "group_time",\n', '    "group_time",\n    "firms_behind",\n')
    imports = "from pipeline.exhibits.tables.firms_behind import firms_behind"
    append(tables / "registry.py", imports, row)
    say(folder, words)
    return "firms_behind"


def add_rule(folder) -> dict:
    module, settings, field, row = blocks_of("A cleaning rule")
    words, asked = blocks_of("A cleaning rule", "yaml")
    rules, params = folder / "panel" / "rules", folder / "params" / "clean.py"
    (rules / "least_size.py").write_text(module, encoding="utf-8")
    insert(params, "class CleanSection(", settings)
    swap(
        params,
        "    customs: Customs | None = None\n",
        f"    customs: Customs | None = None\n    {field}",
    )
    append(
        rules / "registry.py", "from pipeline.panel.rules.least_size import leave_out_small", row
    )
    say(folder, words)
    return asked["clean"]


@pytest.fixture(scope="module")
def extended(tmp_path_factory):
    """Return a project with an estimator, a table and a rule of its own, run to its exhibits."""
    folder = tmp_path_factory.mktemp("extended")
    block = small_section()
    project(folder, {"plants": block})
    spec, table, rule = (add(folder / "pipeline") for add in (add_estimator, add_table, add_rule))
    ((name, asked),) = spec.items()
    block["estimate"]["specs"] = {name: asked, **block["estimate"]["specs"]}
    block["estimate"]["headline"] |= {"spec": name}
    block["exhibit"]["tables"] = ["main_effects", "estimators", "placebos", "inference", table]
    block["exhibit"]["panels"] = [{"spec": name, "design": "covariates", "label": "Means"}]
    block["clean"] |= rule
    write_params(folder, {"plants": block})
    for verb in VERBS:
        study = [] if verb == "check" else ["plants"]
        done = subprocess.run(
            [sys.executable, "-m", f"stages.{verb}", *study],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(folder)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{verb}: {done.stderr}"
    return folder


def published(folder, name: str) -> pd.DataFrame:
    return pd.read_csv(folder / "reports" / "plants" / "results" / f"{name}.csv")


def of_means(folder, name: str) -> pd.DataFrame:
    """Return the rows of the documented estimator on one outcome."""
    rows = published(folder, name)
    return rows[(rows["estimator"] == "means") & (rows["outcome"] == "sales_log")]


def shown(folder, table: str) -> str:
    return (folder / "reports" / "plants" / "tables" / f"{table}.md").read_text(encoding="utf-8")


def test_the_documented_estimator_is_inferred_and_redone(extended):
    rows = of_means(extended, "estimates").set_index(["inference", "sample"])
    by_inference = {("analytic", "all"), ("randomisation", "all")}
    assert set(rows.index) == by_inference | {("analytic", "placebo_entry")}
    assert rows["reason"].isna().all()
    (fit,) = of_means(extended, "fits").to_dict("records")
    estimate = rows.loc[("analytic", "all"), "estimate"]
    assert fit["att_order_low"] < fit["att_order_high"]
    assert fit["att_order_low"] <= estimate <= fit["att_order_high"]
    assert len(of_means(extended, "detectable")) > 1


def test_what_the_documented_estimator_did_is_recorded(extended):
    (ran,) = of_means(extended, "specs").to_dict("records")
    assert (ran["kind"], ran["method"]) == ("mean_difference", '["means"]')
    assert (ran["randomisation_draws"], ran["inference"]) == (99, '["analytic", "randomisation"]')
    assert ran["placebo_entry_years"] == 1


def test_tables_show_the_documented_estimator(extended):
    assert "Difference of means" in shown(extended, "estimators")
    assert "andomisation" in shown(extended, "inference")
    assert "too early" in shown(extended, "placebos")
    assert "Means" in shown(extended, "main_effects")


def test_the_documented_table_and_rule_are_shown(extended):
    assert "headline design" in shown(extended, "firms_behind")
    assert "least_size" in set(published(extended, "sample_flow")["rule"])
