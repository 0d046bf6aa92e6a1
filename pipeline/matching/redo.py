"""What it takes to make a design's weights again: for draws, other orders and other entries."""

from dataclasses import dataclass

import pandas as pd

from pipeline.params.match import MahalanobisDesign, MatchSection, NearestDesign
from pipeline.params.score import ControlsFrom, ScoreSection

# Methods whose weights change smoothly with the data.
SMOOTH = ("odds", "overlap", "entropy", "kernel", "cells")


@dataclass(frozen=True)
class Remade:
    """Say how a design's matches are made, as far as params tell: see `inference.validity`."""

    smooth: bool = False
    shared_neighbours: bool = False
    own_scores: bool = True


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
        if design == "unmatched":
            return Remade(smooth=True)
        rule = self.match.designs[design]
        neighbours = isinstance(rule, NearestDesign | MahalanobisDesign) and rule.replacement
        pooled = rule.method == "nearest" and self.score.models[rule.score].fit == "pooled"
        return Remade(rule.method in SMOOTH, neighbours, not pooled)
