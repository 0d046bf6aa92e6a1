"""What the flat two-way figure averages: its comparisons by kind, their weights and estimates."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.datasets.fits import DECOMPOSED_COHORTS, DECOMPOSED_KINDS, EVERY_KIND, FITS
from pipeline.estimators.decomposition_names import GOODMAN_BACON, Kind
from pipeline.exhibits.analysis_effects import in_log_points, reasons_in_words
from pipeline.exhibits.effect import NOT_PUBLISHED, Effect
from pipeline.exhibits.inputs import StudyResults, find_effect
from pipeline.exhibits.render import rounding
from pipeline.exhibits.render.rounding import decimals_for
from pipeline.exhibits.tables.effect_cells import estimate_cell
from pipeline.exhibits.tables.table import (
    HIDDEN,
    Cell,
    Number,
    Panel,
    Row,
    Table,
    TableColumn,
    WholeNumbers,
)
from pipeline.exhibits.words.in_full import either
from pipeline.exhibits.words.language import join_words, say
from pipeline.exhibits.words.scales import scale_words

_KINDS: tuple[Kind, ...] = ("never", "not_yet", "already")


@dataclass(frozen=True)
class _Decomposition:
    """Hold one outcome's comparisons under one spec and design, by kind and all together.

    `kinds` are rows of DECOMPOSED_KINDS by kind: number, weight, mean. `n_firms` counts the firms
    behind them, missing where it may not be told.
    """

    outcome: str
    design: str
    spec: str
    kinds: Mapping[str, tuple[int, float, float]]
    n_firms: float

    @property
    def place(self) -> dict[str, str]:
        """Return the key of the decomposition as a whole."""
        return {"design": self.design, "outcome": self.outcome, "estimator": self.spec}


def twoway_weights_tables(results: StudyResults) -> list[Table]:
    """Return one panel an outcome; none where no two-way figure is decomposed."""
    found = [d for d in _decompositions(results) if d.kinds]
    if not found:
        return []
    panels = tuple(Panel(_title(results, d, found), _rows(results, d)) for d in found)
    return [
        Table(
            columns=(
                TableColumn(say("twoway_weights.comparisons")),
                TableColumn(say("twoway_weights.weight")),
                TableColumn(say("twoway_weights.mean_estimate")),
            ),
            panels=panels,
            notes=_notes(results, found),
            source=results.settings.exhibit.source,
        )
    ]


def _decompositions(results: StudyResults) -> list[_Decomposition]:
    decomposed = set(results.details.of(DECOMPOSED_KINDS)["estimator"])
    return [
        _decomposition(results, name, design, spec.name)
        for name in results.settings.outcomes.intended
        for spec in results.settings.estimate.specs
        if spec.name in decomposed
        for design in spec.designs
    ]


def _decomposition(results: StudyResults, outcome: str, design: str, spec: str) -> _Decomposition:
    place = {"design": design, "outcome": outcome, "estimator": spec}
    rows = results.details.rows(DECOMPOSED_KINDS, **place).set_index("kind")
    figures = rows[["n_comparisons", "weight", "estimate"]].itertuples(name=None)
    kinds = {kind: (int(n), weight, mean) for kind, n, weight, mean in figures}
    n_firms = results.details.total(DECOMPOSED_COHORTS, "n_firms", **place).value
    return _Decomposition(outcome, design, spec, kinds, n_firms)


def _title(results: StudyResults, one: _Decomposition, every: list[_Decomposition]) -> str:
    outcome = results.settings.outcome(one.outcome)
    title = f"{outcome.label} ({scale_words(outcome.scale)})"
    if len({(d.design, d.spec) for d in every}) > 1:
        title += f", {results.settings.design_label(one.design)}, {one.spec}"
    return title


def _rows(results: StudyResults, one: _Decomposition) -> tuple[Row, ...]:
    stored = _figure(results, one)
    places = 0 if stored is None else decimals_for([stored.std_error], 2, 0)
    labels: dict[str, str] = {kind: say(f"comparison_of.{kind}") for kind in _KINDS}
    labels[EVERY_KIND] = say("twoway_weights.balanced_part")
    rows = [
        Row(label, _cells(one.kinds[kind], places))
        for kind, label in labels.items()
        if kind in one.kinds
    ]
    figure = estimate_cell(in_log_points(stored, places), places)
    return (*rows, Row(say("twoway_weights.figure"), (None, None, figure)))


def _figure(results: StudyResults, one: _Decomposition) -> Effect | None:
    return find_effect(results, one.outcome, one.design, one.spec)


def _cells(figures: tuple[int, float, float], places: int) -> tuple[Cell, Cell, Cell]:
    """Return how many comparisons, their weight, and their weighted mean, which may be hidden."""
    number, weight, mean = figures
    return (
        WholeNumbers((number,)),
        HIDDEN if math.isnan(weight) else Number(weight, 3),
        HIDDEN if math.isnan(mean) else Number(mean, places),
    )


def _notes(results: StudyResults, found: list[_Decomposition]) -> tuple[str, ...]:
    firms = results.settings.exhibit.firms
    parts = "; ".join(_part(results, one) for one in found)
    return (
        *either(
            results,
            full=[
                say("twoway_weights.what_is_shown", firms=firms),
                say("twoway_weights.balanced_panel", firms=firms, parts=parts),
            ],
            short=[say("short_notes.two_way_parts", firms=firms, parts=parts)],
        ),
        *_without(results),
        *reasons_in_words(effect for one in found if (effect := _figure(results, one)) is not None),
    )


def _part(results: StudyResults, one: _Decomposition) -> str:
    first, last = (
        results.details.figure(FITS, f"decomposed_{end}_year", **one.place).value
        for end in ("first", "last")
    )
    return say(
        "twoway_weights.part",
        label=results.settings.outcome(one.outcome).label,
        first=f"{first:.0f}",
        last=f"{last:.0f}",
        n=HIDDEN.text if math.isnan(one.n_firms) else rounding.whole(one.n_firms),
    )


def _without(results: StudyResults) -> list[str]:
    """Name the outcomes whose figure is not decomposed."""
    tests = results.tests
    none = tests["statistic"].isna() & ~tests["reason"].isin(NOT_PUBLISHED)
    missing = tests[(tests["test"] == GOODMAN_BACON) & none]["outcome"]
    labels = [
        outcome.label
        for name, outcome in results.settings.outcomes.intended.items()
        if name in set(missing)
    ]
    if not labels:
        return []
    return [say("twoway_weights.no_balanced_part", labels=join_words(labels))]
