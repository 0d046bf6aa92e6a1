"""The headline's design made again on the firms of another pool."""

from dataclasses import dataclass, replace
from functools import cached_property

import pandas as pd

from pipeline.effects.collected import Results
from pipeline.effects.study import Study, prepare_study
from pipeline.matching.designs import match_designs
from pipeline.matching.matched_lags import matched_times
from pipeline.matching.redo import Redo
from pipeline.params.analyses import Analyses
from pipeline.params.estimate import EstimateSection, Spec
from pipeline.params.match import MatchSection
from pipeline.params.outcomes import OutcomesSection
from pipeline.params.score import ScoreSection
from pipeline.selection.covariates import dated_covariates
from pipeline.selection.propensity import score_risk_sets
from pipeline.selection.risk_sets import pooled_risk_sets


@dataclass(frozen=True)
class HeadlineArm:
    """Hold the headline's arm under the clean pool: its study, design again, and results."""

    study: Study
    redo: Redo
    results: Results

    @property
    def design(self) -> str:
        """Return the headline's design."""
        return self.study.estimate.headline.design

    @cached_property
    def spec(self) -> Spec:
        """Return the headline's spec for the average effect alone."""
        asked = self.study.estimate
        spec = next(spec for spec in asked.specs if spec.name == asked.headline.spec)
        return spec.only_average(self.design)

    @cached_property
    def compared(self) -> pd.MultiIndex:
        """Return entry year and firm of whoever may be compared under the clean pool."""
        scores = self.redo.scores
        rows = scores.loc[~scores["treated"], ["stack", "firm_id"]].drop_duplicates()
        return pd.MultiIndex.from_frame(rows)


def matched_under(
    headline: HeadlineArm, seen: pd.DataFrame, firms: pd.DataFrame
) -> tuple[Redo, Study]:
    """Score and match the risk sets of a pool by the headline's design; return study and rules.

    The pool says who is compared, so that `controls_from` does not. Outcomes in percent of a mean
    keep the clean pool's. Raises SupportError or DataError where that cannot be.
    """
    study = headline.study
    score, match = _of_design(headline)
    covariates = dated_covariates(seen, firms, score.covariates)
    scores = score_risk_sets(pooled_risk_sets(firms, score), covariates, score).scores
    matched = match_designs(scores, covariates, match)
    under = prepare_study(
        seen,
        matched.matches,
        matched.weights,
        outcomes=OutcomesSection(study.outcomes),
        treatment=study.treatment,
        matched_times=matched_times(score, match),
        estimate=_of_spec(headline),
        covariates=covariates,
        score=score,
        arm=study.arm,
        exposed=study.exposed,
    )
    return Redo(scores, covariates, score, match), replace(under, outcomes=study.outcomes)


def _of_design(headline: HeadlineArm) -> tuple[ScoreSection, MatchSection]:
    """Return the settings of the headline's design alone, with every firm of the pool."""
    score, match = headline.redo.score, headline.redo.match
    named = {name: match.designs[name] for name in [headline.design] if name in match.designs}
    everyone = {"controls_from": "all"}
    models = {
        rule.score: score.models[rule.score].model_copy(update=everyone) for rule in named.values()
    }
    unmatched = score.unmatched.model_copy(update=everyone)
    return (
        score.model_copy(update={"models": models, "unmatched": unmatched}),
        match.model_copy(update={"designs": named}),
    )


def _of_spec(headline: HeadlineArm) -> EstimateSection:
    """Return the settings of the headline's average effect, with nothing beside it."""
    alone = {"specs": [headline.spec], "analyses": Analyses(), "romano_wolf": None}
    return headline.study.estimate.model_copy(update=alone)
