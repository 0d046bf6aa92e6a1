"""Sums of the effects of arms: of own participation, of all together, and as params weigh them."""

import math

from pipeline.exhibits.analysis_effects import confidence_row, estimate_rows, reasons_in_words
from pipeline.exhibits.arms import SUMS, ArmSum, Sums, arm_sums
from pipeline.exhibits.effect import Effect
from pipeline.exhibits.inputs import StudyResults
from pipeline.exhibits.tables.main_effects import outcome_columns
from pipeline.exhibits.tables.parts import by_outcome
from pipeline.exhibits.tables.table import Cell, Panel, Row, Table, WholeNumbers
from pipeline.exhibits.words.arms import sum_label, weights_words
from pipeline.exhibits.words.language import say, tell


def arm_contrasts_tables(results: StudyResults) -> list[Table]:
    """Return every sum of arms' average effects; none where there is none."""
    sums = arm_sums(results)
    return by_outcome(results, lambda part: _table(results, sums, part)) if sums else []


def _table(results: StudyResults, sums: Sums, numbered: dict[int, str]) -> Table:
    names = list(numbered.values())
    shown = {of: [found.get(name) for name in names] for of, found in sums.items()}
    panels = [
        Panel(
            say(f"arm_contrasts.{kind}"),
            tuple(
                row
                for of, effects in shown.items()
                if of.estimand == kind
                for row in _rows(results, of, effects)
            ),
        )
        for kind in SUMS
    ]
    return Table(
        columns=outcome_columns(results, numbered),
        panels=tuple(panel for panel in panels if panel.rows),
        notes=_notes(results, shown),
        source=results.settings.exhibit.source,
    )


def _rows(results: StudyResults, of: ArmSum, effects: list[Effect | None]) -> list[Row]:
    return [
        *estimate_rows(sum_label(results, of), effects),
        confidence_row(results, effects),
        Row(say("arm_contrasts.clusters"), tuple(map(_clusters, effects)), True),
    ]


def _clusters(effect: Effect | None) -> Cell:
    if effect is None or math.isnan(effect.n_clusters):
        return None
    return WholeNumbers((int(effect.n_clusters),))


def _notes(results: StudyResults, shown: dict[ArmSum, list[Effect | None]]) -> tuple[str, ...]:
    effects = [effect for own in shown.values() for effect in own if effect is not None]
    design = results.settings.design_label(results.settings.estimate.headline.design)
    return (
        say("arm_contrasts.what_is_shown", design=design),
        *weights_words(results, shown),
        *_remarks(results, shown),
        *reasons_in_words(effects),
    )


def _remarks(results: StudyResults, shown: dict[ArmSum, list[Effect | None]]) -> list[str]:
    """Say what sums assume, and what must be known of them, each once for what it is said of."""
    told: dict[str, dict[str, None]] = {}
    for of, effects in shown.items():
        own = of.estimand == "own"
        name = say("arm_contrasts.own_effect") if own else sum_label(results, of)
        for effect in effects:
            for remark in () if effect is None else effect.remarks:
                told.setdefault(name, {})[tell(remark)] = None
    return [
        say("arm_contrasts.remarked", of=name, remarks="; ".join(remarks))
        for name, remarks in told.items()
    ]
