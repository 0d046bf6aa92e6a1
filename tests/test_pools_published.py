"""Pools as published: what is hidden of them, and what readers see."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from results import study_results
from text_tables import lines

from pipeline.datasets.pools import POOL_FIRMS, POOLS
from pipeline.datasets.store import conform
from pipeline.exhibits.figures.interval_rows import pools_data
from pipeline.exhibits.inputs import StudyResults, find_effect
from pipeline.exhibits.panels.pools import pool_rows
from pipeline.exhibits.pool_questions import pools_section
from pipeline.exhibits.pools import known_pools
from pipeline.exhibits.questions import TableLinks
from pipeline.exhibits.quoted_numbers import all_numbers, quoted_numbers
from pipeline.exhibits.report import report_page
from pipeline.exhibits.shown_outcomes import card_outcomes
from pipeline.exhibits.tables.pools import pools_tables
from pipeline.exhibits.words.language import say
from pipeline.params.exhibit import ExhibitSection
from pipeline.params.outcomes import OutcomesSection
from pipeline.params.pools import EveryonePool
from pipeline.publishing.disclosure.pools import vet_pools
from pipeline.publishing.publication import publish, read_published

NAMES = {"clean": "clean", "everybody": "everyone", "far": "beyond", "wood": "among"}
FIELDS = {"far": '{"km": 25.0, "ring": "near"}', "wood": '{"column": "place", "values": ["A"]}'}
N_CONTROL = {"clean": 40, "everybody": 90, "far": 38, "wood": 60}


def with_pools(**changes: dict) -> StudyResults:
    """Return made-up results with four pools; `far` lacks two comparison firms of `clean`."""
    made = study_results(figures=[], tables=["main_effects"])
    headline, rows, behind = made.settings.estimate.headline, [], []
    for outcome in made.settings.outcomes.intended:
        effect = find_effect(made, outcome, headline.design, headline.spec)
        if effect is None or not effect.estimated:
            continue
        for position, (pool, kind) in enumerate(NAMES.items()):
            rows.append(
                {
                    "outcome": outcome,
                    "pool": pool,
                    "position": position,
                    "kind": kind,
                    "kind_fields": FIELDS.get(pool),
                    "scale": effect.scale,
                    "design": headline.design,
                    "estimator": headline.spec,
                    "estimand": "att",
                    "n_pool": 2 * N_CONTROL[pool],
                    "n_treated": 30,
                    "n_control": N_CONTROL[pool],
                    "n_clusters": 20,
                    "share_not_clean": 0.0 if pool == "clean" else 0.25,
                    "estimate": effect.estimate - 0.1 * position,
                    "std_error": 0.05,
                    "conf_low": effect.estimate - 0.1 * position - 0.1,
                    "conf_high": effect.estimate - 0.1 * position + 0.1,
                    "difference": -0.1 * position if position else np.nan,
                    "difference_std_error": 0.04 if position else np.nan,
                    "difference_conf_low": -0.1 * position - 0.08 if position else np.nan,
                    "difference_conf_high": -0.1 * position + 0.08 if position else np.nan,
                }
            )
            behind += [
                {
                    "outcome": outcome,
                    "pool": pool,
                    "other": other,
                    "n_treated_only": 0,
                    "n_control_only": max(N_CONTROL[pool] - N_CONTROL[other], 0),
                    "largest_percent": 10.0,
                }
                for other in NAMES
            ]
    pools = pd.DataFrame(rows).reindex(columns=list(POOLS.columns)).assign(**changes)
    pools["p_value"] = 0.01
    return replace(
        made,
        pools=conform(POOLS, pools),
        pool_firms=conform(POOL_FIRMS, pd.DataFrame(behind)),
    )


@pytest.fixture(scope="module")
def made() -> StudyResults:
    return with_pools()


@pytest.fixture(scope="module")
def public(made) -> StudyResults:
    return publish(made).results


def in_language(results: StudyResults, language: str) -> StudyResults:
    exhibit = results.settings.exhibit.model_copy(update={"language": language})
    return replace(results, settings=replace(results.settings, exhibit=exhibit))


def published(results: StudyResults) -> pd.DataFrame:
    public = publish(results)
    again = read_published(public.csvs, results.study, results.settings)
    pd.testing.assert_frame_equal(again.pools, public.results.pools)
    return public.results.pools


def test_a_pool_that_differs_by_few_firms_from_another_is_not_shown(made):
    rows = published(made).set_index("pool")
    assert rows["reason"].fillna("").groupby("pool").first().to_dict() == {
        "clean": "",
        "everybody": "",
        "far": "tells_hidden_effect",
        "wood": "",
    }
    assert rows.loc[["far"], ["estimate", "difference", "n_control"]].isna().all(axis=None)
    assert rows.loc[["clean", "everybody", "wood"], "estimate"].notna().all()


def test_a_pool_without_firms_keeps_its_reason(made):
    far = made.pools["pool"] == "far"
    pools = made.pools.copy()
    figures = ["n_pool", "n_treated", "n_control", "n_clusters", "estimate", "difference"]
    pools.loc[far, figures] = np.nan
    pools.loc[far, "reason"] = "pool_without_firms"
    shown = published(replace(made, pools=pools, pool_firms=made.pool_firms))
    assert set(shown.loc[shown["pool"] == "far", "reason"]) == {"pool_without_firms"}
    results = publish(replace(made, pools=pools)).results
    with results.speaking():
        table, *_ = pools_tables(results)
    assert any("No firm of the pool is active" in note for note in table.notes)


def test_sizes_of_pools_that_differ_by_few_firms_are_not_all_shown(made):
    sizes = {"clean": 80, "everybody": 83, "far": 76, "wood": 90}
    pools = made.pools.assign(n_pool=made.pools["pool"].map(sizes).astype("Int64"))
    rows = vet_pools(replace(made, pools=pools), made).groupby("pool")["n_pool"].max()
    assert rows[["clean", "wood"]].to_list() == [80, 90]
    assert rows[["everybody", "far"]].isna().all()


def test_pools_of_a_headline_that_is_not_shown_are_not_either(made):
    few = made.pools.assign(n_treated=2)
    rows = vet_pools(replace(made, pools=few), made)
    assert set(rows["reason"]) == {"tells_hidden_effect"}
    assert rows["estimate"].isna().all()


def test_a_pool_of_which_one_firm_is_most_is_not_shown_in_levels(made):
    results = made
    first = str(results.pools["outcome"].iloc[0])
    heavy = results.pool_firms["largest_percent"].mask(results.pool_firms["pool"] == "wood", 99.0)
    results = replace(results, pool_firms=results.pool_firms.assign(largest_percent=heavy))
    assert "one_firm_dominates" not in set(vet_pools(results, made)["reason"])
    outcomes = results.settings.outcomes.root
    level = {first: outcomes[first].model_copy(update={"transform": "level"})}
    settings = replace(results.settings, outcomes=OutcomesSection(outcomes | level))
    of_levels = replace(results, settings=settings)
    rows = vet_pools(of_levels, of_levels).set_index(["outcome", "pool"])
    assert rows.loc[(first, "wood"), "reason"] == "one_firm_dominates"


@pytest.mark.parametrize(
    ("language", "far", "compared"),
    [
        ("en", "Beyond 25 km of participants", "Firms compared / in the pool"),
        ("es", "A más de 25 km de participantes", "Empresas comparadas / en el grupo"),
        ("pt", "A mais de 25 km de participantes", "Empresas comparadas / no grupo"),
    ],
)
def test_the_table_shows_each_pool_and_its_difference(public, language, far, compared):
    results = in_language(public, language)
    with results.speaking():
        table, *_ = pools_tables(results)
        rows = lines(table)
    effect, difference, counts, share = table.panels
    assert len(effect.rows) == 2 * 4 and len(share.rows) == 3
    assert counts.title == compared
    found = {row.label: row for row in effect.rows if row.label}
    assert far in found and found[far].cells[0].plain() == "c"
    assert difference.rows[0].cells[0].plain() != "c"
    assert rows[0][1] and any("40 / 80" in row for row in rows)
    assert any(far in note for note in table.notes)


def test_the_figure_marks_the_clean_pool_and_those_that_differ(public):
    with public.speaking():
        drawn = {name: pool_rows(public, name) for name in public.settings.outcomes.root}
        rows = next(found for found in drawn.values() if found)
        data = pools_data(public)
    assert [row.main for row in rows] == [True, False, False]
    # differences of -0.1 and -0.3 with intervals of 0.08 to each side
    assert [row.hollow for row in rows] == [False, True, True]
    assert [row.aside for row in rows] == ["40", "90", "60"]
    assert len(data) and data["headline"].sum() == data["outcome"].nunique()


def test_a_study_without_pools_has_neither():
    results = study_results(figures=[], tables=["main_effects"])
    assert pools_tables(results) == []
    assert pools_data(results).empty


def test_pools_are_shown_where_params_declare_them_and_name_no_tables():
    made = study_results(figures=[]).settings
    pools = {"all": EveryonePool(kind="everyone")}
    treatment = made.treatment.model_copy(update={"pools": pools})
    unnamed = made.exhibit.model_dump(exclude={"tables"}, exclude_unset=True)
    exhibit = ExhibitSection.model_validate(unnamed)
    assert "pools" in replace(made, treatment=treatment, exhibit=exhibit).tables
    assert "pools" not in replace(made, exhibit=exhibit).tables


@pytest.mark.parametrize("language", ["en", "es", "pt"])
def test_the_page_says_which_pools_differ_and_where_the_sign_turns(public, language):
    results = in_language(public, language)
    with results.speaking():
        shown = pools_section(results, TableLinks([]), [])
        heading = say("page.pools")
        names = [n for n in card_outcomes(results) if known_pools(results, n)]
        turned = [
            sum(p.effect.estimate * found[0].effect.estimate < 0 for p in found)
            for found in (known_pools(results, name) for name in names)
        ]
    assert heading in shown and shown.count("<svg") == len(names)
    assert max(turned) > 0 and say_turned(results, max(turned)) in shown


def test_the_page_leads_to_pools(public):
    page = report_page(public, {}).decode("utf-8")
    assert 'href="#pools"' in page and 'id="pools"' in page


def say_turned(results: StudyResults, turned: int) -> str:
    with results.speaking():
        return say("page.pools_turned", turned=turned)


def test_the_page_of_a_study_without_pools_asks_nothing():
    results = study_results(figures=[], tables=["main_effects"])
    with results.speaking():
        assert pools_section(results, TableLinks([]), []) == ""


def test_prose_quotes_effects_under_pools_and_their_differences(public):
    with public.speaking():
        found = all_numbers(public)
        quoted = quoted_numbers(public, found)
    assert not any(".clean." in key or ".far." in key for key in quoted)
    first, headline = str(public.pools["outcome"].iloc[0]), public.settings.estimate.headline
    place = f"everybody.{first}.{headline.design}.{headline.spec}.att"
    row = public.pools.set_index(["outcome", "pool"]).loc[(first, "everybody")]
    assert found[f"madeup.pool.{place}.estimate"].value == pytest.approx(row["estimate"])
    assert found[f"madeup.pool_difference.{place}.estimate"].value == row["difference"]
    assert {f"madeup.{kind}.{place}.pct" for kind in ("pool", "pool_difference")} <= set(quoted)
    assert f"madeup.pool_difference.{place}.n_control" not in found
