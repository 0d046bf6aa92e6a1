"""Clean raw files into a panel: one row per firm and year, and what each rule cost.

Rules run in the order of a paper's data section. A rule stops with a message for whoever
prepares the data, or changes or removes firm-years with a counted row in SAMPLE_FLOW or ISSUES.
What no rule changes stays as delivered; missing values stay missing.
"""

from collections.abc import Iterator, Mapping
from functools import partial
from types import MappingProxyType

import pandas as pd

from pipeline.errors import DataError, Reason
from pipeline.panel.entry import Cohorts, Register, firm_cohorts
from pipeline.panel.ledger import (
    Issue,
    Ledger,
    Rule,
    Ruled,
    apply_rules,
    distinct_rules,
    issues_table,
)
from pipeline.panel.origin import Origin, located
from pipeline.panel.rules.corrections import correct_points
from pipeline.panel.rules.customs import separate_customs_states
from pipeline.panel.rules.duplicates import add_up_merged, collapse_identical, settle_conflicting
from pipeline.panel.rules.links import link_panel, linked_identifiers
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
    require_years,
)
from pipeline.panel.rules.standard import (
    assignment_cluster,
    blank_missing_codes,
    missing_values,
    rewritten_identifiers,
    standard_names,
    standard_types,
)
from pipeline.panel.rules.units import apply_factor, check_scales
from pipeline.panel.treated_clusters import cluster_entry
from pipeline.params.clean import CleanSection, Window
from pipeline.params.data import DataSection
from pipeline.params.treatment import TreatmentSection

RulesTables = dict[str, pd.DataFrame]


def clean_panel(
    raw: pd.DataFrame | None,
    register: pd.DataFrame | None,
    rules_tables: RulesTables,
    *,
    data: DataSection,
    clean: CleanSection,
    treatment: TreatmentSection,
    origins: Mapping[str, Origin] = MappingProxyType({}),
) -> Ledger:
    """Turn raw rows into PANEL, SAMPLE_FLOW and ISSUES; `rules_tables` holds files by name.

    `origins` tells the files and rows of the tables `panel` and `register`, for messages.

    Raises DataError where the data break a rule that params do not relax: a firm or year
    missing, a value that is no number or below its minimum, conflicting rows of a firm in a year,
    a firm-year without assignment cluster, a treatment that switches off, no treated firms.
    """
    if raw is None:
        raise DataError("the raw panel was not obtained yet: run `dvc repro`, which does")
    with located(origins.get("panel", ())):
        panel = standard_names(raw, data, clean.identifier)
        found = rewritten_identifiers(raw, panel, data, clean.identifier)
        del raw  # no longer needed, and may be large
        panel, delivered, typing = _typed_rows(panel, rules_tables, data, clean)
        links = _links(rules_tables, clean)
        panel, joined = link_panel(panel, links)
        listed = Register(register, data.register_columns, origins.get("register", ()))
        cohorts = firm_cohorts(panel, listed, entry=treatment.entry, clean=clean, links=links)
        rules = _rules(
            delivered, cohorts, rules_tables, data=data, clean=clean, treatment=treatment
        )
        # Handed over, not shared: columns that a rule replaces are then freed at once.
        handed_over = [_with_entry(panel, cohorts)]
        del panel, delivered
        ledger = apply_rules(handed_over, rules)
        _require_both_groups(ledger.panel, treatment)
        return _with_earlier(ledger, [*found, *typing, *joined], cohorts)


def _with_earlier(ledger: Ledger, issues: list[Issue], cohorts: Cohorts) -> Ledger:
    """Return the ledger with the issues found before its rules ran, and entrants not in PANEL."""
    earlier = issues_table([*issues, *cohorts.issues])
    every = pd.concat([earlier, ledger.issues], ignore_index=True)
    not_found = cohorts.unknown.rename_axis("firm_id").rename("cohort").reset_index()
    return Ledger(ledger.panel, ledger.sample_flow, distinct_rules(every), not_found)


def _typed_rows(
    panel: pd.DataFrame, tables: RulesTables, data: DataSection, clean: CleanSection
) -> tuple[pd.DataFrame, pd.Series, list[Issue]]:
    """Return rows in declared types, their delivered identifiers, and issues."""
    found: list[Issue] = []
    if clean.corrections is not None:
        table = tables[clean.corrections]
        panel, corrected = correct_points(panel, table, clean.corrections, clean.identifier)
        found += corrected
    panel, blanked = blank_missing_codes(panel, clean.missing_codes)
    panel = standard_types(panel, data)
    return panel, panel["firm_id"], [*found, *blanked, *missing_values(panel, data)]


def _with_entry(panel: pd.DataFrame, cohorts: Cohorts) -> pd.DataFrame:
    entered = panel.assign(**cohorts.derived)
    entered.insert(2, "cohort", panel["firm_id"].map(cohorts.entry_year).astype("Int64"))
    return entered


def _links(tables: RulesTables, clean: CleanSection) -> pd.Series | None:
    if clean.links is None:
        return None
    return linked_identifiers(tables[clean.links.file], clean.links, clean.identifier)


def _rules(
    delivered: pd.Series,
    cohorts: Cohorts,
    tables: RulesTables,
    *,
    data: DataSection,
    clean: CleanSection,
    treatment: TreatmentSection,
) -> Iterator[Rule]:
    """Yield the declared rules in the order of the data section."""
    duplicates, window = clean.duplicates, clean.window
    yield partial(collapse_identical, delivered=delivered, rule=duplicates)
    yield partial(settle_conflicting, delivered=delivered, rule=duplicates)
    yield partial(add_up_merged, add_up=clean.links.add_up if clean.links else None)
    del delivered  # not needed any more, and may be large
    for code in clean.recodes:
        yield partial(recode, table=tables[code.file], rule=code)
    for factor in clean.unit_factors:
        yield partial(apply_factor, rule=factor)
    for check in clean.scale_checks:
        yield partial(check_scales, rule=check)
    for price in clean.prices:
        yield partial(convert_prices, table=tables[price.file], rule=price)
    if clean.customs is not None:
        yield partial(separate_customs_states, rule=clean.customs)
    yield partial(_add_cluster, columns=data.cluster)
    for row_filter in clean.filters:
        yield partial(filter_rows, rule=row_filter)
    yield from _window_rules(window)
    yield exclude_always_treated
    if treatment.leave_out_entry_years:
        yield partial(exclude_cohorts, entry_years=treatment.leave_out_entry_years)
    for step, firms in cohorts.excluded.items():
        yield partial(exclude_firms, firms=firms, step=Reason(step))
    yield from _minimum_rules(window)
    yield count_gaps
    for jumps in clean.jumps:
        yield partial(find_jumps, rule=jumps)
    for tails in clean.tails:
        yield partial(limit_tails, rule=tails)


def _window_rules(window: Window) -> Iterator[Rule]:
    if window.first_year is not None or window.last_year is not None:
        yield partial(bound_years, window=window)


def _minimum_rules(window: Window) -> Iterator[Rule]:
    if window.minimum_pre_years or window.minimum_post_years:
        yield partial(require_years, window=window)
    if window.balanced:
        yield partial(balance_window, window=window)


def _add_cluster(panel: pd.DataFrame, columns: list[str]) -> Ruled:
    """Add the assignment cluster, from codes that are already recoded, and its first entry."""
    clustered = panel.copy(deep=False)
    clustered.insert(3, "cluster", assignment_cluster(panel, columns))
    clustered.insert(4, "cluster_entry", cluster_entry(clustered))
    return Ruled(clustered)


def _require_both_groups(panel: pd.DataFrame, treatment: TreatmentSection) -> None:
    treated = panel["cohort"].notna()
    if not treated.any():
        raise DataError(
            "no firm enters the programme after the panel's first year: check treatment.entry and "
            "whether the register's identifiers are those of the panel"
        )
    if treatment.comparison == "never_treated" and treated.all():
        raise DataError(
            "every firm enters the programme, so there is no never-treated firm to compare with; "
            "declare treatment.comparison: not_yet_treated, or deliver firms outside the programme"
        )
