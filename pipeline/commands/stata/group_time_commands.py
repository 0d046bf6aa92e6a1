"""Stata commands that repeat group-time effects: csdid within each entry year's risk set.

csdid compares each cohort with every firm that it is given, so it runs once for each stack, whose
firms are the cohort's own comparison. Effects of a stack, their mean and its standard error come
from csdid; the mean over stacks is theirs by the shares of treated firms. A standard error of that
mean needs the firms that stacks share, which separate runs do not know: ours is printed only.
"""

import math
from collections.abc import Iterator

from pipeline.commands.stata.checks import TOLERANCE, asserted, figure, repeated, told
from pipeline.commands.stata.matched_panel import MatchedPanel
from pipeline.effects.rows import Row
from pipeline.effects.study import Study
from pipeline.effects.terms import ATT
from pipeline.errors import DataError
from pipeline.estimators.group_time.estimate import overall_average
from pipeline.estimators.group_time.group_time import GroupTime
from pipeline.estimators.group_time.group_time_averages import cohort_averages
from pipeline.estimators.group_time.group_time_study import spec_effects
from pipeline.inference.analytic import Inferred, infer
from pipeline.panel.scale import on_scale
from pipeline.params.analyses import without_clusters
from pipeline.params.group_time_spec import GroupTimeSpec

# Our methods in csdid's words; `difference` is a regression on nothing but a constant.
METHODS = {
    "difference": "reg",
    "outcome_regression": "reg",
    "ipw": "stdipw",
    "doubly_robust": "dripw",
    "doubly_robust_improved": "drimp",
}
# The two must be the same computation: this is rounding.
_SAME = 1e-9


def group_time_commands(
    study: Study, panel: MatchedPanel, spec: GroupTimeSpec, estimates: dict[str, Row]
) -> Iterator[str]:
    """Yield the lines for every outcome of a spec on the panel's design.

    `estimates` are the rows of ESTIMATES of this spec and design, term `att`, by outcome. Raises
    DataError where ESTIMATES is not what the tables before it give.
    """
    yield from repeated(
        panel,
        spec.name,
        estimates,
        why_not=lambda _, row: _why_not(study, panel, spec, row),
        commands=lambda name, row: _checked(study, panel, spec, name, row=row),
    )


def _checked(
    study: Study, panel: MatchedPanel, spec: GroupTimeSpec, name: str, *, row: Row
) -> Iterator[str]:
    """Yield the commands of one outcome, once its effects are shown to be those of ESTIMATES."""
    effects = _effects(study, panel.design, spec, name)
    average = overall_average(effects, spec.average)
    if not abs(average.estimate(ATT) - row["estimate"]) <= _SAME:
        raise DataError(f"ESTIMATES is not what the panel gives for {name}: run `dvc repro`")
    shift = int((panel.rows["period"] - panel.rows["year"]).iloc[0])
    yield from _commands(panel, spec, name, effects, shift)
    yield from _overall(spec, effects, row, shift)


def _why_not(study: Study, panel: MatchedPanel, spec: GroupTimeSpec, row: Row) -> str:
    if math.isnan(row["estimate"]):
        return told(row)
    by_set = study.estimate.missing == "drop_set" and study.stacks[panel.design].sets is not None
    reasons = {
        "compares every firm of the panel, of which this file has the risk sets only": (
            spec.firms == "panel"
        ),
        f"firms weighted by {spec.weight_by}": spec.weight_by is not None,
        "firms have sampling weights": study.sampling is not None,
        "csdid clusters in one direction": without_clusters(spec.cluster) is not None,
        "csdid knows no years of anticipation": study.treatment.anticipation_years > 0,
        "matched sets count only where complete, so that weights differ from cell to cell": by_set,
    }
    return next((why for why, holds in reasons.items() if holds), "")


def _effects(study: Study, design: str, spec: GroupTimeSpec, name: str) -> GroupTime:
    outcome = study.outcomes[name]
    values = on_scale(study.panel[outcome.column], outcome)
    return spec_effects(study, spec, study.stacks[design], values)[0]


def _commands(
    panel: MatchedPanel, spec: GroupTimeSpec, name: str, effects: GroupTime, shift: int
) -> Iterator[str]:
    """Yield one csdid for each stack, with asserts of its effects from entry on."""
    yield f'use "{panel.design}.dta", clear'
    plain = panel.design == "unmatched" or bool((panel.rows["match_weight"] == 1).all())
    base = "long2" if spec.base == "universal" else ""
    assert isinstance(spec.cluster, str), "of one direction"
    (cluster,) = panel.clusters[spec.cluster]
    averages = infer(cohort_averages(effects), spec.clustering)
    cells = infer(effects.effects, spec.clustering)
    for position, average in enumerate(averages.estimated.terms):
        yield (
            f"csdid {panel.outcomes[name]} {_covariates(panel, spec)} if stack == {average.cohort}"
            f"{'' if plain else ' [pw=match_weight]'}, ivar(unit) time(period) gvar(gvar) "
            f"method({METHODS[spec.method]}) cluster({cluster}) {base}".rstrip()
        )
        after = {
            _coefficient(int(cell.cohort or 0), int(cell.year or 0), shift): i
            for i, cell in enumerate(effects.effects.terms)
            if cell.cohort == average.cohort and (cell.event_time or 0) >= 0
        }
        for coefficient, i in after.items():
            yield f"scalar {_scalar(coefficient)} = _b[{coefficient}]"
            yield from asserted(_found(cells, i), f"_b[{coefficient}]", f"_se[{coefficient}]")
        yield f"lincom ({' + '.join(f'_b[{name}]' for name in after)})/{len(after)}"
        yield from asserted(_found(averages, position))


def _found(inferred: Inferred, position: int) -> Row:
    """Return the estimate and its computed standard error."""
    estimate = float(inferred.estimated.estimates[position])
    return {"estimate": estimate, "std_error": float(inferred.std_errors[position])}


def _covariates(panel: MatchedPanel, spec: GroupTimeSpec) -> str:
    variables = [panel.covariates[name] for name in spec.covariates]
    return " ".join(f"i.{name}" if name in panel.values else name for name in variables)


def _coefficient(cohort: int, year: int, shift: int) -> str:
    """Return csdid's name of an effect from entry on: g2009:t_2008_2011."""
    return f"g{cohort + shift}:t_{cohort + shift - 1}_{year + shift}"


def _scalar(coefficient: str) -> str:
    return coefficient.replace(":", "_")


def _overall(spec: GroupTimeSpec, effects: GroupTime, row: Row, shift: int) -> Iterator[str]:
    """Yield the average over stacks as a sum of their effects, weights by share."""
    shares = overall_average(effects, spec.average).loadings[:, 0]
    yield "scalar average = 0"
    for cell, share in zip(effects.estimated, shares, strict=True):
        if share > 0:
            name = _scalar(_coefficient(cell.cohort, cell.year, shift))
            yield f"scalar average = average + {share:.17g}*{name}"
    yield f"assert reldif(average, {figure(row['estimate'])}) < {TOLERANCE}"
