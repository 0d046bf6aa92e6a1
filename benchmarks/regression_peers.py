"""Compare two-way, Poisson and wild-bootstrap figures with pyfixest and wildboottest.

    python -m benchmarks.regression_peers --peer /path/to/python [--page docs/group_time_peers.md]

A stacked sample with matching weights, firm x stack and year x stack effects: least squares
clustered in one and two directions, Poisson with zeros and separated rows, and the p-value of the
wild cluster bootstrap over all sign patterns.
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np

from benchmarks.side_by_side import printed_by

TERMS = 4
CLUSTERS, WILD_CLUSTERS = 30, 9

Figures = dict[str, list[float]]


def sample(n_units: int = 600, years: int = 6) -> dict[str, np.ndarray]:
    """Return a stacked sample: two stacks, weights, exports with zeros, treated x year columns."""
    rng = np.random.default_rng(20261124)
    unit = np.repeat(np.arange(n_units), years)
    year = np.tile(np.arange(years), n_units)
    stack = (np.arange(n_units) % 2)[unit]
    treated = (rng.random(n_units) < 0.3)[unit]
    cluster = rng.integers(0, CLUSTERS, n_units)[unit]
    other = rng.integers(0, 40, n_units)[unit]
    weight = np.where(treated, 1.0, rng.uniform(0.1, 1.5, n_units)[unit])
    shock = rng.normal(size=(CLUSTERS, years))[cluster, year]
    index = rng.normal(size=n_units)[unit] + 0.1 * year + 0.3 * shock + 0.2 * treated * (year > 2)
    level = rng.poisson(np.exp(index)).astype(float)
    level[unit % 17 == 0] = 0.0  # firms that never export
    level[treated & (stack == 0) & (year == years - 1)] = 0.0  # a separated effect
    columns = {
        f"d{k}": (treated & (stack == k // 2) & (year == 3 + k % 2)).astype(float)
        for k in range(TERMS)
    }
    columns["d4"] = (treated & (stack == 0) & (year == years - 1)).astype(float)
    return columns | {
        "unit": unit,
        "cell": stack * years + year,
        "cluster": cluster,
        "other": other,
        "weight": weight,
        "y": index + rng.normal(size=len(unit)),
        "level": level,
        "wild": cluster % WILD_CLUSTERS,
    }


def ours(data: dict[str, np.ndarray]) -> dict[str, Figures]:
    """Return coefficients and standard errors by regression, and the enumerated p-value."""
    from pipeline.effects.estimated import Seen
    from pipeline.effects.least_squares import fit_absorbed
    from pipeline.effects.poisson import fit_poisson
    from pipeline.effects.terms import Term
    from pipeline.inference.analytic import infer

    names = tuple(f"d{k}" for k in range(TERMS))
    terms = [Term(name) for name in names]
    columns = np.column_stack([data[name] for name in names])
    first_row = np.unique(data["unit"], return_index=True)[1]
    seen = Seen(
        firm=data["unit"],
        treated=(columns > 0).any(axis=1),
        assignment=data["cluster"][first_row],
        matched_set=data["other"][first_row],
    )
    given = {"first": data["unit"], "second": data["cell"], "weight": data["weight"], "seen": seen}
    linear = fit_absorbed(data["y"], columns, terms, **given)
    with_separation = np.column_stack([columns, data["d4"]])
    poisson = fit_poisson(data["level"], with_separation, [*terms, None], **given)
    found = {}
    for label, fit, cluster in (
        ("one-way", linear, "assignment"),
        ("two-way", linear, "set_and_assignment"),
        ("Poisson", poisson, "assignment"),
    ):
        inferred = infer(fit, cluster)
        pairs = np.column_stack([inferred.estimated.estimates, inferred.std_errors]).tolist()
        found[label] = dict(zip(names, pairs, strict=True))
    found["wild"] = {"d0": _wild(data, columns)}
    return found


def _wild(data: dict[str, np.ndarray], columns: np.ndarray) -> list[float]:
    """Return the p-value of the first column by the wild bootstrap, and the share larger."""
    from pipeline.effects.absorb import dense_codes
    from pipeline.effects.regression import absorb
    from pipeline.inference.wild_bootstrap import sums_for_draws, wild_test

    absorbed = absorb(columns, data["unit"], data["cell"], np.ones(len(data["y"])))
    kept = absorbed.kept
    wild = dense_codes(data["wild"][kept])
    sums = sums_for_draws(data["y"][kept], columns[kept], absorbed.effects, wild)
    test = wild_test(sums, 0.95, 9_999, np.random.default_rng(0))
    return [test.p_value, test.larger_share]


def peer(data: dict[str, np.ndarray]) -> dict[str, Figures]:
    """Return pyfixest's figures; the bootstrap runs on the columns left after the effects."""
    import pandas as pd
    import pyfixest

    names = [f"d{k}" for k in range(TERMS)]
    table = pd.DataFrame(data)
    formula = f"y ~ {' + '.join(names)} | unit + cell"
    given = {"weights": "weight", "demeaner": pyfixest.MapDemeaner(fixef_tol=1e-13)}
    one = pyfixest.feols(formula, table, vcov={"CRV1": "cluster"}, **given)
    two = pyfixest.feols(formula, table, vcov={"CRV1": "cluster+other"}, **given)
    poisson = pyfixest.fepois(
        f"level ~ {' + '.join([*names, 'd4'])} | unit + cell",
        table,
        vcov={"CRV1": "cluster"},
        iwls_tol=1e-13,
        iwls_maxiter=200,
        separation_check=["fe", "ir"],
        **given,
    )
    found = {
        label: {name: [float(fit.coef()[name]), float(fit.se()[name])] for name in names}
        for label, fit in (("one-way", one), ("two-way", two), ("Poisson", poisson))
    }
    found["wild"] = {"d0": [_wild_p_value(table, names)]}
    return found


def _wild_p_value(table, names: list[str]) -> float:
    """Return wildboottest's p-value, on columns from which effects are taken exactly beforehand."""
    import pandas as pd
    import statsmodels.api as sm
    from wildboottest.wildboottest import wildboottest

    dummies = pd.get_dummies(table[["unit", "cell"]].astype(str), dtype=float)
    basis = np.linalg.qr(dummies.to_numpy())[0]
    columns = table[["y", *names]].to_numpy()
    left = pd.DataFrame(columns - basis @ (basis.T @ columns), columns=["y", *names])
    model = sm.OLS(left["y"], left[names])
    found = wildboottest(model, param="d0", cluster=table["wild"], B=9_999, show=False)
    return float(np.ravel(found["p-value"])[0])


def lines(own: dict[str, Figures], theirs: dict[str, Figures]) -> list[str]:
    """Return the comparison as Markdown."""
    text = [
        "| figure | largest difference of coefficients | of standard errors |",
        "|---|---|---|",
    ]
    for label in ("one-way", "two-way", "Poisson"):
        pairs = [np.subtract(own[label][name], theirs[label][name]) for name in own[label]]
        gap = np.abs(pairs).max(axis=0)
        text.append(f"| {label} | {gap[0]:.1e} | {gap[1]:.1e} |")
    (p_value, larger), (theirs_p,) = own["wild"]["d0"], theirs["wild"]["d0"]
    text += [
        "",
        f"Wild bootstrap, all {2**WILD_CLUSTERS} sign patterns: share with a larger statistic "
        f"{larger:.8f} here and {theirs_p:.8f} in wildboottest; p = {p_value:.8f} here, where the "
        "patterns that repeat the data count, too.",
    ]
    return text


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--peer", help="interpreter with pyfixest and wildboottest")
    parser.add_argument("--page", type=Path, help="page whose last section is written again")
    parser.add_argument("--run", choices=["peer"])
    options = parser.parse_args()
    if options.run:
        print(json.dumps(peer(sample())))
        return
    python = options.peer or sys.executable
    theirs = printed_by(python, "benchmarks.regression_peers", "--run", "peer")
    text = "\n".join(lines(ours(sample()), theirs))
    print(text)
    if options.page:
        head = options.page.read_text().split("<!-- regressions -->")[0]
        options.page.write_text(f"{head}<!-- regressions -->\n\n{text}\n")


if __name__ == "__main__":
    main()
