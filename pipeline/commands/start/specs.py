"""The specs that a started study estimates: matched effects and, beside them, all firms."""

from string import Template

from pipeline.commands.start.lines import flow

# The spec of the unmatched design, where it adjusts for more than matched firms bear.
ALL_FIRMS = "stacked_all"
_SPEC = Template("""\
      $name:
        estimator: stacked
        designs: $designs
        outcomes: all
        terms: [att, event]
        average: event
        cluster: assignment
        # regression adjustment, slopes by year and entry year: $borne
        covariates: $covariates$few_clusters""")
_MATCHED = "one for 8 firms of the smallest"
_ALL = "trends that comparison firms tell"


def specs(adjusted: list[str], adjusted_all: list[str], few_clusters: str) -> str:
    """Return one spec, or two where the unmatched design adjusts for more covariates."""
    matched, unmatched = ["covariates"], ["unmatched"]
    if adjusted == adjusted_all:
        return _spec("stacked", unmatched + matched, adjusted, _MATCHED, few_clusters)
    corrected = "\n        bias_reduced: true" if few_clusters else ""
    return "\n".join((
        _spec("stacked", matched, adjusted, _MATCHED, few_clusters),
        _spec(ALL_FIRMS, unmatched, adjusted_all, _ALL, corrected),
    ))  # fmt: skip


def _spec(
    name: str, designs: list[str], covariates: list[str], borne: str, few_clusters: str
) -> str:
    return _SPEC.substitute(
        name=name, designs=flow(designs), covariates=flow(covariates), borne=borne,
        few_clusters=few_clusters,
    )  # fmt: skip
