"""How the average effect on an outcome in asinh would move if its column were in another unit.

Chen & Roth (2024), doi:10.1093/qje/qjad054: any such effect can be had, by choice of the unit,
where the programme moves firms from or to zero.
"""

from dataclasses import replace

import numpy as np

from pipeline.datasets.fits import UNIT_DEPENDENCE
from pipeline.effects.answers import Answer, Task
from pipeline.effects.collected import Collected
from pipeline.effects.rows import Label, fit_key
from pipeline.effects.study import Study, outcome_sample
from pipeline.effects.terms import ATT
from pipeline.errors import IdentificationError
from pipeline.estimators.registry import ESTIMATORS

# Factors on the level, by what the unit then is.
UNITS = {"x100": 100.0, "per_million": 1e-6}


def add_unit_dependence(collected: Collected, task: Task, label: Label) -> None:
    """Add the average effect in other units, of an outcome whose effects depend on its unit.

    Nothing is added where the spec gives bounds, or no average.
    """
    outcome = task.study.outcomes[label.outcome]
    if outcome.transform != "asinh" or task.spec.gives != "effects" or "att" not in task.spec.terms:
        return
    try:
        found = {unit: _average(task, factor) for unit, factor in UNITS.items()}
    except IdentificationError:
        return
    if all(np.isfinite(effect) for effect in found.values()):
        collected.add(UNIT_DEPENDENCE, **fit_key(label), term=ATT.family, **found)


def _average(task: Task, factor: float) -> float:
    """Return the average effect with the outcome's column times a factor."""
    study = _scaled(task.study, task.outcome, factor)
    sample = outcome_sample(study, task.design, task.outcome)
    alone = Task(study, task.spec.only_average(task.design), task.outcome, sample)
    return _att(ESTIMATORS[task.spec.estimator].answer(alone))


def _scaled(study: Study, outcome: str, factor: float) -> Study:
    column = study.outcomes[outcome].column
    return replace(study, panel=study.panel.assign(**{str(column): study.panel[column] * factor}))


def _att(answer: Answer) -> float:
    """Return the average effect of an answer, missing where it has none."""
    found = (result.estimate(ATT) for result in answer.results if ATT in result.terms)
    return next(found, np.nan)
