"""Arms: which treatment a firm is in, from when, until when, and who is in none.

A firm is in one arm at a time, the first that it enters: entry into another censors it as entry
censors a comparison firm, and nobody is put in an arm for what came later (immortal time). All arms
share one clean pool, the firms without contact: in no arm through the last year that is used.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from pipeline.datasets.arms import ARM_FLOW, ARMS
from pipeline.datasets.store import conform
from pipeline.errors import DataError, SupportError, told_codes
from pipeline.panel.panel_index import of_firms
from pipeline.params.arms import Arms, JointArm
from pipeline.params.treatment import TreatmentSection

# One row a firm and arm: cohort, and what becomes of it.
_ENTRIES = ["arm", "firm_id", "cohort"]


@dataclass(frozen=True)
class FirmArms:
    """Hold ARMS and ARM_FLOW.

    `n_in_no_arm` counts participants that no arm takes: they are in contact, and in no comparison.
    """

    arms: pd.DataFrame
    flow: pd.DataFrame
    n_in_no_arm: int


def firm_arms(entries: pd.DataFrame, entered: pd.Series, arms: Arms) -> FirmArms:
    """Give each firm the first arm that it enters, from ARM_ENTRIES and exposures alike.

    `entries` has arm, firm_id and cohort, one row a firm and arm; `entered` is the first entry of
    each participant of the panel in any way. Raises DataError where firms
    enter two arms in one year that no joint arm takes, and params do not let them stay in each;
    SupportError where arms coincide, or an arm has nobody.
    """
    entries = entries[entries["firm_id"].isin(entered.index)]
    _require_firms(entries, arms)
    listed = pd.concat([entries[_ENTRIES], _joint_entries(entries, arms)], ignore_index=True)
    joint = _in_joint(listed, arms)
    kept = listed[~joint]
    if arms.several == "in_each":
        stays = pd.Series(True, index=kept.index)
        until = pd.Series(pd.NA, index=kept.index, dtype="Int64")
    else:
        first = kept.groupby("firm_id")["cohort"].transform("min")
        stays = kept["cohort"] == first
        until = _until(kept, stays)
        _refuse_at_once(kept[stays])
    found = kept.assign(until=until)[stays]
    _refuse_alike(found, arms)
    flow = _flow(listed, joint, kept[~stays], found, arms)
    in_no_arm = int((~entered.index.isin(listed["firm_id"])).sum())
    return FirmArms(conform(ARMS, found), flow, in_no_arm)


def entries_of_firms(panel: pd.DataFrame) -> pd.Series:
    """Return the first entry of each participant of PANEL, in any way."""
    return panel.groupby("firm_id")["cohort"].first().dropna()


def panels_by_arm(
    panel: pd.DataFrame, arms: pd.DataFrame | None, treatment: TreatmentSection
) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield PANEL as each arm sees it, with the arm's name; as it is where a study names none.

    `arms` is ARMS.
    """
    for arm in treatment.arm_folders:
        seen = panel
        if arms is not None:
            seen = panel_of_arm(panel, arms, arm, treatment.anticipation_years)
        yield arm, seen


def panel_of_arm(
    panel: pd.DataFrame, arms: pd.DataFrame, arm: str, anticipation: int
) -> pd.DataFrame:
    """Return PANEL as one arm sees it: its own entry years, and when firms came into contact.

    `cohort` is that of the arm, `contact` the first year in any, or in the programme. Firm-years of
    its entrants from their entry into another arm on, less anticipation, are left out.
    """
    own, firm = arms[arms["arm"] == arm].set_index("firm_id"), panel["firm_id"]
    until = of_firms(own["until"], firm)
    left = (panel["year"] >= until - anticipation).fillna(False).astype(bool)
    in_any = of_firms(arms.groupby("firm_id")["cohort"].min(), firm)
    contact = pd.concat([in_any, panel["cohort"]], axis=1).min(axis=1).astype("Int64")
    return panel.assign(cohort=of_firms(own["cohort"], firm), contact=contact)[~left]


def _require_firms(entries: pd.DataFrame, arms: Arms) -> None:
    empty = [name for name, arm in arms.named.items() if not isinstance(arm, JointArm)]
    empty = [name for name in empty if name not in set(entries["arm"])]
    if empty:
        raise SupportError(
            f"treatment.arms: no firm of the panel is in {', '.join(empty)}; check what they name "
            "(programme, component, role, amount, exposure), or take them out"
        )


def _joint_entries(entries: pd.DataFrame, arms: Arms) -> pd.DataFrame:
    """Return who enters all arms of a joint one in one year; SupportError where nobody does."""
    parts = []
    for name, arm in arms.of("joint").items():
        assert isinstance(arm, JointArm), "of joint arms"
        own = entries[entries["arm"].isin(arm.of)]
        by_firm = own.groupby("firm_id")["cohort"].agg(["size", "min", "max"])
        every = by_firm[by_firm["size"] == len(arm.of)]
        at_once = every[every["min"] == every["max"]]
        if at_once.empty:
            raise SupportError(
                f"treatment.arms.named.{name}: no firm enters {' and '.join(arm.of)} in one year, "
                f"and {len(every)} do so one after the other, which is no arm: of firms that did "
                "not live to enter the second nobody knows; compare the single arms"
            )
        rows = {"arm": name, "firm_id": at_once.index, "cohort": at_once["min"].to_numpy()}
        parts.append(pd.DataFrame(rows))
    return pd.concat(parts) if parts else entries[_ENTRIES].iloc[:0]


def _in_joint(listed: pd.DataFrame, arms: Arms) -> pd.Series:
    """Flag the rows of single arms whose firm enters a joint arm of them."""
    flagged = pd.Series(False, index=listed.index)
    for name, arm in arms.of("joint").items():
        assert isinstance(arm, JointArm), "of joint arms"
        firms = listed.loc[listed["arm"] == name, "firm_id"]
        flagged |= listed["arm"].isin(arm.of) & listed["firm_id"].isin(firms)
    return flagged


def _until(kept: pd.DataFrame, stays: pd.Series) -> pd.Series:
    """Return, for rows that stay, the first later entry of their firm into another arm."""
    later = kept[~stays].groupby("firm_id")["cohort"].min()
    return of_firms(later.astype("Int64"), kept["firm_id"])


def _refuse_at_once(stays: pd.DataFrame) -> None:
    """Raise DataError where a firm has two rows that stay: it entered both in one year."""
    twice = stays[stays.duplicated("firm_id", keep=False)].sort_values(["firm_id", "arm"])
    if twice.empty:
        return
    together = twice.groupby("firm_id")["arm"].agg(" with ".join).value_counts()
    told = told_codes({str(arms): int(n) for arms, n in together.items()})
    raise DataError(
        f"firms enter two arms in one year: {told}. Declare an arm for both (source: joint), or "
        "treatment.arms.several: in_each where arms speak of the same firms in several ways"
    )


def _refuse_alike(found: pd.DataFrame, arms: Arms) -> None:
    firms = {name: frozenset(own["firm_id"]) for name, own in found.groupby("arm")}
    told: dict[frozenset[str], str] = {}
    for name in arms.named:
        own = firms.get(name, frozenset())
        if own and own in told:
            raise SupportError(
                f"treatment.arms: {told[own]} and {name} have the same firms, so that their "
                "effects cannot be told apart; drop one"
            )
        told[own] = name


def _flow(
    listed: pd.DataFrame, joint: pd.Series, after: pd.DataFrame, found: pd.DataFrame, arms: Arms
) -> pd.DataFrame:
    until = found[found["until"].notna()]
    parts = {
        "n_listed": listed,
        "n_joint": listed[joint],
        "n_after_another": after,
        "n_until": until,
        "n_entrants": found,
    }
    names = list(arms.named)
    counts = {
        name: rows.groupby("arm").size().reindex(names).fillna(0).astype("Int64")
        for name, rows in parts.items()
    }
    return conform(ARM_FLOW, pd.DataFrame(counts).rename_axis("arm").reset_index())
