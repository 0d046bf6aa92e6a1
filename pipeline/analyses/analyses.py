"""Every analysis beside the specs: margins, exit, groups, size weights."""

from pipeline.analyses.groups import add_groups
from pipeline.analyses.margins import add_margins
from pipeline.analyses.size_weighted import add_size_weighted
from pipeline.analyses.survival import add_survival
from pipeline.effects.collected import Collected
from pipeline.effects.study import Study
from pipeline.matching.redo import Redo


def add_analyses(collected: Collected, study: Study, redo: Redo | None) -> None:
    """Add the rows of every analysis that params ask for.

    `redo` is what it takes to match again within groups.
    """
    asked = study.estimate.analyses
    if asked.margins is not None:
        add_margins(collected, study, asked.margins)
    if asked.survival is not None:
        add_survival(collected, study, asked.survival)
    if asked.groups is not None:
        add_groups(collected, study, asked.groups, redo)
    if asked.size_weighted is not None:
        add_size_weighted(collected, study, asked.size_weighted)
