"""Which participants behind an arm's effect are themselves exposed to others, and since when.

What an effect on participants holds of spillover is that at their own exposure. Shares are of the
firms behind the effect, those that the design kept and that have the outcome after entry, weighted
as there: participants without a match have no part in the effect, and would in the shares.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import pandas as pd

from pipeline.datasets.arms import OWN_EXPOSURE
from pipeline.datasets.exposure import CLEAN
from pipeline.datasets.store import conform, empty
from pipeline.effects.collected import Results
from pipeline.effects.populations import Members
from pipeline.effects.study import Study
from pipeline.inference.arm_contrasts import ByPlace, effects_by_place
from pipeline.params.arms import ExposureArm
from pipeline.params.exposure import CellExposure, OneExposure
from pipeline.params.treatment import TreatmentSection

# Firms behind an arm's effects by design and outcome: firm_id, cohort, weight.
Behind = Mapping[tuple[str, str], pd.DataFrame]
NOBODY = pd.DataFrame({"firm_id": pd.Series(dtype="str"), "cohort": [], "weight": []})


@dataclass(frozen=True)
class ArmEffects:
    """Hold the effects of one arm by outcome, design and spec, and the firms that they are of."""

    by_place: ByPlace
    behind: Behind

    def by_specs(self, specs: Collection[str]) -> "ArmEffects":
        """Return the effects of some specs."""
        kept = {place: found for place, found in self.by_place.items() if place[2] in specs}
        return replace(self, by_place=kept)


def arm_effects(study: Study, results: Results) -> ArmEffects:
    """Return the effects of one arm with the firms behind them, of all that it has as results."""
    by_place = effects_by_place(results.estimates, results.kept)
    return ArmEffects(by_place, _firms_behind(study, results.members))


def _firms_behind(study: Study, members: Members) -> dict[tuple[str, str], pd.DataFrame]:
    """Return the treated of each design that have an outcome after entry, with their weights."""
    found = {}
    for (design, outcome), observed in members.observed.items():
        stacks = study.stacks[design]
        after = observed[:, stacks.event_times >= 0].any(axis=1)
        own = stacks.treated & after
        columns = {"cohort": stacks.stack[own], "weight": stacks.weight[own]}
        firm_id = study.index.firms[stacks.firm[own]]
        found[design, outcome] = pd.DataFrame({"firm_id": firm_id, **columns})
    return found


def own_exposure(
    arms: Mapping[str, ArmEffects], exposure: pd.DataFrame, treatment: TreatmentSection
) -> pd.DataFrame:
    """Return OWN_EXPOSURE of every arm of participants under each exposure.

    `exposure` is EXPOSURE. Firms exposed before their own entry are of class 0: what reached them
    by then is in their base year, and no part of the change since.
    """
    assert treatment.arms is not None, "of studies with arms"
    named = treatment.arms.named
    asked = exposure[exposure["among"]]
    parts = [
        _classes(joined_exposure(behind, asked[asked["exposure"] == name], rule)).assign(
            arm=arm, exposure=name, design=design, outcome=outcome
        )
        for arm, effects in arms.items()
        if not isinstance(named[arm], ExposureArm)
        for name, rule in treatment.exposure.items()
        for (design, outcome), behind in effects.behind.items()
    ]
    return conform(OWN_EXPOSURE, pd.concat(parts)) if parts else empty(OWN_EXPOSURE)


def joined_exposure(
    behind: pd.DataFrame, exposure: pd.DataFrame, rule: OneExposure
) -> pd.DataFrame:
    """Return firms with `class`, `lag`, years from own entry to first exposure, and `stronger`.

    `exposure` are the rows of one exposure. Both are missing where there is none; without a class
    alone nobody knows. What reaches a cell reaches whoever takes part in it, also where nobody else
    does: of `cell` everybody is exposed from own entry on, unless before. `stronger` is the year
    in which a firm exposed since its entry comes into a stronger class. `among` tells those
    outside it from those alone in their cell no more: there others must take part.
    """
    columns = ["firm_id", "class", "first_exposed", "censored_from"]
    joined = behind.merge(exposure[columns], on="firm_id", how="left", indicator="found")
    joined["lag"] = joined["first_exposed"] - joined["cohort"]
    joined["stronger"] = joined["censored_from"].where(joined["lag"] >= 0)
    unknown = (joined["found"] == "both") & joined["class"].isna()
    if isinstance(rule, CellExposure) and rule.among is None:
        by_itself = ~unknown & ~(joined["lag"] < 0).fillna(False).astype(bool)
        joined.loc[by_itself, ["class", "lag"]] = [1, 0]
    return joined.assign(unknown=unknown)


def _classes(joined: pd.DataFrame) -> pd.DataFrame:
    """Return firms by class and lag, and their weighted share; class 0 always has a row."""
    known = joined[~joined["unknown"]]
    counts = (known["lag"] >= 0).fillna(False).astype(bool)
    number = known["class"].where(counts).fillna(CLEAN).astype("Int64")
    known = known.assign(**{"class": number, "lag": known["lag"].where(counts).astype("Int64")})
    grouped = known.groupby(["class", "lag"], dropna=False)["weight"].agg(["size", "sum"])
    rows = grouped.rename(columns={"size": "n_firms", "sum": "share"}).reset_index()
    if not (rows["class"] == CLEAN).any():
        nobody = pd.DataFrame({"class": [CLEAN], "lag": [pd.NA], "n_firms": [0], "share": [0.0]})
        rows = pd.concat([nobody.astype(rows.dtypes.to_dict()), rows])
    total = float(known["weight"].sum())
    return rows.assign(share=rows["share"] / total if total else 0.0)
