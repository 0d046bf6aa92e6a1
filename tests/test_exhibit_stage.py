"""The stage that writes public files: which tables it opens, and what it does once."""

import re
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest
from import_closure import ITEM, ROOT
from marked_study import MARK, STAGES, STUDY, marked_panel, marked_project, run
from near_means import pairs_that_differ_by_few, sets_of_firms

import pipeline.datasets.store
import pipeline.publishing.publication
import pipeline.publishing.study
from pipeline.datasets.aggregates import AGGREGATES, BEHIND
from pipeline.datasets.balance import BALANCE, SUPPORT
from pipeline.datasets.results import ESTIMATES, EVENT_COVARIANCE, OUTCOME_PATHS
from pipeline.datasets.store import read
from pipeline.params.settings import load_yaml

DATA = Path("data") / STUDY
REPORTS = Path("reports") / STUDY
FIRM = re.compile(rf"{MARK}\d")


@pytest.fixture(scope="module")
def estimated(tmp_path_factory):
    """Run the marked study, whose identifiers show wherever they stand, up to its exhibits."""
    folder = marked_project(tmp_path_factory.mktemp("project"), marked_panel())
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr("sys.argv", ["stage", STUDY])
        for verb in STAGES:
            if verb != "exhibit":
                run(verb)
    return folder


@pytest.fixture
def here(estimated, monkeypatch):
    monkeypatch.chdir(estimated)
    monkeypatch.setattr("sys.argv", ["stage", STUDY])


def listed() -> set[Path]:
    """Return the files behind the data that dvc.yaml lists of the stage."""
    block = load_yaml(ROOT / "dvc.yaml")["stages"]["exhibit"]["do"]
    named = [Path(dep.replace(ITEM, STUDY)) for dep in block["deps"] if dep.startswith("data/")]
    return {file for path in named for file in ([path] if path.suffix else path.glob("*.parquet"))}


def tells_firms(path: Path) -> bool:
    """Say whether a table is keyed by firms, or has an identifier in any cell."""
    table = pd.read_parquet(path)
    cells = "\n".join(map(str, table.to_numpy(object).ravel()))
    return "firm_id" in table.columns or FIRM.search(cells) is not None


def test_no_table_of_the_stage_tells_of_a_firm(here):
    files = set(DATA.rglob("*.parquet"))
    telling = {path for path in files if tells_firms(path)}
    names = {path.stem for path in telling}
    assert {"panel", "scores", "covariates", "matches", "weights", "influence"} <= names
    assert not telling & listed()


def test_what_dvc_lists_is_what_the_stage_opens(here, monkeypatch):
    opened = set()
    read_parquet = pipeline.datasets.store.pd.read_parquet

    def trapped(path, *arguments, **options):
        opened.add(Path(path))
        return read_parquet(path, *arguments, **options)

    monkeypatch.setattr(pipeline.datasets.store.pd, "read_parquet", trapped)
    run("exhibit")
    assert opened <= listed()
    # No exhibit is made from it yet, and it tells of no firm.
    assert {path.stem for path in listed() - opened} == {EVENT_COVARIANCE.name.lower()}
    told = [*(table for tables in AGGREGATES.values() for table in tables), *BEHIND]
    assert {path.stem for path in opened} == {table.name.lower() for table in told}


def test_the_stage_runs_where_there_is_no_table_of_firms(here):
    """Whatever way a table could be opened, nothing else is read."""
    run("exhibit")
    before = {path: path.read_bytes() for path in REPORTS.rglob("*") if path.is_file()}
    away = Path("away")
    for path in set(DATA.rglob("*.parquet")) - listed():
        (away / path).parent.mkdir(parents=True, exist_ok=True)
        path.rename(away / path)
    try:
        run("exhibit")
    finally:
        for path in away.rglob("*.parquet"):
            path.rename(path.relative_to(away))
    after = {path: path.read_bytes() for path in REPORTS.rglob("*") if path.is_file()}
    assert after == before and before


def test_populations_count_the_firms_that_published_tables_count(here):
    """Of every mean that is published, and of the treated behind average effects."""
    sets, _ = sets_of_firms(DATA)
    place = ["published_in", "design", "stack", "sample", "variable", "treated"]
    times = sets["event_time"].fillna(99).astype(int)
    sizes = sets.assign(event_time=times).set_index([*place, "event_time"])["n_firms"]
    balance = read(BALANCE, DATA / "balance").rename(columns={"covariate": "variable"})
    paths = read(OUTCOME_PATHS, DATA / "estimate").rename(columns={"outcome": "variable"})
    support = read(SUPPORT, DATA / "balance").rename(
        columns={"covariate": "variable", "fate": "sample"}
    )
    known = support[support["mean"].notna()]
    named = [
        (balance.assign(published_in="BALANCE", treated=True), "n_treated"),
        (balance.assign(published_in="BALANCE", treated=False), "n_control"),
        (known.assign(published_in="SUPPORT", treated=True), "n_treated"),
        (paths.assign(published_in="OUTCOME_PATHS", sample="all", stack="all"), "n_firms"),
    ]
    for rows, column in named:
        dated = rows if "event_time" in rows else rows.assign(event_time=99)
        counts = dated.set_index([*place, "event_time"])[column]
        assert sizes.reindex(counts.index).tolist() == counts.tolist()
        assert len(counts) >= 6
    estimates = read(ESTIMATES, DATA / "estimate")
    average = estimates[(estimates["term"] == "att") & (estimates["sample"] == "all")]
    treated = sets[(sets["published_in"] == "ESTIMATES") & (sets["sample"] == "all")]
    by_fit = treated.set_index(["design", "variable"])["n_firms"]
    places = pd.MultiIndex.from_frame(average[["design", "outcome"]])
    assert by_fit.reindex(places).tolist() == average["n_treated"].tolist()


@pytest.mark.parametrize("minimum", [5, 15])
def test_no_published_mean_lies_within_another_but_for_few_firms(here, minimum):
    """The sets of all means that the stage would publish, two by two."""
    private, public = (pairs_that_differ_by_few(STUDY, minimum, vetted=v) for v in (False, True))
    assert (private > 0) == (minimum == 15) and public == 0


def counting(monkeypatch, calls, module, name):
    """Count the calls of a function by its name, and by its last argument's, where that is text."""
    function = getattr(module, name)

    def counted(*arguments, **options):
        calls[name, arguments[-1] if isinstance(arguments[-1], str) else ""] += 1
        return function(*arguments, **options)

    monkeypatch.setattr(module, name, counted)


def test_vetting_and_every_table_are_made_once(here, monkeypatch):
    calls = Counter()
    counting(monkeypatch, calls, pipeline.publishing.publication, "vet_arms")
    counting(monkeypatch, calls, pipeline.publishing.study, "named_tables")
    run("exhibit")
    tables = load_yaml(Path("params.yaml"))[STUDY]["exhibit"]["tables"]
    assert calls == {("vet_arms", ""): 1, **{("named_tables", name): 1 for name in tables}}


@pytest.mark.parametrize("verb", STAGES)
def test_a_stage_reads_its_parameters_at_its_start_and_at_its_end_only(here, monkeypatch, verb):
    reads = Counter()
    read_text, read_bytes = Path.read_text, Path.read_bytes

    def counted(read):
        def counted_read(path, *arguments, **options):
            reads[path.name] += 1
            return read(path, *arguments, **options)

        return counted_read

    monkeypatch.setattr(Path, "read_text", counted(read_text))
    monkeypatch.setattr(Path, "read_bytes", counted(read_bytes))
    run(verb)
    assert reads["params.yaml"] == 3  # parsed once, its bytes compared with those at the end
