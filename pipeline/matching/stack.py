"""One stack of one design: its risk set before matching, and what matching made of it."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd

from pipeline.datasets.arrays import Flags, Floats, Integers
from pipeline.errors import Reason, SupportError
from pipeline.matching.sets import MatchedSets, sampled, unit_weights
from pipeline.selection.frequency import Frequency, counted, times_of, weighted_times
from pipeline.selection.risk_sets import sampling_weights


@dataclass(frozen=True)
class RiskSet:
    """Hold one stack of one design before matching, in order of `firm_id`.

    `where` names model, stack and design in messages, `entry_year` the stack. `firms` are rows of
    SCORES, `covariates` the rows of COVARIATES aligned with them; `cells` number the exact cells
    (None without any, -1 where a cell variable is missing). `brought` are this stack's rows of a
    file of pairs or weights, for designs made elsewhere. `frequency` says how often each
    firm counts where firms were drawn, above zero: what makes smooth weights counts it so. Where
    `firms` have sampling weights firms count by them, too.
    """

    where: str
    entry_year: int
    firms: pd.DataFrame
    covariates: pd.DataFrame
    cells: Integers | None
    brought: pd.DataFrame | None = None
    frequency: Frequency = None

    @property
    def treated(self) -> Flags:
        """Say which firms entered in the stack's year."""
        return self.firms["treated"].to_numpy()

    @property
    def on_support(self) -> Flags:
        """Say which firms the support rule of the score model keeps."""
        return self.firms["on_support"].to_numpy()

    @property
    def usable(self) -> Flags:
        """Say which firms may be used: on support, and with a cell where cells are asked for."""
        return self.on_support if self.cells is None else self.on_support & (self.cells >= 0)

    @property
    def sampling(self) -> Floats | None:
        """Return the firms' sampling weights; None where the study has none."""
        return sampling_weights(self.firms)

    @property
    def mass(self) -> Frequency:
        """Return how much each firm counts: as often as it was drawn, times its sampling weight."""
        return weighted_times(self.frequency, self.sampling)

    @property
    def times(self) -> Floats:
        """Return how much each firm counts."""
        return times_of(self.mass, len(self.firms))

    def count(self, firms: Flags) -> int:
        """Return how many firms are marked, each as often as it counts."""
        return counted(firms, self.frequency)

    def score(self, distance: Literal["linear", "probability"]) -> Floats:
        """Return the score on the scale on which distances are taken."""
        column = "linear_score" if distance == "linear" else "propensity_score"
        return self.firms[column].to_numpy()

    def generator(self, seed: int | None) -> np.random.Generator | None:
        """Return a generator for this stack, the same run after run; None without a seed."""
        if seed is None:
            return None
        return np.random.default_rng([seed, self.entry_year])

    def reordered(self, order: Integers) -> "RiskSet":
        """Return the same firms in another order of rows, to see what the tie rule does."""
        return replace(
            self,
            firms=self.firms.iloc[order].reset_index(drop=True),
            covariates=self.covariates.iloc[order].reset_index(drop=True),
            cells=None if self.cells is None else self.cells[order],
        )

    @property
    def or_without(self) -> str:
        """Return, as the end of a remedy, how to go on without this entry year."""
        return f", or leave it out (treatment.leave_out_entry_years: [{self.entry_year}])"

    def because(self, code: str, n_treated: int, n_control: int) -> Reason:
        """Return why this stack has no matches, with how many firms there were to match."""
        sizes = {"n_treated": n_treated, "n_control": n_control}
        return Reason(code, {"entry_year": self.entry_year, **sizes})

    def no_match(self, code: str) -> Reason:
        """Return why no treated firm of this stack has a match."""
        usable, treated = self.usable, self.treated
        return self.because(code, self.count(treated & usable), self.count(~treated & usable))

    def require_both(self) -> None:
        """Raise SupportError where no treated or no comparison firm may be used."""
        n_treated = self.count(self.treated & self.usable)
        n_control = self.count(~self.treated & self.usable)
        if not n_treated or not n_control:
            raise SupportError(
                f"{self.where}: {n_treated} treated and {n_control} comparison firms: a "
                "comparison needs both; change the window (treatment.window), or support or "
                "controls_from of the score model, or treatment.comparison, or name the entry year "
                "in treatment.leave_out_entry_years",
                reason=self.because("entry_year_lacks_group", n_treated, n_control),
            )


@dataclass(frozen=True)
class Shortage:
    """Count treated firms left without one of the firms within reach, and with too few of them."""

    left_over: int
    fewer: int


@dataclass(frozen=True)
class StackMatch:
    """Hold one stack of one design: its firms, how they were matched, what was used.

    `firms` are the stack's rows of SCORES in order of `firm_id`; positions in `sets`, `weight`
    and `cells` (None without exact cells, -1 where a cell variable is missing) refer to them.
    `estimand` is whom the treated weights stand for: `att`, or `ato` for overlap weights.
    `shortage` is known where treated firms choose a number of comparison firms.
    """

    firms: pd.DataFrame
    sets: MatchedSets
    weight: Floats
    cells: Integers | None
    caliper: float | None = None
    estimand: str = "att"
    shortage: Shortage | None = None


def matched(
    risk_set: RiskSet,
    sets: MatchedSets,
    caliper: float | None,
    shortage: Shortage | None = None,
) -> StackMatch:
    """Return a stack matched in sets; its weights are those that the sets imply.

    Sampling weights weight the sets (`sampled`).
    """
    if risk_set.sampling is not None:
        sets = sampled(sets, risk_set.sampling)
    weight = unit_weights(sets, len(risk_set.firms))
    return StackMatch(
        risk_set.firms, sets, weight, risk_set.cells, caliper=caliper, shortage=shortage
    )


def weighted(risk_set: RiskSet, weight: Floats, estimand: str = "att") -> StackMatch:
    """Return a stack with weights alone, comparison weights scaled to sum to the treated.

    A firm that counts more than once has the weight of one of its copies, times its sampling
    weight (DuGoff, Schuler & Stuart 2014, doi:10.1111/1475-6773.12090).
    """
    treated, counted = risk_set.treated, weight * risk_set.times
    level = counted[treated].sum() / counted[~treated].sum()
    levelled = np.where(treated, weight, level * weight)
    if risk_set.sampling is not None:
        levelled *= risk_set.sampling
    return StackMatch(risk_set.firms, no_sets(), levelled, risk_set.cells, None, estimand)


def no_sets() -> MatchedSets:
    """Return the sets of a method that makes none."""
    nobody = np.zeros(0, np.int64)
    return MatchedSets(nobody, nobody, np.zeros(0), np.zeros(0))
