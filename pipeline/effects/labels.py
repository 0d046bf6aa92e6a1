"""The label of an analysis' rows."""

from pipeline.effects.rows import Label
from pipeline.effects.study import Study
from pipeline.params.analyses import Analysis


def analysis_label(study: Study, name: str, analysis: Analysis, design: str, outcome: str) -> Label:
    """Return the label of an analysis' estimates, on the outcome's own scale."""
    return Label(
        outcome=outcome,
        design=design,
        estimator=name,
        estimand=study.estimand[design],
        scale=study.outcomes[outcome].scale,
        cluster=analysis.cluster,
        conf_level=study.estimate.conf_level,
    )
