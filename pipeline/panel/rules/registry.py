"""Every cleaning rule, in order: a new one is a module and a row here.

A row says what the rest of cleaning must know of a rule; what a row leaves out, and a place or
setting that there is not, are errors, never a silent default.
"""

from collections.abc import Collection, Iterator
from functools import partial
from typing import Any

import pandas as pd

from pipeline.datasets.panel import NEAR_A_BENEFICIARY, SAMPLING_WEIGHT
from pipeline.errors import Reason
from pipeline.panel.gaps import look_at_years
from pipeline.panel.ledger import Rule, Ruled
from pipeline.panel.rules.absences import (
    count_empty_years,
    count_zero_rows,
    settle_absent,
    sizes,
)
from pipeline.panel.rules.clusters import add_cluster
from pipeline.panel.rules.customs import separate_customs_states
from pipeline.panel.rules.duplicates import add_up_merged, collapse_identical, settle_conflicting
from pipeline.panel.rules.exits import exits_by_flag
from pipeline.panel.rules.exposure_frame import keep_frame
from pipeline.panel.rules.first_digits import take_first_digits
from pipeline.panel.rules.missing_zeros import take_missing_as_zero
from pipeline.panel.rules.outliers import find_jumps, limit_tails
from pipeline.panel.rules.prices import convert_prices
from pipeline.panel.rules.recodes import recode
from pipeline.panel.rules.restrictions import (
    balance_window,
    bound_years,
    count_gaps,
    exclude_always_treated,
    exclude_cohorts,
    exclude_firms,
    filter_rows,
    leave_out_years,
    require_years,
)
from pipeline.panel.rules.rule import (
    PLACES,
    Cleaning,
    CleaningRule,
    checked,
    on_panel,
    with_table,
)
from pipeline.panel.rules.sums import Sums, add_up_again
from pipeline.panel.rules.units import apply_factor, check_scales
from pipeline.panel.rules.weights import give_weights
from pipeline.params.clean import EXIT_YEAR, Duplicates, Filter, Links, PanelWindow
from pipeline.params.gaps import Absent, CoverageGaps
from pipeline.progress import track


def rules_in_order() -> dict[str, CleaningRule]:
    """Return the registered rules by name as they run."""
    return dict(sorted(RULES.items(), key=lambda rule: PLACES.index(rule[1].place)))


def asked_rules(cleaning: Cleaning) -> Iterator[Rule]:
    """Yield the rules that params ask for in the order of the data section.

    Sums follow what a rule does to their parts.
    """
    sums = Sums(cleaning.data.sums)
    for _, row in track(rules_in_order().items(), "rules", len(RULES), name=lambda rule: rule[0]):
        for rule, writes in row.asked(cleaning):
            yield partial(checked, rule, row.steps, writes)
            if followed := sums.after(writes, alike=row.place != "outliers"):
                yield partial(add_up_again, sums=followed)


def _duplicates(cleaning: Cleaning, declared: Duplicates) -> Iterator[Rule]:
    delivered = cleaning.delivered.pop()
    yield partial(collapse_identical, delivered=delivered, rule=declared)
    yield partial(settle_conflicting, delivered=delivered, rule=declared)


def _merged(cleaning: Cleaning, declared: Links) -> Iterator[Rule]:
    yield partial(add_up_merged, add_up=declared.add_up)


def _cluster(cleaning: Cleaning, declared: list[str]) -> Iterator[Rule]:
    yield partial(add_cluster, columns=declared)


def _exposure_frame(cleaning: Cleaning, declared: None) -> Iterator[Rule]:
    if cleaning.treatment.exposure or cleaning.treatment.pools:
        yield partial(keep_frame, treatment=cleaning.treatment)


def _weights(cleaning: Cleaning, declared: str) -> Iterator[Rule]:
    called = cleaning.data.columns[declared].label
    yield partial(give_weights, column=declared, called=called)


def _filter(cleaning: Cleaning, declared: Filter) -> Iterator[Rule]:
    described = cleaning.data.columns.get(declared.column)
    called = declared.column if described is None else described.label
    yield partial(filter_rows, rule=declared, called=called)


def _years(cleaning: Cleaning, declared: PanelWindow) -> Iterator[Rule]:
    if declared.first_year is not None or declared.last_year is not None:
        yield partial(bound_years, window=declared)


def _always_treated(cleaning: Cleaning, declared: None) -> Iterator[Rule]:
    yield exclude_always_treated


def _entry_years(cleaning: Cleaning, declared: list[int]) -> Iterator[Rule]:
    yield partial(exclude_cohorts, entry_years=declared)


def _programmes(cleaning: Cleaning, declared: None) -> Iterator[Rule]:
    for step, firms in cleaning.cohorts.excluded.items():
        yield partial(exclude_firms, firms=firms, step=Reason(step))


def _minimum_years(cleaning: Cleaning, declared: PanelWindow) -> Iterator[Rule]:
    if declared.asks_for_years:
        yield partial(_count_thin_years, cleaning=cleaning)
    if declared.minimum_pre_years or declared.minimum_post_years:
        yield partial(require_years, window=declared)
    if declared.balanced:
        yield partial(balance_window, window=declared)


def _count_thin_years(panel: pd.DataFrame, cleaning: Cleaning) -> Ruled:
    found = look_at_years(panel, cleaning.clean, cleaning.treatment)
    return Ruled(panel, tuple(found))


def _gaps(cleaning: Cleaning, declared: None) -> Iterator[Rule]:
    yield count_gaps
    yield count_empty_years


def _absent(cleaning: Cleaning, declared: Absent) -> Iterator[Rule]:
    asked = sizes(cleaning.data, cleaning.treatment.entry, declared)
    yield partial(settle_absent, rule=declared, asked=asked)


def _missing_as_zero(cleaning: Cleaning, declared: list[str]) -> Iterator[Rule]:
    asked = sizes(cleaning.data, cleaning.treatment.entry, None)
    others = [name for name in asked.columns if name not in declared]
    yield partial(take_missing_as_zero, columns=declared, others=others)


def _years_left_out(cleaning: Cleaning, declared: CoverageGaps) -> Iterator[Rule]:
    if declared.leave_out_years:
        yield partial(leave_out_years, years=declared.leave_out_years)


def _zeros(cleaning: Cleaning, declared: None) -> Iterator[Rule]:
    absent = cleaning.clean.absent
    asked = sizes(cleaning.data, cleaning.treatment.entry, absent)
    if len(asked.columns) > 1:
        kept = absent is not None and absent.all_zero == "keep"
        yield partial(count_zero_rows, asked=asked, declared=kept)


def _nothing(declared: Any) -> Collection[str]:
    return ()


RULES: dict[str, CleaningRule] = {
    "duplicates": CleaningRule(
        setting="clean.duplicates",
        place="rows",
        writes=_nothing,
        steps=frozenset({"identical_collapsed", "conflicting_settled"}),
        make=_duplicates,
    ),
    "merged": CleaningRule(
        setting="clean.links",
        place="rows",
        writes=lambda links: links.add_up or (),
        steps=frozenset({"merged_added_up"}),
        make=_merged,
    ),
    "recodes": CleaningRule(
        setting="clean.recodes",
        place="values",
        writes=lambda rule: [rule.column],
        steps=frozenset(),
        make=with_table(recode),
    ),
    "first_digits": CleaningRule(
        setting="clean.first_digits",
        place="values",
        writes=lambda rule: [rule.column],
        steps=frozenset(),
        make=on_panel(take_first_digits),
    ),
    "unit_factors": CleaningRule(
        setting="clean.unit_factors",
        place="values",
        writes=lambda rule: [rule.column],
        steps=frozenset(),
        make=on_panel(apply_factor),
    ),
    "scale_checks": CleaningRule(
        setting="clean.scale_checks",
        place="values",
        writes=_nothing,
        steps=frozenset(),
        make=on_panel(check_scales),
    ),
    "prices": CleaningRule(
        setting="clean.prices",
        place="values",
        writes=lambda rule: rule.columns,
        steps=frozenset(),
        make=with_table(convert_prices),
    ),
    "customs": CleaningRule(
        setting="clean.customs",
        place="values",
        writes=lambda rule: [rule.column],
        steps=frozenset(),
        make=on_panel(separate_customs_states),
    ),
    "missing_as_zero": CleaningRule(
        setting="clean.missing_as_zero",
        place="values",
        writes=lambda columns: columns,
        steps=frozenset(),
        make=_missing_as_zero,
    ),
    "exit": CleaningRule(
        setting="clean.exit",
        place="values",
        writes=lambda rule: [EXIT_YEAR],
        steps=frozenset({"not_flagged_gone"}),
        make=on_panel(exits_by_flag),
    ),
    "absent": CleaningRule(
        setting="clean.absent",
        place="values",
        writes=lambda rule: rule.columns or (),
        steps=frozenset({"not_absent"}),
        make=_absent,
    ),
    "cluster": CleaningRule(
        setting="data.cluster",
        place="cluster",
        writes=lambda columns: ["cluster", "cluster_entry"],
        steps=frozenset(),
        make=_cluster,
    ),
    "exposure_frame": CleaningRule(
        setting=None,
        place="cluster",
        writes=_nothing,
        steps=frozenset(),
        make=_exposure_frame,
    ),
    "filters": CleaningRule(
        setting="clean.filters",
        place="sample",
        writes=_nothing,
        steps=frozenset({"filtered", "only_values", "without_values"}),
        make=_filter,
    ),
    "years": CleaningRule(
        setting="clean.window",
        place="sample",
        writes=_nothing,
        steps=frozenset({"years"}),
        make=_years,
    ),
    "years_left_out": CleaningRule(
        setting="clean.coverage",
        place="sample",
        writes=_nothing,
        steps=frozenset({"years_left_out"}),
        make=_years_left_out,
    ),
    "always_treated": CleaningRule(
        setting=None,
        place="sample",
        writes=_nothing,
        steps=frozenset({"not_already_treated"}),
        make=_always_treated,
    ),
    "entry_years": CleaningRule(
        setting="treatment.leave_out_entry_years",
        place="sample",
        writes=_nothing,
        steps=frozenset({"entry_years_left_out"}),
        make=_entry_years,
    ),
    "programmes": CleaningRule(
        setting=None,
        place="sample",
        writes=_nothing,
        steps=frozenset(
            {"not_in_another_programme_only", "not_in_another_programme", NEAR_A_BENEFICIARY}
        ),
        make=_programmes,
    ),
    "weights": CleaningRule(
        setting="data.weight",
        place="sample",
        writes=lambda column: [SAMPLING_WEIGHT],
        steps=frozenset({"with_sampling_weight"}),
        make=_weights,
    ),
    "minimum_years": CleaningRule(
        setting="clean.window",
        place="sample",
        writes=_nothing,
        steps=frozenset({"least_years", "every_year"}),
        make=_minimum_years,
    ),
    "gaps": CleaningRule(
        setting=None,
        place="sample",
        writes=_nothing,
        steps=frozenset(),
        make=_gaps,
    ),
    "zeros": CleaningRule(
        setting=None,
        place="sample",
        writes=_nothing,
        steps=frozenset(),
        make=_zeros,
    ),
    "jumps": CleaningRule(
        setting="clean.jumps",
        place="outliers",
        writes=lambda rule: rule.columns if rule.action == "set_missing" else (),
        steps=frozenset(),
        make=on_panel(find_jumps),
    ),
    "tails": CleaningRule(
        setting="clean.tails",
        place="outliers",
        writes=lambda rule: rule.columns,
        steps=frozenset(),
        make=on_panel(limit_tails),
    ),
}

# What asks for a step, where its rule's `setting` says too little.
_ASKED_BY = {
    "years": "clean.window.first_year and last_year",
    "years_left_out": "clean.coverage.leave_out_years",
    "not_already_treated": "entry by the panel's first year",
    "not_in_another_programme_only": "treatment.entry.other_programmes",
    "not_in_another_programme": "treatment.entry.other_programmes",
    NEAR_A_BENEFICIARY: "clean.identifier.near_misses",
    "least_years": "clean.window.minimum_pre_years and minimum_post_years",
    "every_year": "clean.window.balanced",
}


def setting_of_step(step: str) -> str:
    """Return what asks for a step of SAMPLE_FLOW, for messages."""
    rules = (rule.setting or "" for rule in RULES.values() if step in rule.steps)
    return _ASKED_BY.get(step) or next(rules)
