"""What an error can say of itself where a table holds it."""

import pandas as pd
import pytest

from pipeline.errors import DataError, Reason, SupportError


def test_an_error_without_a_reason_has_no_place_in_a_table():
    stopped = DataError("weights are missing")
    with pytest.raises(DataError, match=r"^weights are missing$") as raised:
        stopped.reason  # noqa: B018
    assert raised.value is stopped


def test_the_place_of_an_error_keeps_its_class_reason_and_rows():
    rows = pd.DataFrame({"firm_id": ["1"]})
    error = SupportError("too few", rows, reason=Reason("no_covariance")).at("design a", "; merge")
    assert type(error) is SupportError and str(error) == "design a: too few; merge"
    assert error.reason == Reason("no_covariance") and error.problems is rows
    with pytest.raises(DataError, match=r"^design a: weights are missing$"):
        raise DataError("weights are missing").at("design a")
