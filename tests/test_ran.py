"""Exhibits say of an effect what SPECS says ran, every option or with the reason why not."""

import dataclasses

import pytest
from results import DESIGNS, OUTCOMES, study_results, with_figures
from test_analysis_tables import made as with_analyses
from test_placebos import made as with_placebos
from test_size_weighted_table import made as with_sizes

from pipeline.datasets.reasons import packed_list
from pipeline.datasets.specs import ANALYSES, SPECS
from pipeline.exhibits.ran import ran, ran_on, reference_event_time
from pipeline.exhibits.tables.balance import balance_table
from pipeline.exhibits.tables.detectable_effects import detectable_effects
from pipeline.exhibits.tables.dynamic_effects import dynamic_effects
from pipeline.exhibits.tables.heterogeneity import heterogeneity_tables
from pipeline.exhibits.tables.panels import Shown, lettered_panels
from pipeline.exhibits.tables.placebos import placebos_tables
from pipeline.exhibits.tables.settings import settings_table
from pipeline.exhibits.tables.size_weighted import size_weighted_tables
from pipeline.exhibits.tables.survival import survival_tables
from pipeline.exhibits.words.language import sentences
from pipeline.exhibits.words.main_notes import main_notes
from pipeline.exhibits.words.methods_paragraph import methods_sentences
from pipeline.exhibits.words.said import SAID, SAID_OF_ANALYSES, SILENT, SILENT_OF_ANALYSES

FLAT = {"estimator": "flat"}
STACKED = {"estimator": "stacked"}
HEADLINE = STACKED | {"design": "covariates_lags"}
NEAR = HEADLINE | {"cluster": "distance", "cutoff_km": 50.0, "kernel": "uniform"}
GROUP_TIME = FLAT | {
    "kind": "group_time",
    "method": ["difference"],
    "weights": "one",
    "gaps": ["pairs"],
    "average": "event",
    "firm_effects": "differenced",
}
DIFFERENCE = FLAT | {"kind": "matched_difference", "firm_effects": "differenced"}
EXTENDED = FLAT | {"kind": "extended_twoway", "average": "simple"}
WHOLE = {"firms": "panel", "firm_years": "once"}

# Column: the rows it stands in, what they are to begin with, and another value with its words.
CHANGES = [
    ("kind", FLAT | {"average": "simple"}, "imputation", "the imputation estimator of Borusyak"),
    ("method", GROUP_TIME, ["ipw"], "by inverse probability weighting"),
    ("method", STACKED, ["poisson"], "by Poisson"),
    ("average", STACKED, "pooled", "against all years before entry pooled"),
    ("average", GROUP_TIME, "cohort", "averaged over entry years"),
    ("average", EXTENDED, "event", "averaged over event times"),
    ("firms", GROUP_TIME, "panel", "among all firms of the panel with data in the two years"),
    ("firms", FLAT | {"firm_years": "once"}, "panel", "every observed firm-year of the panel"),
    ("end_bins", FLAT | WHOLE, "both_shown", "neither is in an average"),
    ("end_bins", FLAT | WHOLE, "untested_shown", "and its mean takes neither"),
    ("end_bins", EXTENDED | WHOLE, "last_averaged", "one effect, which averages take"),
    ("untreated_categories", GROUP_TIME, "leave_out", "in categories that no treated one is in"),
    ("comparison", STACKED, "not_yet_treated", "not-yet-treated firms"),
    ("controls_from", STACKED, "all", "in any cluster, with participants or without"),
    ("controls_from", STACKED, "not_known", "from a pool that is not on record"),
    ("firm_years", FLAT, "per_entry_year", "once per entry year that they serve."),
    *[
        ("gaps", STACKED, [gaps], words)
        for gaps, words in {
            "renormalise": "comparison weights are rescaled to the treated observed (Panels",
            "observed": "zeros): whoever is observed in a year counts in it.",
            "pairs": "who is observed in both of the two years compared",
            "balanced": "only firms observed in every year",
            "every_row": "whoever is observed in one of the two years",
            "with_difference": "only firms that have the difference",
        }.items()
    ],
    ("first_event_time", STACKED, -9, "event times \u22129 to"),
    ("last_event_time", STACKED, 9, "to 9 from entry year"),
    ("anticipation_years", HEADLINE, 2, "more than 2 years before entry"),
    ("base_event_time", STACKED, -2, "reference \u22122"),
    ("base", FLAT | {"base": "reference_year"}, "every_year_before", "from all years before entry"),
    ("event_base", HEADLINE, "varying", "each effect is relative to the year before it"),
    ("matched_event_times", HEADLINE, [-3, -2], "column 1 in \u22123, \u22122"),
    ("adjusted_event_times", HEADLINE, [-3], "nothing can be seen: column 1 in \u22123"),
    ("firm_effects", FLAT, "firm_by_entry_year", "(firm \u00d7 entry-year and year)"),
    ("firm_effects", EXTENDED, "cohort", "stand in the place of those of firms"),
    ("year_effects", STACKED, "year", "with firm \u00d7 entry-year and year effects"),
    ("year_effects_by", STACKED, "sector", "sector \u00d7 year \u00d7 entry-year"),
    ("weights", FLAT, "matching_summed", "same weights"),
    ("weights", STACKED, "one", "no matching, all firms weighted alike (Panels A and D)"),
    ("weight_by", STACKED, ["age"], "weighted by Age (t\u22121), comparison firms scaled to"),
    ("weight_matched_again", GROUP_TIME, True, "on top of the matching weights"),
    ("covariates", STACKED, ["age"], "adjusted for Age (t\u22121)"),
    ("covariates", GROUP_TIME, ["distance"], "on Distance to seat (km) (t\u22121)"),
    ("covariates", EXTENDED, ["age"], "adjusted for Age (t\u22121)"),
    ("bias_adjustment", DIFFERENCE, ["age"], "what differences in Age (t\u22121) remain"),
    ("cluster", HEADLINE, "firm", "clustered by firm;"),
    ("cutoff_km", NEAR, 75.0, "firms up to 75 km apart share shocks, each pair alike"),
    ("kernel", NEAR, "bartlett", "share shocks, a pair the less the farther apart"),
    ("other_cluster", HEADLINE, "firm", "clustered by municipality x sector; and by firm;"),
    ("placebo_entry_years", STACKED, 7, "Entry dated 7 years too early"),
    ("conf_level", STACKED, 0.9, "90 percent confidence intervals"),
    ("power", {"estimator": "stacked"}, 0.7, "with 70 percent power"),
    ("least_firms", {"estimator": "groups"}, 17, "fewer than 17 treated"),
    ("weights", {"estimator": "groups"}, "matched_within_groups", "again inside each group"),
]

EXIT = {"estimator": "survival", "outcome": "all"}
LIMITS = {"estimator": "survival", "outcome": "sales_log"}
GROUPS, SIZES = {"estimator": "groups"}, {"estimator": "size_weighted"}

# The same of ANALYSES, with the tables that say it: of survival there are two.
OF_ANALYSES = [
    ("exit_known_by", EXIT, "column", "gone from the year that column none gives", 2),
    ("exit_known_by", EXIT, "flag", "in which the flag of the data says so", 2),
    ("least_years_absent", EXIT, 4, "gone, if the panel has at least 4 more", 2),
    ("lowest", LIMITS, 7.5, "Log sales, 7.5 to 500 US$ million", 1),
    ("highest", LIMITS, 750.0, "Log sales, 1 to 750 US$ million", 1),
    ("column", GROUPS, "staff", "Size class, staff (\u22121)", 1),
    ("column_event_time", GROUPS, -3, "Size class, jobs (\u22123)", 1),
    ("column", SIZES, "staff", "jobs, staff (\u22122)", 1),
    ("column_event_time", SIZES, -3, "By jobs in year \u22123 from entry", 1),
]


@pytest.fixture(scope="module")
def results():
    plain, placebos, analyses = study_results(), with_placebos(), with_analyses()
    sizes = range(100, 100 + len(plain.estimates))
    uneven = plain.estimates.assign(n_obs=plain.estimates["n_obs"] + list(sizes))
    return dataclasses.replace(plain, estimates=uneven), placebos, analyses


def texts(plain, placebos, analyses):
    """Return all that is said of how effects were estimated."""
    shown = Shown(dict(enumerate(OUTCOMES, 1)), lettered_panels(plain))
    notes = [*main_notes(plain, shown), *methods_sentences(plain)]
    detectable = detectable_effects(plain)
    for table in (*dynamic_effects(plain), *detectable, *heterogeneity_tables(analyses)):
        notes += table.notes
    for table in placebos_tables(placebos):
        notes += [panel.title for panel in table.panels]
    notes += [cell.plain() for row in settings_table(plain).rows() for cell in row.cells]
    return " ".join(notes)


def altered(studies, rows, **values):
    """Change SPECS, and nothing else, wherever a study has such rows."""
    place = {name: rows[name] for name in ("estimator", "design") if name in rows}
    values = {k: packed_list(v) if isinstance(v, list) else v for k, v in values.items()}
    changed = []
    for one in studies:
        table = one.details.of(SPECS)
        has = (table[list(place)] == list(place.values())).all(axis=1).any()
        changed.append(with_figures(one, SPECS, place, **values) if has else one)
    return changed


@pytest.mark.parametrize(("column", "rows", "value", "words"), CHANGES)
def test_a_changed_row_of_specs_changes_what_is_said(results, column, rows, value, words):
    first = {k: v for k, v in rows.items() if k not in ("estimator", "design")}
    before = altered(results, rows, **first) if first else results
    assert words not in texts(*before)
    assert words in texts(*altered(before, rows, **{column: value}))


def test_a_variance_among_neighbours_is_not_said_to_be_clustered(results):
    clustered = "Standard errors clustered"
    assert clustered in texts(*results)
    assert clustered not in texts(
        *altered(altered(results, STACKED, variance="robust"), FLAT, variance="robust")
    )


def test_the_pool_of_a_balance_table_is_the_one_that_ran(results):
    pool, headline = "in any cluster, with participants or without", {"design": "covariates_lags"}
    assert pool not in " ".join(balance_table(results[0]).notes)
    changed = with_figures(results[0], SPECS, headline, controls_from="all")
    assert pool in " ".join(balance_table(changed).notes)


def test_the_reference_year_is_the_one_that_ran(results):
    changed = with_figures(results[0], SPECS, {"estimator": "stacked"}, base_event_time=-2)
    assert (reference_event_time(results[0]), reference_event_time(changed)) == (-1, -2)

    def labels(of):
        panels = [panel for table in dynamic_effects(of) for panel in table.panels]
        return {row.label for panel in panels for row in panel.rows}

    assert labels(results[0]) ^ labels(changed) == {"\u22121", "\u22122"}


@pytest.fixture(scope="module")
def studies(results):
    return results[-1], with_sizes()


@pytest.mark.parametrize("changed", OF_ANALYSES)
def test_a_changed_row_of_analyses_changes_what_is_said(studies, changed):
    column, rows, value, words, tables = changed

    def said(*of):
        told = [t for one in of for t in (*survival_tables(one), *heterogeneity_tables(one))]
        told += [table for one in of for table in size_weighted_tables(one)]
        texts = [" ".join([*t.notes, *(panel.title for panel in t.panels)]) for t in told]
        return sum(words in text for text in texts)

    analyses, sized = studies
    assert said(analyses, sized) == 0
    if rows is SIZES:
        sized = with_figures(sized, ANALYSES, rows, **{column: value})
    else:
        analyses = with_figures(analyses, ANALYSES, rows, **{column: value})
    assert said(analyses, sized) == tables


def test_every_column_of_analyses_is_said_or_silent_and_what_is_said_is_tried():
    assert {*SAID_OF_ANALYSES, *SILENT_OF_ANALYSES} == set(ANALYSES.columns)
    assert not {*SAID_OF_ANALYSES} & {*SILENT_OF_ANALYSES}
    assert {column for column, *_ in OF_ANALYSES} == set(SAID_OF_ANALYSES)
    codes = sentences("en")
    assert set(SAID_OF_ANALYSES.values()) <= {*codes, *(code.split(".")[0] for code in codes)}


def test_every_column_of_specs_is_said_or_silent_and_what_is_said_is_tried():
    assert {*SAID, *SILENT} == set(SPECS.columns)
    assert not {*SAID} & {*SILENT}
    assert {column for column, *_ in CHANGES} | {"variance"} == set(SAID)
    codes = sentences("en")
    known = {*codes, *(code.split(".")[0] for code in codes)}
    assert set(SAID.values()) <= known


def test_a_spec_that_was_not_asked_for_an_outcome_is_told_by_its_others(results):
    plain = results[0]
    assert ran(plain, "covariates", "sales_log", "flat") is None
    assert ran(plain, "covariates", "sales_log", "stacked").listed("gaps") == ["drop_set"]
    assert len(ran_on(plain, "stacked", DESIGNS, ["sales_log"])) == len(DESIGNS)
    assert {r.code("design") for r in ran_on(plain, "flat", ["covariates"], [])} == {"unmatched"}
