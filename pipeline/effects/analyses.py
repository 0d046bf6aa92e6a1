"""Every analysis beside the specs: margins, exit, groups, size weights."""

from pipeline.effects.bootstrap import Redo
from pipeline.effects.groups import add_groups
from pipeline.effects.ledger import Ledger
from pipeline.effects.margins import add_margins
from pipeline.effects.size_weighted import add_size_weighted
from pipeline.effects.study import Study
from pipeline.effects.survival import add_survival


def add_analyses(ledger: Ledger, study: Study, redo: Redo | None) -> None:
    """Add the rows of every analysis that params ask for.

    `redo` is what it takes to match again within groups.
    """
    asked = study.estimate.analyses
    if asked.margins is not None:
        add_margins(ledger, study, asked.margins)
    if asked.survival is not None:
        add_survival(ledger, study, asked.survival)
    if asked.groups is not None:
        add_groups(ledger, study, asked.groups, redo)
    if asked.size_weighted is not None:
        add_size_weighted(ledger, study, asked.size_weighted)
