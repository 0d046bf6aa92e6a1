"""Specs of comparisons of outcomes after entry: one outcome a firm and event time."""

from typing import Literal

from pydantic import Field

from pipeline.params.analyses import SpecCluster
from pipeline.params.spec_options import EstimatesAsked


class CrossSectionSpec(EstimatesAsked):
    """Define the difference in outcomes after entry between treated and comparison firms.

    At each event time from entry on, and within each entry year, the outcome is regressed on
    treatment by the design's weights; `att` is the equal-weight mean over event times. `base_value`
    says what becomes of the outcome in the reference year: `unused`, a difference in levels, which
    measures no change and is the only effect on outcomes that are first observed after entry
    (`post_only` in section outcomes); `covariate`, a regressor with a slope of its own in each
    entry year and event time (ANCOVA), where support was assigned at random
    (`treatment.assignment: random`). McKenzie (2012), doi:10.1016/j.jdeveco.2012.01.002;
    `subtracted`, one difference a firm.

    `inference: hc3` takes firms as independent: each residual over one less its leverage, firm by
    firm (MacKinnon & White 1985, doi:10.1016/0304-4076(85)90158-7), where support was assigned firm
    by firm and no firm serves two entry years.
    """

    gives = "effects"
    in_logs_only = False
    own = frozenset({"base_value"})

    estimator: Literal["cross_section"]
    terms: list[Literal["att", "event"]] = Field(min_length=1)
    cluster: SpecCluster
    base_value: Literal["unused", "covariate", "subtracted"]
    inference: Literal["analytic", "hc3"] = "analytic"
