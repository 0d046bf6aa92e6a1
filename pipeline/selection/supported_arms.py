"""Which arms have support: one without is a row of ARM_FLOW with the reason, and others go on."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import pandas as pd

from pipeline.datasets.arms import ARM_FLOW
from pipeline.datasets.reasons import packed
from pipeline.datasets.store import conform
from pipeline.errors import EvaluationError, IdentificationError, Reason, SupportError
from pipeline.params.treatment import TreatmentSection

_GIVEN_UP = ("given_up_in", "reason", "reason_fields")

# ARM_FLOW of a study that names no arms.
NO_ARMS = pd.DataFrame({"arm": [], "reason": []})


@dataclass
class TriedArms:
    """Hold the arms that one stage works on, and those that turn out to have no support.

    `flow` is ARM_FLOW as the stage before left it, NO_ARMS of a study that names none.
    """

    treatment: TreatmentSection
    stage: str
    flow: pd.DataFrame
    given_up: dict[str, EvaluationError] = field(default_factory=dict)

    @property
    def left(self) -> dict[str, str]:
        """Return the folder of each arm that has support so far, by name."""
        known = self.flow.loc[self.flow["reason"].notna(), "arm"]
        gone = {*known, *self.given_up}
        return {arm: f for arm, f in self.treatment.arm_folders.items() if arm not in gone}

    @contextmanager
    def trying(self, arm: str) -> Iterator[None]:
        """Give an arm up where the work inside finds no support for it.

        The headline's arm is not given up, nor is one whose error is no reason that a table can
        hold: these are raised with the arm's name.
        """
        try:
            yield
        except (SupportError, IdentificationError) as error:
            arms = self.treatment.arms
            if arms is None:
                raise
            if arm == arms.headline or not error.is_reason:
                raise error.at(f"treatment.arms.named.{arm}") from None
            self.given_up[arm] = error

    def counts(self, arm: str) -> tuple[int, int] | None:
        """Return the firms of an arm of exposed firms and their cells; None of other arms."""
        row = self.flow[self.flow["arm"] == arm]
        if row.empty or row["n_cells"].isna().all():
            return None
        return int(row["n_entrants"].iloc[0]), int(row["n_cells"].iloc[0])

    @property
    def told(self) -> pd.DataFrame:
        """Return ARM_FLOW with the reasons of the arms that were given up."""
        why = {arm: error.reason for arm, error in self.given_up.items()}
        return conform(ARM_FLOW, with_reasons(self.flow, why, self.stage))


def with_reasons(flow: pd.DataFrame, why: Mapping[str, Reason], stage: str) -> pd.DataFrame:
    """Return ARM_FLOW with a reason of some arms for no results, and the stage that found it."""
    told = flow.set_index("arm").astype(dict.fromkeys(_GIVEN_UP, "str"))
    for arm, reason in why.items():
        told.loc[arm, list(_GIVEN_UP)] = [stage, *packed(reason).values()]
    return told.reset_index()
