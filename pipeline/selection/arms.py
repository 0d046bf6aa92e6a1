"""Arms: which treatment a firm is in, from when, until when, and who is in none.

A firm is in one arm at a time, the first that it enters, unless params say that arms speak of the
same firms in several ways: entry into another censors it as entry censors a comparison firm, and
nobody is put in an arm for what came later (immortal time). All arms share one clean pool, the
firms without contact: in no arm through the last year that is used.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import pandas as pd

from pipeline.datasets.arms import ARMS, CONTACTS, LEFT_ARM
from pipeline.datasets.exposure import EXPOSURE
from pipeline.datasets.store import conform, empty
from pipeline.errors import DataError, Reason, SupportError, told_codes
from pipeline.panel.ledger import Issue
from pipeline.panel.panel_index import of_firms
from pipeline.params.arms import Arms, ExposureArm, JointArm
from pipeline.params.treatment import TreatmentSection
from pipeline.selection.arm_flow import ListedFirms, arm_flow, fates_of

# One row a firm and arm: cohort, and what becomes of it.
_ENTRIES = ["arm", "firm_id", "cohort"]

SeenBy = tuple[pd.DataFrame, pd.DataFrame]


@dataclass(frozen=True)
class FirmArms:
    """Hold ARMS, ARM_FLOW and CONTACTS.

    `listed` says what became of each firm that an arm lists, and who is exposed. `n_in_no_arm`
    counts participants that no arm takes: they are in contact, and in no comparison.
    """

    arms: pd.DataFrame
    flow: pd.DataFrame
    contacts: pd.DataFrame
    n_in_no_arm: int
    listed: ListedFirms

    @property
    def issues(self) -> list[Issue]:
        """Return what a reader must know of participants in no arm."""
        n = self.n_in_no_arm
        rule = Reason("participant_in_no_arm")
        return [Issue(rule, "arm", Reason("left_uncompared"), n, n)] if n else []


def firm_arms(
    entries: pd.DataFrame, panel: pd.DataFrame, arms: Arms, exposure: pd.DataFrame | None = None
) -> FirmArms:
    """Give each firm the first arm that it enters, by ARM_ENTRIES or EXPOSURE.

    PANEL says which firms there are, and when each participant entered in any way: who entered in
    no arm before is in none. Raises DataError where firms enter two arms in one year that no joint
    arm takes, and params do not let them stay in each; SupportError where arms coincide, or the
    headline's has nobody. Others that have nobody, or too few, are in ARM_FLOW with the reason.
    """
    by_firm = panel.groupby("firm_id")["cohort"].first()
    exposed = empty(EXPOSURE) if exposure is None else exposure
    direct = conform(ARMS, entries[_ENTRIES].reindex(columns=[*_ENTRIES, "until"]))
    every = pd.concat([direct, exposed_entries(exposed, arms)], ignore_index=True)
    every = every[every["firm_id"].isin(by_firm.index)]
    listed = pd.concat([every, _joint_entries(every, arms)], ignore_index=True)
    joint = _in_joint(listed, arms)
    kept = listed[~joint]
    stays = _stays(kept, arms)
    until = kept["until"]
    if arms.several != "in_each":
        stays &= ~_took_part_before(kept, by_firm)
        until = pd.concat([_until(kept), until], axis=1).min(axis=1)
    if arms.several == "refuse":
        _refuse_at_once(kept[stays])
    found = kept.assign(until=until.astype("Int64"))[stays]
    _require_headline(found, arms)
    _refuse_alike(found, arms)
    fates = fates_of(listed, joint, found)
    entered = by_firm.dropna()
    in_no_arm = int((~entered.index.isin(listed["firm_id"])).sum())
    contacts = _contacts(entered, listed, exposed)
    return FirmArms(
        conform(ARMS, found),
        arm_flow(fates, found, exposed, arms),
        contacts,
        in_no_arm,
        ListedFirms(fates, exposed),
    )


def exposed_entries(exposure: pd.DataFrame, arms: Arms) -> pd.DataFrame:
    """Return who enters an arm by exposure, when, and until when; participants by then do not."""
    parts = [empty(ARMS)]
    spilt = exposure[exposure["among"] & ~exposure["participant"] & exposure["class"].notna()]
    for name, arm in arms.of("exposure").items():
        assert isinstance(arm, ExposureArm), "of exposures"
        own = spilt[spilt["exposure"] == arm.exposure]
        if arm.classes is not None:
            own = own[own["class"].isin(arm.classes)]
        renamed = own.rename(columns={"first_exposed": "cohort", "censored_from": "until"})
        parts.append(conform(ARMS, renamed[["firm_id", "cohort", "until"]].assign(arm=name)))
    return pd.concat(parts)


def _took_part_before(kept: pd.DataFrame, by_firm: pd.Series) -> pd.Series:
    """Flag rows of firms that entered in some way, of no arm, before they entered the row's arm."""
    entered = of_firms(by_firm.astype("Int64"), kept["firm_id"])
    return (entered < kept["cohort"]).fillna(False).astype(bool)


def _contacts(entered: pd.Series, listed: pd.DataFrame, exposure: pd.DataFrame) -> pd.DataFrame:
    """Return CONTACTS; a firm whose place one exposure does not know has no year."""
    parts = [
        entered.rename("contact").rename_axis("firm_id").reset_index(),
        listed.rename(columns={"cohort": "contact"}),
        exposure.rename(columns={"first_exposed": "contact"}),
    ]
    every = pd.concat([part[["firm_id", "contact"]] for part in parts])
    first = every.groupby("firm_id")["contact"].min()
    unknown = exposure.loc[exposure["class"].isna(), "firm_id"]
    first[first.index.isin(unknown) & ~first.index.isin(entered.index)] = pd.NA
    return conform(CONTACTS, first.reset_index())


def panels_by_arm(
    panel: pd.DataFrame,
    seen_by: SeenBy | None,
    treatment: TreatmentSection,
    asked: Iterable[str] | None = None,
) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield PANEL as each arm sees it, with the arm's name; as it is where a study names none.

    `seen_by` holds ARMS and CONTACTS; `asked` names the arms that have support, None all.
    """
    for arm in treatment.arm_folders if asked is None else asked:
        seen = panel
        if seen_by is not None:
            seen = panel_of_arm(panel, *seen_by, arm, treatment.anticipation_years)
        yield arm, seen


def panel_of_arm(
    panel: pd.DataFrame, arms: pd.DataFrame, contacts: pd.DataFrame, arm: str, anticipation: int
) -> pd.DataFrame:
    """Return PANEL as one arm sees it: its own entry years, and when firms came into contact.

    `cohort` is that of the arm, `contact` the first year of contact with the programme; a firm of
    which that is not known is left out. So are firm-years of the arm's entrants from `left_arm` on,
    the year of their entry into another arm, less anticipation.
    """
    own, firm = arms[arms["arm"] == arm].set_index("firm_id"), panel["firm_id"]
    until = of_firms(own["until"], firm) - anticipation
    left = (panel["year"] >= until).fillna(False).astype(bool)
    left |= firm.isin(contacts.loc[contacts["contact"].isna(), "firm_id"])
    contact = of_firms(contacts.set_index("firm_id")["contact"], firm)
    cohort = of_firms(own["cohort"], firm)
    return panel.assign(cohort=cohort, contact=contact, **{LEFT_ARM: until})[~left]


def _require_headline(entries: pd.DataFrame, arms: Arms) -> None:
    if not (entries["arm"] == arms.headline).any():
        raise SupportError(
            f"treatment.arms: no firm of the panel is in {arms.headline}, the headline's arm; "
            "check what it names (programme, component, role, amount, exposure), or take another"
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


def _stays(kept: pd.DataFrame, arms: Arms) -> pd.Series:
    """Flag the rows whose firm stays in the arm: those of its first year.

    Of arms of one year the first named, where params say so. Where firms stay in each of several
    arms, only those leave that were exposed before they entered: their base year is not clean.
    """
    if arms.several == "in_each":
        exposed = kept["arm"].isin(arms.of("exposure"))
        since = of_firms(kept[exposed].groupby("firm_id")["cohort"].min(), kept["firm_id"])
        return exposed | ~(kept["cohort"] > since).fillna(False).astype(bool)
    order = kept["cohort"].astype("int64")
    if arms.several == "first_named":
        named = {name: place for place, name in enumerate(arms.named)}
        order = order * len(named) + kept["arm"].map(named)
    return order == order.groupby(kept["firm_id"]).transform("min")


def _until(kept: pd.DataFrame) -> pd.Series:
    """Return for each row the first entry of its firm into another arm in a later year."""
    first = kept.groupby("firm_id")["cohort"].transform("min")
    later = kept[kept["cohort"] > first].groupby("firm_id")["cohort"].min()
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
        "treatment.arms.several: in_each where arms speak of the same firms in several ways, or "
        "first_named where the arm that is named first takes them"
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
