"""What whoever cleans should look at, said while the stage runs."""

from collections.abc import Iterator

from pipeline.datasets.panel import (
    EMPTY_YEAR,
    FEW_COMPARISON,
    FEW_FIRMS,
    FEW_IN_FILE,
    FEW_TREATED,
    HALF_YEAR,
    ZERO_ROWS,
)
from pipeline.datasets.reasons import unpacked
from pipeline.panel.ledger import Ledger

_FEW = (
    "{{year}} has far fewer {who} than the years around it; {{count}} seen there lack it: was it "
    "delivered in part?"
)

# By the rule of ISSUES.
_NOTICES = {
    ZERO_ROWS: "{count} rows have zero in every one of {columns}, of firms that had more before: "
    "closed, or not asked? Zeros count as values unless clean.absent.all_zero says otherwise",
    EMPTY_YEAR: "no firm has a row of {year}: who enters in it, or has it as base year, cannot be "
    "used",
    HALF_YEAR: "{year} has fewer than half of the firms of the years around it; {count} firms seen "
    "there lack it",
    FEW_FIRMS: _FEW.format(who="firms"),
    FEW_TREATED: _FEW.format(who="treated firms"),
    FEW_COMPARISON: _FEW.format(who="comparison firms"),
    FEW_IN_FILE: "a delivered file has far fewer firms of {year} than of the years around it (by "
    "file: data/<study>/clean/firm_flows.parquet)",
}


def notices(cleaned: Ledger) -> Iterator[str]:
    """Yield a sentence for each finding that may be a fault of the delivery."""
    if cleaned.not_found is not None and (n_lost := len(cleaned.not_found)):
        yield (
            f"{n_lost} beneficiaries of the register are not in the panel and not evaluated; are "
            "identifiers written alike (clean.identifier)?"
        )
    for row in cleaned.issues.itertuples():
        rule = unpacked(row.rule, row.rule_fields)
        settled = row.action in ("left_out", "set_missing", "accepted")
        if rule is not None and rule.code in _NOTICES and not settled:
            yield _NOTICES[rule.code].format(count=row.count, **rule.fields)
