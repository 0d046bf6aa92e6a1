"""What it takes to make a design's weights again: for draws, other orders and other entries."""

from dataclasses import dataclass

import pandas as pd

from pipeline.params.inference_faults import Remade, remade
from pipeline.params.match import MatchSection
from pipeline.params.score import ControlsFrom, ScoreSection
from pipeline.selection.drawn_arms import DrawnArms


@dataclass(frozen=True)
class Redo:
    """Hold what it takes to make a design's weights again: risk sets, covariates, settings.

    `arms` is what arms are made of, to make them again too; None in a study without.
    """

    scores: pd.DataFrame
    covariates: pd.DataFrame
    score: ScoreSection
    match: MatchSection
    arms: DrawnArms | None = None

    def controls_from(self, design: str) -> ControlsFrom:
        """Return from where a design takes comparison firms."""
        if design == "unmatched":
            return self.score.unmatched.controls_from
        return self.score.models[self.match.designs[design].score].controls_from

    def rule(self, design: str) -> Remade:
        """Say how a design is made: whether its weights are smooth, its neighbours shared."""
        return remade(design, self.match, self.score)
