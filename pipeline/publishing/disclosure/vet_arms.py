"""What of the results of all arms of a study may be published, looked at together."""

from dataclasses import replace

from pipeline.exhibits.inputs import StudyResults
from pipeline.publishing.disclosure.derived import hidden_rows
from pipeline.publishing.disclosure.joined_arms import join_arms, part_arms
from pipeline.publishing.disclosure.pools import vet_pools
from pipeline.publishing.disclosure.told_of_arms import (
    hide_contrasts,
    hide_own_of_few,
    hide_small_counts_of_arms,
)
from pipeline.publishing.disclosure.vet import vet


def vet_arms(results: StudyResults) -> StudyResults:
    """Return the results of a study and of its arms with everything hidden that may not be told."""
    headline = _vet_together(results) if results.arms else vet(results)
    return replace(headline, pools=vet_pools(results, headline))


def _vet_together(results: StudyResults) -> StudyResults:
    named, contrasts = results.settings.treatment.arms, results.arm_contrasts
    assert named is not None and results.arm is not None, "of studies with arms"
    assert contrasts is not None, "told of every study with arms"
    whole = join_arms(hide_small_counts_of_arms(results))
    vetted = vet(whole.results, whole.arm_of)
    arms = part_arms(vetted, results)
    hidden = hidden_rows(whole.results.estimates, vetted.estimates)
    return replace(
        arms[results.arm],
        arms=arms,
        arm_flow=vetted.arm_flow,
        exposed=vetted.exposed,
        arm_contrasts=hide_own_of_few(
            hide_contrasts(contrasts, hidden, named, whole.arm_of),
            results.settings.exhibit.disclosure.min_cell_firms,
        ),
    )
