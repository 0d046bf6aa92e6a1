"""Pools: from when on each firm may not be compared under another pool than the clean one.

A pool is made as the clean one is, by the year in which a firm comes into contact: its own entry in
any way, the first year in which the pool's exposure reaches it, or never. Firms that lack the
pool's values, or whose place is unknown, are out of it throughout.
"""

import numpy as np
import pandas as pd

from pipeline.datasets.arms import ARMS
from pipeline.datasets.arrays import Flags, Floats
from pipeline.datasets.pools import POOL_CONTACTS
from pipeline.datasets.store import conform, empty
from pipeline.errors import DataError, SupportError
from pipeline.params.arms import ONLY_ARM
from pipeline.params.exposure import Exposures
from pipeline.params.pools import AmongPool, OnePool, Pools, kept_out_by
from pipeline.selection.arms import panel_of_arm
from pipeline.selection.exposure import ExposureInputs, exposed_firms
from pipeline.selection.exposure_course import base_firms

_ENTRY = {"cohort": "contact"}


def pool_contacts(
    given: ExposureInputs, pools: Pools, exposures: Exposures, entries: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Return POOL_CONTACTS of every pool.

    `given.panel` is EXPOSURE_FRAME, firms that the sample leaves out too; `entries` ARM_ENTRIES,
    where the study has arms. Raises DataError where a pool's values are of nobody, or its places
    are wrong.
    """
    own = _own_entry(given, entries)
    parts = [empty(POOL_CONTACTS)]
    for name, pool in pools.items():
        try:
            contact, out = _contact(given, name, pool, exposures)
        except (DataError, SupportError) as error:
            raise error.at(f"treatment.pools.{name}") from None
        contact = np.fmin(contact, own)
        out &= np.isnan(own)
        rows = out | ~np.isnan(contact)
        year = np.where(out, np.nan, contact)[rows]
        firms = given.index.firms[rows]
        parts.append(pd.DataFrame({"pool": name, "firm_id": firms, "contact": year}))
    return conform(POOL_CONTACTS, pd.concat([conform(POOL_CONTACTS, part) for part in parts]))


def _own_entry(given: ExposureInputs, entries: pd.DataFrame | None) -> Floats:
    """Return the year in which each firm first takes part in any way (firms,), missing if never."""
    index, panel = given.index, given.panel
    cohort = panel["cohort"].iloc[index.row.max(axis=1)].to_numpy(np.float64, na_value=np.nan)
    if entries is None:
        return np.asarray(cohort)
    listed = entries.groupby("firm_id")["cohort"].min().reindex(index.firms)
    return np.asarray(np.fmin(cohort, listed.to_numpy(np.float64, na_value=np.nan)))


def _contact(
    given: ExposureInputs, name: str, pool: OnePool, exposures: Exposures
) -> tuple[Floats, Flags]:
    """Return the year in which exposure reaches each firm (firms,), and who is out throughout."""
    n_firms = len(given.index.firms)
    contact, out = np.full(n_firms, np.nan), np.zeros(n_firms, dtype=np.bool_)
    if isinstance(pool, AmongPool):
        return contact, ~_among(given, pool)
    for rule in kept_out_by(pool, exposures):
        found, _ = exposed_firms(given, name, rule)
        contact = np.fmin(contact, np.where(found.reached, found.course.first, np.nan))
        out |= ~found.known
    return contact, out


def _among(given: ExposureInputs, pool: AmongPool) -> Flags:
    """Mark the firms that have one of the pool's values; raise DataError where nobody does."""
    firms = base_firms(given.panel, given.index, pool.base_year)
    found = given.panel[pool.column].iloc[firms.row].isin(pool.values).to_numpy(np.bool_)
    if not found.any():
        raise DataError(
            f"no firm has one of values in {pool.column} in the base year {firms.base_year}: "
            "compare how they are written"
        )
    return np.asarray(found)


def panel_of_pool(
    panel: pd.DataFrame,
    contacts: pd.DataFrame,
    arm: str,
    arms: pd.DataFrame | None,
    anticipation: int,
) -> pd.DataFrame:
    """Return PANEL as one arm sees it under a pool: `contact` is the year that a firm leaves it.

    `contacts` are the rows of POOL_CONTACTS of the pool, `arms` is ARMS, None in a study without.
    Entrants of the arm are never out of it for what keeps others out.
    """
    own = _entrants(panel) if arms is None else arms[arms["arm"] == arm]
    every = pd.concat([contacts[["firm_id", "contact"]], own.rename(columns=_ENTRY)], join="inner")
    first = every.groupby("firm_id")["contact"].min().reset_index()
    return panel_of_arm(panel, own, first, arm, anticipation)


def _entrants(panel: pd.DataFrame) -> pd.DataFrame:
    """Return ARMS of a study without arms: who entered when."""
    cohort = panel.groupby("firm_id")["cohort"].first().dropna().reset_index()
    return conform(ARMS, cohort.assign(arm=ONLY_ARM, until=None))
