"""What a reader must know of the headline effects before quoting one, worst first."""

from pipeline.exhibits.checks.caution import SEVERITIES, Caution
from pipeline.exhibits.checks.outcome_checks import OUTCOME_CHECKS
from pipeline.exhibits.checks.study_checks import STUDY_CHECKS
from pipeline.exhibits.inputs import StudyResults
from pipeline.exhibits.words.findings import headline_effect


def study_cautions(results: StudyResults) -> list[Caution]:
    """Return what every check found, those on outcomes first; nothing of effects not estimated."""
    found: list[Caution] = []
    for name in results.settings.outcomes.intended:
        effect = headline_effect(results, name)
        if effect is not None:
            found += [c for check in OUTCOME_CHECKS if (c := check(results, name, effect))]
    found += [c for check in STUDY_CHECKS if (c := check(results))]
    return sorted(found, key=lambda caution: SEVERITIES.index(caution.severity))


def cautions_on(cautions: list[Caution], outcome: str) -> list[Caution]:
    """Return the cautions that weaken what is said of an outcome, those on all among them."""
    return [c for c in cautions if c.weakens and c.outcome in (None, outcome)]
