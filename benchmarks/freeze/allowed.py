"""What may differ from the frozen tables, each with its reason: the whole list.

Everything else that differs by more than `comparison.RELATIVE` is a fault, or needs a line here
and a line `Estimates change: ...` in CHANGELOG.md.
"""

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.freeze.comparison import Difference

# Draws differ by this much between seeds: the 95th percentile of 999 maxima has an error of 0.08.
BAND_IN_STD_ERRORS = 0.25

# Designs whose weights balance the score's own covariates exactly.
PERFECTLY_BALANCED = {("michigan", "entropy")}

# Effects in proportion to a level, which had no band.
WITHOUT_A_BAND = {("simulated", "exports_value")}

# Scores have 8 decimals, and standardised differences divide by some hundredths, in percent too.
SCORE_MOVES = 1e-5

# Weights are stored to ten significant digits, and so are the covariates that entropy balancing
# solves them from.
STORED = 1e-8


@dataclass(frozen=True)
class Allowed:
    """Hold one kind of difference that is wanted: where, and why."""

    reason: str
    holds: Callable[[Difference], bool]


def _bound_of_band(found: Difference) -> bool:
    if found.table != "estimates" or found.column not in ("conf_low", "conf_high"):
        return False
    moved = abs(found.now - found.frozen)
    return found.key["band"] == "simultaneous" and moved <= BAND_IN_STD_ERRORS * found.std_error


def _ratio_at_perfect_balance(found: Difference) -> bool:
    return (
        found.table == "facts"
        and found.key["family"] == "rubin_r_after"
        and (found.study, found.key["design"]) in PERFECTLY_BALANCED
    )


def _balance_of_a_score(found: Difference) -> bool:
    return (
        found.table == "balance"
        and found.key["covariate"] in ("propensity_score", "linear_score")
        and abs(found.now - found.frozen) <= SCORE_MOVES
    )


def _weight_as_stored(found: Difference) -> bool:
    return (
        (found.table, found.column) in (("weights", "weight"), ("matches", "set_weight"))
        and found.kind == "number moved"
        and abs(found.now - found.frozen) <= STORED * abs(found.frozen)
    )


def _row_with_a_reason(found: Difference) -> bool:
    return found.table == "estimates" and found.kind == "new row without an estimate"


def _band_of_a_proportional_effect(found: Difference) -> bool:
    return (
        found.table == "estimates"
        and found.kind == "row is new"
        and (found.study, found.key["outcome"]) in WITHOUT_A_BAND
        and (found.key["family"], found.key["band"]) == ("event", "simultaneous")
    )


def _number_of_orders(found: Difference) -> bool:
    return found.kind == "row is new" and found.key.get("family") == "n_match_orders"


def _without_the_largest(found: Difference) -> bool:
    return (
        found.table == "estimates"
        and found.study == "simulated"
        and found.key["sample"] in ("without_largest_firm", "without_largest_five")
    )


ALLOWED = (
    Allowed(
        "simultaneous bands: one critical value from fixed directions instead of random draws "
        f"(bounds within {BAND_IN_STD_ERRORS} standard errors)",
        _bound_of_band,
    ),
    Allowed(
        "Rubin's R after weights that balance exactly is one rounding error over another: "
        "missing with a reason",
        _ratio_at_perfect_balance,
    ),
    Allowed(
        f"balance of the scores, which have 8 decimals where they had 10 (within {SCORE_MOVES:g})",
        _balance_of_a_score,
    ),
    Allowed(
        f"weights, stored to ten significant digits (within {STORED:g} of each)",
        _weight_as_stored,
    ),
    Allowed(
        "simultaneous bands of effects in proportion to a level, as of all others",
        _band_of_a_proportional_effect,
    ),
    Allowed(
        "over how many orders of matching an effect was found again, now a setting",
        _number_of_orders,
    ),
    Allowed(
        "what cannot be estimated is a row with a reason, where it was a gap",
        _row_with_a_reason,
    ),
    Allowed(
        "the largest firms are those with the largest totals before entry, treated or not, where "
        "they had the largest shares of their own group in all years",
        _without_the_largest,
    ),
)


def reason(difference: Difference) -> str | None:
    """Return why a difference is allowed, or None."""
    return next((entry.reason for entry in ALLOWED if entry.holds(difference)), None)
