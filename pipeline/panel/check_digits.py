"""Check digits of identifiers, by the extra [ids]: python-stdnum, imported where it is used."""

from importlib import import_module
from typing import Any

import numpy as np
import pandas as pd

from pipeline.datasets.panel import WRONG_CHECK_DIGIT
from pipeline.errors import DataError, Reason
from pipeline.panel.identifiers import as_declared
from pipeline.panel.ledger import Issue
from pipeline.panel.values import text
from pipeline.params.identifier import CheckDigit, Identifier, Side

_MODULES: dict[CheckDigit, str] = {
    "cnpj": "br.cnpj",
    "cpf": "br.cpf",
    "rut": "cl.rut",
    "cuit": "ar.cuit",
    "ruc_pe": "pe.ruc",
    "ruc_ec": "ec.ruc",
    "ruc_py": "py.ruc",
    "rut_uy": "uy.rut",
    "nit_co": "co.nit",
    "nit_gt": "gt.nit",
    "nit_sv": "sv.nit",
    "rnc": "do.rnc",
    "cpj": "cr.cpj",
    "rif": "ve.rif",
    "rfc": "mx.rfc",
    "nif": "es.nif",
    "nif_pt": "pt.nif",
}


def wrong_check_digits(delivered: pd.Series, written: Identifier, side: Side) -> list[Issue]:
    """Count the different identifiers of a table whose check digit is wrong; they are kept.

    Raises DataError where the extra that knows check digits is not installed.
    """
    if written.check_digit is None:
        return []
    distinct = text(delivered).dropna().drop_duplicates()
    ids = pd.Series(as_declared(distinct, written, side, whole=True), dtype="str").dropna()
    if written.drop_check_digit == "longer":  # others have none
        ids = ids[ids.str.len() == written.width_of(0) + 1]
    elif not written.cut_at and not written.drops_last_of(side):
        ids = ids.str.zfill(written.width_of(0))
    ids = ids.drop_duplicates()
    is_valid = _checker(written.check_digit)
    n_wrong = int(np.sum([not is_valid(identifier) for identifier in ids]))
    if not n_wrong:
        return []
    rule = Reason(f"{WRONG_CHECK_DIGIT}_{side}", {"digit": written.check_digit.upper()})
    return [Issue(rule, "firm_id", Reason("kept"), n_wrong, n_wrong)]


def _checker(digit: CheckDigit) -> Any:
    try:
        return import_module(f"stdnum.{_MODULES[digit]}").is_valid
    except ImportError:
        raise DataError(
            "clean.identifier.check_digit is checked by python-stdnum, which is not installed: "
            'install the extra, python -m pip install -c constraints.txt -e ".[ids]"'
        ) from None
