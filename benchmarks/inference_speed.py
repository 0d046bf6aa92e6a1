"""Time what inference draws: `python -m benchmarks.inference_speed`.

Simultaneous bands of 8 and of 40 estimates, directions included, and 999 restricted wild bootstrap
draws of 50 clusters with their interval, each in a process of its own. `--sizes` are the firm-years
that the bootstrap draws from.
"""

import numpy as np

from benchmarks.side_by_side import Comparison, Side, compare
from benchmarks.twoway_speed import simulate

CLUSTERS, DRAWS = 50, 999


def band(estimates: int) -> None:
    """Find a simultaneous critical value, directions included."""
    from pipeline.inference.bands import simultaneous_critical_value

    simultaneous_critical_value(np.eye(estimates) + 1, 20, 0.95)


def wild_draws(data: dict[str, np.ndarray]) -> None:
    """Draw a restricted wild bootstrap, interval included."""
    from pipeline.effects.absorb import dense_codes
    from pipeline.effects.regression import absorb
    from pipeline.inference.wild_bootstrap import sums_for_draws, wild_test

    cluster = data["cluster"] % CLUSTERS
    post = (data["year"] >= data["first"]).astype(np.float64)[:, None]
    absorbed = absorb(post, data["firm"], data["year"] - 1, np.ones(len(post)))
    kept = absorbed.kept
    sums = sums_for_draws(data["y"][kept], post[kept], absorbed.effects, dense_codes(cluster[kept]))
    wild_test(sums, 0.95, DRAWS, np.random.default_rng(3))


PACKAGES = ("numpy", "scipy")

COMPARISON = Comparison(
    name="inference_speed",
    what="simultaneous bands, wild bootstrap",
    counted="firm-years",
    simulate=simulate,
    sides={
        "simultaneous band of 8 estimates": Side(lambda data: band(8), PACKAGES, own=True),
        "simultaneous band of 40 estimates": Side(lambda data: band(40), PACKAGES, own=True),
        "999 wild bootstrap draws, 50 clusters": Side(wild_draws, PACKAGES, own=True),
    },
    size=20_000,
)

if __name__ == "__main__":
    compare(COMPARISON, __doc__)
