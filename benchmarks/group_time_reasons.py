"""Why figures of other packages differ from ours: what their code does, as far as reading tells."""

from benchmarks.group_time_cells import Options

SHORT = (
    "years of anticipation against the year before, as R's did until 2.5.1; since then, and here, "
    "against the last year before anticipation (Callaway and Sant'Anna 2021)"
)
UNWEIGHTED = "ignores sampling weights when it averages effects over cohorts"
EARLY = "its overall and cohort averages include the years of anticipation"
MASS = (
    "divides the comparison firms' part by the treated mass instead of the sum of their odds, and "
    "bounds scores at 0.01; its regression and weighting estimates agree"
)
FACTOR = "multiplies clustered variances by G / (G - 1)"
ROWS = "other standard errors for rows of panels with gaps; effects agree"
GAPS = (
    "with gaps its effects differ, in about half the pairs of years, from the differences of mean "
    "changes (or levels) that tests compute by hand and that ours are; the cause is its selection "
    "of rows, not found"
)
BY_PAIR = (
    "with gaps it weights cohorts by the treated firms of each pair of years; here by all treated "
    "firms that some pair uses"
)
IMPROVED = "another standard error for the improved estimator; effects agree, and moderndid's too"


def reason(package: str, run: Options, family: str) -> str:
    """Return why a figure of a family of terms may differ, empty where it may not."""
    if package == "differences":
        return _differences(run, family)
    if package == "moderndid" and run.weighted and family not in ("att_gt", "cohort"):
        return UNWEIGHTED
    if package == "diff_diff" and run.anticipation and family in ("simple", "cohort"):
        return EARLY
    if package != "csdid" and _short(run, family):
        return SHORT
    return _diff_diff(run, family) if package == "diff_diff" else ""


def _short(run: Options, family: str) -> bool:
    return run.base == "varying" and run.anticipation > 1 and family in ("att_gt", "event")


def _differences(run: Options, family: str) -> str:
    if run.gaps != "none":
        return GAPS
    if _short(run, family):
        return SHORT
    return IMPROVED if run.method == "doubly_robust_improved" else ""


def _diff_diff(run: Options, family: str) -> str:
    if run.gaps == "every_row":
        return ROWS
    if run.gaps == "pairs" and family in ("simple", "event"):
        return BY_PAIR
    if run.method == "doubly_robust":
        return MASS
    return FACTOR if run.clustered else ""
