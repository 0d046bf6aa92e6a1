"""The label of the rows that a spec or an analysis adds."""

from pipeline.effects.rows import Label
from pipeline.effects.study import Study
from pipeline.params.analyses import Analysis
from pipeline.params.estimate import Spec


def spec_label(study: Study, spec: Spec, design: str, outcome: str) -> Label:
    """Return the label of a spec's estimates, on the outcome's own scale."""
    return _label(study, spec.name, spec.cluster, design, outcome)


def analysis_label(study: Study, name: str, analysis: Analysis, design: str, outcome: str) -> Label:
    """Return the label of an analysis' estimates, on the outcome's own scale."""
    return _label(study, name, analysis.cluster, design, outcome)


def _label(study: Study, estimator: str, cluster: str, design: str, outcome: str) -> Label:
    return Label(
        outcome=outcome,
        design=design,
        estimator=estimator,
        estimand=study.estimand[design],
        scale=study.outcomes[outcome].scale,
        cluster=cluster,
        conf_level=study.estimate.conf_level,
    )
