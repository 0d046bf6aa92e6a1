"""What participation does by itself, and what all of it does: sums of arms' effects under exposure.

With comparison firms out of reach b, the effect on participants, is a total one: of their own
participation, and of that of others. With g_k the spillover on exposed firms that stay out, of
class k, and p_k the share of participants whose own exposure is of that class,

    own     = b - sum_k p_k g_k
    overall = (N b + sum_k N_k g_k) / (N + sum_k N_k)

Own effects take it that spillover on participants is that on exposed firms of the same class, which
no data show. Firms first exposed l years after their entry have the spillover of event time e - l
at e. Shares and numbers of firms are taken as they are (Hudgens & Halloran 2008,
doi:10.1198/016214508000000292, with changes for levels).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from pipeline.datasets.arms import OVERALL, OWN
from pipeline.datasets.exposure import CLEAN
from pipeline.datasets.reasons import packed
from pipeline.effects.rows import Row
from pipeline.effects.terms import ATT, Term, event
from pipeline.errors import Reason
from pipeline.inference.arm_contrasts import (
    ByPlace,
    Part,
    Place,
    key_of,
    places_of,
    sum_figures,
    terms_at,
)
from pipeline.inference.own_exposure import NOBODY, ArmEffects, joined_exposure
from pipeline.params.arms import ONLY_ARM, Arms, ExposureArm
from pipeline.params.exposure import OneExposure
from pipeline.params.treatment import TreatmentSection


@dataclass(frozen=True)
class Spillover:
    """Hold one exposure: its rows of EXPOSURE and OWN_EXPOSURE, and the arm that each class is in.

    `arms` are those of participants. `arm_of` gives the arm with the fewest classes among those
    that hold a class; an effect of several classes stands for each of them.
    """

    name: str
    rule: OneExposure
    exposed: pd.DataFrame
    shares: pd.DataFrame
    arms: tuple[str, ...]
    arm_of: Mapping[int, str]

    @property
    def classes(self) -> list[int]:
        """Return the classes in which firms are exposed that do not take part."""
        known = self.exposed.loc[~self.exposed["participant"], "class"].dropna()
        return sorted(int(number) for number in known.unique())


@dataclass(frozen=True)
class _Of:
    """Hold the effects of all arms, and one exposure that their sums are of."""

    found: Mapping[str, ByPlace]
    effects: Mapping[str, ArmEffects]
    spillover: Spillover
    arms: Arms
    last_event_time: int


def sums_under_exposure(
    effects: Mapping[str, ArmEffects],
    exposure: pd.DataFrame,
    shares: pd.DataFrame,
    treatment: TreatmentSection,
) -> list[Row]:
    """Return rows of ARM_CONTRASTS: own effects of each arm, and overall ones of each exposure.

    `exposure` is EXPOSURE, `shares` OWN_EXPOSURE. Exposures of which no arm is have none.
    """
    assert treatment.arms is not None, "of studies with arms"
    found = {arm: own.by_place for arm, own in effects.items()}
    rows: list[Row] = []
    for name, rule in treatment.exposure.items():
        spillover = _spillover(name, rule, exposure, shares, treatment.arms)
        if not spillover.arm_of:
            continue
        last = treatment.window.last_event_time
        of = _Of(found, effects, spillover, treatment.arms, last)
        rows += [*_own_rows(of), *_overall_rows(of)]
    return rows


def _spillover(
    name: str, rule: OneExposure, exposure: pd.DataFrame, shares: pd.DataFrame, arms: Arms
) -> Spillover:
    exposed = exposure[(exposure["exposure"] == name) & exposure["among"]]
    return Spillover(
        name,
        rule,
        exposed,
        shares[shares["exposure"] == name],
        tuple(arm for arm, said in arms.named.items() if not isinstance(said, ExposureArm)),
        _arm_of_classes(name, exposed, arms),
    )


def _arm_of_classes(name: str, exposed: pd.DataFrame, arms: Arms) -> dict[int, str]:
    """Return the arm of each class of an exposure, the narrowest one that holds it."""
    every = sorted(int(number) for number in exposed["class"].dropna().unique())
    held = {
        arm: said.classes or every
        for arm, said in arms.named.items()
        if isinstance(said, ExposureArm) and said.exposure == name
    }
    narrowest = sorted(held, key=lambda arm: -len(held[arm]))
    return {number: arm for arm in narrowest for number in held[arm]}


def _own_rows(of: _Of) -> Iterator[Row]:
    for arm in of.spillover.arms:
        for place in places_of([arm], of.found):
            terms = terms_at(place, [arm], of.found)
            shares, remarks = _shares(of, arm, place), _remarks(of, arm, place)
            exposed = shares[shares["class"] != CLEAN]
            told = {"exposure": of.spillover.name, "n_fewest": _fewest(shares)}
            for term in terms:
                key = key_of(OWN, arm, place, term) | told
                parts = _own_parts(of, arm, term, terms, exposed)
                if isinstance(parts, Reason):
                    yield key | packed(parts)
                else:
                    yield key | sum_figures(parts, place, of.found, remarks)


def _shares(of: _Of, arm: str, place: Place) -> pd.DataFrame:
    """Return the shares of participants by class and lag."""
    outcome, design, _ = place
    table = of.spillover.shares
    own = (table["arm"] == arm) & (table["outcome"] == outcome) & (table["design"] == design)
    return table[own]


def _fewest(shares: pd.DataFrame) -> int | None:
    """Return the fewest participants of a class and lag: shares of effects tell how many are."""
    counts = shares.loc[shares["n_firms"] > 0, "n_firms"]
    return int(counts.min()) if len(counts) else None


def _own_parts(
    of: _Of, arm: str, term: Term, terms: Sequence[Term], shares: pd.DataFrame
) -> list[Part] | Reason:
    """Return what an own effect is the sum of, or why there is none."""
    arm_of = of.spillover.arm_of
    if lacking := sorted({int(k) for k in shares["class"]} - set(arm_of)):
        return Reason("class_without_arm", {"exposure": of.spillover.name, "classes": lacking})
    parts = [Part(1.0, arm, term)]
    for number, lag, share in zip(shares["class"], shares["lag"], shares["share"], strict=True):
        times = _spilt_times(term, int(lag), terms)
        if times is None:
            return Reason("own_without_event_times")
        spilt = arm_of[int(number)]
        parts += [Part(-share * weight, spilt, time) for time, weight in times.items()]
    return parts


def _spilt_times(term: Term, lag: int, terms: Sequence[Term]) -> dict[Term, float] | None:
    """Return the effects on the exposed, with weights, that are in an effect on participants.

    `lag` is the years from entry to first exposure. None where event times are needed, and there
    are none. Before exposure there is no spillover.
    """
    if lag == 0:
        return {term: 1.0}
    if term != ATT:
        assert term.event_time is not None, "average or by event time"
        return {event(term.event_time - lag): 1.0} if term.event_time >= lag else {}
    times = [t.event_time for t in terms if t.event_time is not None and t.event_time >= 0]
    if not times:
        return None
    return {event(time - lag): 1 / len(times) for time in times if time >= lag}


def _remarks(of: _Of, arm: str, place: Place) -> list[Reason]:
    """Return the assumption behind own effects, and what is not known of participants."""
    spillover = of.spillover
    behind = _behind(of, arm, place)
    joined = joined_exposure(behind, spillover.exposed, spillover.rule)
    said = [Reason("spillover_as_on_exposed")]
    if (joined["lag"] < 0).any():
        said.append(Reason("participants_exposed_before_entry"))
    if (joined["stronger"] <= joined["cohort"] + of.last_event_time).any():
        said.append(Reason("participants_exposed_more_later"))
    if joined["unknown"].any():
        said.append(Reason("participants_of_unknown_exposure"))
    if spillover.rule.among is not None:
        said.append(Reason("participants_outside_among"))
    return said


def _overall_rows(of: _Of) -> Iterator[Row]:
    spilt = list(dict.fromkeys(of.spillover.arm_of.values()))
    contrast = of.spillover.arms[0] if len(of.spillover.arms) == 1 else ONLY_ARM
    every = [*of.spillover.arms, *spilt]
    why = _why_no_overall(of, spilt)
    for place in places_of(every, of.found):
        weights = _weights(of, every, place)
        for term in terms_at(place, every, of.found):
            key = key_of(OVERALL, contrast, place, term) | {"exposure": of.spillover.name}
            if why is not None:
                yield key | packed(why)
                continue
            parts = [Part(weight, arm, term) for arm, weight in weights.items()]
            yield key | sum_figures(parts, place, of.found)


def _why_no_overall(of: _Of, spilt: Sequence[str]) -> Reason | None:
    """Say why the firms of arms are not all that are reached, once each; None where they are."""
    if lacking := sorted(set(of.spillover.classes) - set(of.spillover.arm_of)):
        return Reason("class_without_arm", {"exposure": of.spillover.name, "classes": lacking})
    named = of.arms.named
    held = [said.classes for arm in spilt if isinstance(said := named[arm], ExposureArm)]
    numbers = [number for classes in held for number in classes or of.spillover.classes]
    if len(set(numbers)) < len(numbers):
        return Reason("arms_share_firms", {"arms": list(spilt)})
    if of.arms.several == "in_each" and len(of.spillover.arms) > 1:
        return Reason("arms_share_firms", {"arms": list(of.spillover.arms)})
    return None


def _weights(of: _Of, arms: Sequence[str], place: Place) -> dict[str, float]:
    """Return each arm's share of the firms behind effects, weighted as they are there."""
    sums = {arm: float(_behind(of, arm, place)["weight"].sum()) for arm in arms}
    total = sum(sums.values())
    return {arm: own / total if total else own for arm, own in sums.items()}


def _behind(of: _Of, arm: str, place: Place) -> pd.DataFrame:
    """Return the firms behind an arm's effects, nobody where it has none."""
    outcome, design, _ = place
    return of.effects[arm].behind.get((design, outcome), NOBODY) if arm in of.effects else NOBODY
