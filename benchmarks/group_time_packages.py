"""Group-time effects by other packages, run in the interpreter that has them.

    <python> -m benchmarks.group_time_packages <package>

Prints one JSON object: by run, by term, estimate and standard error. What a package has no option
for is left out; what it fails on is an empty run. Terms are named as in ESTIMATES.
"""

import argparse
import contextlib
import io
import json
import warnings
from collections.abc import Callable

import numpy as np
import pandas as pd

from benchmarks.group_time_cells import BALANCED_LAST_EVENT_TIME, Options, grid, table

Figures = dict[str, tuple[float, float]]


def csdid(run: Options) -> Figures | None:
    """Run csdid, the port of R's did; improved estimators come from moderndid's DRDID."""
    from csdid.att_gt import ATTgt

    if run.gaps == "pairs":
        return None
    model = ATTgt(
        yname="y",
        tname="year",
        idname="firm",
        gname="first",
        data=table(run.data),
        control_group=run.control.replace("_", ""),
        xformla="y ~ 1" if run.method == "difference" else "y ~ x1",
        panel=True,
        allow_unbalanced_panel=run.gaps == "every_row",
        anticipation=run.anticipation,
        weights_name="weight" if run.weighted else None,
        clustervar="cluster" if run.clustered else None,
    )
    model.fit(_method(run), run.base, bstrap=False)
    found = model.results
    cells = zip(found["group"], found["year"], found["att"], found["se"], strict=True)
    figures = {f"att_gt[{int(g)},{int(t)}]": (float(b), float(s)) for g, t, b, s in cells}
    figures |= _aggregated(model, "simple", "simple", "simple")
    figures |= _aggregated(model, "group", "cohort", "cohort_average")
    figures |= _aggregated(model, "calendar", "year", "year_average")
    figures |= _aggregated(model, "dynamic", "event", "event_average")
    last = BALANCED_LAST_EVENT_TIME
    return figures | _aggregated(model, "dynamic", "event_balanced", "", balance_e=last)


def _method(run: Options) -> str | Callable[..., tuple[float, np.ndarray]]:
    plain = {"outcome_regression": "reg", "difference": "reg", "ipw": "ipw", "doubly_robust": "dr"}
    if run.method in plain:
        return plain[run.method]
    import moderndid

    def by_panel(y1, y0, D, i_weights, covariates):
        found = moderndid.drdid_imp_panel(
            y1, y0, D, covariates, i_weights=i_weights, influence_func=True
        )
        return found.att, found.att_inf_func

    def by_row(y, post, D, i_weights, covariates):
        found = moderndid.drdid_imp_local_rc(
            y, post, D, covariates, i_weights=i_weights, influence_func=True
        )
        return found.att, found.att_inf_func

    return by_row if run.gaps == "every_row" else by_panel


def _aggregated(model: object, kind: str, name: str, overall: str, **given: int) -> Figures:
    model.aggte(kind, bstrap=False, cband=False, na_rm=True, **given)
    found = model.atte
    figures = {overall: (float(found["overall_att"]), float(found["overall_se"]))}
    if found["egt"] is not None:
        parts = zip(found["egt"], found["att_egt"], found["se_egt"], strict=True)
        figures |= {f"{name}[{int(e)}]": (float(b), float(s)) for e, b, s in parts}
    return {term: figure for term, figure in figures.items() if term}


# What `differences` calls the methods.
_OF_DIFFERENCES = {
    "difference": "reg",
    "outcome_regression": "reg",
    "ipw": "std_ipw-mle",
    "doubly_robust": "dr",
    "doubly_robust_improved": "dr-ipt",
}


def differences(run: Options) -> Figures | None:
    """Run differences, which clusters only with older releases of pandas."""
    from differences import ATTgt

    if run.gaps == "balanced" or run.clustered:
        return None
    data = table(run.data)
    data["first"] = data["first"].replace(0, np.nan)
    model = ATTgt(
        data=data.set_index(["firm", "year"]),
        cohort_column="first",
        base_period=run.base,
        anticipation=run.anticipation,
    )
    found = model.fit(
        "y" if run.method == "difference" else "y ~ x1",
        est_method=_OF_DIFFERENCES[run.method],
        control_group=run.control,
        as_repeated_cross_section=False if run.gaps == "pairs" else None,
        weights_column="weight" if run.weighted else None,
        progress_bar=False,
    )
    frame = found.to_pandas()
    figures = {
        f"att_gt[{int(index[0])},{int(index[2])}]": pair
        for index, pair in zip(frame.index, _pairs(frame), strict=True)
    }
    kinds = {"event": "event", "cohort": "cohort", "time": "year"}
    for kind, name in kinds.items():
        parts, overall = found.aggregate(kind), found.aggregate(kind, overall=True)
        figures |= {
            f"{name}[{int(part)}]": pair
            for part, pair in zip(parts.index, _pairs(parts), strict=True)
        }
        figures[f"{name}_average"] = _pairs(overall)[0]
    return figures | {"simple": _pairs(found.aggregate("simple"))[0]}


def _pairs(frame: pd.DataFrame) -> list[tuple[float, float]]:
    """Return estimate and standard error of each row of a table with three levels of columns."""
    by_name = {column[-1]: column for column in frame.columns}
    chosen = frame[[by_name["ATT"], by_name["std_error"]]].to_numpy(float)
    return [(float(b), float(s)) for b, s in chosen]


def diff_diff(run: Options) -> Figures | None:
    """Run diff-diff; its weights are a survey design, with its own degrees of freedom."""
    from diff_diff import CallawaySantAnna

    if run.method == "doubly_robust_improved" or run.weighted or run.gaps == "balanced":
        return None
    names = {"difference": "reg", "outcome_regression": "reg", "ipw": "ipw", "doubly_robust": "dr"}
    model = CallawaySantAnna(
        control_group=run.control,
        anticipation=run.anticipation,
        estimation_method=names[run.method],
        cluster="cluster" if run.clustered else None,
        base_period=run.base,
        allow_unbalanced_panel=run.gaps == "every_row",
    )
    found = model.fit(
        table(run.data),
        outcome="y",
        unit="firm",
        time="year",
        first_treat="first",
        covariates=None if run.method == "difference" else ["x1"],
        aggregate="all",
    )
    figures = {
        f"att_gt[{int(g)},{int(t)}]": (float(cell["effect"]), float(cell["se"]))
        for (g, t), cell in found.group_time_effects.items()
    }
    figures["simple"] = float(found.overall_att), float(found.overall_se)
    for name, parts in (("event", found.event_study_effects), ("cohort", found.group_effects)):
        for place, part in (parts or {}).items():
            figures[f"{name}[{int(place)}]"] = float(part["effect"]), float(part["se"])
    return figures


def moderndid(run: Options) -> Figures | None:
    """Run moderndid, which clusters by bootstrap only."""
    import moderndid as package

    if run.clustered or run.method == "doubly_robust_improved" or run.gaps == "pairs":
        return None
    names = {"difference": "reg", "outcome_regression": "reg", "ipw": "ipw", "doubly_robust": "dr"}
    found = package.att_gt(
        table(run.data),
        "y",
        "year",
        "firm",
        "first",
        xformla="~ 1" if run.method == "difference" else "~ x1",
        weightsname="weight" if run.weighted else None,
        est_method=names[run.method],
        allow_unbalanced_panel=run.gaps == "every_row",
        control_group=run.control.replace("_", ""),
        anticipation=run.anticipation,
        base_period=run.base,
        cband=False,
    )
    cells = zip(found.groups, found.times, found.att_gt, found.se_gt, strict=True)
    figures = {f"att_gt[{int(g)},{int(t)}]": (float(b), float(s)) for g, t, b, s in cells}
    kinds = {"simple": "simple", "group": "cohort", "calendar": "year", "dynamic": "event"}
    for kind, name in kinds.items():
        average = package.aggte(found, type=kind, na_rm=True, cband=False)
        overall = "simple" if name == "simple" else f"{name}_average"
        figures[overall] = float(average.overall_att), float(average.overall_se)
        if name != "simple":
            parts = zip(average.event_times, average.att_by_event, average.se_by_event, strict=True)
            figures |= {f"{name}[{int(e)}]": (float(b), float(s)) for e, b, s in parts}
    return figures


PACKAGES = {
    "csdid": csdid,
    "differences": differences,
    "diff_diff": diff_diff,
    "moderndid": moderndid,
}


def main() -> None:
    warnings.filterwarnings("ignore")
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("package", choices=PACKAGES)
    package = PACKAGES[parser.parse_args().package]
    results: dict[str, Figures] = {}
    failures: dict[str, str] = {}
    for run in grid():
        with contextlib.redirect_stdout(io.StringIO()):
            try:
                found = package(run)
            except Exception as error:
                found, failures[run.name] = {}, f"{type(error).__name__}: {error}"[:200]
        if found is not None:
            results[run.name] = found
    print(json.dumps({"results": results, "failures": failures}))


if __name__ == "__main__":
    main()
