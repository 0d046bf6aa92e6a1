"""Every option of params is said in a sentence, or is silent with the reason why."""

import ast
import dataclasses
import json
import runpy
from pathlib import Path

import pytest
from matched_sets import nearest_design
from results import study_results, with_figures
from test_ran import CHANGES, altered

from pipeline.datasets.designs import DATED_COVARIATES, DESIGNS, SCORE_MODELS
from pipeline.datasets.details import DETAILS
from pipeline.datasets.reasons import packed_list
from pipeline.datasets.rules import DATA_RULES
from pipeline.datasets.specs import OUTCOMES, SPECS
from pipeline.exhibits import report
from pipeline.exhibits.tables.balance import balance_table
from pipeline.exhibits.tables.balance_summary import balance_summary
from pipeline.exhibits.tables.settings import settings_table
from pipeline.exhibits.words.language import sentences
from pipeline.exhibits.words.options import (
    OF_RESULTS,
    PRESENTED,
    SILENT_OPTIONS,
    SILENT_RULES,
    recorded,
    silent,
)
from pipeline.exhibits.words.said import RECORDS
from pipeline.matching.what_matched import designs_matched
from pipeline.panel.what_cleaned import data_rules
from pipeline.params.clean import CleanSection
from pipeline.params.data import DataSection
from pipeline.params.match import MatchSection
from pipeline.params.score import ScoreSection
from pipeline.params.treatment import TreatmentSection
from pipeline.publishing.study import build_texts
from pipeline.selection.what_scored import covariates_dated, score_models

ROOT = Path(__file__).parent.parent
PAGE = runpy.run_path(str(ROOT / "docs" / "options.py"))
OPTIONS = PAGE["options"]()
TABLES = {table.name: table for table in DETAILS}


def test_every_option_is_said_or_silent_for_a_reason():
    assert len(OPTIONS) > 250
    for code in OPTIONS:
        assert PAGE["told"](code) or PAGE["reason"](code), code


def test_every_code_of_a_rule_of_data_has_a_sentence_of_its_own():
    known = sentences("en")
    for code, kinds in OPTIONS.items():
        said = silent(code) is None and recorded(code) is None and code not in OF_RESULTS
        codes = {c for kind in kinds for c in PAGE["literals"](kind.field.annotation)}
        if said:
            lacking = [c for c in codes if f"option_{code}_{c}" not in known]
            assert not lacking or f"option_{code}" in known, (code, lacking)


def test_lists_hold_options_and_columns_that_there_are():
    rules = {code.partition(".")[0] for code in OPTIONS}
    assert set(SILENT_RULES) <= rules
    assert {*SILENT_OPTIONS, *OF_RESULTS} <= set(OPTIONS)
    assert not set(SILENT_OPTIONS) & set(OF_RESULTS)
    for name, spoken in RECORDS.items():
        columns = {*spoken.said, *spoken.silent}
        assert not set(spoken.said) & set(spoken.silent)
        own = set(TABLES[name].columns)
        assert columns <= own if name == "BALANCE_SUMMARY" else columns == own
        for said in spoken.said.values():
            assert PAGE["_codes"](said), said
    for said in OF_RESULTS.values():
        assert PAGE["_codes"](said), said


def test_the_page_is_current():
    committed = (ROOT / "docs" / "options.md").read_text(encoding="utf-8")
    assert committed == PAGE["page"](), "run `python docs/options.py`"


# Every rule of data and cleaning, with every option set.
DATA = {
    "source": {"kind": "files", "panel": "firms.csv", "register_file": "register.csv"},
    "firm_id": "id",
    "year": "year",
    "cluster": ["place"],
    "weight": "jobs",
    "links": {"file": "links.csv", "source": "a", "target": "b", "year": "y", "kind": "k"}
    | {"weight": "w", "undirected": ["labour"], "duplicates": "add_up"},
    "columns": {
        "place": {"kind": "text", "column": "P", "label": "Municipality"},
        "sales": {"kind": "number", "column": "S", "unit": "US$", "label": "Sales", "minimum": 3}
        | {"factor": 1000.0},
        "jobs": {"kind": "number", "column": "J", "unit": "jobs", "label": "Jobs", "minimum": 0},
        "size": {"kind": "sum", "of": ["sales", "jobs"], "unit": "units", "label": "Size"},
    },
}
CLEAN = {
    "identifier": {"cut_at": "-", "remove": " .", "width": 9, "name_column": "place"},
    "links": {"file": "links.csv", "add_up": ["sales"], "split": "join"},
    "corrections": "corrections.csv",
    "missing_codes": {"sales": ["-9"]},
    "duplicates": {"identical": "collapse", "conflicting": "largest", "by": "sales"},
    "recodes": [
        {"column": "place", "file": "places.csv", "one_to_many": "first", "unknown": "keep"}
    ],
    "first_digits": [{"column": "place", "digits": 2, "code_digits": 4}],
    "unit_factors": [{"column": "sales", "years": [2009], "factor": 1000.0}],
    "scale_checks": [
        {"columns": ["sales"], "pairs": [["sales", "jobs"]], "factors": [1000.0]}
        | {"tolerance_factor": 2.0, "action": "refuse"}
    ],
    "prices": [
        {"columns": ["sales"], "file": "cpi.csv", "kind": "index", "base_year": 2010}
        | {"by": "place", "largest_move_percent": 50.0}
    ],
    "customs": {"column": "sales", "matched": "jobs", "unmatched": "zero"},
    "missing_as_zero": ["jobs"],
    "exit": {"column": "place", "gone": ["closed"]},
    "absent": {"flag": "place", "flag_values": ["closed"], "flagged": "set_missing"}
    | {"all_zero": "drop_rows", "columns": ["sales"]},
    "filters": [{"column": "place", "label": "one place", "keep": ["A"]}],
    "window": {"first_year": 2005, "last_year": 2012, "balanced": True}
    | {"minimum_pre_years": 2, "minimum_post_years": 1},
    "coverage": {"leave_out_years": [2007], "accept": ["half_year"]},
    "jumps": [{"columns": ["sales"], "factor": 10.0, "action": "report"}],
    "tails": [
        {"columns": ["sales"], "method": "trim", "lower_percentile": 1.0}
        | {"upper_percentile": 99.0, "by": ["place", "year"]}
    ],
    "register_values": {"texts": "first", "numbers": "sum"},
}
REGISTER = {
    "source": "register",
    "programme": "A",
    "other_programmes": "exclude",
    "dated_by": "approval",
    "late_entry_month": 7,
    "accepted": ["yes"],
    "never": [9999.0],
    "switches_off": "absorbing",
}
AMONG = {"among": {"column": "place", "values": ["A"]}, "base_year": 2008}
ARMS = {
    "headline": "credit",
    "several": "in_each",
    "named": {
        "credit": {"source": "register", "programme": ["A"], "component": ["credit"]}
        | {"role": ["sponsor"], "amount": [None, 100.0]},
        "training": {"source": "register", "component": ["training"]},
        "both": {"source": "joint", "of": ["credit", "training"]},
        "near": {"source": "exposure", "exposure": "rings", "classes": [1]},
    },
    "contrasts": {
        "difference": {"credit": 1, "training": -1},
        "triple": {"credit": 1, "near": -1},
    },
    "triple_differences": {"triple": "place"},
}
EXPOSURE = {
    "cell": AMONG
    | {"kind": "cell", "columns": ["place"], "late_places": "keep", "most_missing_percent": 10},
    "share": {"kind": "share", "columns": ["place"], "of": "jobs", "edges": [0.1]},
    "rings": {"kind": "ring", "latitude": "sales", "longitude": "jobs", "edges_km": [5.0]}
    | {"precision_km": 1},
    "centres": {"kind": "ring", "place": "place", "centroids": "centres.csv", "edges_km": [5.0]}
    | {"precision_km": 1},
    "links": {"kind": "link", "links": ["supply"], "direction": "source", "measure": "share"}
    | {"edges": [0.5], "years_before": 3, "late_links": "leave_out"},
}
POOLS = {
    "everyone": {"kind": "everyone"},
    "outside": {"kind": "outside", "columns": ["place"], "base_year": 2008}
    | {"most_missing_percent": 10},
    "beyond": {"kind": "beyond", "ring": "rings", "km": 25.0},
    "unexposed": {"kind": "unexposed", "to": ["cell"]},
    "among": {"kind": "among", "column": "place", "values": ["A"], "base_year": 2008},
}
OTHER_ENTRIES = [
    {"source": "indicator", "column": "sales", "switches_off": "refuse"},
    {"source": "entry_year", "column": "sales", "never": [0.0, 9999.0]},
    {"source": "group", "column": "place", "treated": "A", "entry_year": 2009},
]


def rules_of(entry, keep="keep"):
    clean = CLEAN | {"filters": [{"column": "place", "label": "one place", keep: ["A"]}]}
    window = {"first_event_time": -3, "last_event_time": 3}
    treatment = {"entry": entry, "anticipation_years": 1, "comparison": "never_treated"}
    if entry is REGISTER:
        treatment |= {"unfound": "closed firms", "arms": ARMS, "exposure": EXPOSURE}
        treatment |= {"pools": POOLS}
    return data_rules(
        DataSection.model_validate(DATA),
        CleanSection.model_validate(clean),
        TreatmentSection.model_validate(
            treatment | {"window": window, "leave_out_entry_years": [2011]}
        ),
    )


@pytest.fixture(scope="module")
def plain():
    return study_results()


def replaced(results, table, frame):
    return dataclasses.replace(results, details=results.details.replaced(table, frame))


def without_specs(results):
    """Return the results with no spec to tell, which takes longest."""
    estimate = results.settings.estimate.model_copy(update={"specs": []})
    return dataclasses.replace(
        results, settings=dataclasses.replace(results.settings, estimate=estimate)
    )


def told(results):
    """Return all that the table of settings says."""
    with results.speaking():
        table = settings_table(results)
    return [row.label + row.cells[0].plain() for row in table.rows()]


def others(value, kinds):
    """Yield other values that an option may have: every other code, or one that differs."""
    codes = {code for kind in kinds for code in PAGE["literals"](kind.field.annotation)}
    if codes and isinstance(value, list):
        yield from ([code] for code in sorted(codes.difference(value)))
    elif codes:
        yield from sorted(codes - {value})
    elif isinstance(value, bool):
        yield not value
    elif isinstance(value, int | float):
        yield value + 1
    elif isinstance(value, str):
        yield f"{value}1"
    elif isinstance(value, list):
        yield [*value, value[0]]
    elif isinstance(value, dict):
        yield {**value, "jobs": ["-9"]}


def changes():
    """Yield DATA_RULES, the code of an option, and the row with another value of it."""
    frames = [(rules_of(REGISTER), ""), (rules_of(REGISTER, "drop"), "clean_filters")]
    frames += [(rules_of(entry), "treatment_entry") for entry in OTHER_ENTRIES]
    for frame, rule in frames:
        for place, row in enumerate(frame.to_dict("records")):
            tried = rule in ("", row["rule"])
            for name, value in json.loads(row["options"]).items() if tried else ():
                code = f"{row['rule']}.{name}"
                for other in others(value, OPTIONS[code]):
                    yield frame, place, code, name, other


def test_every_option_of_data_that_is_said_changes_words_alone_and_a_silent_one_none(plain):
    tried, before = set(), {}
    plain = without_specs(plain)
    told(plain)  # reads what does not change, once
    for frame, place, code, name, other in changes():
        first = before.setdefault(id(frame), told(replaced(plain, DATA_RULES, frame)))
        options = json.loads(frame.loc[place, "options"]) | {name: other}
        changed = frame.copy()
        changed.loc[place, "options"] = json.dumps(options)
        after = told(replaced(plain, DATA_RULES, changed))
        if silent(code) is None:
            assert after != first, (code, other)
            tried.add(code)
        elif silent(code) != PRESENTED:
            assert after == first, (code, other)
    sections = ("data", "clean", "treatment")
    asked = {c for c in OPTIONS if c.partition(".")[0].partition("_")[0] in sections}
    assert tried == {code for code in asked if silent(code) is None}


NEAREST = nearest_design("model", caliper_sd=0.2, exact=["age"], bins={"age": {"edges": [9.0]}})
SCORED = {"score": "model", "exact": []}
ENTROPY = {"method": "entropy", "score": "model", "covariates": ["age"], "moments": 1}
RULES = {
    "nearest": NEAREST,
    "shared": NEAREST | {"replacement": True},
    "varying": NEAREST | {"ratio": 2, "ratio_range": [1, 4]},
    "in_units": NEAREST | {"caliper_sd": None, "caliper": 0.1},
    "random": NEAREST | {"order": "random", "order_seed": 1},
    "mahalanobis": NEAREST
    | {"method": "mahalanobis", "covariates": ["age"]}
    | {"covariance_of": "all"},
    "kernel": SCORED | {"method": "kernel", "distance": "linear", "bandwidth": 0.06},
    "entropy": ENTROPY | {"base": "equal"},
    "sampled": ENTROPY | {"base": "covariate", "base_covariate": "jobs"},
    "brought": {"method": "external", "score": "model", "file": "pairs.csv", "content": "pairs"}
    | {"firm_id": "a", "control_id": "b", "weight": None, "stack": None},
    "other": nearest_design("bounded"),
    "trimmed": nearest_design("trimmed"),
}
MODEL = {"controls_from": "all", "covariates": ["age"], "fit": "per_stack", "link": "logit"}
MODEL |= {"missing": "drop_firm", "support": "min_max"}
SCORE = {
    "covariates": {
        "age": {"label": "Age", "column": "age", "transform": "level", "at": -1},
        "jobs": {"label": "Jobs", "column": "jobs", "transform": "log", "average": [-3, -1]},
        "old": {"label": "Old", "column": "kind", "transform": "indicator", "value": "old"}
        | {"at": -1},
        "both": {"label": "Age, squared", "product_of": ["age", "age"]},
    },
    "unmatched": {"controls_from": "all"},
    "models": {
        "model": MODEL,
        "bounded": MODEL
        | {"support": "bound", "score_bound": 0.9, "score_floor": 0.05, "score_floor_of": "both"},
        "trimmed": MODEL | {"support": "trim", "trim_share": 0.1},
    },
}

# Column, the row in which it changes, and another value.
OF_DESIGNS = [
    ("method", "nearest", "odds"),
    ("score_model", "other", "trimmed"),
    ("uses_score", "nearest", False),
    ("distance", "nearest", "probability"),
    ("ratio", "nearest", 2),
    ("least_ratio", "varying", 2),
    ("most_ratio", "varying", 5),
    ("replacement", "nearest", True),
    ("caliper", "in_units", 0.2),
    ("caliper_sd", "nearest", 0.3),
    ("caliper_sd_of", "nearest", "all"),
    ("bandwidth", "kernel", 0.1),
    *(("order", "nearest", order) for order in ("smallest", "closest", "data", "random")),
    ("tie_tolerance", "shared", 0.01),
    ("exact", "nearest", packed_list(["age", "old"])),
    ("bins", "nearest", '{"age": {"edges": [10.0]}}'),
    ("bins", "nearest", '{"age": {"quantiles": 4}}'),
    ("bins", "nearest", '{"age": {"equal_width": 4}}'),
    ("covariates", "mahalanobis", packed_list(["age", "jobs"])),
    ("covariance_of", "mahalanobis", "pooled"),
    ("moments", "entropy", 2),
    ("base", "entropy", "odds"),
    ("base_covariate", "sampled", "age"),
    ("content", "brought", "weights"),
]
OF_MODELS = [
    ("controls_from", "model", "outside_treated_clusters"),
    ("covariates", "model", packed_list(["age", "jobs"])),
    ("fit", "model", "pooled"),
    ("link", "model", "probit"),
    ("missing", "model", "refuse"),
    ("untreated_categories", "model", "leave_out"),
    *(("errors", "model", errors) for errors in ("robust", "clustered")),
    *(
        ("support", "model", rule)
        for rule in ("none", "comparison_maximum", "comparison_range", "treated_range")
    ),
    ("support", "trimmed", "density"),
    ("trim_share", "trimmed", 0.2),
    ("score_bound", "bounded", 0.8),
    ("score_floor", "bounded", 0.1),
    *(("score_floor_of", "bounded", of) for of in ("comparison", "treated")),
    ("refit", "model", True),
]
OF_COVARIATES = [
    ("label", "age", "Years"),
    ("column", "age", "sales"),
    *(("transform", "age", t) for t in ("log", "any", "years_since", "category")),
    ("value", "old", "new"),
    *(("dated_by", "jobs", d) for d in ("change", "trend", "constant")),
    ("first_event_time", "jobs", -4),
    ("last_event_time", "age", -2),
    ("product_of", "both", packed_list(["age", "jobs"])),
]
OF_OUTCOMES = [
    ("column", "sales_log", "jobs"),
    *(("transform", "sales_log", t) for t in ("level", "any", "proportional", "asinh")),
    ("family", "sales_log", "targets"),
]
TYPED = [
    (table, *change)
    for table, listed in (
        (DESIGNS, OF_DESIGNS),
        (SCORE_MODELS, OF_MODELS),
        (DATED_COVARIATES, OF_COVARIATES),
        (OUTCOMES, OF_OUTCOMES),
    )
    for change in listed
]


@pytest.fixture(scope="module")
def designed(plain):
    plain, score = without_specs(plain), ScoreSection.model_validate(SCORE)
    match = {"designs": RULES, "balance": {"denominator": "pooled", "threshold": 0.1}}
    results = replaced(plain, DESIGNS, designs_matched(MatchSection.model_validate(match)))
    results = replaced(results, SCORE_MODELS, score_models(score))
    return replaced(results, DATED_COVARIATES, covariates_dated(score))


@pytest.mark.parametrize(("table", "column", "row", "value"), TYPED)
def test_a_changed_column_of_a_record_changes_words(designed, table, column, row, value):
    (key,) = table.key
    changed = with_figures(designed, table, {key: row}, **{column: value})
    assert told(changed) != told(designed)


def test_every_column_that_is_said_is_tried_and_a_silent_one_changes_no_word(designed):
    for table in (DESIGNS, SCORE_MODELS, DATED_COVARIATES, OUTCOMES):
        spoken = RECORDS[table.name]
        assert {column for tried, column, *_ in TYPED if tried is table} == set(spoken.said)
    unseen = designed.details.of(DESIGNS).assign(estimand="ato", order_seed=99)
    assert told(replaced(designed, DESIGNS, unseen)) == told(designed)


# Of specs; of groups the note of their table says it.
OF_SPECS = [change for change in CHANGES if change[1]["estimator"] != "groups"]


@pytest.mark.parametrize(("column", "rows", "value", "_"), OF_SPECS)
def test_a_changed_row_of_specs_changes_what_each_step_was_set_to(plain, column, rows, value, _):
    first = {k: v for k, v in rows.items() if k not in ("estimator", "design")}
    (before,) = altered([plain], rows, **first) if first else [plain]
    (after,) = altered([before], rows, **{column: value})
    assert told(after) != told(before)


def test_every_column_of_specs_is_tried():
    of_groups = {"least_firms"}
    assert {column for column, *_ in OF_SPECS} | of_groups | {"variance"} == set(
        RECORDS["SPECS"].said
    )


@pytest.mark.parametrize(("column", "value"), [("denominator", "treated"), ("threshold", 0.3)])
def test_how_balance_was_judged_is_said_as_it_was(plain, column, value):
    table = TABLES["BALANCE_SUMMARY"]

    def notes(results):
        return [
            note for t in (balance_table(results), *balance_summary(results)) for note in t.notes
        ]

    full = plain.settings.exhibit.model_copy(update={"notes": "full"})
    results = dataclasses.replace(plain, settings=dataclasses.replace(plain.settings, exhibit=full))
    judged = results.details.of(table).assign(**{column: value})
    assert notes(replaced(results, table, judged)) != notes(results)


# Options of specs by another value: names, designs, outcomes and estimators say what is shown.
OTHER_SPECS = {
    "stacked": {"average": "pooled", "cluster": "firm", "covariates": ["age"]}
    | {"year_effects_by": "sector", "terms": ["event"], "bias_reduced": True}
    | {"placebo_entry_years": 3, "bands": True},
    "flat": {"cluster": "firm", "bias_reduced": True},
}


def test_params_changed_without_a_run_and_silent_options_of_specs_change_no_word(
    plain, monkeypatch
):
    # the list of params as they stand in params.yaml
    monkeypatch.setattr(report, "_parameters", lambda results: "")
    settings = plain.settings
    specs = [s.model_copy(update=OTHER_SPECS[s.name]) for s in settings.estimate.specs]
    estimate = settings.estimate.model_copy(
        update={"specs": specs, "conf_level": 0.9, "power": 0.7, "missing": "renormalise"}
        | {"match_orders": 7}
    )
    window = settings.treatment.window.model_copy(update={"last_event_time": 1})
    treatment = settings.treatment.model_copy(
        update={"anticipation_years": 1, "comparison": "not_yet_treated", "window": window}
    )
    changed = dataclasses.replace(settings, estimate=estimate, treatment=treatment)
    unheard = {name: changed_column(name) for name in set(RECORDS["SPECS"].silent) - set(SPECS.key)}
    ran = plain.details.of(SPECS).assign(**unheard)
    after = dataclasses.replace(replaced(plain, SPECS, ran), settings=changed)
    assert build_texts(after) == build_texts(plain)


def changed_column(name):
    """Return a value that the made-up study has in no row of SPECS."""
    kinds = {"integer": 99, "flag": True, "string": packed_list(["another"])}
    return kinds[SPECS.columns[name].kind]


def test_exhibits_read_no_settings_of_scores_designs_and_entry():
    for path in sorted((ROOT / "pipeline" / "exhibits").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and node.attr in ("match", "score", "treatment"):
                owner = node.value
                name = owner.attr if isinstance(owner, ast.Attribute) else getattr(owner, "id", "")
                assert name != "settings", f"{path.name}: words of it come from the record"
