"""Exit told by a flag: rows in which a column says that the firm is closed or not there."""

import numpy as np
import pandas as pd

from pipeline.errors import Reason
from pipeline.panel.ledger import Ruled, issue
from pipeline.panel.rules.standard import is_code
from pipeline.params.clean import EXIT_YEAR, ExitFlag


def exits_by_flag(panel: pd.DataFrame, rule: ExitFlag) -> Ruled:
    """Leave out the rows that a column flags, and give each firm the year in which it is gone.

    EXIT_YEAR is that of the first flagged row after the last row that is not flagged, in every row
    of the firm; missing for who has none. Flagged rows before that are gaps: the firm came back.
    """
    gone = is_code(panel[rule.column], rule.gone).fillna(False).astype(bool)
    firm, year = panel["firm_id"], panel["year"].astype("float64")
    last_there = year.where(~gone).groupby(firm).transform("max")
    for_good = gone & (year > last_there.fillna(-np.inf))
    exit_year = year.where(for_good).groupby(firm).transform("min")
    flag = {"column": rule.column, "values": ", ".join(rule.gone)}
    found = (
        *issue(Reason("flagged_gone", flag), rule.column, for_good, panel, Reason("left_out")),
        *issue(
            Reason("flagged_gone_and_back", flag),
            rule.column,
            gone & ~for_good,
            panel,
            Reason("left_out"),
        ),
    )
    every = panel.assign(**{EXIT_YEAR: exit_year})
    return Ruled(every, found, Reason("not_flagged_gone", flag), ~gone)
