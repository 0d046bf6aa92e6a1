"""What the average effect owes to choices of matching: comparison pool, order, and ties."""

import math

from pipeline.datasets.fits import FITS
from pipeline.exhibits.inputs import StudyResults, find_effect
from pipeline.exhibits.ran import ran_on
from pipeline.exhibits.tables.effect_cells import estimate_cell, interval_of, std_error_cell
from pipeline.exhibits.tables.main_effects import outcome_columns
from pipeline.exhibits.tables.parts import by_outcome
from pipeline.exhibits.tables.table import DASH, Cell, Number, Panel, Row, Table
from pipeline.exhibits.units import shown_value
from pipeline.exhibits.words.designs import pool_that_ran
from pipeline.exhibits.words.language import join_words, say


def matching_choices(results: StudyResults) -> list[Table]:
    """Return effects by comparison pool, and their range over orders of matching.

    Of the headline's estimator; none where that is estimated on one design only.
    """
    designs = _designs(results)
    if len(designs) < 2:
        return []
    return by_outcome(results, lambda part: _table(results, part, designs))


def _designs(results: StudyResults) -> list[str]:
    return list(results.settings.spec(results.settings.estimate.headline.spec).designs)


def _table(results: StudyResults, numbered: dict[int, str], designs: list[str]) -> Table:
    names, spec = list(numbered.values()), results.settings.estimate.headline.spec
    pools: dict[str, list[str]] = {}
    for design in designs:
        rows = ran_on(results, spec, [design], names)
        pools.setdefault(pool_that_ran(results, rows), []).append(design)
    panels = [
        Panel(
            say("matching_choices.pool", pool=pool),
            tuple(row for design in members for row in _effects(results, design, names)),
        )
        for pool, members in pools.items()
    ]
    ranges = [row for design in designs for row in _range(results, design, names)]
    if ranges:
        n = _n_orders(results, designs)
        panels.append(Panel(say("matching_choices.range_of_orders", n=n), tuple(ranges)))
    return Table(
        columns=outcome_columns(results, numbered),
        panels=tuple(panels),
        notes=_notes(results, designs, ranges, numbered),
        source=results.settings.exhibit.source,
    )


def _effects(results: StudyResults, design: str, names: list[str]) -> tuple[Row, Row]:
    spec = results.settings.estimate.headline.spec
    estimates: list[Cell] = []
    errors: list[Cell] = []
    for name in names:
        effect = find_effect(results, name, design, spec)
        if effect is None or not effect.estimated:
            estimates.append(DASH)
            errors.append(None)
            continue
        decimals = results.decimals[name]
        estimates.append(estimate_cell(effect, decimals))
        errors.append(std_error_cell(effect, decimals))
    return Row(results.settings.design_label(design), tuple(estimates)), Row("", tuple(errors))


def _range(results: StudyResults, design: str, names: list[str]) -> list[Row]:
    """Return the range over orders and the effect with rows reversed, where there are any."""
    spec = results.settings.estimate.headline.spec
    ranges: list[Cell] = []
    reverse: list[Cell] = []
    for name in names:
        key = {"design": design, "outcome": name, "estimator": spec}
        low, high, reversed_ = (
            results.details.figure(FITS, column, **key).value
            for column in ("att_order_low", "att_order_high", "att_rows_reversed")
        )
        decimals = results.decimals[name]
        known = not math.isnan(low)
        scale = results.settings.outcome(name).scale
        ranges.append(interval_of(low, high, scale, decimals) if known else DASH)
        reverse.append(Number(shown_value(reversed_, scale), decimals) if known else DASH)
    if all(cell == DASH for cell in ranges):
        return []
    label = results.settings.design_label(design)
    return [
        Row(label, tuple(ranges)),
        Row(say("matching_choices.rows_reversed"), tuple(reverse), True),
    ]


def _without_range(results: StudyResults, rows: list[Row], numbered: dict[int, str]) -> list[str]:
    """Name observed outcomes that no range is made for."""
    names = [
        results.settings.outcome(name).label
        for k, name in enumerate(numbered.values())
        if results.settings.outcome(name).observed and all(row.cells[k] == DASH for row in rows)
    ]
    return [say("matching_choices.no_range", names=join_words(names))] if names else []


def _n_orders(results: StudyResults, designs: list[str]) -> int:
    """Return over how many orders of matching effects were estimated again, 0 where none was."""
    fits = results.details.rows(FITS)
    known = fits.loc[fits["design"].isin(designs), "n_match_orders"].dropna()
    return int(known.max()) if len(known) else 0


def _notes(
    results: StudyResults, designs: list[str], ranges: list[Row], numbered: dict[int, str]
) -> tuple[str, ...]:
    """Say what is shown, over how many orders effects were found again, and of which not."""
    shown = say("matching_choices.what_is_shown", firms=results.settings.exhibit.firms)
    if not ranges:
        return (shown,)
    orders = say("matching_choices.orders", n=_n_orders(results, designs))
    return (f"{shown} {orders}", *_without_range(results, ranges, numbered))
