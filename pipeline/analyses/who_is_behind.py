"""Who stands behind what is published of all arms: what disclosure control must know of firms."""

import pandas as pd

from pipeline.analyses.counted_firms import count_sets
from pipeline.analyses.means_of_arms import MeansOfArms
from pipeline.analyses.populations import count_populations
from pipeline.datasets.store import Dataset
from pipeline.selection.arm_flow import ListedFirms


def who_is_behind(means: MeansOfArms, listed: ListedFirms | None) -> dict[Dataset, pd.DataFrame]:
    """Return the tables of sets of firms behind means, effects and counts.

    `listed` are the firms that arms list, None of a study without arms.
    """
    return count_populations(means) | count_sets(means, listed)
