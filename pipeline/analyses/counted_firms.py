"""Whom published counts count: the firms of every count of tables that may be subtracted."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from pipeline.analyses.counted_arms import count_arms
from pipeline.analyses.counted_panel import count_panel, entrants, is_binary
from pipeline.analyses.counted_samples import count_samples
from pipeline.analyses.counted_sets import ArmSets, CountedSets, CountPlace
from pipeline.analyses.means_of_arms import MeansOfArms
from pipeline.datasets.arrays import Codes, Flags
from pipeline.datasets.balance import BALANCE, SUPPORT
from pipeline.datasets.matches import LOSSES, MATCHED, UNMATCHED
from pipeline.datasets.populations import COMPARISON, NOUGHTS, ONES, TREATED
from pipeline.datasets.selection import SCORE_COEFFICIENTS, SCORE_LOSSES, STACKS
from pipeline.datasets.store import Dataset
from pipeline.effects.study import Study
from pipeline.matching.redo import Redo
from pipeline.progress import at
from pipeline.selection.arm_flow import ListedFirms
from pipeline.selection.firm_stacks import FirmStacks, firm_stacks
from pipeline.selection.support import treated_by_fate

_GROUPS = {True: TREATED, False: COMPARISON}
_SIZES = {True: "n_treated", False: "n_control"}
_SCORE = "propensity_score"


def count_sets(means: MeansOfArms, listed: ListedFirms | None) -> dict[Dataset, pd.DataFrame]:
    """Return COUNTED_SETS and COUNTED_FIRMS: whom the published counts of all arms count."""
    sets = CountedSets(len(means.index.firms))
    with at("firms counted by what counts them"):
        for arm, own in means.arms.items():
            firms = _Firms(own.study, own.redo, own.weights, ArmSets(sets, arm, means.codes(arm)))
            for add in (_entrants, _scored, _matched, _fates, _balance):
                add(firms)
            count_samples(firms.sets, own.study)
        count_panel(sets, means.panel, means.index)
        if listed is not None:
            count_arms(sets, means.index, listed)
        return sets.tables()


@dataclass(frozen=True)
class _Firms:
    """Hold what tells whom counts of one arm count, and where they are collected."""

    study: Study
    redo: Redo
    weights: pd.DataFrame
    sets: ArmSets

    @cached_property
    def tables(self) -> FirmStacks:
        """Return SCORES and WEIGHTS as rows of COVARIATES."""
        return firm_stacks(self.redo.scores, self.redo.covariates, self.weights)

    @cached_property
    def firm(self) -> Codes:
        """Return the code of the firm of each row of COVARIATES."""
        return self.study.index.codes(self.redo.covariates["firm_id"])

    @cached_property
    def stack(self) -> Codes:
        """Return the entry year of each row of COVARIATES."""
        return self.redo.covariates["stack"].to_numpy(np.intp)

    def add_rows(self, place: CountPlace, row: Codes) -> None:
        """Add the counts of rows of COVARIATES: of each entry year, and all together."""
        self.sets.add_stacks(place, self.firm[row], self.stack[row])

    def risk_set(self, model: str, treated: bool) -> pd.DataFrame:
        """Return the rows of a score model's risk sets."""
        rows = self.tables.of_model(model)
        return rows[rows["treated"] == treated]

    def used(self, design: str, treated: bool) -> Codes:
        """Return the rows of COVARIATES that a design uses."""
        rows = self.weights[self.weights["design"] == design]
        own = self.tables.of_design(design)["row"].to_numpy()
        return np.asarray(own[(rows["treated"] == treated).to_numpy()])

    def binary(self) -> dict[str, tuple[Flags, Flags]]:
        """Return which rows of COVARIATES have covariates of zeros and ones, and have a one."""
        covariates = self.redo.covariates
        return {
            name: (covariates[name].notna().to_numpy(), covariates[name].eq(1).to_numpy())
            for name in covariates.columns[2:]
            if is_binary(covariates[name])
        }

    def models(self) -> dict[str, str]:
        """Return the score model of each design."""
        designs = self.redo.match.designs.items()
        return {"unmatched": "unmatched"} | {name: d.score for name, d in designs}


def _entrants(firms: _Firms) -> None:
    """Add the counts of STACKS."""
    code, year = entrants(firms.study.panel, firms.study.index)
    active = firms.risk_set("unmatched", True)["row"].to_numpy()
    there = np.isin(code, firms.firm[active])
    for entry in np.unique(year).tolist():
        own = year == entry
        place = CountPlace(STACKS.name, "n_entrants", stack=str(entry))
        firms.sets.add(place, code[own])
        firms.sets.add(place.but(column="n_entrants_not_active"), code[own & ~there])
    candidates = firms.risk_set("unmatched", False)["row"].to_numpy()
    firms.add_rows(CountPlace(STACKS.name, "n_candidates"), candidates)


def _scored(firms: _Firms) -> None:
    """Add the firms that a score is fitted on, and those that it loses."""
    covariates = firms.redo.covariates
    for model, rule in firms.redo.score.models.items():
        fitted = firms.tables.of_model(model)["row"].to_numpy()
        treated = firms.risk_set(model, True)["row"].to_numpy()
        place = CountPlace(SCORE_COEFFICIENTS.name, "n_obs", model)
        firms.add_rows(place, fitted)
        firms.add_rows(place.but(column="n_treated"), treated)
        for group, name in _GROUPS.items():
            rows = firms.risk_set(model, group)
            place = CountPlace(SCORE_LOSSES.name, "n_off_support", model, treated=name)
            firms.add_rows(place, rows.loc[~rows["on_support"], "row"].to_numpy())
            if rule.controls_from == firms.redo.score.unmatched.controls_from:
                pool = firms.risk_set("unmatched", group)["row"].to_numpy()
                lost = pool[~np.isin(pool, rows["row"])]
                known = covariates[rule.covariates].notna().all(axis=1).to_numpy()[lost]
                firms.add_rows(place.but(column="n_without_covariates"), lost[~known])
                if rule.untreated_categories == "leave_out":
                    untreated = place.but(column="n_in_untreated_categories")
                    firms.add_rows(untreated, lost[known])


def _matched(firms: _Firms) -> None:
    """Add the counts of MATCHED, and of LOSSES the treated firms without a match."""
    for design, model in firms.models().items():
        place = CountPlace(MATCHED.name, "n_treated", design)
        treated, used = firms.risk_set(model, True)["row"].to_numpy(), firms.used(design, True)
        firms.add_rows(place, treated)
        firms.add_rows(place.but(column="n_treated_matched"), used)
        lost = CountPlace(LOSSES.name, "n_firms", design, part=UNMATCHED)
        firms.add_rows(lost, treated[~np.isin(treated, used)])
        pool = firms.risk_set(model, False)["row"].to_numpy()
        firms.add_rows(place.but(column="n_comparison"), pool)
        controls = firms.used(design, False)
        firms.add_rows(place.but(column="n_comparison_used"), controls)
        distinct, uses = np.unique(firms.firm[controls], return_counts=True)
        firms.sets.add(place.but(column="n_comparison_distinct"), distinct)
        firms.sets.add(place.but(column="n_comparison_reused"), distinct[uses > 1])


def _fates(firms: _Firms) -> None:
    """Add the treated firms of each fate in SUPPORT, and those with a one of binary covariates."""
    binary = firms.binary()
    for design, row, fate in treated_by_fate(firms.tables, firms.redo.match):
        for name in np.unique(fate).tolist():
            place = CountPlace(SUPPORT.name, "n_treated", design, part=name, treated=TREATED)
            own = row[fate == name]
            firms.add_rows(place, own)
            for covariate, (has, one) in binary.items():
                ones = place.but(column=ONES, variable=covariate)
                firms.add_rows(ones, own[has[own] & one[own]])
                firms.add_rows(ones.but(column=NOUGHTS), own[has[own] & ~one[own]])


def _balance(firms: _Firms) -> None:
    """Add the firms with each covariate, by sample of BALANCE."""
    covariates = firms.redo.covariates
    known = {name: covariates[name].notna().to_numpy() for name in covariates.columns[2:]}
    binary = firms.binary()
    known[_SCORE] = np.ones(len(covariates), dtype=np.bool_)
    for design, model in firms.models().items():
        for group, column in _SIZES.items():
            before = firms.risk_set(model, group)
            samples = {
                "before": before["row"].to_numpy(),
                "on_support": before.loc[before["on_support"], "row"].to_numpy(),
                "after": firms.used(design, group),
            }
            for sample, row in samples.items():
                for name, has in known.items():
                    place = CountPlace(BALANCE.name, column, design, part=sample, variable=name)
                    own = place.but(treated=_GROUPS[group])
                    firms.add_rows(own, row[has[row]])
                    if group and name in binary:
                        _, one = binary[name]
                        firms.add_rows(own.but(column=ONES), row[has[row] & one[row]])
                        firms.add_rows(own.but(column=NOUGHTS), row[has[row] & ~one[row]])
