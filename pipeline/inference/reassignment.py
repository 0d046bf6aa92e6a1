"""The study as it would be had other firms entered: risk sets, scores and matches made again.

What no assignment of entry changes is worked out once: who is active in which base and entry year,
where their rows and clusters are, and their covariates, which are dated before entry.
"""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from pipeline.datasets.arrays import Codes
from pipeline.datasets.matches import MATCHES
from pipeline.effects.stacks import Stacks, join_stacks
from pipeline.effects.study import Study
from pipeline.matching.designs import design_risk_sets, match_rows, match_stack, weight_rows
from pipeline.matching.redo import Redo
from pipeline.panel.panel_index import PanelIndex, index_panel
from pipeline.panel.treated_clusters import first_entries
from pipeline.params.match import AnyDesign
from pipeline.selection.covariates import dated_covariates
from pipeline.selection.likelihood import maximise
from pipeline.selection.propensity import score_model
from pipeline.selection.risk_sets import ActiveFirms, active_firms, risk_set, score_pool


@dataclass(frozen=True)
class Reassignment:
    """Hold what the assignments of entry share for one design.

    `firm` and `cluster` are codes by PANEL row; `active` lists firms by entry year, `covariates`
    is COVARIATES of all of them.
    """

    study: Study
    redo: Redo
    design: str
    index: PanelIndex
    firm: Codes
    cluster: Codes
    active: dict[int, ActiveFirms]
    covariates: pd.DataFrame

    def study_under(self, entry: dict[str, int]) -> Study:
        """Return the study of one design had these firms entered in these years.

        The panel keeps the actual entries: estimates read its outcomes only. Raises SupportError or
        DataError where the design cannot be made.
        """
        stacks = self._stacks(self._risk_sets(entry))
        return replace(self.study, stacks={self.design: stacks}, covariates=self.covariates)

    def _risk_sets(self, entry: dict[str, int]) -> pd.DataFrame:
        entry_year = np.full(len(self.index.firms), np.nan)
        entry_year[self.index.firms.get_indexer(pd.Index(list(entry)))] = list(entry.values())
        cohort = entry_year[self.firm]
        year = self.study.panel["year"].to_numpy()
        first = first_entries(year, cohort, self.cluster, int(self.cluster.max()) + 1)[self.cluster]
        entered = [self.active[year] for year in sorted(set(entry.values()))]
        return pd.concat(
            [risk_set(s, cohort[s.row], first[s.row], self.study.treatment) for s in entered]
        )

    def _stacks(self, firms: pd.DataFrame) -> Stacks:
        """Score and match the risk sets."""
        rule = self.redo.match.designs.get(self.design)
        scores = self._scores(rule, firms)
        matched = [
            match_stack(risk_set, rule)
            for risk_set in design_risk_sets(scores, self.covariates, self.design, rule)
        ]
        weights = pd.concat([weight_rows(stack, self.design) for stack in matched])
        sets = [match_rows(stack, self.design) for stack in matched if len(stack.sets.treated)]
        matches = pd.concat(sets) if sets else pd.DataFrame(columns=list(MATCHES.columns))
        return join_stacks(self.index, weights, matches, self.design, self.study.treatment)

    def _scores(self, rule: AnyDesign | None, firms: pd.DataFrame) -> pd.DataFrame:
        """Return the risk sets of the design, with the scores of the model that it uses, if any."""
        if rule is None:
            source = self.redo.score.unmatched.controls_from
            return score_pool(firms, "unmatched", source).assign(on_support=True)
        model = self.redo.score.models[rule.score]
        pool = score_pool(firms, rule.score, model.controls_from)
        return score_model(pool, self.covariates, model, rule.score, maximise)[0]


def reassignment(study: Study, redo: Redo, design: str, entry_years: list[int]) -> Reassignment:
    """Prepare the assignments of entry to these years, for one design."""
    index = index_panel(study.panel)
    active = {year: active_firms(study.panel, year, study.treatment) for year in entry_years}
    firms = pd.concat([stack.firms for stack in active.values()])
    return Reassignment(
        study=study,
        redo=redo,
        design=design,
        index=index,
        firm=index.codes(study.panel["firm_id"]),
        cluster=np.asarray(pd.factorize(study.panel["cluster"])[0], dtype=np.intp),
        active=active,
        covariates=dated_covariates(study.panel, firms, redo.score.covariates),
    )
