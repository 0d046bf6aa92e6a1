"""Links between firms as delivered: typed, known to the panel, each once a year and kind."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from pipeline.datasets.arrays import Flags
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
    known, unknown = _among_known(typed, declared, firms)
    once, repeated = _once(known, declared)
    if once.empty:
        raise DataError(
            f"{declared.file}: none of {len(typed)} links joins two firms of the panel; compare "
            "how identifiers are written (clean.identifier)"
        )
    return conform(LINKS, once), [*unknown, *repeated]


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


def _among_known(
    links: pd.DataFrame, declared: LinksFile, firms: pd.Index
) -> tuple[pd.DataFrame, list[Issue]]:
    """Return the links between firms of PANEL, and how many others there are at either end."""
    absent = {end: places_in(firms, links[end]) == NO_ROW for end in ("source", "target")}
    either = absent["source"] | absent["target"]
    if either.any() and declared.unknown_firms == "refuse":
        raise DataError(
            f"{declared.file}: {int(either.sum())} of {len(links)} links name a firm that the "
            f"panel lacks, {int(absent['source'].sum())} as {declared.source} and "
            f"{int(absent['target'].sum())} as {declared.target}: compare how identifiers are "
            "written (clean.identifier), or declare unknown_firms: leave_out"
        )
    return links[~either], list(_unknown(links, absent))


def _unknown(links: pd.DataFrame, absent: dict[str, Flags]) -> Iterator[Issue]:
    codes = {"source": Reason("link_source_unknown"), "target": Reason("link_target_unknown")}
    for end, rows in absent.items():
        if rows.any():
            n_firms = int(links.loc[rows, end].nunique())
            yield Issue(codes[end], end, Reason("left_out"), int(rows.sum()), n_firms)


def _once(links: pd.DataFrame, declared: LinksFile) -> tuple[pd.DataFrame, list[Issue]]:
    """Return each link of a year and kind once, and how many repeated another."""
    repeated = links.duplicated(list(LINKS.key))
    if not repeated.any():
        return links, []
    if declared.duplicates == "refuse":
        raise DataError(
            f"{declared.file}: {int(repeated.sum())} of {len(links)} links repeat another of the "
            "same firms, kind and year: keep one, or declare duplicates: add_up or largest"
        )
    added = declared.duplicates == "add_up"
    groups = links.groupby(list(LINKS.key), sort=False)["weight"]
    weight = groups.sum() if added else groups.max()
    action = Reason("values_summed" if added else "largest_taken")
    issues = [Issue(Reason("link_repeated"), "weight", action, int(repeated.sum()))]
    return weight.reset_index(), issues
