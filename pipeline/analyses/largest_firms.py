"""The largest firm in what paths and baseline means publish."""

import pandas as pd

from pipeline.datasets.dominance import OUTCOME_DOMINANCE, largest_share
from pipeline.effects.study import Study, asked, outcome_sample


def outcome_dominance(study: Study) -> pd.DataFrame:
    """Return OUTCOME_DOMINANCE: means of levels in the estimates' samples."""
    columns = list(OUTCOME_DOMINANCE.columns)
    parts = [pd.DataFrame(columns=columns)]
    for design, name, _ in asked(study):
        outcome = study.outcomes[name]
        if not outcome.observed or outcome.transform == "any":
            continue
        sample = outcome_sample(study, design, name)
        level = study.panel[outcome.column].to_numpy(float, na_value=float("nan"))
        by = [
            pd.Series(sample.treated, name="treated"),
            pd.Series(sample.event_time, name="event_time"),
        ]
        firm = pd.Series(sample.stacks.firm[sample.unit], name="firm")
        parts_of = pd.Series(level[sample.panel_row] * sample.weight)
        by_firm = parts_of.groupby([*by, firm]).sum().reset_index(name="x")
        share = largest_share(by_firm["x"], [by_firm["treated"], by_firm["event_time"]])
        parts.append(share.rename("share").reset_index().assign(outcome=name, design=design))
    return pd.concat(parts)[columns]
