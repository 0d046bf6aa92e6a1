"""Settings: every fault is one line with path, value found and what to do."""

import copy
import re
from functools import reduce
from operator import getitem

import pytest
from import_closure import ROOT
from ruamel.yaml import YAML
from workspace import STUDIES as STUDY_FILES
from workspace import section

from pipeline.errors import ParamsError
from pipeline.params.leaves import leaves
from pipeline.params.settings import parse_section
from pipeline.params.study import SECTIONS, check_studies, read_study

STUDIES = ("michigan", "simulated")
CONTENT = {"studies": list(STUDIES), **{study: section(study) for study in STUDIES}}


def changed(path, value):
    """Return params with one setting replaced, or removed where value is None."""
    content = copy.deepcopy(CONTENT)
    block = content
    for key in path[:-1]:
        block = block[key]
    if value is REMOVED:
        del block[path[-1]]
    else:
        block[path[-1]] = value
    return content


REMOVED = object()


def checked(content, folder):
    """Check params with the given content, beside raw and rules folders of both studies."""
    for study in STUDIES:
        for kind in ("raw", "rules"):
            (folder / "data" / kind / study).mkdir(parents=True, exist_ok=True)
            (folder / "data" / kind / study / "README.md").write_text("made for a test\n")
    if isinstance(content, str):
        (folder / "params.yaml").write_text(content, encoding="utf-8")
    else:
        YAML().dump(content, folder / "params.yaml")
    return check_studies(folder / "params.yaml", folder)


def fault(content, tmp_path):
    with pytest.raises(ParamsError) as raised:
        checked(content, tmp_path)
    return str(raised.value)


def test_a_code_for_never_that_reads_as_a_year_of_two_digits_is_refused(tmp_path):
    entry = {"source": "entry_year", "column": "employment", "never": [0, 9999]}
    content = changed(("michigan", "treatment", "entry"), entry)
    content["michigan"]["data"]["two_digit_years_from"] = 1950
    message = "michigan.treatment.entry.never: 0 reads as a year of two digits"
    assert message in fault(content, tmp_path)
    content["michigan"]["data"]["two_digit_years_from"] = None
    assert message not in str(checked(content, tmp_path))


def test_the_studies_that_tests_run_are_valid(tmp_path):
    assert checked(CONTENT, tmp_path) == list(STUDIES)


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (
            ("michigan", "match", "designs", "covariates", "calliper_sd"),
            0.2,
            "michigan.match.designs.covariates.calliper_sd is not a setting; "
            "did you mean caliper_sd?",
        ),
        (
            ("michigan", "match", "designs", "entropy"),
            {
                "score": "covariates",
                "method": "external",
                "file": "weights.csv",
                "content": "weights",
                "firm_id": "id",
                "control_id": None,
                "weight": "w",
                "stack": None,
            },
            "michigan.match.designs.entropy.file: data/raw/michigan/weights.csv does not exist",
        ),
        (
            ("michigan", "score", "covariates", "union"),
            {"label": "Union x pay", "product_of": ["salary_log", "unoin"]},
            "michigan.score: covariates.union.product_of names unoin, which is not a dated "
            "covariate of this section",
        ),
        (
            ("michigan", "match", "designs", "entropy", "covariates"),
            ["employmnt_log"],
            "michigan.match.designs.entropy.covariates: employmnt_log is not defined in "
            "score.covariates; did you mean employment_log?",
        ),
        (
            ("michigan", "estimate", "specs", "twoway", "cluster"),
            "components",
            "michigan.estimate.specs.twoway.cluster is 'components': write 'assignment', 'firm' or "
            "'exposure_component'",
        ),
        (
            ("michigan", "match", "designs", "covariates", "caliper_sd"),
            "0,2",
            "michigan.match.designs.covariates.caliper_sd is '0,2': "
            "write a number, with a point, not a comma",
        ),
        (
            ("michigan", "match", "designs", "covariates", "caliper_sd"),
            "0.2",
            "caliper_sd is '0.2': write a number, without quotes",
        ),
        (
            ("michigan", "match", "designs", "covariates", "replacement"),
            "no",
            "replacement is 'no': write true or false, without quotes",
        ),
        (
            ("michigan", "match", "designs", "covariates", "caliper_sd"),
            -0.2,
            "michigan.match.designs.covariates.caliper_sd is -0.2: must be above 0",
        ),
        (
            ("michigan", "estimate", "conf_level"),
            REMOVED,
            "michigan.estimate.conf_level is missing",
        ),
        (
            ("michigan", "score"),
            REMOVED,
            "michigan.score is missing: every study needs this section",
        ),
        (
            ("michigan", "scores"),
            {},
            "michigan.scores is not a section; did you mean score?",
        ),
        (
            ("michigan", "score", "covariates", "sales_log", "at"),
            0,
            "michigan.score.covariates.sales_log is dated 0 years from entry: covariates must be "
            "dated -1 or earlier (entry - 1 - anticipation_years), or the programme may already "
            "have changed them",
        ),
        (
            ("michigan", "outcomes", "sales_log", "column"),
            "sale",
            "michigan.outcomes.sales_log.column: sale is not in data.columns; did you mean sales?",
        ),
        (
            ("michigan", "match", "designs", "covariates", "score"),
            "covariate",
            "michigan.match.designs.covariates.score: covariate is not a score model; "
            "did you mean covariates?",
        ),
        (
            ("michigan", "match", "designs", "covariates", "exact"),
            ["sector"],
            "michigan.match.designs.covariates.exact: sector is not defined in score.covariates",
        ),
        (
            ("simulated", "match", "designs", "covariates", "bins"),
            {"sector": {"quantiles": 4}},
            "simulated.match.designs.covariates.bins: sector is a category, and this needs a "
            "number; name it in `exact` alone",
        ),
        (
            ("simulated", "estimate", "specs", 2, "weight_by"),
            "sector",
            "simulated.estimate.specs.group_time.weight_by: sector is a category, and this needs "
            "a number; define a covariate with transform: indicator for each category but one",
        ),
        (
            ("simulated", "data", "register_columns"),
            None,
            "simulated.data.register_columns is missing: treatment.entry.source is register",
        ),
        (
            ("michigan", "data", "cluster"),
            ["municipality"],
            "michigan.data: cluster names municipality: use text columns of data.columns, or "
            "firm_id",
        ),
        (
            ("michigan", "exhibit", "panels", 0, "spec"),
            "stack",
            "michigan.exhibit.panels.0.spec: stack is not a spec; did you mean stacked?",
        ),
        (
            ("simulated", "exhibit", "panels", 1, "spec"),
            "lee_bounds",
            "simulated.exhibit.panels.1.spec: lee_bounds gives bounds, which no panel of effects "
            "shows",
        ),
        (
            ("simulated", "estimate", "specs", 3, "outcomes"),
            ["exports_any"],
            "simulated.estimate.specs.lee_bounds.outcomes: exports_any is neither log nor "
            "proportional",
        ),
        (
            ("simulated", "estimate", "specs", 0, "clusters"),
            "firm",
            "simulated.estimate.specs.stacked.clusters is not a setting; did you mean cluster?",
        ),
        (
            ("simulated", "estimate", "specs", 2, "base"),
            "universl",
            "simulated.estimate.specs.group_time.base is 'universl': write 'varying' or "
            "'universal'",
        ),
        (
            ("simulated", "estimate", "specs", 2, "covariates"),
            ["employment_logs"],
            "simulated.estimate.specs.group_time.covariates: employment_logs is not in "
            "score.covariates; did you mean employment_log?",
        ),
        (
            ("simulated", "estimate", "specs", 2, "designs"),
            ["covariates"],
            "simulated.estimate.specs.group_time: doubly_robust would weight the matched firms of "
            "covariates again",
        ),
        (
            ("michigan", "outcomes"),
            {},
            "michigan.outcomes: needs 1 or more, not 0",
        ),
        (
            ("studies",),
            ["michigan", "simulatd"],
            "studies: simulatd has no section in params.yaml; did you mean simulated?",
        ),
        (
            ("studies",),
            ["Michigan"],
            "studies: 'Michigan' is not a study name; use a-z, 0-9 and _, ",
        ),
        (
            ("michigan", "exhibit", "source"),
            "Ministry, QUESTION: which year?",
            "michigan.exhibit.source is 'Ministry, QUESTION: which year?': answer it",
        ),
        (
            ("michigan", "match", "designs", "covariates", "method"),
            "odd",
            "michigan.match.designs.covariates: 'method' is 'odd': write 'nearest', 'radius'",
        ),
        (("studies",), [], "studies must be a list of study names, one per line, dashes in front"),
    ],
)
def test_a_fault_names_path_value_and_remedy(path, value, message, tmp_path):
    assert message in fault(changed(path, value), tmp_path).replace("\n", " ")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda specs: specs.update(Flat=specs.pop("twoway")),
            "michigan.estimate.specs.Flat is 'Flat': must match ^[a-z]",
        ),
        (
            lambda specs: specs["twoway"].update(name="flat"),
            "michigan.estimate.specs: twoway: the key is the spec's name; leave `name` out ",
        ),
        (
            lambda specs: specs["twoway"].pop("cluster"),
            "michigan.estimate.specs.twoway.cluster is missing",
        ),
        (
            lambda specs: specs["twoway"].update(clusters="firm"),
            "michigan.estimate.specs.twoway.clusters is not a setting; did you mean cluster?",
        ),
        (
            lambda specs: specs.update({2: specs.pop("twoway")}),
            "michigan.estimate.specs.2 is 2: write a text",
        ),
        (
            lambda specs: specs.update(twoway="twoway"),
            "michigan.estimate.specs.twoway is 'twoway': write a block",
        ),
        (lambda specs: specs.clear(), "michigan.estimate.specs: needs 1 or more, not 0"),
    ],
)
def test_a_fault_of_a_spec_keyed_by_name_names_it(change, message, tmp_path):
    content = copy.deepcopy(CONTENT)
    change(content["michigan"]["estimate"]["specs"])
    assert message in fault(content, tmp_path)


def test_a_spec_keyed_twice_or_listed_twice_is_refused(tmp_path):
    content = copy.deepcopy(CONTENT)
    specs = content["simulated"]["estimate"]["specs"]
    specs[1]["name"] = "stacked"
    message = fault(content, tmp_path)
    assert "simulated.estimate: two specs share the name stacked; names label" in message
    text = (STUDY_FILES / "michigan.yaml").read_text(encoding="utf-8")
    twice = text.replace("\n      twoway:\n", "\n      stacked:\n")
    message = fault("studies: [michigan]\n" + twice, tmp_path)
    assert "not valid YAML" in message
    assert 'found duplicate key "stacked"' in message


def test_a_headline_that_no_spec_is_called_is_refused(tmp_path):
    content = changed(("michigan", "estimate", "headline", "spec"), "stackd")
    assert "headline.spec stackd is not one of stacked, twoway" in fault(content, tmp_path)


def test_specs_keyed_by_name_and_listed_mean_the_same():
    for study, kind in (("michigan", dict), ("simulated", list)):
        block = section(study)
        assert isinstance(block["estimate"]["specs"], kind)
        other = section(study)
        other["estimate"]["specs"] = turned(block["estimate"]["specs"])
        assert read_study({study: block}, study) == read_study({study: other}, study)
        assert list(leaves(block)) == list(leaves(other))


def turned(specs):
    """Return specs keyed by name as a list, or the reverse."""
    if isinstance(specs, dict):
        return [{"name": name, **spec} for name, spec in specs.items()]
    return {spec["name"]: {k: v for k, v in spec.items() if k != "name"} for spec in specs}


def test_all_faults_are_reported_at_once(tmp_path):
    content = changed(("michigan", "estimate", "power"), 2)
    content["simulated"]["match"]["balance"]["threshold"] = -1
    lines = fault(content, tmp_path).splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("michigan.estimate.power is 2")
    assert lines[1].startswith("simulated.match.balance.threshold is -1")


def files_study(panel):
    content = copy.deepcopy(CONTENT)
    content["michigan"]["data"]["source"] = {"kind": "files", "panel": panel}
    return content


def test_a_raw_file_that_does_not_exist_is_named(tmp_path):
    assert "data/raw/michigan/firms.csv does not exist" in fault(files_study("firms.csv"), tmp_path)


def test_a_raw_file_outside_the_study_is_refused(tmp_path):
    message = fault(files_study("../simulated/README.md"), tmp_path)
    assert "it must lie inside data/raw/michigan" in message


@pytest.mark.parametrize("text", ["studies: [a\n", "- 1\n", "", "a: b: c\n"])
def test_params_that_are_no_yaml_mapping_stop_with_a_message(text, tmp_path):
    with pytest.raises(ParamsError, match=r"not valid YAML|holds no settings|must be a list"):
        checked(text, tmp_path)


def test_a_fault_is_told_once_without_its_consequences(tmp_path):
    content = changed(("michigan", "exhibit", "title"), 5)
    assert fault(content, tmp_path) == (
        "michigan.exhibit.title is 5: write a text, in quotes where it looks like a number"
    )


def test_an_experiment_changes_one_line_of_params_yaml(tmp_path):
    """`dvc exp run -S` parses and dumps the file; comments and layout must come through."""
    from dvc.utils.hydra import apply_overrides

    file = tmp_path / "params.yaml"
    section = (ROOT / "examples" / "kenya" / "params.yaml").read_text(encoding="utf-8")
    text = f"# What is evaluated.\nstudies:\n- kenya\n{section}"
    file.write_text(text, encoding="utf-8")
    apply_overrides(file, ["kenya.estimate.conf_level=0.9"])
    before, after = text.splitlines(), file.read_text(encoding="utf-8").splitlines()
    moved = [(a.strip(), b.strip()) for a, b in zip(before, after, strict=True) if a != b]
    assert moved == [("conf_level: 0.95", "conf_level: 0.9")]


@pytest.mark.parametrize("value", [1, 1.0, 0.25])
def test_whole_numbers_are_numbers_too(value, tmp_path):
    content = changed(("michigan", "match", "designs", "covariates", "caliper_sd"), value)
    assert read_study(content, "michigan").match.designs["covariates"].caliper_sd == value


def written(node: object, path: tuple = ()) -> list[tuple]:
    """Return the path of every value below a node, the node's own first."""
    found = [path]
    if not isinstance(node, dict | list):
        return found
    for key, child in node.items() if isinstance(node, dict) else enumerate(node):
        found += written(child, (*path, key))
    return found


def test_no_fault_is_told_in_words_of_the_library():
    """Every value of a section is replaced by one of a wrong kind, one at a time."""
    told = []
    for name, path in [(s, p) for s in SECTIONS for p in written(CONTENT["michigan"][s])]:
        for wrong in ("no", 0.5, -1, [], {"a": 1}, True, None):
            block = {name: copy.deepcopy(CONTENT["michigan"][name])}
            *above, last = (name, *path)
            reduce(getitem, above, block)[last] = wrong
            try:
                parse_section(block, "michigan", name, SECTIONS[name])
            except ParamsError as error:
                told += str(error).splitlines()
    assert len(told) > 1000
    library = re.compile(r"Input |should |Unable|Extra |Field required|Value error|'loc'")
    assert [line for line in told if library.search(line)] == []


@pytest.mark.parametrize(
    ("settings", "idle", "needed"),
    [
        ({"caliper_sd": None}, "caliper_sd_of", None),
        ({"caliper_sd": 0.2}, "caliper_sd_of", "caliper_sd_of is missing"),
        ({"replacement": True}, "order", None),
        ({"replacement": False}, "order", "order is missing"),
        ({"replacement": False}, "tie_tolerance", None),
        ({"replacement": True}, "tie_tolerance", "tie_tolerance is missing"),
    ],
)
@pytest.mark.parametrize("method", ["nearest", "mahalanobis"])
def test_a_setting_is_asked_for_where_it_means_something(method, settings, idle, needed):
    design = copy.deepcopy(CONTENT["michigan"]["match"]["designs"]["covariates"])
    if method == "mahalanobis":
        design |= {"method": method, "covariates": ["employment_log"], "covariance_of": "all"}
    design |= settings
    del design[idle]
    block = {"match": {**CONTENT["michigan"]["match"], "designs": {"one": design}}}
    if needed is None:
        parse_section(block, "michigan", "match", SECTIONS["match"])
    else:
        with pytest.raises(ParamsError, match=f"^michigan.match.designs.one: {needed}"):
            parse_section(block, "michigan", "match", SECTIONS["match"])


def test_cards_are_outcomes_that_the_programme_may_move(tmp_path):
    content = changed(("simulated", "exhibit", "cards"), ["sales_log", "rent_log"])
    assert fault(content, tmp_path).startswith(
        "simulated.exhibit.cards: rent_log is not an outcome that the programme may move"
    )


def test_an_effect_that_would_matter_is_above_zero(tmp_path):
    content = changed(("michigan", "outcomes", "sales_log", "relevant"), 0)
    assert "michigan.outcomes.sales_log.relevant" in fault(content, tmp_path)
