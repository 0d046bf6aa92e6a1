"""What whoever cleans should look at, said while the stage runs."""

from collections.abc import Iterator
from typing import get_args

from pipeline.datasets.panel import (
    AMOUNT_NOT_IN_PANEL,
    EMPTY_YEAR,
    FEW_COMPARISON,
    FEW_FIRMS,
    FEW_IN_FILE,
    FEW_TREATED,
    HALF_YEAR,
    NEAR_MISS,
    REJECTION_NOT_READ,
    WRONG_CHECK_DIGIT,
    ZERO_BEFORE,
    ZERO_IN_PART,
    ZERO_ROWS,
)
from pipeline.datasets.reasons import unpacked
from pipeline.panel.ledger import Ledger
from pipeline.params.identifier import NearMissKind, Side

_FEW = (
    "{{year}} has far fewer {who} than the years around it; {{count}} seen there lack it: was it "
    "delivered in part?"
)

# By the rule of ISSUES.
_NOTICES = {
    ZERO_ROWS: "{count} rows have zero in every one of {columns}, of firms that had more before: "
    "closed, or not asked? Zeros count as values unless clean.absent.all_zero says otherwise",
    ZERO_BEFORE: "{count} rows have zero in every one of {columns}, of firms that had nothing yet: "
    "not founded? Zeros count as values unless clean.absent.all_zero says otherwise",
    ZERO_IN_PART: "{count} rows have zero in every one of {columns} that has a value, and lack "
    "others, of firms that had more before: closed, or not asked? Name the sizes that everybody is "
    "asked for in clean.absent.columns",
    EMPTY_YEAR: "no firm has a row of {year}: who enters in it, or has it as base year, cannot be "
    "used",
    HALF_YEAR: "{year} has fewer than half of the firms of the years around it; {count} firms seen "
    "there lack it",
    FEW_FIRMS: _FEW.format(who="firms"),
    FEW_TREATED: _FEW.format(who="treated firms"),
    FEW_COMPARISON: _FEW.format(who="comparison firms"),
    FEW_IN_FILE: "a delivered file has far fewer firms of {year} than of the years around it (by "
    "file: data/<study>/clean/firm_flows.parquet)",
    AMOUNT_NOT_IN_PANEL: "{count} of these had support of about {amount:,.0f}, {percent} percent "
    "of all",
    REJECTION_NOT_READ: "{count} entries of the register are rejected by the words of its column "
    "{column}, which no setting reads: name it at data.register_columns.decision, and the values "
    "that count as entry at treatment.entry.accepted",
    **{
        f"{NEAR_MISS}_{kind}": "{count} of these are nearly in the panel, but for "
        f"{kind.replace('_', ' ')}: the firms that they nearly are leave the sample "
        "(clean.identifier.near_misses)"
        for kind in get_args(NearMissKind)
    },
    **{
        f"{WRONG_CHECK_DIGIT}_{side}": "{count} identifiers of the "
        f"{side} have another check digit than {{digit}} asks for"
        for side in get_args(Side)
    },
}


def notices(cleaned: Ledger) -> Iterator[str]:
    """Yield a sentence for each finding that may be a fault of the delivery."""
    if cleaned.not_found is not None and (n_lost := len(cleaned.not_found)):
        yield (
            f"{n_lost} beneficiaries of the register are not in the panel and not evaluated"
            "; who they are is in not_found.parquet (private)"
        )
    for row in cleaned.issues.itertuples():
        rule = unpacked(row.rule, row.rule_fields)
        settled = row.action in ("left_out", "set_missing", "accepted")
        if rule is not None and rule.code in _NOTICES and not settled:
            yield _NOTICES[rule.code].format(count=row.count, **rule.fields)
