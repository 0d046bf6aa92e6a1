"""What the attacked firms are like, and who is in which set: the truth behind what is published."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd
from attacked_study import STUDY, Attacked, delivered_panel

from pipeline.analyses.exit_status import exit_status
from pipeline.datasets.matches import MATCHES, WEIGHTS
from pipeline.datasets.panel import PANEL
from pipeline.datasets.selection import COVARIATES, SCORES
from pipeline.datasets.store import read
from pipeline.effects.sample import StackedSample
from pipeline.effects.study import Study, outcome_sample, prepare_study
from pipeline.exhibits.inputs import StudySettings
from pipeline.matching.matched_lags import matched_times

# How a covariate or outcome comes from a column.
SCALES = {
    "level": lambda x: x,
    "proportional": lambda x: x,
    "log": lambda x: np.log(np.where(x > 0, x, np.nan)),
    "any": lambda x: np.where(np.isnan(x), np.nan, (x > 0).astype(float)),
}


@dataclass(frozen=True)
class World:
    """Hold the attacked study's private tables; a set of firms is a vector (firms,) of uses."""

    attacked: Attacked
    settings: StudySettings
    _truth: dict = field(default_factory=dict)

    @cached_property
    def raw(self) -> pd.DataFrame:
        return delivered_panel()

    @cached_property
    def firms(self) -> list[str]:
        """Return every firm delivered."""
        return sorted(self.raw["firm"].unique())

    @cached_property
    def place(self) -> dict[str, int]:
        return {firm: i for i, firm in enumerate(self.firms)}

    @cached_property
    def panel(self) -> pd.DataFrame:
        return read(PANEL, self.attacked.private / "clean")

    @cached_property
    def covariates(self) -> pd.DataFrame:
        return read(COVARIATES, self.attacked.private / "score")

    @cached_property
    def scores(self) -> pd.DataFrame:
        """Return SCORES with covariates."""
        scores = read(SCORES, self.attacked.private / "score")
        return scores.merge(self.covariates, on=["stack", "firm_id"])

    @cached_property
    def weights(self) -> pd.DataFrame:
        """Return WEIGHTS with covariates."""
        weights = read(WEIGHTS, self.attacked.private / "match")
        return weights.merge(self.covariates, on=["stack", "firm_id"])

    @cached_property
    def study(self) -> Study:
        s = self.settings
        return prepare_study(
            self.panel,
            read(MATCHES, self.attacked.private / "match"),
            read(WEIGHTS, self.attacked.private / "match"),
            outcomes=s.outcomes,
            treatment=s.treatment,
            matched_times=matched_times(s.score, s.match),
            estimate=s.estimate,
            covariates=self.covariates,
            score=s.score,
        )

    @cached_property
    def cohort(self) -> dict[str, int]:
        entrants = self.panel.dropna(subset="cohort").drop_duplicates("firm_id")
        return dict(zip(entrants["firm_id"], entrants["cohort"].astype(int), strict=True))

    @cached_property
    def samples(self) -> dict[tuple[str, str], StackedSample]:
        """Return the estimation samples by design and outcome."""
        return {
            (design, name): outcome_sample(self.study, design, name)
            for design in self.study.stacks
            for name in self.settings.outcomes.root
        }

    def vector(self, firms: "pd.Series[str] | list[str]") -> np.ndarray:
        """Return how often each firm is listed."""
        return np.bincount([self.place[f] for f in firms], minlength=len(self.firms)).astype(float)

    def codes(self, codes: np.ndarray, weight: np.ndarray | None = None) -> np.ndarray:
        """Return how often, or with what weight, each firm stands among PANEL's codes."""
        names = self.study.index.firms
        own = np.array([self.place[str(n)] for n in names])
        return np.bincount(own[codes], weight, minlength=len(self.firms)).astype(float)

    def model(self, design: str) -> str:
        designs = self.settings.match.designs
        return designs[design].score if design in designs else "unmatched"

    def risk_set(self, model: str, stack: str, treated: bool | None = None) -> pd.DataFrame:
        return self._cached(self.scores, "model", model, stack, treated)

    def used(self, design: str, stack: str, treated: bool | None = None) -> pd.DataFrame:
        return self._cached(self.weights, "design", design, stack, treated)

    def _cached(self, table: pd.DataFrame, of: str, name: str, *at: object) -> pd.DataFrame:
        key = (of, name, *at)
        if key not in self._truth:
            self._truth[key] = _chosen(table[table[of] == name], *at)
        return self._truth[key]

    def known(self, rows: pd.DataFrame, covariate: str) -> pd.DataFrame:
        """Return the rows whose firm has the covariate, with its `value`."""
        return rows[rows[covariate].notna()].assign(value=lambda found: found[covariate])

    @cached_property
    def exit(self):
        asked = self.settings.estimate.analyses.survival
        return exit_status(self.study.stacks["matched"], self.panel, asked.exit)

    def level(self, column: str) -> np.ndarray:
        """Return a column (firms, years) as the panel has it."""
        wide = self.panel.pivot(index="firm_id", columns="year", values=column)
        return wide.reindex(self.firms).to_numpy(float)

    def truth(self, variable: tuple[str, str]) -> np.ndarray:
        """Return a variable's values (firms x years,), zero where there is none."""
        if variable not in self._truth:
            column, transform = variable
            with np.errstate(invalid="ignore", divide="ignore"):
                found = np.nan_to_num(SCALES[transform](self.level(column))).ravel()
            self._truth[variable] = found
        return self._truth[variable]


def _chosen(rows: pd.DataFrame, stack: str, treated: bool | None) -> pd.DataFrame:
    mine = rows if stack == "all" else rows[rows["stack"] == int(stack)]
    return mine if treated is None else mine[mine["treated"] == treated]


def world(attacked: Attacked) -> World:
    return World(attacked, attacked.results().settings)


__all__ = ["SCALES", "STUDY", "World", "world"]
