"""Record the rules of sections data, clean and treatment as they ran, in DATA_RULES."""

import json
from typing import Any

import pandas as pd

from pipeline.datasets.rules import DATA_RULES, NO_PLACE
from pipeline.datasets.store import conform
from pipeline.params.clean import CleanSection
from pipeline.params.data import DataSection
from pipeline.params.options import SetRule, rules_of
from pipeline.params.treatment import RegisterEntry, TreatmentSection
from pipeline.params.written import FileFormat

# Options by rule that say how delivered files are read.
_OF_FILES = {
    "data": {"firm_id", "year", "max_rows", "confidential"},
    "data_columns": {"column"},
    "data_links": {"file", "source", "target", "year", "kind", "weight"},
    "data_links_format": set(FileFormat.model_fields),
}


def data_rules(data: DataSection, clean: CleanSection, treatment: TreatmentSection) -> pd.DataFrame:
    """Return DATA_RULES: the panel's columns and clusters, cleaning, entry and comparison.

    How files are read, and what their columns are called, is not in it.
    """
    described = data.model_copy(update={"source": None, "register_columns": None})
    if not isinstance(treatment.entry, RegisterEntry):
        # rules of a register that the study does not have
        clean = clean.model_copy(update={"register_values": None})
    sections = {"data": described, "clean": clean, "treatment": treatment}
    rules = [rule for name, section in sections.items() for rule in rules_of(section, name)]
    rows = [
        {
            "position": position,
            "rule": rule.code,
            "place": rule.place or NO_PLACE,
            "options": json.dumps(_without_files(rule), ensure_ascii=False),
        }
        for position, rule in enumerate(rules, start=1)
    ]
    return conform(DATA_RULES, pd.DataFrame(rows))


def _without_files(rule: SetRule) -> dict[str, Any]:
    silent = _OF_FILES.get(rule.code, set())
    return {name: value for name, value in rule.options.items() if name not in silent}
