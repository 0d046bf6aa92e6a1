"""The appendix table of effects by entry year and year, one panel an entry year."""

from pipeline.exhibits.analysis_effects import reasons_in_words
from pipeline.exhibits.effect import Effect
from pipeline.exhibits.inputs import StudyResults, find_effect, find_effects
from pipeline.exhibits.ran import ran_on
from pipeline.exhibits.tables.effect_cells import rows_at
from pipeline.exhibits.tables.main_effects import outcome_columns
from pipeline.exhibits.tables.parts import by_outcome
from pipeline.exhibits.tables.table import Panel, Table
from pipeline.exhibits.words.language import say
from pipeline.params.estimate import Spec

# Entry year and year.
_Cells = dict[tuple[int, int], Effect]


def group_time_tables(results: StudyResults) -> list[Table]:
    """Return the table of the first spec that estimates such effects; none where none does."""
    specs = [spec for spec in results.settings.estimate.specs if _by_cell(results, spec)]
    if not specs:
        return []
    spec, design = specs[0].name, specs[0].designs[0]
    return by_outcome(results, lambda part: _table(results, part, spec, design))


def _by_cell(results: StudyResults, spec: Spec) -> bool:
    rows = ran_on(results, spec.name, spec.designs[:1], results.settings.outcomes.root)
    return any("att_gt" in row.listed("terms") for row in rows)


def _table(results: StudyResults, numbered: dict[int, str], spec: str, design: str) -> Table:
    effects = [_cells(results, name, spec, design) for name in numbered.values()]
    decimals = [results.decimals[name] for name in numbered.values()]
    places = sorted({place for column in effects for place in column})
    cohorts = sorted({cohort for cohort, _ in places})
    panels = [
        Panel(
            say("row.entry_in", fit=cohort),
            tuple(
                row
                for place in places
                if place[0] == cohort
                for row in rows_at(str(place[1]), place, effects, decimals)
            ),
        )
        for cohort in cohorts
    ]
    return Table(
        columns=outcome_columns(results, numbered),
        panels=tuple(panels),
        notes=_notes(results, list(numbered.values()), spec, design, effects),
        source=results.settings.exhibit.source,
    )


def _cells(results: StudyResults, outcome: str, spec: str, design: str) -> _Cells:
    found = find_effects(results, outcome, design, spec)
    return {
        (term.cohort, term.year): effect
        for term, effect in found.items()
        if term.family == "att_gt" and term.cohort is not None and term.year is not None
    }


def _notes(
    results: StudyResults, names: list[str], spec: str, design: str, effects: list[_Cells]
) -> tuple[str, ...]:
    empty = [name for name, column in zip(names, effects, strict=True) if not column]
    averages = [
        average
        for name in empty
        if results.settings.outcome(name).observed
        and (average := find_effect(results, name, design, spec)) is not None
    ]
    shown = [effect for column in effects for effect in column.values()]
    return (
        say("group_time.what_is_shown", design=results.settings.design_label(design)),
        *reasons_in_words([*shown, *averages]),
    )
