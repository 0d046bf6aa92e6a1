"""What it takes to make a design's weights again: for draws, other orders and other entries."""

from dataclasses import dataclass

import pandas as pd

from pipeline.params.inference_faults import Remade, remade
from pipeline.params.match import MatchSection
from pipeline.params.score import ControlsFrom, ScoreSection


@dataclass(frozen=True)
class Redo:
    """Hold what it takes to make a design's weights again: risk sets, covariates, settings."""

    scores: pd.DataFrame
    covariates: pd.DataFrame
    score: ScoreSection
    match: MatchSection

    def controls_from(self, design: str) -> ControlsFrom:
        """Return from where a design takes comparison firms."""
        if design == "unmatched":
            return self.score.unmatched.controls_from
        return self.score.models[self.match.designs[design].score].controls_from

    def rule(self, design: str) -> Remade:
        """Say how a design is made: whether its weights are smooth, its neighbours shared."""
        return remade(design, self.match, self.score)
