"""What the attacked firms are like, and who is in which set: the truth behind what is published."""

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from attacked_study import STUDY, Attacked, delivered_panel

from pipeline.analyses.exit_status import exit_status
from pipeline.datasets.arms import ARM_ENTRIES, ARMS, CONTACTS
from pipeline.datasets.exposure import EXPOSURE
from pipeline.datasets.matches import MATCHES, WEIGHTS
from pipeline.datasets.panel import PANEL
from pipeline.datasets.selection import COVARIATES, SCORES
from pipeline.datasets.store import read
from pipeline.effects.sample import StackedSample
from pipeline.effects.study import Study, outcome_sample, prepare_study
from pipeline.exhibits.inputs import StudySettings
from pipeline.matching.matched_lags import matched_times
from pipeline.params.arms import ExposureArm
from pipeline.selection.arms import panel_of_arm

# How a covariate or outcome comes from a column.
SCALES = {
    "level": lambda x: x,
    "proportional": lambda x: x,
    "log": lambda x: np.log(np.where(x > 0, x, np.nan)),
    "any": lambda x: np.where(np.isnan(x), np.nan, (x > 0).astype(float)),
}


@dataclass(frozen=True)
class World:
    """Hold the attacked study's private tables; a set of firms is a vector (firms,) of uses.

    `arm` is the one whose tables these are, None of a study without arms.
    """

    attacked: Attacked
    settings: StudySettings
    arm: str | None = None
    _truth: dict = field(default_factory=dict)

    def folder(self, stage: str) -> Path:
        """Return the folder of a stage's tables on the arm."""
        arm_folder = "" if self.arm is None else self.settings.treatment.arm_folders[self.arm]
        return self.attacked.private / stage / arm_folder

    @cached_property
    def seen(self) -> pd.DataFrame:
        """Return PANEL as the arm sees it."""
        if self.arm is None:
            return self.panel
        tables = [read(table, self.attacked.private / "score") for table in (ARMS, CONTACTS)]
        anticipation = self.settings.treatment.anticipation_years
        return panel_of_arm(self.panel, *tables, self.arm, anticipation)

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

    def listed(self, arm: str) -> list[str]:
        """Return the firms of PANEL that an arm lists."""
        rows = read(ARM_ENTRIES, self.attacked.private / "clean")
        named = self.settings.treatment.arms.named
        if isinstance(named[arm], ExposureArm):
            return self.entrants(arm)
        known = set(self.panel["firm_id"])
        return [f for f in rows.loc[rows["arm"] == arm, "firm_id"] if f in known]

    def entrants(self, arm: str) -> list[str]:
        """Return the firms of an arm."""
        rows = read(ARMS, self.attacked.private / "score")
        return list(rows.loc[rows["arm"] == arm, "firm_id"])

    @cached_property
    def in_no_arm(self) -> list[str]:
        """Return the participants that no arm lists."""
        if self.arm is None:
            return []
        entered = self.panel.dropna(subset="cohort")["firm_id"].unique()
        listed = {f for arm in self.settings.treatment.arms.named for f in self.listed(arm)}
        return [firm for firm in entered if firm not in listed]

    @cached_property
    def exposure(self) -> pd.DataFrame:
        return read(EXPOSURE, self.attacked.private / "score")

    @cached_property
    def covariates(self) -> pd.DataFrame:
        return read(COVARIATES, self.folder("score"))

    @cached_property
    def scores(self) -> pd.DataFrame:
        """Return SCORES with covariates."""
        scores = read(SCORES, self.folder("score"))
        return scores.merge(self.covariates, on=["stack", "firm_id"])

    @cached_property
    def weights(self) -> pd.DataFrame:
        """Return WEIGHTS with covariates."""
        weights = read(WEIGHTS, self.folder("match"))
        return weights.merge(self.covariates, on=["stack", "firm_id"])

    @cached_property
    def study(self) -> Study:
        s = self.settings
        return prepare_study(
            self.seen,
            read(MATCHES, self.folder("match")),
            read(WEIGHTS, self.folder("match")),
            outcomes=s.outcomes,
            treatment=s.treatment,
            matched_times=matched_times(s.score, s.match),
            estimate=s.estimate,
            covariates=self.covariates,
            score=s.score,
            **({} if self.arm is None else {"arm": self.arm}),
        )

    @cached_property
    def cohort(self) -> dict[str, int]:
        entrants = self.seen.dropna(subset="cohort").drop_duplicates("firm_id")
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
    return World(attacked, attacked.settings())


def worlds(attacked: Attacked) -> dict[str, World]:
    """Return the world of each arm that has results, by its subfolder."""
    settings = attacked.settings()
    told = {path.parent.name for path in attacked.reports.glob("results/*/estimates.csv")}
    return {
        folder: World(attacked, settings, None if settings.treatment.arms is None else arm)
        for arm, folder in settings.treatment.arm_folders.items()
        if folder == "" or folder in told
    }


__all__ = ["SCALES", "STUDY", "World", "world", "worlds"]
