"""The effect diff reads estimates that earlier revisions committed under names of another form."""

from io import StringIO

import pandas as pd
import pytest
from repository import STUDY, commit_all, repository, write_results

from pipeline.commands.audit.effect_diff import compare_revisions
from pipeline.commands.audit.revisions import Revision, commit
from pipeline.datasets.reasons import packed
from pipeline.datasets.results import ESTIMATES
from pipeline.datasets.samples import GROUPS
from pipeline.effects.rows import ALL
from pipeline.effects.terms import ATT, Term, event
from pipeline.errors import Reason

# As committed before terms and groups had columns of their own, without most of the figures.
EARLIER = """\
outcome,design,sample,subgroup,estimator,term,inference,band,estimand,cohort,year,event_time,\
estimate,std_error,conf_level,scale,note
y,d,all,all,s,att,analytic,pointwise,att,,,,0.1,0.05,0.95,share,fewer than 10 treated clusters: 4
y,d,all,all,s,event[-2],analytic,pointwise,att,,,-2,0.2,0.05,0.95,share,
y,d,all,all,s,event[-1],analytic,pointwise,att,,,-1,0,,0.95,share,reference period
y,d,all,all,s,"event_bin[1,3]",analytic,pointwise,att,,,,0.3,0.05,0.95,share,
y,d,all,all,s,"att_gt[2004,2007]",analytic,pointwise,att,2004,2007,3,0.4,0.05,0.95,share,
y,d,all,all,w,total[jobs],analytic,pointwise,att,,,,0.5,0.05,0.95,jobs,
y,d,survivors,size=10 or more,g,att,analytic,pointwise,att,,,,0.6,0.05,0.95,share,
y,d,all,region=NA,g,att,analytic,pointwise,att,,,,0.7,0.05,0.95,share,
"""

# The same effects today, by what they are of.
TODAY = {
    "y d s att": ("s", ATT, 0.1, {}),
    "y d s event[-2]": ("s", event(-2), 0.2, {}),
    "y d s event_bin[1,3]": ("s", Term("event_bin", event_time=1, last_event_time=3), 0.3, {}),
    "y d s att_gt[2004,2007]": ("s", Term("att_gt", 2004, 2007, 3), 0.4, {}),
    "y d jobs w total": ("w", Term("total"), 0.5, {"grouping": "jobs"}),
    "y d survivors size 10 or more g att": (
        "g", ATT, 0.6, {"sample": "survivors", "grouping": "size", "subgroup": "10 or more"}
    ),
    "y d region NA g att": ("g", ATT, 0.7, {"grouping": "region", "subgroup": "NA"}),
}  # fmt: skip


def today(scaled=1.0):
    """Return ESTIMATES of today, each estimate times a number."""
    rows = [
        row(name, term, scaled * value, 0.05, more) for name, term, value, more in TODAY.values()
    ]
    rows.append(row("s", event(-1), 0.0, None, packed(Reason("reference_period"))))
    return pd.DataFrame(rows).reindex(columns=list(ESTIMATES.columns))


def row(estimator, term, estimate, std_error, more):
    place = dict.fromkeys(("arm", "sample", "grouping", "subgroup"), ALL) | more
    place |= {"outcome": "y", "design": "d", "estimator": estimator, **term.columns}
    kind = {"inference": "analytic", "band": "pointwise", "conf_level": 0.95}
    return place | kind | {"estimate": estimate, "std_error": std_error}


@pytest.fixture
def project(tmp_path):
    """Return a repository whose last commit holds estimates of the earlier form."""
    made = repository(tmp_path)
    path = made / "reports" / STUDY / "results" / "estimates.csv"
    path.write_text(EARLIER, encoding="utf-8")
    commit_all(made, "Earlier")
    return made


def moved(project):
    return compare_revisions(commit(project, "HEAD"), Revision(project)).studies[0].estimates


def test_effects_that_only_changed_their_names_have_not_moved(project):
    write_results(project, "estimates", today())
    assert moved(project) == []


CODED = {"subgroup": "g2", "position": 2, "transform": "level", "low": 10.0}


def test_groups_that_were_called_by_their_edges_are_joined_with_their_codes(project):
    table = today()
    coded = table["subgroup"] == "10 or more"
    write_results(project, "estimates", table.assign(subgroup=table["subgroup"].mask(coded, "g2")))
    groups = pd.DataFrame([CODED | {"design": "d", "grouping": "size"}])
    write_results(project, "groups", groups.reindex(columns=list(GROUPS.columns)))
    assert coded.any() and moved(project) == []
    other = groups.reindex(columns=list(GROUPS.columns)).assign(low=20.0)
    write_results(project, "groups", other)
    found = {row.name for row in moved(project)}
    assert found == {"y d survivors size 10 or more g att", "y d survivors size g2 g att"}


def test_each_effect_is_joined_with_its_earlier_self_and_named(project):
    write_results(project, "estimates", today(scaled=2.0))
    found = {row.name: (row.before.estimate, row.after.estimate) for row in moved(project)}
    assert found == {name: (value, 2 * value) for name, (_, _, value, _) in TODAY.items()}


def test_two_earlier_revisions_are_compared(project):
    table = pd.read_csv(StringIO(EARLIER), keep_default_na=False, na_values=[""])
    table.loc[table["term"] == "event[-2]", "estimate"] = 0.9
    write_results(project, "estimates", table)
    (row,) = moved(project)
    assert (row.name, row.before.estimate, row.after.estimate) == ("y d s event[-2]", 0.2, 0.9)
