"""Identifiers that changed: one identifier for the whole history of a firm."""

import pandas as pd

from pipeline.errors import DataError, Reason
from pipeline.panel.ledger import Issue, issue
from pipeline.panel.origin import located
from pipeline.panel.rules.standard import require_columns
from pipeline.panel.values import firm_identifier
from pipeline.params.clean import Links
from pipeline.params.identifier import Identifier


@located(())
def linked_identifiers(table: pd.DataFrame, links: Links, written: Identifier) -> pd.Series:
    """Return, indexed by every identifier of the table, the one that stands for the firm.

    A changed or merged firm goes by its last identifier; a firm that split by its old one where
    links say `join`. Raises DataError where a split is refused or identifiers form a circle.
    """
    require_columns(table, ("old_id", "new_id"), links.file)
    pairs = pd.DataFrame(
        {
            name: firm_identifier(table[name], f"{name} of {links.file}", written)
            for name in ("old_id", "new_id")
        }
    ).drop_duplicates()
    split = pairs.duplicated("old_id", keep=False)
    if split.any() and links.split == "refuse":
        raise DataError(
            f"{links.file}: {pairs.loc[split, 'old_id'].nunique()} firms split into several; "
            "declare clean.links.split: join to treat the parts as one firm",
            pairs[split],
        )
    return _last_identifier(_directed(pairs, split), links.file)


def _directed(pairs: pd.DataFrame, split: pd.Series) -> pd.Series:
    """Return where each identifier leads: parts of a split to the old one, others to the new."""
    parts = pairs[split].rename(columns={"new_id": "from", "old_id": "to"})
    whole = pairs[~split].rename(columns={"old_id": "from", "new_id": "to"})
    return pd.concat([parts, whole]).set_index("from")["to"]


def _last_identifier(step: pd.Series, file: str) -> pd.Series:
    """Follow links to their end; a chain cannot be longer than the table."""
    if step.index.has_duplicates:
        raise DataError(f"{file}: an identifier leads to several; keep one link for each")
    end = step
    for _ in range(len(step) + 1):
        further = end.map(step)
        if further.isna().all():
            return end
        end = further.where(further.notna(), end)
    raise DataError(f"{file}: identifiers lead in a circle; delete one link of it")


def link(firm_id: pd.Series, links: pd.Series | None) -> pd.Series:
    """Return the linked identifier of each row."""
    changed = firm_id.isin([] if links is None else links.index)
    if links is None or not changed.any():
        return firm_id
    return pd.Series(firm_id.mask(changed, firm_id[changed].map(links)).astype("str"))


def link_panel(panel: pd.DataFrame, links: pd.Series | None) -> tuple[pd.DataFrame, list[Issue]]:
    """Give each row its linked identifier, and count the rows that changed."""
    linked = link(panel["firm_id"], links)
    changed = linked != panel["firm_id"]
    return panel.assign(firm_id=linked), issue(
        Reason("identifier_linked"),
        "firm_id",
        changed,
        panel.assign(firm_id=linked),
        Reason("history_joined"),
    )
