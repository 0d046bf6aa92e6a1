"""What a check found: how grave it is, its code, the numbers behind it, on which outcome."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Severity = Literal["serious", "matters", "passed"]

# Worst first.
SEVERITIES: tuple[Severity, ...] = ("serious", "matters", "passed")


@dataclass(frozen=True)
class Caution:
    """Hold what one check found; `outcome` is None where it is on the study as a whole.

    `passed` says that the check was made and found nothing. Fields are numbers as the record has
    them; `exhibits.words.caution_words` says them.
    """

    severity: Severity
    code: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    outcome: str | None = None

    @property
    def weakens(self) -> bool:
        """Say whether a reader must know it."""
        return self.severity != "passed"
