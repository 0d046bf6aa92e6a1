"""ANALYSES, and the other tables, say of every setting of section `estimate` what ran."""

import copy
from collections.abc import Iterator
from typing import Any, get_args

import pandas as pd
import pytest
from bad_studies import ANALYSES as ASKED
from bad_studies import DRAWS, LEVEL, inputs, spec
from pydantic import BaseModel

from pipeline.analyses.rests_on import rests_on
from pipeline.datasets.aggregates import AGGREGATES
from pipeline.datasets.specs import ANALYSES, SPECS
from pipeline.datasets.store import check, conform
from pipeline.params.analyses import Analyses
from pipeline.params.estimate import EstimateSection

# Setting of section `estimate`: table and column that hold what became of it.
PLACES = {
    "conf_level": "SPECS.conf_level",
    "power": "SPECS.power",
    "missing": "SPECS.gaps",
    "match_orders": "FITS.n_match_orders",
    "romano_wolf.draws": "SPECS.romano_wolf_draws",
    "romano_wolf.seed": "SPECS.romano_wolf_seed",
    **{
        f"analyses.{analysis}.{setting}": column
        for analysis in Analyses.model_fields
        for setting, column in {
            "designs": "SPECS.design",
            "outcomes": "SPECS.outcome",
            "cluster": "SPECS.cluster",
        }.items()
    },
    "analyses.margins.unit_dependent": "SPECS.terms",
    "analyses.survival.exit.known_by": "ANALYSES.exit_known_by",
    "analyses.survival.exit.least_years_absent": "ANALYSES.least_years_absent",
    "analyses.survival.exit.column": "ANALYSES.column",
    "analyses.survival.limits.lowest": "ANALYSES.lowest",
    "analyses.survival.limits.highest": "ANALYSES.highest",
    "analyses.groups.match": "SPECS.weights",
    "analyses.groups.least_firms": "SPECS.least_firms",
    "analyses.groups.by.transform": "GROUPS.transform",
    "analyses.groups.by.column": "ANALYSES.column",
    "analyses.groups.by.at": "ANALYSES.column_event_time",
    "analyses.groups.by.edges": "GROUPS.low",
    "analyses.groups.by.labels": "GROUPS.label",
    "analyses.size_weighted.by.column": "ANALYSES.column",
    "analyses.size_weighted.by.at": "ANALYSES.column_event_time",
    "analyses.size_weighted.comparison": "SPECS.weights",
}
NOWHERE = {
    "headline.spec": "chooses among rows of ESTIMATES",
    "headline.design": "chooses among rows of ESTIMATES",
    "headline.term": "chooses among rows of ESTIMATES",
    "analyses.groups.by.label": "words for readers",
    "other_arms": "tables of an arm name the specs that it has",
}


def settings_of(model: type[BaseModel], path: str = "") -> Iterator[str]:
    """Yield the path of every setting that holds no others."""
    for name, field in model.model_fields.items():
        inner = list(models_in(field.annotation))
        if not inner:
            yield path + name
        for one in inner:
            yield from settings_of(one, f"{path}{name}.")


def models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from models_in(part)


def test_every_setting_of_estimate_has_a_place_or_the_reason_why_none():
    own = {path for path in settings_of(EstimateSection) if not path.startswith("specs.")}
    assert own == {*PLACES, *NOWHERE}
    assert not {*PLACES} & {*NOWHERE}
    tables = {table.name: table for tables in AGGREGATES.values() for table in tables}
    places = [place.split(".") for place in PLACES.values()]
    assert [p for p in places if p[1] not in tables[p[0]].columns] == []


def ran(**changes: Any) -> pd.DataFrame:
    """Return ANALYSES with analyses' settings changed, at the reference event time -2."""
    asked = copy.deepcopy(ASKED)
    for name, change in changes.items():
        asked[name] |= change
    return conform(ANALYSES, pd.DataFrame(rests_on(Analyses.model_validate(asked), -2)))


def sizes(**change: Any) -> dict[str, Any]:
    return {"by": {"jobs": {"column": "sales"} | change}}


def grouped(**change: Any) -> dict[str, Any]:
    plain = {"label": "Size", "transform": "level", "column": "size", "edges": [1.0]}
    return {"by": {**ASKED["groups"]["by"], "size": plain | change}}


def limits(lowest: float, highest: float) -> dict[str, Any]:
    return {"limits": {"sales": {"lowest": lowest, "highest": highest}}}


LEFT = {"exit": {"known_by": "column", "column": "left"}}


@pytest.mark.parametrize(
    ("analysis", "change", "says"),
    [
        (
            "survival",
            {"exit": {"known_by": "last_year", "least_years_absent": 3}},
            {"least_years_absent": 3},
        ),
        (
            "survival",
            LEFT,
            {"exit_known_by": "column", "least_years_absent": 0, "column": "left"},
        ),
        (
            "survival",
            {"exit": {"known_by": "flag"}},
            {"exit_known_by": "flag", "least_years_absent": 0},
        ),
        ("survival", limits(-1.5, 100.0), {"lowest": -1.5}),
        ("survival", limits(0.0, 99.0), {"highest": 99.0}),
        ("groups", grouped(at=-3), {"column_event_time": -3}),
        ("groups", grouped(column="sales"), {"column": "sales"}),
        ("size_weighted", sizes(at=-4), {"column_event_time": -4}),
        ("size_weighted", sizes(column="size"), {"column": "size"}),
    ],
)
def test_every_setting_is_said_and_nothing_else_changes(analysis, change, says):
    plain, other = ran(), ran(**{analysis: change})
    (row,) = other.index[(plain.map(str) != other.map(str)).any(axis=1)]
    before, after = plain.loc[row], other.loc[row]
    differ = {c for c in plain if str(before[c]) != str(after[c])}
    assert {column: after[column] for column in differ} == says
    assert after["estimator"] == analysis


def test_what_has_no_date_is_of_the_reference_year_and_what_does_not_apply_says_so():
    rows = ran().set_index(["estimator", "outcome", "grouping"])
    assert rows.loc[("size_weighted", "all", "jobs"), "column_event_time"] == -2
    assert rows.loc[("groups", "all", "size"), "column_event_time"] == -2
    assert "year" not in rows.index.get_level_values("grouping"), "it is of no column"
    rule = rows.loc[("survival", "all", "all")]
    assert (rule["column"], rule["least_years_absent"]) == ("none", 1)
    assert rule[["column_event_time", "lowest", "highest"]].isna().all()
    assert set(rows.index.get_level_values("estimator")) == {"survival", "groups", "size_weighted"}


def few(**settings: Any) -> dict[str, pd.DataFrame]:
    """Return the details of one spec on two outcomes of a family."""
    levels = {"sales": LEVEL, "exports": LEVEL | {"column": "exports"}}
    headline = {"spec": "one", "design": "matched", "term": "att"}
    asked = {"specs": [spec("one", "stacked", average="event")], "headline": headline}
    return inputs(outcomes=levels, **(asked | settings)).results().details


def test_the_stage_writes_what_analyses_rested_on():
    alone = {"groups": ASKED["groups"] | {"outcomes": ["sales"]}}
    table = few(analyses=alone, romano_wolf=None)[ANALYSES.name]
    check(ANALYSES, table)
    assert table["grouping"].tolist() == ["sector", "size"]
    assert set(table["column_event_time"].dropna()) == {-1}


def test_draws_over_a_family_are_said_of_the_effects_in_it():
    def drawn(**settings: Any) -> tuple[set[Any], set[Any]]:
        rows = few(analyses={}, **settings)[SPECS.name]
        return set(rows["romano_wolf_draws"]), set(rows["romano_wolf_seed"].dropna())

    assert drawn(romano_wolf=DRAWS) == ({DRAWS["draws"]}, {DRAWS["seed"]})
    assert drawn(romano_wolf=None) == ({0}, set())
    alone = [spec("one", "stacked", average="event", outcomes=["sales"])]
    assert drawn(romano_wolf=DRAWS, specs=alone) == ({0}, set())
