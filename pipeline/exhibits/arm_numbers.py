"""Numbers for prose of arms: `study.arm.outcome.design.estimator.term.statistic`.

Those of the headline's arm go without its name. Sums of arms stand under `contrast`, `own` or
`overall`: `study.own.training.near.sales_log.matched.stacked.att.pct`, the exposure after the arm.
"""

from collections.abc import Callable
from typing import Any

from pipeline.effects.terms import ATT
from pipeline.exhibits.arms import headline_arm, sum_effect, sum_of, sum_rows
from pipeline.exhibits.inputs import StudyResults
from pipeline.exhibits.numbers import Quoted, statistics, study_numbers, term_key

_Chosen = Callable[[dict[str, Any]], bool]


def arm_numbers(
    results: StudyResults, chosen: _Chosen = lambda _: True, *, stored: bool = True
) -> dict[str, Quoted]:
    """Return the statistics of the other arms' chosen effects, and of sums of average effects.

    `chosen` and `stored` as of `study_numbers`; of sums all rows, or the averages that are shown.
    """
    found: dict[str, Quoted] = {}
    for arm, own in results.arms.items():
        if arm != headline_arm(results):
            figures = study_numbers(own, chosen, stored=stored)
            found |= {_of_arm(results, arm, key): figure for key, figure in figures.items()}
    return found | _sums(results, stored=stored)


def _of_arm(results: StudyResults, arm: str, key: str) -> str:
    return f"{results.study}.{arm}.{key.removeprefix(f'{results.study}.')}"


def _sums(results: StudyResults, *, stored: bool) -> dict[str, Quoted]:
    headline = results.settings.estimate.headline
    found: dict[str, Quoted] = {}
    for row in sum_rows(results):
        effect, of = sum_effect(results, row), sum_of(row)
        shown = (row["design"], row["estimator"]) == (headline.design, headline.spec)
        if not effect.estimated or not (stored or (shown and effect.term == ATT)):
            continue
        place = (of.estimand, of.contrast, *([of.exposure] if of.exposure else []))
        named = (str(row[name]) for name in ("outcome", "design", "estimator"))
        key = ".".join((results.study, *place, *named, term_key(effect.term)))
        figures = statistics(effect, stored=stored)
        found |= {f"{key}.{name}": figure for name, figure in figures.items()}
    return found
