"""The support table: which treated firms a design keeps, why others are lost, who they were."""

import math

import pandas as pd

from pipeline.exhibits.inputs import StudyResults
from pipeline.exhibits.ran import covariates_ran, matching_designs
from pipeline.exhibits.tables.balance import covariate_label
from pipeline.exhibits.tables.table import (
    HIDDEN,
    Cell,
    Panel,
    Row,
    Table,
    TableColumn,
    WholeNumbers,
    number_cell,
)
from pipeline.exhibits.words.in_full import in_full
from pipeline.exhibits.words.language import say

_FATES = ("kept", "no_covariate", "off_support", "no_match", "lost")

_DECIMALS = 2

# Of fewer firms SUPPORT has no mean; a stricter rule of disclosure says its own number.
_FEWEST_SHOWN = 3


def support_tables(results: StudyResults) -> list[Table]:
    """Return the table; none where no design picks firms."""
    if results.support is None or not matching_designs(results):
        return []
    return [support_table(results, results.support)]


def support_table(results: StudyResults, support: pd.DataFrame) -> Table:
    """Return counts of treated by fate, for each entry year and design, and their means.

    Means are of the headline design, or of the first one where the headline is unmatched.
    """
    designs = matching_designs(results)
    headline = results.settings.estimate.headline.design
    shown = headline if headline in designs else designs[0]
    label = results.settings.design_label(shown)
    firms = results.settings.exhibit.firms
    years = _of(support, shown).drop_duplicates(["stack", "fate"])
    stacks = sorted(set(years["stack"]) - {"all"})
    panels = [
        Panel(
            say("support.by_entry_year", firms=firms, label=label),
            tuple(Row(stack, _counts(support, shown, stack)) for stack in [*stacks, "all"]),
        ),
        Panel(
            say("support.by_design", firms=firms),
            tuple(
                Row(results.settings.design_label(name), _counts(support, name, "all"))
                for name in designs
            ),
        ),
        Panel(say("support.means", label=label), tuple(_mean_rows(results, support, shown))),
    ]
    return Table(
        columns=tuple(_columns()),
        panels=tuple(panels),
        notes=_notes(results),
        source=results.settings.exhibit.source,
    )


def _columns() -> list[TableColumn]:
    lost = ["", *[say("column.lost")] * 4]
    pairs = zip(_FATES, lost, strict=True)
    return [TableColumn(say(f"fate.{fate}"), spanner=over) for fate, over in pairs]


def _of(support: pd.DataFrame, design: str) -> pd.DataFrame:
    return support[support["design"] == design]


def _counts(support: pd.DataFrame, design: str, stack: str) -> tuple[Cell, ...]:
    rows = _of(support, design)
    counts = rows[rows["stack"] == stack].drop_duplicates("fate").set_index("fate")["n_treated"]
    found = [counts.get(fate, 0) for fate in _FATES]
    return tuple(HIDDEN if pd.isna(n) else WholeNumbers((int(n),)) for n in found)


def _mean_rows(results: StudyResults, support: pd.DataFrame, design: str) -> list[Row]:
    rows = _of(support, design)
    together = rows[rows["stack"] == "all"]
    means = together.set_index(["covariate", "fate"])["mean"].to_dict()
    known = set(together["covariate"])
    return [
        Row(
            covariate_label(results, name),
            tuple(_mean(results, means.get((name, fate))) for fate in _FATES),
        )
        for name in covariates_ran(results)
        if name in known
    ]


def _mean(results: StudyResults, value: float | None) -> Cell:
    """Return a mean; one that exists and is not shown is hidden where there is a rule."""
    if value is None:
        return None
    rule = results.settings.exhibit.disclosure.min_cell_firms > 1
    return HIDDEN if math.isnan(value) and rule else number_cell(value, _DECIMALS)


def _notes(results: StudyResults) -> tuple[str, ...]:
    stricter = results.settings.exhibit.disclosure.min_cell_firms > _FEWEST_SHOWN
    return (
        say("support.what_is_shown", firms=results.settings.exhibit.firms),
        *in_full(results, say("support.no_match_meaning")),
        *([] if stricter else [say("support.fewer_than_three")]),
        say("support.estimand"),
    )
