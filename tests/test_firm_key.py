"""A firm that several columns name together: one identifier, in the panel and the register."""

import pandas as pd
import pytest
from pydantic import ValidationError
from test_delivered import data

from pipeline.errors import DataError
from pipeline.panel.sources import obtain_tables
from pipeline.params.clean import CleanSection
from pipeline.params.clean_faults import clean_faults

REGISTER = {"firm_id": ["town", "plant"], "entry_year": "entry"}


def obtained(folder, text, register=None, **changes):
    (folder / "firms.csv").write_text(text)
    source = {}
    if register is not None:
        (folder / "register.csv").write_text(register)
        source = {"register_file": "register.csv"}
        changes["register_columns"] = REGISTER
    return obtain_tables(data(source, firm_id=["town", "local"], **changes), folder)


def test_columns_that_name_a_firm_together_make_one_identifier(tmp_path):
    text = "town,local,year,sales\n01,23,2004,5\n012,3,2004,6\n01,,2004,7\n"
    tables = obtained(tmp_path, text, "town,plant,entry\n012,3.0,2005\n")
    found = tables.panel["town + local"]
    assert found.tolist()[:2] == ["01|23", "012|3"]
    assert pd.isna(found[2])
    assert tables.register["town + plant"].tolist() == ["012|3"]


def test_a_part_that_holds_the_mark_is_refused_by_row(tmp_path):
    with pytest.raises(DataError, match=r"column local: .* mark \|.*: 1 rows; .* row 3 of firms"):
        obtained(tmp_path, "town,local,year,sales\n1,2,2004,5\n1,2|3,2004,5\n")


def test_a_column_of_the_key_that_is_absent_is_named(tmp_path):
    with pytest.raises(DataError, match="the panel has no column local"):
        obtained(tmp_path, "town,year,sales\n1,2004,5\n")


def test_params_refuse_keys_of_other_widths_and_rules_of_one_number():
    with pytest.raises(ValidationError, match="must name as many columns"):
        data(firm_id=["town", "local"], register_columns=REGISTER | {"firm_id": "id"})
    clean = {"duplicates": {"identical": "refuse", "conflicting": "refuse"}}
    section = CleanSection.model_validate(clean | {"identifier": {"width": 8, "case": "upper"}})
    (fault,) = clean_faults(section, data(firm_id=["town", "local"]))
    assert fault.startswith("clean.identifier.width is of identifiers in one column")
    assert not list(clean_faults(section, data()))
