"""Which arms a stage works on: those that the stage before found support for."""

from pathlib import Path

from pipeline.datasets.arms import ARM_FLOW
from pipeline.datasets.store import read, write
from pipeline.params.treatment import TreatmentSection
from pipeline.selection.supported_arms import NO_ARMS, TriedArms
from stages.run import progress


def arms_left(before: Path, treatment: TreatmentSection, stage: str) -> TriedArms:
    """Return the arms that a stage is to try, given the folder of the stage before it."""
    flow = NO_ARMS if treatment.arms is None else read(ARM_FLOW, before)
    return TriedArms(treatment, stage, flow)


def tell_arms(folder: Path, tried: TriedArms) -> None:
    """Write ARM_FLOW into a stage's folder, with arms given up, which a terminal shows."""
    for arm, error in tried.given_up.items():
        progress(f"{tried.stage}: arm {arm} has no support: {error}")
    if tried.treatment.arms is not None:
        write(ARM_FLOW, tried.told, folder)
