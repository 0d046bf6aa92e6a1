"""What a row of the registry of estimators says: all that the pipeline must know of one.

A trait that is left out is an error when the registry is imported, and so is one that contradicts
another; there is no silent default.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from pipeline.datasets.arrays import Floats
from pipeline.effects.after_entry import POST_ONLY
from pipeline.effects.answers import Answer, Task
from pipeline.effects.collected import Collected
from pipeline.effects.resolved import Asked, Resolved
from pipeline.effects.rows import Label
from pipeline.effects.sample import StackedSample, check_comparable
from pipeline.effects.study import Study
from pipeline.effects.terms import Term
from pipeline.errors import IdentificationError, Reason
from pipeline.matching.redo import Redo
from pipeline.params.inference_methods import METHODS, method_named
from pipeline.params.spec_options import EstimatesAsked

STACKED_ONLY = Reason("ratios_by_stacked_only")

Estimate = Callable[[Task], Answer]
# Answers outcomes on one design that is matched anew: a study, a spec, what makes designs again.
Anew = Callable[[Study, Any, Redo, str], Callable[[str], Answer]]
Resolve = Callable[[Asked], Resolved]
Truth = Callable[[Task, Floats], Mapping[Term, float]]
# Adds to tables what stands beside an estimator's rows.
AddBeside = Callable[[Collected, Task, Label], None]


@dataclass(frozen=True)
class Redone:
    """Hold how an estimator answers on a sample that others made again, with its covariates.

    `estimate` answers a task; `terms` gives the linear estimates of a spec alone, without what
    inference needs, where draws are many. `alike` names the columns of PANEL whose values in the
    base year a spec's terms read beside entry year, treatment, weights and outcomes: units that
    agree in them may enter by their means. None where terms read more of each unit. `closed` says
    whether the average effect of a spec is the event study's in closed form, which `event_average`
    gives (None: of no spec).
    """

    estimate: Estimate
    terms: Callable[[Study, Any, StackedSample], Mapping[Term, float]]
    alike: Callable[[Any], tuple[str, ...] | None]
    closed: Callable[[Any], bool] | None = None


@dataclass(frozen=True)
class Estimator:
    """Hold what the pipeline must know of one estimator.

    `settings` is its class of specs, `words` the key of what exhibits say of it (None: its name
    says all). `estimate` answers a task, `in_ratios` one whose outcome is in proportion to the
    level (None: no such effect); neither where it matches firms `anew`, which takes what makes
    designs again. `redone` tells how it answers where weights, entry or the order of matching are
    redone (None: it is not redone, and its specs cannot ask for what would). `resolved` tells what
    a spec's settings come to, for SPECS. `beside` adds to tables what else it tells of a task
    (None: nothing). `changes` says whether it measures changes since the reference year,
    which an outcome that is first observed after entry has not, `pools` whether it takes each
    firm-year once, whatever entry year it is compared in, `pre_trends` whether its effects before
    entry are tested together. `truth` gives
    what it should find of true effects by PANEL row (None: it has no truth of its own). `inference`
    names what may stand beside its analytic errors: all that its specs can ask for, and what comes
    with it. `detectable` says whether detectable effects are told, `plans` whether also for other
    numbers of treated clusters, `joint` whether its averages enter tests over several outcomes, and
    `in_stata` whether an export for Stata repeats it.
    """

    settings: type[EstimatesAsked]
    words: str | None
    estimate: Estimate | None
    in_ratios: Estimate | None
    anew: Anew | None
    redone: Redone | None
    resolved: Resolve
    beside: AddBeside | None
    changes: bool
    pools: bool
    pre_trends: bool
    truth: Truth | None
    inference: frozenset[str]
    detectable: bool
    plans: bool
    joint: bool
    in_stata: bool

    def __post_init__(self) -> None:
        """Refuse traits that contradict each other or what specs can ask for."""
        for name in sorted(self.inference):
            method_named(name)
        lacking = sorted(self.settings.methods() - self.inference)
        if lacking:
            named = ", ".join(lacking)
            raise ValueError(f"specs can ask for {named}, which the trait `inference` lacks")
        if (self.estimate is None) == (self.anew is None):
            raise ValueError("an estimator either answers a task (`estimate`) or matches `anew`")
        if self.redone is None and self._can_be_asked_to_be_redone:
            raise ValueError("specs can ask for what redoes designs; the trait `redone` is None")

    @property
    def _can_be_asked_to_be_redone(self) -> bool:
        early = "placebo_entry_years" in self.settings.model_fields
        return early or any(METHODS[name].redoes for name in self.inference)

    def runs(self, asked: Asked) -> Resolved:
        """Return what a spec's settings come to, with firm-years taken as often as `pools` says."""
        found = self.resolved(asked)
        return replace(found, firm_years="once" if self.pools else "per_entry_year")

    def answer(self, task: Task) -> Answer:
        """Answer a task; raise IdentificationError where nothing can be estimated."""
        estimate = self.in_ratios if task.in_ratios else self.estimate
        if estimate is None:
            raise IdentificationError(STACKED_ONLY)
        if self.changes and task.study.outcomes[task.outcome].post_only:
            raise IdentificationError(POST_ONLY)
        if not (self.pools and task.spec.option("firms") == "panel"):
            check_comparable(task.sample)
        return estimate(task)

    def again(self) -> Redone:
        """Return how it is redone; raise ValueError where it is not."""
        if self.redone is None:
            named = self.settings.__name__
            raise ValueError(f"the estimator of {named} is not redone on samples made again")
        return self.redone
