"""Other ways to the headline: the average effect on each outcome by design and estimator."""

import math
from dataclasses import dataclass

from pipeline.datasets.selection import STACKS
from pipeline.exhibits.effect import Effect
from pipeline.exhibits.inputs import StudyResults, find_effect
from pipeline.exhibits.ran import ran


@dataclass(frozen=True)
class Variant:
    """Hold the average effect under one design and spec, and what sets it apart.

    `biased` says that already treated firms are among its comparisons, so that it may be off where
    effects change with time.
    """

    design: str
    spec: str
    effect: Effect
    is_headline: bool
    biased: bool


def variants(results: StudyResults, outcome: str) -> list[Variant]:
    """Return every variant with an interval in the order of params, the headline design first."""
    headline = results.settings.estimate.headline
    specs = [spec for spec in results.settings.estimate.specs if spec.gives == "effects"]
    designs = dict.fromkeys([headline.design, *(d for spec in specs for d in spec.designs)])
    found = []
    for design in designs:
        for spec in specs:
            effect = find_effect(results, outcome, design, spec.name)
            if design not in spec.designs or effect is None or math.isnan(effect.conf_low):
                continue
            chosen = (design, spec.name) == (headline.design, headline.spec)
            biased = _compares_with_treated(results, outcome, design, spec.name)
            found.append(Variant(design, spec.name, effect, chosen, biased))
    return found


def _compares_with_treated(results: StudyResults, outcome: str, design: str, spec: str) -> bool:
    """Say whether it is the flat regression where firms entered in several years."""
    row = ran(results, design, outcome, spec)
    entry_years = len(results.details.of(STACKS))
    return row is not None and row.code("kind") == "twoway" and entry_years > 1
