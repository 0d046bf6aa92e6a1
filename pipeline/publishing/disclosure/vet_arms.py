"""What of the results of all arms may be published."""

from dataclasses import replace

from pipeline.exhibits.inputs import StudyResults
from pipeline.publishing.disclosure.pools import vet_pools
from pipeline.publishing.disclosure.vet import vet


def vet_arms(results: StudyResults) -> StudyResults:
    """Return the results of a study and of its arms with everything hidden that may not be told."""
    arms = {arm: vet(own) for arm, own in results.arms.items()}
    headline = vet(results) if results.arm is None else arms[results.arm]
    told = {name: getattr(results, name) for name in ("arm_flow", "arm_contrasts", "exposed")}
    return replace(headline, arms=arms, pools=vet_pools(results, headline), **told)
