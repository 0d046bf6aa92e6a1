"""Which setting moved which headline, as a table: one row a setting, one column a headline."""

import math

from pipeline.commands.attribute.attribution import Attribution, Moves
from pipeline.commands.attribute.headline_effects import HeadlineEffect
from pipeline.commands.attribute.shapley import Chosen
from pipeline.exhibits.render import rounding
from pipeline.exhibits.tables.table import DASH, Cell, Panel, Row, Table, TableColumn, Text

BEYOND = "Together, beyond each alone"
OTHER_CAUSES = "Data, code, packages"
_WIDTH = "half_width"


def shown_outcomes(found: Attribution) -> list[str]:
    """Return the outcomes with a headline anywhere: those that nobody observed have none."""
    return [
        name
        for name in found.outcomes.labels
        if any(
            not math.isnan(effect.estimate)
            for effect in (found.start(name), found.end(name), *_each(found, name))
        )
    ]


def _each(found: Attribution, outcome: str) -> list[HeadlineEffect]:
    return [computed.of(outcome) for computed in found.computed.values()]


def attribution_table(found: Attribution, outcomes: list[str]) -> Table:
    """Return effects before and after, and between them what each setting moved; then intervals.

    Intervals have rows of their own where a setting moved one.
    """
    panels = [Panel("", tuple(_rows(found, outcomes, "estimate")))]
    if any(_moved(found, name, _WIDTH) for name in outcomes):
        panels.append(
            Panel("Half the width of the interval", tuple(_rows(found, outcomes, _WIDTH)))
        )
    columns = tuple(TableColumn(found.outcomes.labels[name]) for name in outcomes)
    return Table(columns=columns, panels=tuple(panels))


def _rows(found: Attribution, outcomes: list[str], figure: str) -> list[Row]:
    rows = [Row(_end_label("Before", found.before), _ends(found, outcomes, figure, first=True))]
    for number, setting in enumerate(found.settings):
        cells = tuple(_cell(found, name, number, figure) for name in outcomes)
        rows.append(Row(f"{number + 1} {setting.label}", cells))
    if any((m := found.moves(name, figure)) and m.in_pairs for name in outcomes):
        cells = tuple(_beyond(found, name, figure) for name in outcomes)
        rows.append(Row(BEYOND, cells))
    rest = tuple(_amount(found, name, found.other_causes(name, figure)) for name in outcomes)
    rows.append(Row(OTHER_CAUSES, rest))
    return [*rows, Row(_end_label("After", found.after), _ends(found, outcomes, figure))]


def _end_label(words: str, published: object) -> str:
    return words if published is not None else f"{words} (computed here)"


def _ends(
    found: Attribution, outcomes: list[str], figure: str, first: bool = False
) -> tuple[Cell, ...]:
    sides = [found.start(name) if first else found.end(name) for name in outcomes]
    return tuple(
        _effect(found, name, side, figure, gone="not estimated" if first else "no longer estimated")
        for name, side in zip(outcomes, sides, strict=True)
    )


def _effect(
    found: Attribution, outcome: str, effect: HeadlineEffect, figure: str, gone: str
) -> Cell:
    value = float(getattr(effect, figure))
    if math.isnan(value):
        return Text(gone) if figure == "estimate" else DASH
    places = decimals(found, outcome)
    shown = rounding.fixed(value, places)
    if figure != "estimate" or math.isnan(effect.std_error):
        return Text(shown)
    return Text(f"{shown} ({rounding.positive(effect.std_error, places)})")


def decimals(found: Attribution, outcome: str) -> int:
    """Return the decimals of a column: its smallest standard error shows three digits."""
    errors = [found.start(outcome).std_error, found.end(outcome).std_error]
    return rounding.decimals_for([e for e in errors if not math.isnan(e)], 3, 0)


def _cell(found: Attribution, outcome: str, number: int, figure: str) -> Cell:
    """Return what a setting moved: a share, or what it moves alone and last."""
    moves = found.moves(outcome, figure)
    if moves is None:
        return _gone(found, outcome, number) if figure == "estimate" else DASH
    amounts = moves.each[number]
    if figure == "estimate" and _all_zero(amounts) and _moved_interval(found, outcome, number):
        return Text("interval only")
    return Text(" / ".join(amount_text(amount, decimals(found, outcome)) for amount in amounts))


def _gone(found: Attribution, outcome: str, number: int) -> Cell:
    """Say whether a setting alone ends, or begins, that an effect is estimated."""
    alone: Chosen = frozenset({number})
    before = found.computed[frozenset()].of(outcome).estimate
    after = found.computed[alone].of(outcome).estimate if alone in found.computed else before
    if math.isnan(before) == math.isnan(after):
        return DASH
    return Text("no longer estimated" if math.isnan(after) else "estimated with it")


def _moved_interval(found: Attribution, outcome: str, number: int) -> bool:
    widths = found.moves(outcome, _WIDTH)
    return widths is not None and not _all_zero(widths.each[number])


def _moved(found: Attribution, outcome: str, figure: str) -> bool:
    moves = found.moves(outcome, figure)
    rest = found.other_causes(outcome, figure)
    return (moves is not None and not moves.nothing) or not (math.isnan(rest) or rest == 0)


def _beyond(found: Attribution, outcome: str, figure: str) -> Cell:
    moves = found.moves(outcome, figure)
    return DASH if moves is None else _amount(found, outcome, beyond_alone(moves))


def beyond_alone(moves: Moves) -> float:
    """Return what settings move only together: the whole less each changed alone."""
    return moves.together - sum(amounts[0] for amounts in moves.each) if moves.in_pairs else 0.0


def _amount(found: Attribution, outcome: str, amount: float) -> Cell:
    return DASH if math.isnan(amount) else Text(amount_text(amount, decimals(found, outcome)))


def amount_text(amount: float, places: int) -> str:
    """Return an amount with its sign; one that would read zero in one digit, no amount as 0."""
    if math.isnan(amount):
        return "?"
    if amount == 0:
        return "0"
    reads_zero = rounding.reads_zero(abs(amount), places)
    shown = (
        rounding.in_significant_digits(amount, 1) if reads_zero else rounding.fixed(amount, places)
    )
    return f"{'+' * (amount > 0)}{shown}"


def _all_zero(amounts: tuple[float, ...]) -> bool:
    return not any(amounts)
