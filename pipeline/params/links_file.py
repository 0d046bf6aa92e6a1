"""Block `data.links`: delivered links between firms, and what holds for faulty ones."""

from typing import Literal

from pydantic import Field

from pipeline.params.settings import Settings
from pipeline.params.written import FileFormat

# The kind of all links of a file without kinds.
ONLY_KIND = "link"


class LinksFile(Settings):
    """Name the delivered file of links between firms, one a row, and its columns.

    `file` is a name or a pattern (links_*.csv), null where the source itself makes links. `kind`
    names the column of kinds (supply, buyer, labour_flow, ownership), null where all are of one,
    which is then called link; `weight` that of amounts, null where links have none. `undirected`
    lists kinds of which both directions say the same: one is kept, the larger. The same link twice
    in a year is refused, its weights are added up, or the largest is kept. Links of a firm to
    itself and of firms that the panel lacks are refused, or left out and counted.
    """

    file: str | None = None
    format: FileFormat = FileFormat()
    source: str
    target: str
    year: str
    kind: str | None = None
    weight: str | None = None
    undirected: list[str] = Field(default=[])
    duplicates: Literal["refuse", "add_up", "largest"] = "refuse"
    unknown_firms: Literal["refuse", "leave_out"] = "refuse"
    self_links: Literal["refuse", "leave_out"] = "refuse"

    @property
    def named(self) -> list[str]:
        """Return every column of the file that params name."""
        columns = (self.source, self.target, self.year, self.kind, self.weight)
        return [name for name in columns if name is not None]

    @property
    def codes(self) -> list[str]:
        """Return the columns of identifiers and codes."""
        return [name for name in (self.source, self.target, self.kind) if name is not None]

    @property
    def called(self) -> str:
        """Return what messages call the links: their file, or the setting."""
        return self.file or "data.links"
