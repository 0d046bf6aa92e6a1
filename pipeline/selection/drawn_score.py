"""A score fitted again on draws of firms, each of which counts as often as it was drawn.

What draws share stands in arrays: entry years, treated flags, covariates with their categories.
"""

from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from pipeline.datasets.arrays import Codes, Floats
from pipeline.datasets.precision import SCORE_DECIMALS
from pipeline.datasets.selection import POOLED, STACK_LEVEL
from pipeline.errors import EvaluationError
from pipeline.params.score import ScoreModel
from pipeline.selection.covariates import with_categories
from pipeline.selection.frequency import Frequency, among, weighted_times
from pipeline.selection.likelihood import maximise, probability
from pipeline.selection.propensity import (
    SCORE_COLUMNS,
    fitted_covariates,
    fitted_firms,
    score_remedy,
    score_samples,
)
from pipeline.selection.risk_sets import sampling_weights, with_weight
from pipeline.selection.score_fit import find_optimum
from pipeline.selection.score_sample import require_members
from pipeline.selection.support import support_by_stack


@dataclass(frozen=True)
class DrawnScore:
    """Hold what fits of one score model share: its firms, all with the model's covariates.

    `firms` has stack, treated and sampling weights, if any; `covariates` those of the model and, of
    a pooled one, the entry year as its category; both have one row per firm x stack.
    """

    name: str
    model: ScoreModel
    firms: pd.DataFrame
    covariates: pd.DataFrame

    def scores(self, rows: Codes, frequency: Frequency = None) -> pd.DataFrame:
        """Return stack, treated, scores and support of the rows drawn, in their order.

        `frequency` (rows,) says how often each counts. The index says which rows: those left out
        for their categories are not among them. Raises as `score_risk_sets` does.
        """
        firms, covariates = self.firms.iloc[rows], self.covariates.iloc[rows]
        self._require_groups(firms)
        used = fitted_firms(firms, covariates[self.model.covariates], self.model, self.name)
        firms, covariates = firms.loc[used], covariates.loc[used]
        frequency = among(frequency, used)
        scored = firms.assign(**self._fitted(firms, covariates, frequency))
        on_support = support_by_stack(scored, self.model, frequency)
        if self.model.refit:
            own = covariates.loc[on_support, self.model.covariates]
            on_support[on_support] = fitted_firms(firms[on_support], own, self.model, self.name)
            kept = np.flatnonzero(on_support)
            times = among(frequency, on_support)
            again = self._fitted(firms.iloc[kept], covariates.iloc[kept], times)
            for column, values in again.items():
                scored.loc[on_support, column] = values
        return scored.assign(on_support=on_support)

    def _require_groups(self, firms: pd.DataFrame) -> None:
        treated, stack = firms["treated"].to_numpy(), firms["stack"].to_numpy(np.int64)
        for year in np.unique(stack):
            place = {"model": self.name, "entry_year": int(year)}
            require_members(treated[stack == year], self.model, place)

    def _fitted(
        self, firms: pd.DataFrame, covariates: pd.DataFrame, frequency: Frequency
    ) -> dict[str, Floats]:
        """Return the two columns of scores of firms, each of the fit that it is in."""
        treated, link = firms["treated"].to_numpy(), self.model.link
        mass = weighted_times(frequency, sampling_weights(firms))
        stack = firms["stack"].to_numpy(np.int64)
        found = {name: np.empty(len(firms)) for name in SCORE_COLUMNS}
        several = bool(stack.min() < stack.max())
        for label, where, at in score_samples(stack, self.model, self.name):
            named = [*self.model.covariates, *[STACK_LEVEL] * (label == POOLED and several)]
            columns = fitted_covariates(covariates[named].iloc[at], self.model)
            times = None if frequency is None else frequency[at]
            weighing = partial(maximise, weight=None if mass is None else mass[at])
            try:
                _, optimum = find_optimum(columns, treated[at], link, weighing, times)
            except EvaluationError as error:
                raise error.at(where, score_remedy(label)) from None
            scores = (probability(optimum.index, link), optimum.index)
            for name, values in zip(SCORE_COLUMNS, scores, strict=True):
                found[name][at] = np.round(values, SCORE_DECIMALS)
        return found


def drawn_score(
    name: str, model: ScoreModel, firms: pd.DataFrame, covariates: pd.DataFrame
) -> DrawnScore:
    """Prepare fits of a model on draws of its risk sets; covariates are aligned with `firms`."""
    values = with_categories(covariates[model.covariates])
    if model.fit == "pooled":
        values[STACK_LEVEL] = pd.Categorical(firms["stack"].astype(str))
    read = firms[with_weight(["stack", "treated"], firms)]
    return DrawnScore(name, model, read.reset_index(drop=True), values)
