"""Entries of the register that a column which no setting reads calls rejected."""

import re

import numpy as np
import pandas as pd

from pipeline.datasets.panel import REJECTION_NOT_READ
from pipeline.errors import Reason
from pipeline.panel.ledger import Issue, issue
from pipeline.panel.register_fields import RegisterRows
from pipeline.panel.values import distinct_values, text
from pipeline.params.data import RegisterColumns

# Words of rejection in English, Spanish, Portuguese and French, in small letters without accents.
_REJECTED = re.compile(
    r"(?<![a-z])(?:(?:no|nao|non|not)[^a-z]+(?:apro[bv]|appro|admi|adjudic|sele[ct]|accept|acept|aceit"
    r"|eleg|elig|benefici|award|funded|financ|reten|favora)|rechaz|rejeit|rejec?t|refus|recusad|deneg"
    r"|denied|desaprob|reprovad|desestim|indefer|inadmi|inele|ineli|unsuccessful)"
)
# A column with more different values holds names or remarks, which may speak of anything.
_MOST_CLASSES = 10


def unread_rejections(rows: RegisterRows, columns: RegisterColumns) -> list[Issue]:
    """Count rows that count as entry although a column of few classes, unread, rejects them."""
    firms, found = pd.DataFrame({"firm_id": rows.firm}), list[Issue]()
    for name in rows.register.columns.difference([*columns.named, columns.firm_key], sort=False):
        rejected = rows.entered & _rejects(rows.register[name])
        rule = Reason(REJECTION_NOT_READ, {"column": str(name)})
        found += issue(rule, "decision", rejected, firms, Reason("counted_as_entry"))
    return found


def _rejects(values: pd.Series) -> pd.Series:
    """Flag values that say that an application was rejected; none of a column of many classes."""
    code, distinct = distinct_values(text(values))
    plain = distinct.astype("str").str.casefold().str.normalize("NFKD")
    plain = plain.str.replace("[\u0300-\u036f]", "", regex=True)
    says = plain.str.contains(_REJECTED).to_numpy(dtype=np.bool_)
    few = len(distinct) <= _MOST_CLASSES
    return pd.Series(np.append(says & few, False)[code], values.index)
