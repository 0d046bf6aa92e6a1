"""What became of the firms that arms list, in ARM_FLOW, and why an arm has no results."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.datasets.arms import ARM_FLOW
from pipeline.datasets.reasons import packed
from pipeline.datasets.store import conform
from pipeline.errors import Reason
from pipeline.params.arms import Arms, ExposureArm
from pipeline.selection.supported_arms import with_reasons

# What becomes of a firm that an arm lists: it is in a joint arm, or was in another before; it
# stays, for good or until it enters another.
FATES = JOINT, AFTER_ANOTHER, STAYS, UNTIL = ("joint", "after_another", "stays", "until")


@dataclass(frozen=True)
class ListedFirms:
    """Hold what became of each firm that an arm lists (arm, firm_id, fate), and EXPOSURE."""

    fates: pd.DataFrame
    exposure: pd.DataFrame


def fates_of(listed: pd.DataFrame, joint: pd.Series, found: pd.DataFrame) -> pd.DataFrame:
    """Return arm, firm_id and fate of each firm that an arm lists; `found` are those that stay."""
    fate = pd.Series(AFTER_ANOTHER, index=listed.index, dtype="str").mask(joint, JOINT)
    fate[found.index] = np.where(found["until"].notna(), UNTIL, STAYS)
    return listed[["arm", "firm_id"]].assign(fate=fate)


def arm_flow(
    fates: pd.DataFrame, found: pd.DataFrame, exposure: pd.DataFrame, arms: Arms
) -> pd.DataFrame:
    """Return ARM_FLOW of the firms listed, given those that stay, as ARMS, and EXPOSURE."""
    flow = _with_reasons(_flow(fates, arms), arms)
    flow["n_cells"] = _cells(found, exposure, arms)
    return conform(ARM_FLOW, flow)


def _flow(fates: pd.DataFrame, arms: Arms) -> pd.DataFrame:
    """Return ARM_FLOW."""
    by_fate = pd.crosstab(fates["arm"], fates["fate"])
    n = by_fate.reindex(index=list(arms.named), columns=[*FATES], fill_value=0).astype("Int64")
    counts = {
        "n_listed": n.sum(axis=1),
        "n_joint": n[JOINT],
        "n_after_another": n[AFTER_ANOTHER],
        "n_until": n[UNTIL],
        "n_entrants": n[STAYS] + n[UNTIL],
    }
    return pd.DataFrame(counts).rename_axis("arm").reset_index()


def _with_reasons(flow: pd.DataFrame, arms: Arms) -> pd.DataFrame:
    """Say of arms of nobody, or of few participants, why they have no results."""
    few = Reason("arm_too_small", {"least": arms.least_firms})
    why: dict[str, Reason] = {}
    for arm, n in zip(flow["arm"], flow["n_entrants"], strict=True):
        if arm == arms.headline:
            continue
        if n == 0:
            why[arm] = Reason("arm_of_nobody")
        elif n < arms.least_firms and not isinstance(arms.named[arm], ExposureArm):
            why[arm] = few
    return with_reasons(flow.assign(given_up_in=None, **packed(None)), why, "score")


def _cells(found: pd.DataFrame, exposure: pd.DataFrame, arms: Arms) -> list[int | None]:
    """Return in how many cells each arm's firms are, None for arms of participants."""
    n_cells: list[int | None] = []
    for name, arm in arms.named.items():
        own = found.loc[found["arm"] == name, "firm_id"]
        if isinstance(arm, ExposureArm):
            rows = exposure["exposure"].eq(arm.exposure) & exposure["firm_id"].isin(own)
            n_cells.append(int(exposure.loc[rows, "cell"].nunique()))
        else:
            n_cells.append(None)
    return n_cells
