"""Who is exposed to the participation of others: since when, in which class, until when.

The class of a firm is fixed in the first year in which another firm that exposes it takes part. Its
own entry, or a year in which it is exposed more strongly (a nearer ring, a higher share), ends it;
further exposure of the same class or a weaker one does not. A firm never exposes itself.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import pandas as pd

from pipeline.datasets.arrays import Flags
from pipeline.datasets.exposure import EXPOSED, EXPOSURE
from pipeline.datasets.store import conform, empty
from pipeline.errors import DataError, Reason, SupportError
from pipeline.panel.ledger import Issue
from pipeline.panel.panel_index import PanelIndex, index_panel
from pipeline.params.exposure import (
    FEWEST_CELLS,
    FEWEST_FIRMS,
    Among,
    Exposures,
    LinkExposure,
    OneExposure,
)
from pipeline.selection.exposed_firms import ExposedFirms, exposed_rows, exposure_rows
from pipeline.selection.exposure_components import exposure_components
from pipeline.selection.exposure_course import BaseFirms, base_firms
from pipeline.selection.exposure_joins import joined_by_link
from pipeline.selection.exposure_links import LinkedFirms, link_steps, linked_firms, without_links
from pipeline.selection.exposure_places import Centroids, placed_exposure


@dataclass(frozen=True)
class ExposureTables:
    """Hold EXPOSURE, EXPOSED and EXPOSURE_COMPONENTS, and what was found on the way.

    A firm that `firms` lacks under an exposure is out of its reach.
    """

    firms: pd.DataFrame
    counts: pd.DataFrame
    components: pd.DataFrame
    issues: list[Issue] = field(default_factory=list)


def exposure_tables(
    panel: pd.DataFrame,
    exposures: Exposures,
    *,
    links: pd.DataFrame | None = None,
    centroids: Centroids | None = None,
    index: PanelIndex | None = None,
) -> ExposureTables:
    """Return who is exposed, for each declared exposure.

    PANEL needs firm_id, year, cohort, cluster and the columns that exposures name; `links` are
    LINKS; `centroids` tables of place, latitude, longitude by file. Participants that the panel
    lacks expose nobody: hand over all, those that the sample leaves out too. Raises DataError
    where places or links follow entry, or too many are missing; SupportError where nobody or
    everybody of the firms that never take part is exposed.
    """
    given = ExposureInputs(
        panel, index_panel(panel) if index is None else index, links, centroids or {}
    )
    made: list[ExposedFirms] = []
    issues: list[Issue] = []
    for name, rule in exposures.items():
        try:
            exposed, found = exposed_firms(given, name, rule)
            require_variation(exposed)
        except (DataError, SupportError) as error:
            raise error.at(f"treatment.exposure.{name}") from None
        made.append(exposed)
        issues += [*found, *_remarks(exposed)]
    firms = [conform(EXPOSURE, exposure_rows(exposed)) for exposed in made]
    counts = [conform(EXPOSED, exposed_rows(one, _otherwise(one, made))) for one in made]
    return ExposureTables(
        conform(EXPOSURE, pd.concat([empty(EXPOSURE), *firms])),
        conform(EXPOSED, pd.concat([empty(EXPOSED), *counts])),
        exposure_components(panel, given.index, made),
        issues,
    )


def _otherwise(one: ExposedFirms, every: Sequence[ExposedFirms]) -> Flags | None:
    """Mark the firms (firms,) that another exposure reaches; None where there is no other."""
    others = [other.reached for other in every if other is not one]
    return np.any(others, axis=0) if others else None


@dataclass(frozen=True)
class ExposureInputs:
    """Hold PANEL and its index, LINKS, and tables of centroids by file."""

    panel: pd.DataFrame
    index: PanelIndex
    links: pd.DataFrame | None
    centroids: Centroids


def exposed_firms(
    given: ExposureInputs, name: str, rule: OneExposure
) -> tuple[ExposedFirms, list[Issue]]:
    """Return one exposure of every firm, with what was found; raises as `exposure_tables`."""
    panel = given.panel
    firms = base_firms(panel, given.index, rule.base_year)
    asked = _among(panel, firms, rule.among)
    cluster = pd.factorize(panel["cluster"].array[firms.row])[0].astype(np.intp)
    if isinstance(rule, LinkExposure):
        linked = linked_firms(_required(given.links), rule, firms)
        steps = partial(link_steps, linked, rule)
        everybody = np.ones(len(firms.row), dtype=np.bool_)
        joins = partial(joined_by_link, linked)
        exposed = ExposedFirms(name, rule, firms, steps, cluster, asked, everybody, joins)
        return exposed, list(_link_issues(exposed, linked))
    placed = placed_exposure(panel, firms, name, rule, given.centroids)
    cell = cluster if placed.cell is None else placed.cell
    exposed = ExposedFirms(name, rule, firms, placed.steps, cell, asked, placed.known, placed.joins)
    return exposed, placed.issues


def _required(links: pd.DataFrame | None) -> pd.DataFrame:
    if links is None:
        raise DataError("links between firms are needed, and the study names no file of them")
    return links


def _link_issues(exposed: ExposedFirms, linked: LinkedFirms) -> Iterator[Issue]:
    """Yield which links were left out, and how many firms no link can expose."""
    left_out, name = Reason("left_out"), exposed.name
    if linked.n_late:
        yield Issue(Reason("link_from_entry_on"), name, left_out, linked.n_late)
    if linked.n_early:
        yield Issue(Reason("link_too_early"), name, left_out, linked.n_early)
    if n := int((without_links(linked, len(exposed.asked)) & exposed.asked).sum()):
        yield Issue(Reason("firm_without_link"), name, Reason("kept"), n, n)


def _among(panel: pd.DataFrame, firms: BaseFirms, among: Among | None) -> Flags:
    """Mark the firms that may be exposed; raise DataError where there are none."""
    if among is None:
        return np.ones(len(firms.row), dtype=np.bool_)
    asked = panel[among.column].iloc[firms.row].isin(among.values).to_numpy(np.bool_)
    if not asked.any():
        raise DataError(
            f"no firm has one of among.values in {among.column} in the base year "
            f"{firms.base_year}: compare how they are written"
        )
    return np.asarray(asked)


def require_variation(exposed: ExposedFirms) -> None:
    """Raise SupportError unless some firms that never take part are exposed and some are not."""
    n, n_exposed = int(exposed.untreated.sum()), int((exposed.untreated & exposed.exposed).sum())
    if n_exposed == 0:
        raise SupportError(
            f"none of {n} firms that never take part is exposed to one that does, so that there is "
            "no effect of it to estimate: widen what exposes, or leave this exposure out",
            reason=Reason("nobody_exposed", {"n": n}),
        )
    if n_exposed == n:
        raise SupportError(
            f"each of {n} firms that never take part is exposed, and none is left to compare with: "
            "narrow what exposes, or deliver firms that the programme did not reach",
            reason=Reason("everybody_exposed", {"n": n}),
        )


def _remarks(exposed: ExposedFirms) -> Iterator[Issue]:
    """Yield what the exposed firms are too few, or were seen too late, for."""
    firms, kept = exposed.spilt_over, Reason("kept")
    n_cells = len(np.unique(exposed.cell[firms]))
    n_firms = int(firms.sum())
    if n_cells < FEWEST_CELLS:
        remark = Reason("exposed_in_few_cells", {"n": n_cells, "least": FEWEST_CELLS})
        yield Issue(remark, exposed.name, kept, n_firms, n_firms)
    if n_firms < FEWEST_FIRMS:
        few = Reason("few_exposed", {"least": FEWEST_FIRMS})
        yield Issue(few, exposed.name, kept, n_firms, n_firms)
    outside = exposed.reached & ~exposed.asked & np.isnan(exposed.firms.cohort)
    if n := int(outside.sum()):
        yield Issue(Reason("reached_outside_among"), exposed.name, Reason("left_uncompared"), n, n)
    if n := int((firms & (exposed.firms.year >= exposed.course.first)).sum()):
        yield Issue(Reason("exposed_before_first_row"), exposed.name, kept, n, n)
