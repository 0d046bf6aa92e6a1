"""Whom counts behind estimates count: samples, entry years, groups, zeros and exits."""

from itertools import product

import numpy as np

from pipeline.analyses.counted_sets import ArmSets, CountPlace
from pipeline.analyses.exit_status import exit_status
from pipeline.analyses.firm_groups import common_groups
from pipeline.datasets.arrays import Codes, Flags
from pipeline.datasets.fits import DECOMPOSED_COHORTS
from pipeline.datasets.populations import COMPARISON, NOUGHTS, ONES, TREATED
from pipeline.datasets.results import ESTIMATES, OUTCOME_PATHS
from pipeline.datasets.samples import ATTRITION, ZEROS
from pipeline.effects.sample import StackedSample, stacked_sample
from pipeline.effects.stacks import Stacks
from pipeline.effects.study import Study, asked, outcome_sample
from pipeline.errors import IdentificationError
from pipeline.estimators.goodman_bacon import balanced_part
from pipeline.estimators.twoway import flat_sample
from pipeline.panel.scale import on_scale

_GROUPS = {True: TREATED, False: COMPARISON}
_SIZES = {True: "n_treated", False: "n_control"}
# The effects of one entry year in one year.
CELL = "att_gt"


def count_samples(sets: ArmSets, study: Study) -> None:
    """Add the firms behind estimates and paths, of the analyses beside them, and who exits."""
    for design, outcome, specs in asked(study):
        if not study.outcomes[outcome].observed:
            continue
        sample = outcome_sample(study, design, outcome)
        for group, column in _SIZES.items():
            place = CountPlace(
                ESTIMATES.name, column, design, variable=outcome, treated=_GROUPS[group]
            )
            _add_sample(sets, place, sample)
        if study.outcomes[outcome].transform == "any":
            _add_ones(sets, outcome, sample)
        if any(spec.estimator == "twoway" and spec.firms != "panel" for spec in specs):
            _add_decomposed(sets, study, outcome, sample)
        if study.estimate.analyses.margins is not None:
            _add_zeros(sets, outcome, sample)
    _add_groups(sets, study)
    _add_exits(sets, study)


def _add_sample(sets: ArmSets, place: CountPlace, sample: StackedSample) -> None:
    """Add a group of a sample: all, by event time, and by entry year and year."""
    stacks = sample.stacks
    own = stacks.treated == (place.treated == TREATED)
    sets.add(place, stacks.firm[own & sample.observed.any(axis=1)])
    base = sample.observed[:, stacks.reference_column]
    path = place.but(table=OUTCOME_PATHS.name, column="n_firms")
    for column, time in enumerate(stacks.event_times.tolist()):
        then = own & sample.observed[:, column]
        sets.add(place.but(time=time), stacks.firm[then])
        sets.add_sum(path.but(time=time), stacks.firm[then], stacks.stack[then])
        for year in np.unique(stacks.stack[then]).tolist():
            cell = then & base & (stacks.stack == year)
            sets.add(place.but(part=CELL, stack=str(year), time=time), stacks.firm[cell])


def _add_ones(sets: ArmSets, outcome: str, sample: StackedSample) -> None:
    """Add the treated firms with a one, and with a nought, at each event time."""
    stacks = sample.stacks
    for column, time in enumerate(stacks.event_times.tolist()):
        then = stacks.treated & sample.observed[:, column]
        place = CountPlace(OUTCOME_PATHS.name, ONES, stacks.design, variable=outcome, time=time)
        one = sample.values[:, column] == 1
        sets.add(place.but(treated=TREATED), stacks.firm[then & one])
        sets.add(place.but(column=NOUGHTS, treated=TREATED), stacks.firm[then & ~one])


def _add_decomposed(sets: ArmSets, study: Study, outcome: str, sample: StackedSample) -> None:
    """Add the firms of each entry year that a flat figure is decomposed into."""
    place = CountPlace(DECOMPOSED_COHORTS.name, "n_firms", sample.stacks.design, variable=outcome)
    try:
        part = balanced_part(flat_sample(sample, study.panel))
    except IdentificationError:
        return
    group = np.where(part.cohort > part.year.max(initial=0), np.inf, part.cohort)
    for cohort in np.unique(group).tolist():
        firm = np.unique(part.firm[group == cohort])
        if np.isinf(cohort):
            sets.add(place.but(treated=COMPARISON), firm)
        else:
            sets.add(place.but(stack=str(int(cohort)), treated=TREATED), firm)


def _add_zeros(sets: ArmSets, outcome: str, sample: StackedSample) -> None:
    """Add the firms above zero in the reference year, and never."""
    stacks, base = sample.stacks, sample.stacks.reference_column
    above = sample.observed & (np.nan_to_num(sample.values) > 0)
    seen = sample.observed.any(axis=1)
    for group, name in _GROUPS.items():
        own = seen & (stacks.treated == group)
        place = CountPlace(ZEROS.name, "n_firms", stacks.design, variable=outcome, treated=name)
        marks = {
            "n_firms": own,
            "n_above_zero_at_base": own & above[:, base],
            "n_never_above_zero": own & ~above.any(axis=1),
        }
        for column, units in marks.items():
            sets.add(place.but(column=column), stacks.firm[units])


def _add_groups(sets: ArmSets, study: Study) -> None:
    """Add the firms of groups that keep the design's matches."""
    groups = study.estimate.analyses.groups
    if groups is None or groups.match != "common":
        return
    for design in groups.designs:
        for name, grouping in groups.by.items():
            for subgroup, stacks in common_groups(study, study.stacks[design], grouping):
                for outcome in groups.outcomes:
                    place = CountPlace(ESTIMATES.name, "", design, subgroup, name, outcome)
                    for group, firm in _of_group(study, outcome, stacks).items():
                        own = place.but(column=_SIZES[group], treated=_GROUPS[group])
                        sets.add(own, firm)


def _of_group(study: Study, outcome: str, stacks: Stacks) -> dict[bool, Codes]:
    """Return the treated and the comparison firms of a group that have the outcome."""
    declared = study.outcomes[outcome]
    if not declared.observed:
        return {}
    values = on_scale(study.panel[declared.column], declared)
    sample = stacked_sample(stacks, values, study.estimate.missing)
    used = sample.observed.any(axis=1)
    return {group: np.unique(stacks.firm[used & (stacks.treated == group)]) for group in _GROUPS}


def _add_exits(sets: ArmSets, study: Study) -> None:
    """Add the counts of ATTRITION."""
    survival = study.estimate.analyses.survival
    if survival is None:
        return
    for design in survival.designs:
        stacks = study.stacks[design]
        status = exit_status(stacks, study.panel, survival.exit)
        fates: dict[str, Flags] = {
            "n_observed": status.observed,
            "n_gap": status.gap,
            "n_gone": status.gone,
            "n_not_known": ~status.known & ~status.observed & status.covered,
        }
        for (group, name), (fate, marks) in product(_GROUPS.items(), fates.items()):
            own = (stacks.weight > 0) & (stacks.treated == group)
            for column, time in enumerate(stacks.event_times.tolist()):
                units = own & marks[:, column]
                place = CountPlace(ATTRITION.name, fate, design, time=time, treated=name)
                sets.add_sum(place, stacks.firm[units], stacks.stack[units])
