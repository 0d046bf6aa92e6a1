"""Links between firms as delivered: typed, known to the panel, each once a year and kind."""

from dataclasses import dataclass, field

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
from pipeline.params.identifier import AS_DELIVERED, Identifier
from pipeline.params.links_file import ONLY_KIND, LinksFile
from pipeline.params.written import YearsWritten

_LEFT_OUT = Reason("left_out")


@dataclass(frozen=True)
class Written:
    """Say how identifiers and years of links are written: as those of the panel.

    `histories` has the lasting identifier of firms whose identifier changed.
    """

    identifier: Identifier = AS_DELIVERED
    years: YearsWritten = field(default_factory=YearsWritten)
    histories: pd.Series | None = None


def firm_links(
    delivered: pd.DataFrame, declared: LinksFile, firms: pd.Index, written: Written | None = None
) -> tuple[pd.DataFrame, list[Issue]]:
    """Return LINKS between the `firms` of PANEL, and what was found in the delivered file.

    Raises DataError where columns are absent, identifiers, years or kinds missing or weights not
    above zero; where firms are linked to themselves, links repeat or name unknown firms, unless
    declared otherwise; where a kind declared undirected is absent, and where no link is left.
    """
    typed = _typed(delivered.reset_index(drop=True), declared, written or Written())
    typed, own = _without_own(typed, declared)
    known = firms.sort_values()  # so that LINKS come out in order
    ends = _Ends(*(places_in(known, typed[end]) for end in ("source", "target")))
    unknown = _unknown(typed, ends, declared)
    numbered = _Numbered.of(typed, ends, declared)
    once, repeated = _once(numbered, declared)
    single, both_ways = _one_way(once, numbered.kinds, declared)
    return _named(single, numbered.kinds, known), [*own, *unknown, *repeated, *both_ways]


@dataclass(frozen=True)
class _Ends:
    """Hold the firms at both ends of each link by number, NO_ROW where unknown; shape (links,)."""

    source: Codes
    target: Codes

    @property
    def known(self) -> Flags:
        """Mark the links between two known firms."""
        return np.asarray((self.source != NO_ROW) & (self.target != NO_ROW))


def _typed(delivered: pd.DataFrame, declared: LinksFile, written: Written) -> pd.DataFrame:
    """Return the delivered links in the columns of LINKS."""
    require_columns(delivered, declared.named, declared.called)
    ends = {
        end: link(firm_identifier(delivered[column], column, written.identifier), written.histories)
        for end, column in (("source", declared.source), ("target", declared.target))
    }
    year = calendar_year(delivered[declared.year], declared.year, written.years)
    links = pd.DataFrame({**ends, "year": year})
    links["kind"] = ONLY_KIND if declared.kind is None else text(delivered[declared.kind])
    refuse_rows(links["kind"].isna(), f"{declared.called}: a link has no kind", "fill")
    links["weight"] = 1.0
    if declared.weight is not None:
        links["weight"] = pd.to_numeric(delivered[declared.weight], errors="coerce")
    refuse_rows(
        ~(links["weight"] > 0) | np.isinf(links["weight"]),
        f"{declared.called}: a weight is missing, no number, or not above zero",
        "correct, or delete",
    )
    return links


def _without_own(links: pd.DataFrame, declared: LinksFile) -> tuple[pd.DataFrame, list[Issue]]:
    """Leave out links of a firm to itself, counted, or refuse them."""
    own = links["source"] == links["target"]
    if not own.any():
        return links, []
    if declared.self_links == "refuse":
        refuse_rows(
            own,
            f"{declared.called}: a firm is linked to itself",
            "correct an end, or declare self_links: leave_out; see",
        )
    n_firms = int(links.loc[own, "source"].nunique())
    found = Issue(Reason("self_link"), declared.source, _LEFT_OUT, int(own.sum()), n_firms)
    return links[~own].reset_index(drop=True), [found]


def _unknown(links: pd.DataFrame, ends: _Ends, declared: LinksFile) -> list[Issue]:
    """Count links of firms that PANEL lacks, by the end at which they stand, or refuse them."""
    absent = {"source": ends.source == NO_ROW, "target": ends.target == NO_ROW}
    if not ends.known.all() and declared.unknown_firms == "refuse":
        raise DataError(
            f"{declared.called}: {int((~ends.known).sum())} of {len(links)} links name a firm that "
            f"the panel lacks, {int(absent['source'].sum())} as {declared.source} and "
            f"{int(absent['target'].sum())} as {declared.target}: compare how identifiers are "
            "written (clean.identifier), or declare unknown_firms: leave_out"
        )
    if not ends.known.any():
        raise DataError(
            f"{declared.called}: none of {len(links)} links joins two firms of the panel; compare "
            "how identifiers are written (clean.identifier)"
        )
    rules = {"source": Reason("link_source_unknown"), "target": Reason("link_target_unknown")}
    named = {"source": declared.source, "target": declared.target}
    return [
        Issue(
            rules[end], named[end], _LEFT_OUT, int(rows.sum()), int(links.loc[rows, end].nunique())
        )
        for end, rows in absent.items()
        if rows.any()
    ]


@dataclass(frozen=True)
class _Numbered:
    """Hold links between known firms by number, the kinds by theirs; shape (links,)."""

    rows: pd.DataFrame
    kinds: pd.Index

    @staticmethod
    def of(links: pd.DataFrame, ends: _Ends, declared: LinksFile) -> "_Numbered":
        """Number the kinds; raise DataError where one declared undirected is absent."""
        kept = ends.known
        kind, names = pd.factorize(links["kind"].array[kept], sort=True)
        kinds = pd.Index(names)
        if absent := [name for name in declared.undirected if name not in kinds]:
            raise DataError(
                f"data.links.undirected: no link is of the kind {', '.join(absent)}; compare the "
                f"column of kinds of {declared.called}"
            )
        rows = {
            "kind": kind.astype(np.int64),
            "source": ends.source[kept],
            "target": ends.target[kept],
            "year": links["year"].to_numpy(np.int64)[kept],
            "weight": links["weight"].to_numpy(np.float64)[kept],
        }
        return _Numbered(pd.DataFrame(rows), kinds)


def _once(links: _Numbered, declared: LinksFile) -> tuple[pd.DataFrame, list[Issue]]:
    """Return each link of a year and kind once, and how many repeated one."""
    once = _made_one(links.rows, "sum" if declared.duplicates == "add_up" else "largest")
    n_repeated = len(links.rows) - len(once)
    if n_repeated and declared.duplicates == "refuse":
        raise DataError(
            f"{declared.called}: {n_repeated} of {len(links.rows)} links repeat another of the "
            "same firms, kind and year: keep one, or declare duplicates: add_up or largest"
        )
    action = Reason("values_summed" if declared.duplicates == "add_up" else "largest_taken")
    repeated = Issue(Reason("link_repeated"), _weight(declared), action, n_repeated)
    return once, [repeated] if n_repeated else []


def _one_way(
    links: pd.DataFrame, kinds: pd.Index, declared: LinksFile
) -> tuple[pd.DataFrame, list[Issue]]:
    """Return links of undirected kinds from the first firm to the last, and how many went both."""
    either = kinds.isin(declared.undirected)[links["kind"].to_numpy()]
    if not either.any():
        return links, []
    source, target = links["source"].to_numpy(), links["target"].to_numpy()
    turned = links.assign(
        source=np.where(either, np.minimum(source, target), source),
        target=np.where(either, np.maximum(source, target), target),
    )
    single = _made_one(turned, "largest")
    n_both = len(links) - len(single)
    found = Issue(
        Reason("link_in_both_directions"), _weight(declared), Reason("largest_taken"), n_both
    )
    return single, [found] if n_both else []


def _weight(declared: LinksFile) -> str:
    return declared.weight or declared.source


def _made_one(links: pd.DataFrame, how: str) -> pd.DataFrame:
    """Return links in order of kind, ends and year, equal ones once with summed or largest weight.

    Keys are one whole number each: sorting these takes a fifth of the time of four columns.
    """
    kind, source, target, year = (
        links[name].to_numpy(np.int64) for name in ("kind", "source", "target", "year")
    )
    n, first = int(max(source.max(), target.max())) + 1, int(year.min())
    years = int(year.max()) - first + 1
    key = ((kind * n + source) * n + target) * years + (year - first)
    distinct, place = np.unique(key, return_inverse=True)
    pair, since = np.divmod(distinct, years)
    return pd.DataFrame(
        {
            "kind": pair // n**2,
            "source": pair // n % n,
            "target": pair % n,
            "year": since + first,
            "weight": _combined(links["weight"].to_numpy(np.float64), place, how),
        }
    )


def _combined(weight: Floats, place: Codes, how: str) -> Floats:
    """Return the sum of the weights of each link, or the largest."""
    if how == "sum":
        return np.asarray(np.bincount(place, weights=weight), dtype=np.float64)
    largest = np.zeros(int(place.max()) + 1)
    np.maximum.at(largest, place, weight)
    return largest


def _named(links: pd.DataFrame, kinds: pd.Index, firms: pd.Index) -> pd.DataFrame:
    """Return LINKS with names for numbers."""
    named = {
        "kind": kinds.take(links["kind"].to_numpy()),
        "source": firms.array[links["source"].to_numpy()],
        "target": firms.array[links["target"].to_numpy()],
    }
    return conform(LINKS, links.assign(**named))
