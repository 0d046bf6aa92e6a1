"""Clean raw files into a panel: one row per firm and year, and what each rule cost.

Rules run in the order of a paper's data section, which `rules/registry.py` holds. A rule stops
with a message for whoever prepares the data, or changes or removes firm-years with a counted row
in SAMPLE_FLOW or ISSUES.
What no rule changes stays as delivered; missing values stay missing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import pandas as pd

from pipeline.errors import DataError
from pipeline.panel.coverage import with_coverage
from pipeline.panel.entry import Cohorts, Register, firm_cohorts
from pipeline.panel.ledger import (
    Issue,
    Ledger,
    apply_rules,
)
from pipeline.panel.left_below import left_below_issues
from pipeline.panel.missing_kinds import missing_kind_issues
from pipeline.panel.origin import Origin, located
from pipeline.panel.panel_index import of_firms
from pipeline.panel.rules.corrections import correct_points
from pipeline.panel.rules.links import link_panel, linked_identifiers
from pipeline.panel.rules.registry import asked_rules, setting_of_step
from pipeline.panel.rules.rule import Cleaning
from pipeline.panel.rules.standard import (
    blank_missing_codes,
    converted_units,
    missing_values,
    rewritten_identifiers,
    standard_names,
    standard_types,
)
from pipeline.panel.split_firms import refuse_split_firms
from pipeline.panel.used_columns import UsedColumn
from pipeline.params.clean import CleanSection
from pipeline.params.data import DataSection
from pipeline.params.treatment import TreatmentSection
from pipeline.params.written import key_columns

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
    used: Sequence[UsedColumn] = (),
    missing_kinds: pd.DataFrame | None = None,
    left_below: pd.DataFrame | None = None,
) -> Ledger:
    """Turn raw rows into PANEL, SAMPLE_FLOW and ISSUES; `rules_tables` holds files by name.

    `origins` tells the files and rows of the tables `panel` and `register`, `used` what outcomes
    and covariates read, `missing_kinds` the kinds of missing value that files name,
    `left_below` the rows that reading left out below tables.

    Raises DataError where the data break a rule that params do not relax: a firm or year
    missing, a value that is no number or below its minimum, conflicting rows of a firm in a year,
    a firm-year without assignment cluster, a treatment that switches off, no treated firms, a year
    delivered in part, many rows of zeros, a column that is used and that nobody has.
    """
    if raw is None:
        raise DataError("the raw panel was not obtained yet: run `dvc repro`, which does")
    identifier = clean.identifier.of_parts(len(key_columns(data.firm_id)))
    clean = clean.model_copy(update={"identifier": identifier})
    origin, handed_over = origins.get("panel", ()), [raw]
    del raw  # may be large
    listed = Register(register, data.register_columns, origins.get("register", ()))
    with located(origin):
        ledger = _by_rules(
            handed_over, listed, rules_tables, data=data, clean=clean, treatment=treatment
        )
        _require_both_groups(ledger, treatment)
        of_files = [*left_below_issues(left_below), *missing_kind_issues(missing_kinds)]
        ledger = ledger.with_issues(of_files)
        return with_coverage(
            ledger, data=data, clean=clean, treatment=treatment, origin=origin, used=used
        )


def _by_rules(
    raw: list[pd.DataFrame],
    listed: Register,
    tables: RulesTables,
    *,
    data: DataSection,
    clean: CleanSection,
    treatment: TreatmentSection,
) -> Ledger:
    """Return what all rules make of the raw rows, which are taken out of a list of one."""
    rows = raw.pop()
    panel = standard_names(rows, data, clean.identifier)
    found = rewritten_identifiers(rows, panel, data, clean.identifier)
    del rows
    panel, typed = _typed_rows(panel, tables, data, clean)
    delivered, links = panel["firm_id"], _links(tables, clean)
    panel, joined = link_panel(panel, links)
    refuse_split_firms(panel, clean.identifier)
    cohorts = firm_cohorts(panel, listed, treatment=treatment, clean=clean, links=links)
    cleaning = Cleaning([delivered], cohorts, tables, data, clean, treatment)
    # Handed over, not shared: columns that a rule replaces are then freed at once.
    handed_over = [_with_entry(panel, cohorts)]
    del panel, delivered
    earlier = [*found, *typed.issues, *joined, *cohorts.issues]
    ledger = apply_rules(handed_over, asked_rules(cleaning), earlier)
    not_found = cohorts.unknown.rename_axis("firm_id").rename("cohort").reset_index()
    return replace(
        ledger, not_found=not_found, corrections=typed.corrections, arm_entries=cohorts.arms
    )


@dataclass(frozen=True)
class _Typed:
    """Hold what was found while rows were corrected and typed, and CORRECTIONS, if any."""

    issues: list[Issue]
    corrections: pd.DataFrame | None


def _typed_rows(
    panel: pd.DataFrame, tables: RulesTables, data: DataSection, clean: CleanSection
) -> tuple[pd.DataFrame, _Typed]:
    """Return rows in declared types, and what was found in them."""
    found: list[Issue] = []
    listed = None
    if clean.corrections is not None:
        table = tables[clean.corrections]
        panel, found, listed = correct_points(panel, table, clean.corrections, clean.identifier)
    panel, blanked = blank_missing_codes(panel, clean.missing_codes)
    panel = standard_types(panel, data)
    found += [*blanked, *converted_units(panel, data), *missing_values(panel, data)]
    return panel, _Typed(found, listed)


def _with_entry(panel: pd.DataFrame, cohorts: Cohorts) -> pd.DataFrame:
    entered = panel.assign(**cohorts.derived)
    entered.insert(2, "cohort", of_firms(cohorts.entry_year.astype("Int64"), panel["firm_id"]))
    return entered


def _links(tables: RulesTables, clean: CleanSection) -> pd.Series | None:
    if clean.links is None:
        return None
    return linked_identifiers(tables[clean.links.file], clean.links, clean.identifier)


def _require_both_groups(ledger: Ledger, treatment: TreatmentSection) -> None:
    """Raise DataError where a group is empty, with the rules of cleaning that emptied it."""
    treated = ledger.panel["cohort"].notna()
    if not treated.any():
        raise DataError(
            _emptied(ledger.sample_flow, "treated")
            or "no firm enters the programme after the panel's first year: check treatment.entry "
            "and whether the register's identifiers are those of the panel"
        )
    if treatment.comparison == "never_treated" and treated.all():
        raise DataError(
            _emptied(ledger.sample_flow, "comparison")
            or "every firm enters the programme, so there is no never-treated firm to compare "
            "with; list a code of firms that never enter in treatment.entry.never, declare "
            "treatment.comparison: not_yet_treated, or deliver firms outside the programme"
        )


def _emptied(flow: pd.DataFrame, group: str) -> str:
    """Say which settings left no firm of a group, and how many each took; empty where none did."""
    lost = flow[flow[f"{group}_firms_lost"] > 0]
    if lost.empty:
        return ""
    who = {"treated": "that enters", "comparison": "outside"}[group]
    rows = zip(lost["rule"], lost[f"{group}_firms_lost"], strict=True)
    took = ", ".join(f"{setting_of_step(str(rule))} took {n}" for rule, n in rows)
    return (
        f"no firm {who} the programme is left: {took}; relax these, or deliver more firms or years"
    )
