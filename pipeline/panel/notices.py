"""What whoever cleans should look at, said while the stage runs."""

from collections.abc import Iterator

from pipeline.datasets.panel import EMPTY_YEAR, ZERO_ROWS
from pipeline.datasets.reasons import unpacked
from pipeline.panel.ledger import Ledger

# By the rule of ISSUES.
_NOTICES = {
    ZERO_ROWS: "{count} rows have zero in every one of {columns}, of firms that had more before: "
    "closed, or not asked? Zeros count as values; leave such rows out of the delivery, or set them "
    "missing (clean.missing_codes)",
    EMPTY_YEAR: "no firm has a row of {year}: who enters in it, or has it as base year, cannot be "
    "used",
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
        if rule is not None and rule.code in _NOTICES:
            yield _NOTICES[rule.code].format(count=row.count, **rule.fields)
