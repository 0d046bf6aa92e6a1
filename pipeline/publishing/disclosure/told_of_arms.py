"""What is told of all arms together: small counts of ARM_FLOW and EXPOSED, and ARM_CONTRASTS."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from pipeline.datasets.arms import ARM_CONTRASTS, ARM_FLOW, CONTRAST, OWN
from pipeline.datasets.arrays import Flags
from pipeline.datasets.exposure import EXPOSED
from pipeline.datasets.reasons import with_reason
from pipeline.datasets.small_counts import protected, small
from pipeline.datasets.store import columns_that_tell
from pipeline.errors import Reason
from pipeline.exhibits.inputs import StudyResults
from pipeline.params.arms import Arms, ExposureArm
from pipeline.publishing.disclosure.derived import REASON
from pipeline.publishing.disclosure.details import keys_of
from pipeline.publishing.disclosure.joined_arms import OfArm

_FIT = ["outcome", "design", "estimator"]
_TERM = [*_FIT, "term", "event_time"]
_FIGURES = [
    name
    for what in ("effect", "statistic", "other_count")
    for name in columns_that_tell(ARM_CONTRASTS, what)
]


def hide_small_counts_of_arms(results: StudyResults) -> StudyResults:
    """Hide small counts of ARM_FLOW and EXPOSED, and what would tell them within a table."""
    minimum = results.settings.exhibit.disclosure.min_cell_firms
    flow, exposed = results.arm_flow, results.exposed
    assert flow is not None and exposed is not None, "of studies with arms"
    lost = _lost_in_cleaning(flow, exposed, results.settings.treatment.arms, minimum)
    shown_flow = _without_small(flow, columns_that_tell(ARM_FLOW, "count"), minimum)
    shown = _without_small(exposed, columns_that_tell(EXPOSED, "count"), minimum)
    return replace(
        results, arm_flow=shown_flow, exposed=_without_classes(shown, exposed, lost, minimum)
    )


def _without_small(rows: pd.DataFrame, columns: list[str], minimum: int) -> pd.DataFrame:
    counts = {name: rows[name].to_numpy(float, na_value=np.nan) for name in columns}
    return rows.assign(
        **{name: rows[name].mask(small(own, minimum)) for name, own in counts.items()}
    )


def _lost_in_cleaning(
    flow: pd.DataFrame, exposed: pd.DataFrame, arms: Arms | None, minimum: int
) -> Flags:
    """Mark classes (n,) of which an arm has fewer firms, by few: cleaning lost these."""
    assert arms is not None, "of studies with arms"
    listed = flow.set_index("arm")["n_listed"]
    lost = np.zeros(len(exposed), dtype=np.bool_)
    for name, arm in arms.named.items():
        if isinstance(arm, ExposureArm):
            own = exposed["exposure"].eq(arm.exposure) & exposed["class"].gt(0)
            if arm.classes is not None:
                own &= exposed["class"].isin(arm.classes)
            n = float(exposed.loc[own, "n_firms"].sum() - listed[name])
            lost |= own.to_numpy() & small(np.array([n]), minimum)[0]
    return lost


def _without_classes(
    shown: pd.DataFrame, exposed: pd.DataFrame, lost: Flags, minimum: int
) -> pd.DataFrame:
    """Hide sizes of classes that the others tell, their means, and all shares beside these.

    The firms of all classes of an exposure are the panel's.
    """
    hidden = lost.copy()
    for name in exposed["exposure"].unique():
        own = exposed["exposure"].eq(name).to_numpy()
        # what cleaning tells is hidden as a small count is, with another one beside it
        sizes = np.where(lost & (minimum > 1), 1.0, exposed["n_firms"].to_numpy(float))[own]
        hidden[own] |= protected(sizes[:, None], minimum)[:, 0]
    told = pd.Series(hidden, index=exposed.index).groupby(exposed["exposure"]).transform("any")
    return shown.assign(
        n_firms=shown["n_firms"].mask(hidden),
        mean=shown["mean"].mask(hidden),
        share=shown["share"].mask(told),
    )


def hide_contrasts(
    contrasts: pd.DataFrame, hidden: pd.DataFrame, arms: Arms, arm_of: Mapping[str, OfArm]
) -> pd.DataFrame:
    """Hide sums of effects of which one is hidden: the others would tell it.

    `hidden` are rows of joined ESTIMATES whose effects are hidden. Own and overall effects are of
    several event times, so that any hidden one of their arms hides them.
    """
    together = hidden[(hidden[["sample", "grouping", "subgroup"]] == "all").all(axis=1)]
    named = together.assign(design=[_name(own, arm_of) for own in together["design"]])
    told = {key for of in (_TERM, _FIT) for key in keys_of(named, ["arm", *of])}
    of_one, of_all = keys_of(contrasts, _TERM), keys_of(contrasts, _FIT)
    one_term = contrasts["estimand"].eq(CONTRAST)
    places = [of_one[row] if one else of_all[row] for row, one in enumerate(one_term)]
    summed = zip(_arms_of(contrasts, arms), places, strict=True)
    gone = np.array(
        [any((arm, *place) in told for arm in of) for of, place in summed], dtype=np.bool_
    )
    gone &= contrasts[_FIGURES].notna().any(axis=1).to_numpy()
    masked = {name: contrasts[name].mask(gone) for name in _FIGURES}
    return with_reason(contrasts.assign(**masked), gone, REASON)


def hide_own_of_few(contrasts: pd.DataFrame, minimum: int) -> pd.DataFrame:
    """Hide own effects of participants of whom few are in one class of exposure.

    Beside the total and spillover an own effect tells what share of participants is in each class.
    """
    few = contrasts["n_fewest"].between(1, minimum - 1).to_numpy(bool, na_value=False)
    masked = {name: contrasts[name].mask(few) for name in (*_FIGURES, "n_fewest")}
    why = Reason("few_firms_in_group", {"least": minimum})
    return with_reason(contrasts.assign(**masked), few, why)


def _name(design: str, arm_of: Mapping[str, OfArm]) -> str:
    return arm_of[design].name if design in arm_of else design


def _arms_of(contrasts: pd.DataFrame, arms: Arms) -> list[list[str]]:
    """Return the arms whose effects each row sums."""
    exposed = {n: own for n, own in arms.named.items() if isinstance(own, ExposureArm)}
    direct = [name for name in arms.named if name not in exposed]
    found = []
    for estimand, name, exposure in zip(
        contrasts["estimand"], contrasts["contrast"], contrasts["exposure"], strict=True
    ):
        if estimand == CONTRAST:
            found.append([arm for arm, weight in arms.contrasts[name].items() if weight])
        else:
            spilt = [arm for arm, own in exposed.items() if own.exposure == exposure]
            found.append([*([name] if estimand == OWN else direct), *spilt])
    return found
