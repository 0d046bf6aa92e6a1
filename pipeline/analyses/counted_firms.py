"""Whom published counts count: the firms of every count of tables that may be subtracted."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from pipeline.analyses.counted_samples import count_samples
from pipeline.analyses.counted_sets import CountedSets, CountPlace
from pipeline.datasets.arrays import Codes, Flags
from pipeline.datasets.balance import BALANCE, SUPPORT
from pipeline.datasets.matches import LOSSES, MATCHED, UNMATCHED
from pipeline.datasets.panel import COVERAGE, ENTRY_YEAR, PROFILE, YEAR
from pipeline.datasets.populations import COMPARISON, NOUGHTS, ONES, TREATED
from pipeline.datasets.selection import SCORE_COEFFICIENTS, SCORE_LOSSES, STACKS
from pipeline.datasets.store import Dataset
from pipeline.effects.study import Study
from pipeline.matching.redo import Redo
from pipeline.panel.panel_index import NO_ROW
from pipeline.progress import at
from pipeline.selection.firm_stacks import FirmStacks, firm_stacks
from pipeline.selection.support import treated_by_fate

_GROUPS = {True: TREATED, False: COMPARISON}
_SIZES = {True: "n_treated", False: "n_control"}
_SCORE = "propensity_score"
_PLAIN = ["firm_id", "year", "cohort"]


def count_sets(study: Study, redo: Redo, weights: pd.DataFrame) -> dict[Dataset, pd.DataFrame]:
    """Return COUNTED_SETS and COUNTED_FIRMS: whom published counts count."""
    firms = _Firms(study, redo, weights, CountedSets(len(study.index.firms)))
    with at("firms counted by what counts them"):
        for add in (_entrants, _scored, _matched, _fates, _balance, _panel):
            add(firms)
        count_samples(firms.sets, study)
        return firms.sets.tables()


@dataclass(frozen=True)
class _Firms:
    """Hold what tells whom counts count, and the sets found so far."""

    study: Study
    redo: Redo
    weights: pd.DataFrame
    sets: CountedSets

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
            if _is_binary(covariates[name])
        }

    def models(self) -> dict[str, str]:
        """Return the score model of each design."""
        designs = self.redo.match.designs.items()
        return {"unmatched": "unmatched"} | {name: d.score for name, d in designs}


def _entrants(firms: _Firms) -> None:
    """Add the counts of STACKS and of entry years in PROFILE."""
    index, panel = firms.study.index, firms.study.panel
    first = panel.drop_duplicates("firm_id")
    entered = first[first["cohort"].notna()]
    code = index.codes(entered["firm_id"])
    year = entered["cohort"].to_numpy(np.intp)
    active = firms.risk_set("unmatched", True)["row"].to_numpy()
    there = np.isin(code, firms.firm[active])
    for entry in np.unique(year).tolist():
        own = year == entry
        place = CountPlace(STACKS.name, "n_entrants", stack=str(entry))
        firms.sets.add(place, code[own])
        firms.sets.add(place.but(column="n_entrants_not_active"), code[own & ~there])
        rows = CountPlace(PROFILE.name, "n_rows", part=ENTRY_YEAR, time=entry, treated=TREATED)
        firms.sets.add(rows, code[own])
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


def _is_binary(values: pd.Series) -> bool:
    """Say whether values are zeros and ones."""
    return pd.api.types.is_numeric_dtype(values.dtype) and bool(values.dropna().isin([0, 1]).all())


def _panel(firms: _Firms) -> None:
    """Add the firms with a value of each column in each year, and of each group."""
    panel, index = firms.study.panel, firms.study.index
    treated = np.zeros(len(index.firms), dtype=np.bool_)
    entered = panel["cohort"].notna().to_numpy()
    treated[index.codes(panel.loc[entered, "firm_id"])] = True
    there = index.row != NO_ROW
    for name in [name for name in panel.columns if name not in _PLAIN]:
        one = None
        if _is_binary(panel[name]):
            one = np.append(panel[name].eq(1).to_numpy(), False)[index.row] & there
        has = np.append(panel[name].notna().to_numpy(), False)[index.row] & there
        for group, of in ((True, TREATED), (False, COMPARISON)):
            own = treated == group
            place = CountPlace(COVERAGE.name, "n_firms", variable=name, treated=of)
            everyone = np.flatnonzero(own)
            for year, column in _years(index.first_year, there):
                firms.sets.add(place.but(time=year), everyone)
                seen = np.flatnonzero(own & has[:, column])
                firms.sets.add(place.but(column="n_observed", time=year), seen)
                rows = CountPlace(PROFILE.name, "n_rows", part=YEAR, variable=name, time=year)
                firms.sets.add(rows.but(treated=of), np.flatnonzero(own & there[:, column]))
                lacking = np.flatnonzero(own & there[:, column] & ~has[:, column])
                firms.sets.add(rows.but(column="n_missing", treated=of), lacking)
                if one is not None:
                    own_rows = own & has[:, column]
                    ones = np.flatnonzero(own_rows & one[:, column])
                    noughts = np.flatnonzero(own_rows & ~one[:, column])
                    firms.sets.add(rows.but(column=ONES, treated=of), ones)
                    firms.sets.add(rows.but(column=NOUGHTS, treated=of), noughts)


def _years(first: int, there: Flags) -> Iterator[tuple[int, int]]:
    """Yield the years that PANEL has, and their columns."""
    for column in np.flatnonzero(there.any(axis=0)).tolist():
        yield first + column, column
