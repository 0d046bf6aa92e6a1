"""What the command line of `start` says of the columns, so that nothing of it is guessed."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from pipeline.errors import DataError
from pipeline.params.settings import nearest_known


@dataclass(frozen=True)
class ToldColumns:
    """Hold columns by role, as the files call them, and the section of a study to go by.

    `entry` is a column, or the one year in which all firms of the column `treated` entered.
    """

    firm_id: str | None = None
    year: str | None = None
    entry: str | None = None
    treated: str | None = None
    cluster: list[str] = field(default_factory=list)
    outcomes: list[str] = field(default_factory=list)
    earlier: dict[str, Any] = field(default_factory=dict)
    earlier_study: str | None = None

    @property
    def entry_in_one_year(self) -> int | None:
        """Return the year of entry where the command line gives one in place of a column."""
        return int(self.entry) if self.entry is not None and self.entry.isdecimal() else None

    @property
    def of_panel(self) -> dict[str, list[str]]:
        """Return the panel's columns by the option that names them."""
        single = {"--id": self.firm_id, "--year": self.year, "--treated": self.treated}
        named = {option: [name] for option, name in single.items() if name is not None}
        return named | {"--cluster": self.cluster, "--outcome": self.outcomes}

    def require(self, columns: Iterable[str], table: str) -> None:
        """Raise DataError where an option names a column that the panel lacks."""
        known = [str(name) for name in columns]
        for option, names in self.of_panel.items():
            for name in names:
                if name not in known:
                    raise DataError(
                        f"{option} {name}: {table} has no such column"
                        f"{nearest_known(name, known)}; it has {', '.join(known)}"
                    )
