"""The interval of Imbens and Manski: it covers a bounded effect, not the whole set of bounds."""

from collections.abc import Sequence

import numpy as np

from pipeline.effects.rows import Label, Row, effect_row
from pipeline.effects.terms import Term, bounds_on
from pipeline.errors import Reason
from pipeline.inference.analytic import Inferred
from pipeline.inference.cautions import cluster_caution

INFERENCE = "imbens_manski"


def covering_row(label: Label, effect: Term, inferred: Inferred, assumes: Reason) -> Row:
    """Return the row of the interval that covers an effect.

    `inferred` holds the lower and the upper bound; `assumes` says whom they are for and what they
    need.
    """
    counts = inferred.counts
    known = bool(np.isfinite(inferred.known_errors).all())
    low, high = _interval(effect, inferred, label.conf_level) if known else (np.nan, np.nan)
    caution = cluster_caution(label.cluster, counts.n_clusters, counts.n_treated_clusters)
    said = [Reason("bounded"), assumes, *([caution] if known and caution is not None else [])]
    interval = effect_row(
        label,
        effect,
        inference=INFERENCE,
        conf_low=low,
        conf_high=high,
        remarks=said,
    )
    return interval | counts.columns


def _interval(effect: Term, inferred: Inferred, conf_level: float) -> tuple[float, float]:
    bounds = [inferred.estimated.terms.index(bound) for bound in bounds_on(effect)]
    lower, upper = inferred.estimated.estimates[bounds].tolist()
    return imbens_manski((lower, upper), inferred.std_errors[bounds].tolist(), conf_level)


def imbens_manski(
    bounds: tuple[float, float], errors: Sequence[float], conf_level: float
) -> tuple[float, float]:
    """Return an interval that covers the effect, not the whole set, with the given probability.

    lower - c SE, upper + c SE, where Phi(c + width / max SE) - Phi(-c) = conf_level. Imbens &
    Manski (2004), doi:10.1111/j.1468-0262.2004.00555.x.
    """
    from scipy.optimize import brentq
    from scipy.stats import norm

    lower, upper = bounds
    if not max(errors) > 0:
        return float("nan"), float("nan")
    width = max(upper - lower, 0.0) / max(errors)
    critical = brentq(lambda c: norm.cdf(c + width) - norm.cdf(-c) - conf_level, 0, 10)
    return lower - critical * errors[0], upper + critical * errors[1]
