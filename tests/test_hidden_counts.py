"""Words and tables where disclosure hides counts that they would show."""

from dataclasses import replace

import pandas as pd
import pytest
from marked_study import STUDY, marked_panel, marked_project, run
from workspace import write_params

from pipeline.datasets.aggregates import read_aggregates
from pipeline.datasets.details import DETAILS
from pipeline.datasets.matches import MATCHED
from pipeline.datasets.results import ESTIMATES
from pipeline.datasets.store import columns_that_tell
from pipeline.exhibits.inputs import StudySettings
from pipeline.params.settings import load_yaml
from pipeline.publishing.publication import gathered, publish
from pipeline.publishing.study import exhibits_of
from stages.exhibit import SECTIONS

_STAGES = ("obtain", "clean", "score", "match", "balance", "estimate")


@pytest.fixture(scope="module")
def public(tmp_path_factory):
    """Return what is published where some enter without a base year and two lack a covariate."""
    panel = marked_panel()
    entrants = panel.loc[panel["entry"] == 2010, "firm"].unique()
    panel.loc[panel["firm"].isin(entrants[-2:]), "jobs"] = None
    panel = panel[~(panel["firm"].isin(entrants[:5]) & (panel["year"] == 2009))]
    folder = marked_project(tmp_path_factory.mktemp("project"), panel, exhibit={"figures": []})
    block = load_yaml(folder / "params.yaml")[STUDY]
    block["estimate"]["specs"][0]["covariates"] = ["jobs"]
    write_params(folder, {STUDY: block})
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr("sys.argv", ["stage", STUDY])
        for verb in _STAGES:
            run(verb)
    block["exhibit"].pop("tables")
    settings = StudySettings(**{n: s.model_validate(block[n]) for n, s in SECTIONS.items()})
    tables = read_aggregates(lambda stage: folder / "data" / STUDY / stage)
    return publish(gathered(STUDY, settings, tables)).results


def test_a_hidden_total_is_left_out_of_what_is_lost(public):
    everyone = public.details.figure(MATCHED, "n_treated", design="unmatched", stack="all")
    assert everyone.hidden
    table = exhibits_of(public)["tables/main_effects.md"].decode()
    assert "left out for want of covariates, support or a comparison: some." in table


def test_exhibits_are_made_where_every_count_is_hidden(public):
    files = exhibits_of(_uncounted(public))
    texts = [files[name].decode() for name in files if name.endswith((".md", ".html", ".tex"))]
    assert not any(" nan" in text or ">nan" in text for text in texts)


def _uncounted(public):
    """Return the same results without any count that disclosure may hide."""
    details = public.details
    for table in DETAILS:
        details = details.replaced(table, _hidden(details.of(table), table))
    return replace(public, details=details, estimates=_hidden(public.estimates, ESTIMATES))


def _hidden(frame, table):
    counts = [n for what in ("count", "other_count") for n in columns_that_tell(table, what)]
    return frame.assign(**{name: pd.Series(pd.NA, frame.index, "Int64") for name in counts})
