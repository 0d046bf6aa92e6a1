"""Every estimator on the firms of one design, side by side: one panel a design."""

from pipeline.exhibits.analysis_effects import confidence_row, estimate_rows, reasons_in_words
from pipeline.exhibits.effect import Effect
from pipeline.exhibits.inputs import StudyResults, find_effect
from pipeline.exhibits.ran import conf_level, estimator_of, ran_on
from pipeline.exhibits.render import rounding
from pipeline.exhibits.tables.main_effects import outcome_columns
from pipeline.exhibits.tables.parts import by_outcome
from pipeline.exhibits.tables.table import Panel, Row, Table
from pipeline.exhibits.words.designs import capitalised
from pipeline.exhibits.words.estimator_names import estimator_name, name_in_words, specs_of
from pipeline.exhibits.words.estimators import adjusted_for, estimator_words
from pipeline.exhibits.words.in_full import either
from pipeline.exhibits.words.language import say

# By design, the specs that estimate an average effect on it.
_Compared = dict[str, list[str]]


def estimators_tables(results: StudyResults) -> list[Table]:
    """Return the average effects of every spec, by design; none where no design has two specs."""
    compared = _compared(results)
    if not compared:
        return []
    return by_outcome(results, lambda part: _table(results, compared, part))


def _compared(results: StudyResults) -> _Compared:
    """Return the designs with two specs or more, the headline's first."""
    first = results.settings.estimate.headline.design
    specs = [s for s in results.settings.estimate.specs if s.gives == "effects"]
    designs = dict.fromkeys([first, *(design for spec in specs for design in spec.designs)])
    found = {design: [spec.name for spec in specs if design in spec.designs] for design in designs}
    return {design: names for design, names in found.items() if len(names) > 1}


def _table(results: StudyResults, compared: _Compared, numbered: dict[int, str]) -> Table:
    outcomes = list(numbered.values())
    shown = {
        (design, spec): [find_effect(results, name, design, spec) for name in outcomes]
        for design, specs in compared.items()
        for spec in specs
    }
    panels = [
        Panel(
            capitalised(results.settings.design_label(design)),
            tuple(
                row for spec in specs for row in _rows(results, spec, specs, shown[design, spec])
            ),
        )
        for design, specs in compared.items()
    ]
    return Table(
        columns=outcome_columns(results, numbered),
        panels=tuple(panels),
        notes=_notes(results, compared, outcomes, shown),
        source=results.settings.exhibit.source,
    )


def _rows(
    results: StudyResults, spec: str, beside: list[str], effects: list[Effect | None]
) -> list[Row]:
    """Return a spec's rows; it is named by its estimator unless others `beside` it share that."""
    own = estimator_of(results, spec)
    alone = [estimator_of(results, other) for other in beside].count(own) == 1
    label = name_in_words(own) if alone else estimator_name(results, spec)
    return [
        *estimate_rows(capitalised(label), effects),
        confidence_row(results, effects),
    ]


def _named(results: StudyResults, spec: str) -> str:
    """Name a spec by its estimator, and by its designs where another spec shares that."""
    settings = results.settings
    own = estimator_of(results, spec)
    name = capitalised(name_in_words(own))
    if len(specs_of(results, own)) == 1:
        return name
    labels = [settings.design_label(design) for design in settings.spec(spec).designs]
    return f"{name} ({'; '.join(labels)})"


def _words(results: StudyResults, spec: str, compared: _Compared, outcomes: list[str]) -> str:
    designs = [design for design, specs in compared.items() if spec in specs]
    rows = ran_on(results, spec, designs, outcomes)
    return f"{_named(results, spec)}: {estimator_words(results, rows)}."


def _adjustment(results: StudyResults, spec: str, compared: _Compared, outcomes: list[str]) -> str:
    """Say for what a spec adjusts, which its name does not say; empty where for nothing."""
    designs = [design for design, specs in compared.items() if spec in specs]
    name = _named(results, spec)
    rows = ran_on(results, spec, designs, outcomes)
    adjusts = any(row.has("covariates") for row in rows)
    return f"{adjusted_for(results, rows, name)}." if adjusts else ""


def _notes(
    results: StudyResults,
    compared: _Compared,
    outcomes: list[str],
    shown: dict[tuple[str, str], list[Effect | None]],
) -> tuple[str, ...]:
    specs = list(dict.fromkeys(spec for names in compared.values() for spec in names))
    effects = [effect for row in shown.values() for effect in row if effect is not None]
    level, firms = rounding.general(100 * conf_level(results)), results.settings.exhibit.firms
    return (
        *either(
            results,
            full=[
                say("estimators.what_is_shown", level=level),
                *(_words(results, spec, compared, outcomes) for spec in specs),
            ],
            short=[
                say("short_notes.side_by_side", firms=firms, level=level),
                *(_adjustment(results, spec, compared, outcomes) for spec in specs),
            ],
        ),
        *reasons_in_words(effects),
    )
