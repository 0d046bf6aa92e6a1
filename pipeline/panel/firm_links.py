"""Links between firms as delivered: typed, known to the panel, each once a year and kind."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.datasets.arrays import Codes, Flags, Floats
from pipeline.datasets.exposure import LINKS
from pipeline.datasets.store import conform
from pipeline.errors import DataError, Reason
from pipeline.panel.ledger import Issue
from pipeline.panel.panel_index import NO_ROW, places_in
from pipeline.panel.rules.links import link
from pipeline.panel.rules.standard import require_columns
from pipeline.panel.values import firm_identifier, refuse_rows, text
from pipeline.panel.years import calendar_year
from pipeline.params.exposure import LinksFile
from pipeline.params.identifier import AS_DELIVERED, Identifier

# The kind of all links of a file without kinds.
ONLY_KIND = "link"


def firm_links(
    delivered: pd.DataFrame,
    declared: LinksFile,
    firms: pd.Index,
    *,
    written: Identifier = AS_DELIVERED,
    histories: pd.Series | None = None,
) -> tuple[pd.DataFrame, list[Issue]]:
    """Return LINKS between the `firms` of PANEL, and what was found in the delivered file.

    `histories` has the lasting identifier of firms whose identifier changed. Raises DataError where
    columns are absent, identifiers, years or kinds missing or weights not above zero; where a
    firm is linked to itself; where links repeat or name unknown firms, unless declared otherwise;
    and where no link is left.
    """
    typed = _typed(delivered.reset_index(drop=True), declared, written, histories)
    refuse_rows(
        typed["source"] == typed["target"],
        f"{declared.file}: a firm is linked to itself",
        "delete, or correct an end of",
    )
    known = firms.sort_values()  # so that LINKS come out in order
    ends = _Ends(*(places_in(known, typed[end]) for end in ("source", "target")))
    found = _unknown(typed, ends, declared)
    once, repeated = _once(typed, ends, known, declared)
    return conform(LINKS, once), [*found, *repeated]


@dataclass(frozen=True)
class _Ends:
    """Hold the firms at both ends of each link by number, NO_ROW where unknown; shape (links,)."""

    source: Codes
    target: Codes

    @property
    def known(self) -> Flags:
        """Mark the links between two known firms."""
        return np.asarray((self.source != NO_ROW) & (self.target != NO_ROW))


def _typed(
    delivered: pd.DataFrame, declared: LinksFile, written: Identifier, histories: pd.Series | None
) -> pd.DataFrame:
    """Return the delivered links in the columns of LINKS."""
    named = [declared.source, declared.target, declared.year, declared.kind, declared.weight]
    require_columns(delivered, [name for name in named if name is not None], declared.file)
    ends = {
        end: link(firm_identifier(delivered[column], column, written), histories)
        for end, column in (("source", declared.source), ("target", declared.target))
    }
    links = pd.DataFrame({**ends, "year": calendar_year(delivered[declared.year], declared.year)})
    links["kind"] = ONLY_KIND if declared.kind is None else text(delivered[declared.kind])
    refuse_rows(links["kind"].isna(), f"{declared.file}: a link has no kind", "fill")
    links["weight"] = 1.0
    if declared.weight is not None:
        links["weight"] = pd.to_numeric(delivered[declared.weight], errors="coerce")
    refuse_rows(
        ~(links["weight"] > 0) | np.isinf(links["weight"]),
        f"{declared.file}: a weight is missing, no number, or not above zero",
        "correct, or delete",
    )
    return links


def _unknown(links: pd.DataFrame, ends: _Ends, declared: LinksFile) -> list[Issue]:
    """Count links of firms that PANEL lacks, by the end at which they stand, or refuse them."""
    absent = {"source": ends.source == NO_ROW, "target": ends.target == NO_ROW}
    if not ends.known.all() and declared.unknown_firms == "refuse":
        raise DataError(
            f"{declared.file}: {int((~ends.known).sum())} of {len(links)} links name a firm that "
            f"the panel lacks, {int(absent['source'].sum())} as {declared.source} and "
            f"{int(absent['target'].sum())} as {declared.target}: compare how identifiers are "
            "written (clean.identifier), or declare unknown_firms: leave_out"
        )
    if not ends.known.any():
        raise DataError(
            f"{declared.file}: none of {len(links)} links joins two firms of the panel; compare "
            "how identifiers are written (clean.identifier)"
        )
    rules = {"source": Reason("link_source_unknown"), "target": Reason("link_target_unknown")}
    left_out = Reason("left_out")
    return [
        Issue(rules[end], end, left_out, int(rows.sum()), int(links.loc[rows, end].nunique()))
        for end, rows in absent.items()
        if rows.any()
    ]


def _once(
    links: pd.DataFrame, ends: _Ends, firms: pd.Index, declared: LinksFile
) -> tuple[pd.DataFrame, list[Issue]]:
    """Return each link of a year and kind between known firms once, and how many repeated one."""
    kept, n = ends.known, len(firms)
    kind, kinds = pd.factorize(links["kind"].array[kept], sort=True)
    year = links["year"].to_numpy(np.int64)[kept]
    years = int(year.max()) - int(year.min()) + 1
    pair = (kind.astype(np.int64) * n + ends.source[kept]) * n + ends.target[kept]
    key, place = np.unique(pair * years + (year - year.min()), return_inverse=True)
    n_repeated = len(place) - len(key)
    if n_repeated and declared.duplicates == "refuse":
        raise DataError(
            f"{declared.file}: {n_repeated} of {len(place)} links repeat another of the same "
            "firms, kind and year: keep one, or declare duplicates: add_up or largest"
        )
    pair, since = np.divmod(key, years)
    rows = pd.DataFrame(
        {
            "kind": kinds.take(pair // n**2),
            "source": firms.array[pair // n % n],
            "target": firms.array[pair % n],
            "year": since + year.min(),
            "weight": _made_one(links["weight"].to_numpy(np.float64)[kept], place, declared),
        }
    )
    action = Reason("values_summed" if declared.duplicates == "add_up" else "largest_taken")
    repeated = Issue(Reason("link_repeated"), "weight", action, n_repeated)
    return rows, [repeated] if n_repeated else []


def _made_one(weight: Floats, place: Codes, declared: LinksFile) -> Floats:
    """Return the sum of the weights of each link, or the largest."""
    if declared.duplicates == "add_up":
        return np.asarray(np.bincount(place, weights=weight), dtype=np.float64)
    largest = np.zeros(int(place.max()) + 1)
    np.maximum.at(largest, place, weight)
    return largest
