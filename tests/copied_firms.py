"""The cluster bootstrap by copies of firms: every sample scored, weighed and estimated anew.

Slow, and independent of how `pipeline.inference.bootstrap` counts firms more than once: a firm that
was drawn twice is two firms with names of their own.
"""

import numpy as np
import pandas as pd

from pipeline.effects.adjusted_sample import standardised_covariates
from pipeline.effects.sample import check_comparable, stacked_sample
from pipeline.effects.stacks import join_stacks
from pipeline.errors import EvaluationError, IdentificationError
from pipeline.estimators.registry import ESTIMATORS
from pipeline.matching.designs import design_risk_sets, match_stack, weight_rows
from pipeline.panel.panel_index import PanelIndex, index_panel
from pipeline.panel.scale import on_scale
from pipeline.selection.likelihood import maximise
from pipeline.selection.propensity import score_risk_sets


def copied_terms(study, redo, spec, design, outcome):
    """Return the terms of every draw, one dictionary each, and the reason of the last failure."""
    rng = np.random.default_rng(spec.seed)
    index = index_panel(study.panel)
    described = study.outcomes[outcome]
    values = on_scale(study.panel[described.column], described)
    model = "unmatched" if design == "unmatched" else redo.match.designs[design].score
    firms = redo.scores[redo.scores["model"] == model].reset_index(drop=True)
    found, failure = [], None
    for _ in range(spec.draws):
        try:
            copies = draw(firms, rng)
            stacks = copied_stacks(study, redo, design, firms, copies=copies, index=index)
        except EvaluationError as error:
            failure = error.reason
            found.append({})
            continue
        found.append(terms(study, spec, stacks, values))
    return found, failure


def draw(firms, rng):
    """Draw clusters within treated and other ones; return row and number of each firm's copy."""
    code, _ = pd.factorize(firms["cluster"])
    with_treated = np.bincount(code, weights=firms["treated"]) > 0
    times = np.zeros(len(with_treated), dtype=np.int64)
    for group in (np.flatnonzero(with_treated), np.flatnonzero(~with_treated)):
        if len(group):
            times += np.bincount(rng.choice(group, len(group)), minlength=len(times))
    copies = pd.DataFrame({"row": np.repeat(np.arange(len(firms)), times[code])})
    return copies.assign(number=copies.groupby("row").cumcount())


def copied_stacks(study, redo, design, firms, *, copies, index):
    """Fit the score and make the weights on one sample of copies, and join it to PANEL."""
    sample = firms.iloc[copies["row"]].reset_index(drop=True)
    own_id = sample["firm_id"] + "\n" + copies["number"].astype("str")
    own_cluster = sample["cluster"] + "\n" + copies["number"].astype("str")
    resampled = sample.assign(firm_id=own_id, cluster=own_cluster)
    key = ["stack", "firm_id"]
    dated = sample[key].merge(redo.covariates, on=key, how="left").assign(firm_id=own_id)
    rule = redo.match.designs.get(design)
    scores = resampled
    if rule is not None:
        only = redo.score.model_copy(update={"models": {rule.score: redo.score.models[rule.score]}})
        scores = score_risk_sets(resampled, dated, only, maximise).scores
    risk_sets = design_risk_sets(scores, dated, design, rule)
    weights = pd.concat([weight_rows(match_stack(r, rule), design) for r in risk_sets])
    original = pd.Series(sample["firm_id"].to_numpy(), index=own_id).groupby(level=0).first()
    row = index.row[index.codes(original)]
    copied = PanelIndex(pd.Index(original.index), index.first_year, row)
    no_matches = pd.DataFrame(columns=["design", "stack", "set_id", "firm_id", "set_weight"])
    return join_stacks(copied, weights, no_matches, design, study.treatment)


def terms(study, spec, stacks, values):
    """Return the terms of one sample; none where it identifies no effect."""
    try:
        columns = None
        if spec.covariates:
            columns = standardised_covariates(study, stacks, spec.covariates)
        sample = stacked_sample(stacks, values, study.estimate.missing, columns)
        check_comparable(sample)
        return ESTIMATORS[spec.estimator].again().terms(study, spec, sample)
    except IdentificationError:
        return {}
