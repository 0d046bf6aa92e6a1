"""A plain reading of the few Stata commands that an export writes, on the .dta files beside it.

Nothing of the pipeline is used: regressions are dense least squares with every effect a dummy,
reghdfe's small-sample factor is written out, and csdid is the doubly robust estimator of
Sant'Anna & Zhao (2020), section 3, in sample means.
"""

import math
import re
from pathlib import Path

import numpy as np
import pandas as pd


class Stata:
    """Run a .do file line by line; `asserts` counts what it checked."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.rows = pd.DataFrame()
        self.average = ""
        self.scalars: dict[str, float] = {}
        self.results: dict[str, float] = {}
        self.coefficients: dict[str, int] = {}
        self.b, self.v = np.zeros(0), np.zeros((0, 0))
        self.asserts = 0
        self.commands: list[str] = []

    def run(self, file: str) -> None:
        for line in (self.folder / file).read_text(encoding="utf-8").splitlines():
            word = line.split(" ")[0]
            if not line or line.startswith("*") or word in ("version", "clear", "set", "display"):
                continue
            self.commands.append(word)
            getattr(self, f"do_{'keep' if word == 'keep' else word}")(line)

    def do_use(self, line: str) -> None:
        name = re.fullmatch(r'use "(.*)", clear', line)[1]
        self.rows = pd.read_stata(self.folder / name, convert_categoricals=False)

    def do_keep(self, line: str) -> None:
        name = re.fullmatch(r"keep if !missing\((\w+)\)", line)[1]
        self.rows = self.rows[self.rows[name].notna()].reset_index(drop=True)

    def do_generate(self, line: str) -> None:
        name, condition = re.fullmatch(r"generate byte (\w+) = (.*)", line).groups()
        self.rows[name] = self.holds(condition).astype(float)

    def holds(self, condition: str) -> pd.Series:
        held = pd.Series(True, index=self.rows.index)
        for part in condition.split(" & "):
            name, *compared = part.split(" ")
            values = self.rows[name]
            if not compared:
                held &= values != 0
                continue
            sign, number = compared
            held &= {"==": values.eq, ">": values.gt, "<": values.lt}[sign](float(number))
        return held

    def do_local(self, line: str) -> None:
        text = re.fullmatch(r'local average "(.*)"', line)[1]
        self.average = text.replace("`average'", self.average)

    def do_scalar(self, line: str) -> None:
        name, expression = re.fullmatch(r"scalar (\w+) = (.*)", line).groups()
        self.scalars[name] = self.value(expression)

    def do_lincom(self, line: str) -> None:
        text = line.removeprefix("lincom ").replace("`average'", self.average)
        weights = np.zeros(len(self.b))
        mean = re.fullmatch(r"\((.*)\)/(\d+)", text)
        if mean:
            for part in mean[1].split(" + "):
                weights[self.coefficients[part[3:-1]]] = 1 / int(mean[2])
        else:
            for part in text.split(" + "):
                share, name = part.split("*")
                weights[self.coefficients[name]] += float(share)
        self.results |= {
            "r(estimate)": float(weights @ self.b),
            "r(se)": math.sqrt(weights @ self.v @ weights),
        }

    def value(self, text: str) -> float:
        if " + " in text:
            return sum(self.value(part) for part in text.split(" + "))
        if "*" in text:
            return math.prod(self.value(part) for part in text.split("*"))
        if text.startswith("_b["):
            return float(self.b[self.coefficients[text[3:-1]]])
        if text.startswith("_se["):
            position = self.coefficients[text[4:-1]]
            return math.sqrt(self.v[position, position])
        known = self.results | self.scalars
        return known[text] if text in known else float(text)

    def do_assert(self, line: str) -> None:
        text = line.removeprefix("assert ")
        near = re.fullmatch(r"reldif\((.*), (\S+)\) < 1e-6", text)
        if near:
            found, ours = self.value(near[1]), float(near[2])
            assert abs(found - ours) / (abs(ours) + 1) < 1e-6, (line, found)
        else:
            name, wanted = text.split(" == ")
            assert self.value(name) == float(wanted), line
        self.asserts += 1

    def do_reghdfe(self, line: str) -> None:
        variables, weight, absorbed, clusters = re.fullmatch(
            r"reghdfe (.*) \[pw=(\w+)\], absorb\((.*)\) vce\(cluster (.*)\)", line
        ).groups()
        y, *names = variables.split(" ")
        first, second = absorbed.split(" ")
        rows = without_singletons(self.rows, [first, second])
        dummies = [pd.get_dummies(rows[name], dtype=float).to_numpy() for name in (first, second)]
        x = np.column_stack([rows[names].to_numpy(float), *dummies])
        root = np.sqrt(rows[weight].to_numpy())
        b, *_ = np.linalg.lstsq(root[:, None] * x, root * rows[y].to_numpy(), rcond=None)
        residual = rows[y].to_numpy() - x @ b
        bread = np.linalg.pinv((root[:, None] * x).T @ (root[:, None] * x))
        scores = x * (root**2 * residual)[:, None]
        groups = [rows[name] for name in clusters.split(" ")]
        nested = all(rows.groupby(first)[name].nunique().max() == 1 for name in [groups[0].name])
        assert nested, "the counting below is for firms nested in clusters"
        # absorbed: firms nested, so free; the second set less one; one more since some are nested
        k = len(names) + (rows[second].nunique() - 1) + 1
        meat = sum_of_squares(scores, groups[0])
        if len(groups) > 1:
            both = pd.Series(list(zip(*groups, strict=True)), index=rows.index)
            meat = meat + sum_of_squares(scores, groups[1]) - sum_of_squares(scores, both)
        n, n_groups = len(rows), min(group.nunique() for group in groups)
        factor = n_groups / (n_groups - 1) * (n - 1) / (n - k)
        self.b, self.v = (
            b[: len(names)],
            (factor * bread @ meat @ bread)[: len(names)][:, : len(names)],
        )
        self.coefficients = {name: position for position, name in enumerate(names)}
        self.results |= {"e(N)": n, "e(N_clust)": n_groups}

    def do_csdid(self, line: str) -> None:
        found = re.fullmatch(
            r"csdid (?P<names>.*?) if stack == (?P<stack>\d+)(?: \[pw=(?P<weight>\w+)\])?, "
            r"ivar\((?P<ivar>\w+)\) time\((?P<time>\w+)\) gvar\((?P<gvar>\w+)\) "
            r"method\((?P<method>\w+)\) cluster\((?P<cluster>\w+)\)(?P<long> long2)?",
            line,
        ).groupdict()
        y, *names = found["names"].strip().split(" ")
        rows = self.rows[self.rows["stack"] == int(found["stack"])]
        rows = rows[rows[[y, *names]].notna().all(axis=1)]
        (cohort,) = rows.loc[rows[found["gvar"]] > 0, found["gvar"]].unique()
        by_time = {t: part.set_index(found["ivar"]) for t, part in rows.groupby(found["time"])}
        base = by_time[cohort - 1]
        effects, influences, labels = [], [], []
        for time in sorted(t for t in by_time if t >= cohort):
            both = base.index.intersection(by_time[time].index)
            pair = base.loc[both]
            change = by_time[time].loc[both, y] - pair[y]
            weight = pair[found["weight"]] if found["weight"] else pd.Series(1.0, index=both)
            effect, influence = two_period_effect(
                change.to_numpy(),
                (pair[found["gvar"]] > 0).to_numpy(float),
                np.column_stack([np.ones(len(pair)), pair[names].to_numpy(float)]),
                weight.to_numpy(float),
                found["method"],
            )
            effects.append(effect)
            influences.append(
                pd.Series(influence / len(pair), index=both).groupby(pair[found["cluster"]]).sum()
            )
            labels.append(f"g{cohort}:t_{cohort - 1}_{time}")
        sums = pd.concat(influences, axis=1).fillna(0.0).to_numpy()
        self.b, self.v = np.array(effects), sums.T @ sums
        self.coefficients = {name: position for position, name in enumerate(labels)}


def without_singletons(rows: pd.DataFrame, effects: list[str]) -> pd.DataFrame:
    while True:
        alone = pd.concat([rows.groupby(e)[e].transform("size") == 1 for e in effects], axis=1)
        if not alone.any(axis=None):
            return rows
        rows = rows[~alone.any(axis=1)]


def sum_of_squares(scores: np.ndarray, group: pd.Series) -> np.ndarray:
    sums = pd.DataFrame(scores).groupby(group.to_numpy()).sum().to_numpy()
    return sums.T @ sums


def two_period_effect(change, d, x, weight, method):
    """Return the effect and each firm's influence; their mean square over n is the variance."""
    weight = weight / weight.mean()
    n = len(d)
    control = weight * (1 - d)
    if method == "reg":
        w_control = weight * d
        score_part = np.zeros((n, x.shape[1]))
        ps_weighted = w_control
    else:
        assert method == "dripw"
        b = np.zeros(x.shape[1])
        for _ in range(50):
            p = 1 / (1 + np.exp(-x @ b))
            hessian = (x * (weight * p * (1 - p))[:, None]).T @ x
            b = b + np.linalg.solve(hessian, x.T @ (weight * (d - p)))
        p = 1 / (1 + np.exp(-x @ b))
        ps_weighted = control * p / (1 - p)
        score_part = (weight * (d - p))[:, None] * x @ np.linalg.inv(hessian / n)
    gamma = np.linalg.solve((x * control[:, None]).T @ x, x.T @ (control * change))
    residual = change - x @ gamma
    w_treated = weight * d
    # influence of the outcome regression's coefficients
    of_gamma = (control * residual)[:, None] * x @ np.linalg.inv((x * control[:, None]).T @ x / n)
    treated_mean = (w_treated * residual).mean() / w_treated.mean()
    treated_part = w_treated * (residual - treated_mean) / w_treated.mean()
    treated_part -= of_gamma @ ((w_treated[:, None] * x).mean(axis=0) / w_treated.mean())
    if method == "reg":
        return treated_mean, treated_part
    control_mean = (ps_weighted * residual).mean() / ps_weighted.mean()
    control_part = ps_weighted * (residual - control_mean) / ps_weighted.mean()
    control_part += (
        score_part
        @ ((ps_weighted * (residual - control_mean))[:, None] * x).mean(axis=0)
        / ps_weighted.mean()
    )
    control_part -= of_gamma @ ((ps_weighted[:, None] * x).mean(axis=0) / ps_weighted.mean())
    return treated_mean - control_mean, treated_part - control_part
