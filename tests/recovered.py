"""Estimates beside the truth that the same estimator finds in the true effects."""

import pandas as pd
from stacked_tables import outcomes, treatment
from told import with_names

from pipeline.analyses.recovery import recover
from pipeline.analyses.specs import estimate_specs
from pipeline.effects.study import prepare_study


def recovered(panel, untreated, matches, weights, estimate) -> pd.DataFrame:
    """Return estimates beside the truth that the same estimator finds in the true effects."""
    sections = {
        "outcomes": outcomes(),
        "treatment": treatment(-3, 2),
        "matched_times": {},
        "estimate": estimate,
    }
    truth = untreated[["firm_id", "year", "sales"]].rename(columns={"sales": "sales_untreated"})
    study = prepare_study(panel, matches, weights, **sections)
    return with_names(recover(study, truth, estimate_specs(study).estimates))
