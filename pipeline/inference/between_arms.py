"""All that is said between the arms of a study: contrasts, own and overall effects."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from pipeline.datasets.arms import ARM_CONTRASTS, OWN_EXPOSURE
from pipeline.datasets.store import Dataset
from pipeline.inference.arm_contrasts import as_contrasts, contrast_rows
from pipeline.inference.own_effects import sums_under_exposure
from pipeline.inference.own_exposure import ArmEffects, own_exposure
from pipeline.params.arm_faults import ArmSections


@dataclass(frozen=True)
class BetweenArms:
    """Hold ARM_CONTRASTS and OWN_EXPOSURE."""

    contrasts: pd.DataFrame
    own_exposure: pd.DataFrame

    def tables(self) -> dict[Dataset, pd.DataFrame]:
        """Return both by declaration."""
        return {ARM_CONTRASTS: self.contrasts, OWN_EXPOSURE: self.own_exposure}


def between_arms(
    effects: Mapping[str, ArmEffects], exposure: pd.DataFrame, sections: ArmSections
) -> BetweenArms:
    """Return the contrasts that params name, and own and overall effects under each exposure.

    `effects` are those of every arm, by the specs that all arms have; `exposure` is EXPOSURE,
    without a row where there is none.
    """
    treatment = sections.treatment
    assert treatment.arms is not None, "of studies with arms"
    specs = {spec.name for spec in sections.estimate.of_other_arms.specs}
    effects = {arm: own.by_specs(specs) for arm, own in effects.items()}
    shares = own_exposure(effects, exposure, treatment)
    found = {arm: own.by_place for arm, own in effects.items()}
    rows = contrast_rows(found, treatment.arms, sections.places_within)
    rows += sums_under_exposure(effects, exposure, shares, treatment)
    return BetweenArms(as_contrasts(rows), shares)
