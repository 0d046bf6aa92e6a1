"""The registry of cleaning rules is complete, and docs/extend.md says how to enter it."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from extend_page import documented_blocks
from ruamel.yaml import YAML
from test_panel import DATA, INDICATOR, treatment
from text_tables import table

import pipeline.params.clean as clean_params
from pipeline.exhibits.words import language
from pipeline.exhibits.words.steps import step_words
from pipeline.panel.clean import clean_panel
from pipeline.panel.ledger import Ruled
from pipeline.panel.rules import registry
from pipeline.params.clean import CleanSection
from pipeline.params.clean_faults import clean_faults
from pipeline.params.data import DataSection
from pipeline.params.rule_marks import OfKind

CLEANING = (Path(__file__).parent.parent / "docs" / "cleaning.md").read_text(encoding="utf-8")
# What of section `clean` holds before there are rows with entry years, or is no rule.
BEFORE_RULES = {"identifier", "corrections", "missing_codes", "register_values", "minimum_count"}
RAW = """
id yr   sales support town sector
A  2001 10    0       t    s
A  2002 12    1       t    s
B  2001 20    0       t    s
B  2002 21    1       t    s
C  2001 15    0       u    s
C  2002 5     0       u    s
D  2001 9     0       u    s
D  2002 30    0       u    s
"""


def settings_of(rows):
    """Return the settings that ask for rules, each once where neighbours share it."""
    found = [row.setting for row in rows if row.setting is not None]
    return [s for before, s in zip([None, *found], found, strict=False) if s != before]


def test_every_rule_of_section_clean_is_registered():
    registered = {s.split(".")[1] for s in settings_of(registry.RULES.values()) if "clean." in s}
    assert registered == set(CleanSection.model_fields) - BEFORE_RULES


def test_rules_run_in_the_order_of_the_page_on_cleaning():
    cells = [line.split("|")[2] for line in CLEANING.splitlines() if line.startswith("| ")]
    named = [name for cell in cells for name in re.findall(r"`([\w.]+)`", cell)]
    settings = [name if "." in name else f"clean.{name}" for name in named]
    first = settings.index("clean.duplicates")
    assert set(settings[:first]) < {f"clean.{name}" for name in {*BEFORE_RULES, "links"}}
    assert settings[first:] == settings_of(registry.rules_in_order().values())


def test_every_step_has_its_sentence_and_every_sentence_its_rule():
    steps = [step for row in registry.RULES.values() for step in row.steps]
    said = {c.split(".")[1] for c in language.sentences("en") if c.startswith("step.")}
    assert sorted([*steps, "delivered"]) == sorted(said)


def test_every_setting_of_a_column_says_of_which_kind():
    models = [m for m in vars(clean_params).values() if isinstance(m, type)]
    naming = {
        (model.__name__, name): any(
            isinstance(m, OfKind) for m in model.model_fields[name].metadata
        )
        for model in models
        if issubclass(model, clean_params.Settings)
        for name, schema in model.model_json_schema().get("properties", {}).items()
        if "^[a-z][a-z0-9_]*$" in json.dumps(schema)
    }
    assert len(naming) > 10
    assert [place for place, marked in naming.items() if not marked] == []


def test_a_place_that_there_is_not_is_refused():
    with pytest.raises(ValueError, match="first is not a place of cleaning: rows, values"):
        replace(registry.RULES["recodes"], place="first")


def test_a_trait_left_out_is_refused():
    with pytest.raises(TypeError, match="steps"):
        registry.CleaningRule(setting=None, place="rows", writes=lambda rule: (), make=None)


def cleaned(section, rules):
    return clean_panel(
        table(RAW),
        None,
        {},
        data=DataSection.model_validate(DATA),
        clean=section.model_validate(rules),
        treatment=treatment(INDICATOR),
    )


DUPLICATES = {"duplicates": {"identical": "refuse", "conflicting": "refuse"}}


def test_a_setting_that_there_is_not_is_an_error(monkeypatch):
    row = replace(registry.RULES["recodes"], setting="clean.recode")
    monkeypatch.setitem(registry.RULES, "recodes", row)
    with pytest.raises(AttributeError, match="recode"):
        cleaned(CleanSection, DUPLICATES)


def test_a_step_that_the_row_does_not_name_is_an_error(monkeypatch):
    row = replace(registry.RULES["always_treated"], steps=frozenset())
    monkeypatch.setitem(registry.RULES, "always_treated", row)
    with pytest.raises(ValueError, match="not_already_treated is not among"):
        cleaned(CleanSection, DUPLICATES)


def doubled(panel):
    return Ruled(panel.assign(sales=2 * panel["sales"]))


def doubled_in_place(panel):
    panel["sales"] *= 2
    return Ruled(panel)


def with_new_column(panel):
    return Ruled(panel.assign(sales_before=panel["sales"]))


def without_column(panel):
    return Ruled(panel.drop(columns="sales"))


@pytest.mark.parametrize("rule", [doubled, doubled_in_place, with_new_column, without_column])
def test_a_column_that_the_row_does_not_write_is_an_error(rule, monkeypatch):
    row = replace(registry.RULES["gaps"], make=lambda cleaning, declared: iter([rule]))
    monkeypatch.setitem(registry.RULES, "gaps", row)
    with pytest.raises(ValueError, match=r"columns sales(_before)? are not among"):
        cleaned(CleanSection, DUPLICATES)


def test_a_column_that_the_row_writes_may_change(monkeypatch):
    row = registry.RULES["gaps"]
    own = replace(row, writes=lambda none: ["sales"], make=lambda cleaning, none: iter([doubled]))
    monkeypatch.setitem(registry.RULES, "gaps", own)
    sales = table(RAW)["sales"].sum()
    assert cleaned(CleanSection, DUPLICATES).panel["sales"].sum() == 2 * sales


@pytest.fixture
def documented(monkeypatch):
    """Return section `clean` with the page's rule, which is registered for one test."""
    module, settings, field, registration = documented_blocks("A cleaning rule", "python")
    exec(settings, names := dict(vars(clean_params)))
    monkeypatch.setattr(clean_params, "LeastSize", names["LeastSize"], raising=False)
    exec(f"class Section(CleanSection):\n    {field}", names)
    exec(module, code := {})
    monkeypatch.setitem(registry.RULES, "least_size", None)  # and takes it out again
    exec(registration, vars(registry) | code)
    words, asked = (YAML(typ="safe").load(b) for b in documented_blocks("A cleaning rule", "yaml"))
    said = {f"{part}.{code}": text for part, of in words.items() for code, text in of.items()}
    known = language.sentences
    monkeypatch.setattr(language, "sentences", lambda spoken: {**known(spoken), **said})
    return names["Section"], DUPLICATES | asked["clean"]


def test_the_documented_rule_cleans(documented):
    ledger = cleaned(*documented)
    assert list(ledger.panel["firm_id"]) == ["B", "B", "C", "C"]
    last = ledger.sample_flow.tail(1)
    assert step_words(last) == ["Sales of at least 15.0 in the first year"]
    assert list(last[["treated_firms_lost", "comparison_firms_lost"]].iloc[0]) == [1, 1]
    assert list(registry.rules_in_order())[-3:] == ["least_size", "jumps", "tails"]


def test_check_knows_the_columns_of_the_documented_rule(documented):
    section, rules = documented
    asked = section.model_validate(rules | {"least_size": {"column": "town", "least": 1.0}})
    assert list(clean_faults(asked, DataSection.model_validate(DATA))) == [
        "clean.least_size.column: town is a text column; this needs a number column"
    ]


def test_what_is_missing_of_a_sum_or_of_customs_is_no_zero():
    size = {"kind": "sum", "of": ["sales", "support"], "unit": "USD", "label": "Size"}
    data = DataSection.model_validate(DATA | {"columns": DATA["columns"] | {"size": size}})
    customs = {"column": "sales", "matched": "support", "unmatched": "missing"}
    asked = CleanSection.model_validate(
        {"duplicates": {"identical": "collapse", "conflicting": "refuse"}}
        | {"missing_as_zero": ["sales", "size"], "customs": customs}
    )
    first, second = clean_faults(asked, data)
    assert "clean.customs says already what missing sales is" in first
    assert "size is a sum; name those of its parts" in second
