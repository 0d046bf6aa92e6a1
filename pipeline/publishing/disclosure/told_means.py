"""Effects that tell a mean which is not shown: in percent of it, beside effects on the level.

An effect on the level, times 100, divided by the same effect in percent is the comparison mean.
"""

import numpy as np

from pipeline.datasets.arrays import Flags
from pipeline.datasets.details import DETAILS
from pipeline.datasets.samples import BASELINES
from pipeline.datasets.store import columns_that_tell
from pipeline.errors import Reason
from pipeline.exhibits.details import Details
from pipeline.exhibits.inputs import StudyResults
from pipeline.publishing.disclosure.details import without
from pipeline.publishing.disclosure.dominance import effects_in_levels

REASON = Reason("tells_hidden_mean")


def percents_of_hidden_means(results: StudyResults, vetted: StudyResults) -> set[str]:
    """Return the outcomes in percent of a mean that `vetted` hides, with a level estimated too."""
    outcomes = results.settings.outcomes.root
    in_percent = {name for name, outcome in outcomes.items() if outcome.in_percent_of_mean}
    rows = results.estimates[effects_in_levels(results) & results.estimates["estimate"].notna()]
    levels = {outcomes[name].column for name in set(rows["outcome"]) - in_percent}
    shown = _columns_with_mean(vetted)
    return {name for name in in_percent if outcomes[name].column in levels - shown}


def hide_effects_of(results: StudyResults, outcomes: set[str]) -> Details:
    """Return the details without what tells of an effect on some outcomes."""
    details = results.details
    for table in DETAILS:
        if "outcome" in table.key and (told := columns_that_tell(table, "effect")):
            details = without(details, table, told, _of(details, table.name, outcomes))
    return details


def _columns_with_mean(results: StudyResults) -> set[str | None]:
    """Return the columns whose comparison mean under the headline's design is shown."""
    design, outcomes = results.settings.estimate.headline.design, results.settings.outcomes.root
    rows = results.details.rows(BASELINES, design=design, treated=False)
    known = set(rows.loc[rows["mean"].notna(), "outcome"])
    return {outcomes[name].column for name in known if outcomes[name].in_levels}


def _of(details: Details, table: str, outcomes: set[str]) -> Flags:
    return np.asarray(details.tables[table]["outcome"].isin(outcomes), dtype=np.bool_)
