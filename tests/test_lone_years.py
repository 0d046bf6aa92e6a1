"""Entry years of few firms: which effects speak of them, and which sizes tell of them."""

import pandas as pd
import pytest

from pipeline.datasets.reasons import packed_remarks, unpacked_remarks
from pipeline.errors import Reason
from pipeline.publishing.disclosure.lone_years import few_behind, without_lone_years

SIZES = {("matched", "sales"): {2010: 1, 2011: 16, 2012: 21}}


def estimates(code: str, years: list[int], design: str = "matched") -> pd.DataFrame:
    remarks = packed_remarks([Reason("other"), Reason(code, {"years": years})])
    return pd.DataFrame({"design": [design], "outcome": ["sales"], "remarks": [remarks]})


@pytest.mark.parametrize(
    ("years", "few"), [([2010], True), ([2011, 2012], False), ([2012], False), ([2009], False)]
)
def test_effects_on_entry_years_of_few_firms_only(years, few):
    found = estimates("entry_years_only", years)
    assert few_behind(found, SIZES, 5).tolist() == [few]
    assert not few_behind(estimates("entry_years_only", years, "other"), SIZES, 5).any()


@pytest.mark.parametrize(("years", "kept"), [([2011, 2012], 1), ([2010, 2011], 2), ([2012], 2)])
def test_no_remark_says_that_an_effect_lacks_entry_years_of_few(years, kept):
    shown = without_lone_years(estimates("entry_years_only", years), SIZES, 5)
    assert len(unpacked_remarks(shown["remarks"].iloc[0])) == kept


@pytest.mark.parametrize(("years", "kept"), [([2010], ["other"]), ([2012], ["other", "named"])])
def test_a_remark_that_names_a_lone_entry_year_goes_alone(years, kept):
    code = "entry_years_left_out_of_error"
    shown = without_lone_years(estimates(code, years), SIZES, 5)
    codes = [remark.code for remark in unpacked_remarks(shown["remarks"].iloc[0])]
    assert codes == [code if name == "named" else name for name in kept]
