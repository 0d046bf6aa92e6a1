"""Published means as sums over firms and years: what they add up, and what they give together.

A form is a published total and the vector that it sums: how much of each firm's value in each year.
A form that the truth does not bear out is not understood, and left out, so that nothing is found by
chance.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from attack_counts import Found, Published, fate_rows, sample_rows
from attack_world import World

_YEARS = 8
_FIRST = 2008
_NEAR = 0.01
# Of groups of up to so many forms three are combined.
_TRIPLES = 40


@dataclass(frozen=True)
class Form:
    """Hold a published total of one variable, and what it sums (firms x years,)."""

    where: str
    variable: tuple[str, str]
    time: object
    total: float
    vector: np.ndarray


def forms(published: Published, world: World) -> list[Form]:
    """Return the forms that are understood."""
    makers = (_balance, _support, _paths, _baselines, _profile, _events, _differences)
    kept = []
    for form in (form for make in makers for form in make(published, world)):
        values = world.truth(form.variable)
        size = np.abs(form.vector) @ np.abs(values)
        if abs(form.total - form.vector @ values) <= 0.002 * size + 1e-6:
            kept.append(form)
    return kept


def _cells(world: World, firms, years, weight=None) -> np.ndarray:
    """Return a vector that sums values of firms in years."""
    place = np.array([world.place[f] for f in firms], int) * _YEARS
    place = place + np.asarray(years, int) - _FIRST
    return np.bincount(place, weight, minlength=len(world.firms) * _YEARS).astype(float)


def _variable(world: World, covariate: str) -> tuple[str, str] | None:
    declared = world.settings.score.covariates.get(covariate)
    if declared is None or declared.transform not in ("log", "level"):
        return None
    return declared.column, declared.transform


def _balance(published: Published, world: World) -> Iterator[Form]:
    for row in published.table("BALANCE").to_dict("records"):
        variable = _variable(world, row["covariate"])
        if variable is None or pd.isna(row["mean_treated"]):
            continue
        rows = sample_rows(world, row, True)
        where = f"BALANCE {row['design']} {row['stack']} {row['sample']} {row['covariate']}"
        vector = _cells(world, rows["firm_id"], rows["stack"] - 1)
        yield Form(f"{where} mean x n", variable, -1, row["mean_treated"] * len(rows), vector)


def _support(published: Published, world: World) -> Iterator[Form]:
    for row in published.table("SUPPORT").to_dict("records"):
        variable = _variable(world, row["covariate"])
        if variable is None or pd.isna(row["mean"]):
            continue
        rows = fate_rows(world, row["design"], row["stack"], row["fate"])
        rows = world.known(rows, row["covariate"])
        where = f"SUPPORT {row['design']} {row['stack']} {row['fate']} {row['covariate']}"
        vector = _cells(world, rows["firm_id"], rows["stack"] - 1)
        yield Form(f"{where} mean x n", variable, -1, row["mean"] * len(rows), vector)


def _outcome_variable(world: World, name: str, transform: str | None = None) -> tuple[str, str]:
    outcome = world.settings.outcome(name)
    found = transform or outcome.transform
    return outcome.column, "level" if found == "proportional" else found


def _units(world: World, sample, units: np.ndarray, years, weight=None) -> np.ndarray:
    names = world.study.index.firms
    return _cells(world, [str(n) for n in names[sample.stacks.firm[units]]], years, weight)


def _paths(published: Published, world: World) -> Iterator[Form]:
    for row in published.table("OUTCOME_PATHS").dropna(subset="mean").to_dict("records"):
        yield _path(world, row, "PATHS", None)


def _baselines(published: Published, world: World) -> Iterator[Form]:
    means = published.table("BASELINES").dropna(subset="mean").assign(event_time=-1)
    for row in means.to_dict("records"):
        if world.settings.outcome(row["outcome"]).transform != "any":
            yield _path(world, row, "BASELINES", "level")
    detectable = published.table("DETECTABLE").dropna(subset=["effect", "effect_in_unit"])
    whole = detectable["treated_clusters"].isna() & detectable["event_time"].isna()
    for row in detectable[whole & (detectable["scale"] == "log_points")].to_dict("records"):
        mean = row["effect_in_unit"] / np.expm1(row["effect"])
        yield _path(world, row | {"mean": mean, "treated": True, "event_time": -1},
                    "DETECTABLE in unit / in logs", "level")  # fmt: skip


def _path(world: World, row: dict, where: str, transform: str | None) -> Form:
    sample = world.samples[row["design"], row["outcome"]]
    column = int(np.flatnonzero(sample.stacks.event_times == row["event_time"])[0])
    units = sample.observed[:, column] & (sample.stacks.treated == row["treated"])
    weight = sample.weights[units, column]
    years = sample.stacks.stack[units] + row["event_time"]
    return Form(
        f"{where} {row['outcome']} {row['design']} {row['treated']} {row['event_time']} mean x n",
        _outcome_variable(world, row["outcome"], transform),
        row["event_time"],
        row["mean"] * weight.sum(),
        _units(world, sample, units, years, weight),
    )


def _profile(published: Published, world: World) -> Iterator[Form]:
    rows = published.table("PROFILE").dropna(subset="mean")
    panel, treated = world.panel, world.panel["cohort"].notna()
    for row in rows[rows["column"].isin(["sales", "employment", "exports"])].to_dict("records"):
        own = panel[treated == row["treated"]].dropna(subset=row["column"])
        if row["scope"] in ("year", "before_first_entry", "from_first_entry", "all_years"):
            own = own[own["year"].between(row["first_year"], row["last_year"])]
        elif row["scope"] == "before_entry":
            own = own[own["year"] < own["cohort"]]
        elif row["scope"] == "from_entry":
            own = own[own["year"] >= own["cohort"]]
        yield Form(
            f"PROFILE {row['column']} {row['scope']} {row['first_year']} {row['treated']} mean x n",
            (row["column"], "level"),
            "panel",
            row["mean"] * len(own),
            _cells(world, own["firm_id"], own["year"]),
        )


def _events(published: Published, world: World) -> Iterator[Form]:
    """Yield effects times the treated firms behind them, by event time and by entry year."""
    table = published.table("ESTIMATES").dropna(subset="estimate")
    plain = (table["sample"] == "all") & (table["band"] == "pointwise")
    rows = table[plain & table["term"].isin(["event", "att_gt"]) & (table["grouping"] == "all")]
    for row in rows[rows["estimator"].isin(["stacked", "group_time"])].to_dict("records"):
        if world.settings.outcome(row["outcome"]).transform not in ("level", "log"):
            continue
        sample = world.samples[row["design"], row["outcome"]]
        base = sample.stacks.reference_column
        for stacks in _entry_years(row, sample):
            found = _effect(world, row, sample, stacks, base)
            if found is not None:
                yield found


def _entry_years(row: dict, sample) -> Iterator[np.ndarray]:
    if row["term"] == "att_gt":
        yield sample.stacks.stack == int(row["cohort"])
    else:
        yield np.ones(len(sample.stacks.stack), bool)


def _effect(world: World, row: dict, sample, own: np.ndarray, base: int) -> Form | None:
    """Return the total of an effect: changes of the treated less weighted changes of others."""
    stacks = sample.stacks
    if row["term"] == "att_gt":
        time = int(row["year"]) - int(row["cohort"])
    else:
        time = int(row["event_time"])
    column = np.flatnonzero(stacks.event_times == time)
    if not len(column) or column[0] == base:
        return None
    both = own & sample.observed[:, column[0]] & sample.observed[:, base]
    vector = np.zeros(len(world.firms) * _YEARS)
    n_treated = 0
    for stack in np.unique(stacks.stack[both]):
        here = both & (stacks.stack == stack)
        treated = here & stacks.treated
        others = here & ~stacks.treated
        if not treated.any() or not others.any():
            continue
        n_treated += int(treated.sum())
        weight = stacks.weight[others]
        weight = weight / weight.sum() * treated.sum()
        for units, sign, w in ((treated, 1.0, np.ones(treated.sum())), (others, -1.0, weight)):
            vector += sign * _units(world, sample, units, stack + time, w)
            vector -= sign * _units(world, sample, units, stack - 1, w)
    where = (
        f"ESTIMATES {row['outcome']} {row['design']} {row['estimator']} {row['term']} "
        f"{row['cohort']} {time} estimate x n"
    )
    variable = _outcome_variable(world, row["outcome"])
    return Form(where, variable, ("effect", time), row["estimate"] * n_treated, vector)


def _differences(published: Published, world: World) -> Iterator[Form]:
    """Yield treated means told by a standardised difference, the SD and the other mean.

    The SD follows from a sample that shows all of the three.
    """
    table = published.table("BALANCE")
    for _, rows in table.groupby(["design", "stack", "covariate"]):
        variable = _variable(world, str(rows["covariate"].iloc[0]))
        shown = rows.dropna(subset=["mean_treated", "mean_control", "std_diff"])
        shown = shown[shown["std_diff"].abs() > 1e-6]
        if variable is None or shown.empty:
            continue
        first = shown.iloc[0]
        sd = (first["mean_treated"] - first["mean_control"]) / first["std_diff"]
        lacking = rows[rows["mean_treated"].isna() & rows["mean_control"].notna()]
        for row in lacking.dropna(subset="std_diff").to_dict("records"):
            members = sample_rows(world, row, True)
            mean = row["mean_control"] + row["std_diff"] * sd
            where = f"BALANCE {row['design']} {row['stack']} {row['sample']} {row['covariate']}"
            vector = _cells(world, members["firm_id"], members["stack"] - 1)
            yield Form(f"{where} std_diff x SD", variable, -1, mean * len(members), vector)


# What is combined.


def derived_values(found: list[Form], world: World, minimum: int, entered: set[str]) -> list[Found]:
    """Return single firms' values, within 1 percent, from up to three forms and by algebra.

    `entered` are the treated firms of all arms.
    """
    by_time: dict[tuple, list[Form]] = defaultdict(list)
    by_variable: dict[tuple, list[Form]] = defaultdict(list)
    for form in found:
        by_time[form.variable, str(form.time)].append(form)
        by_variable[form.variable].append(form)
    few = minimum - 1
    pairs = [
        f for group in by_time.values() for f in _combined(_distinct(group), world, few, entered)
    ]
    solved = [f for group in by_variable.values() for f in _solved(_distinct(group), world, few)]
    return pairs + solved


def _distinct(group: list[Form]) -> list[Form]:
    found: dict[bytes, Form] = {}
    for form in group:
        found.setdefault(np.round(form.vector, 9).tobytes(), form)
    return list(found.values())


def _combined(group: list[Form], world: World, few: int, entered: set[str]) -> Iterator[Found]:
    """Yield what sums and differences of up to three forms tell of one to `few` firms."""
    told = _Told.of(group, world, few, entered)
    vectors, totals, names = told.vectors, told.totals, [form.where for form in group]
    yield from told.found(vectors, totals, names)
    for a in range(len(group)):
        minus = [f"{names[a]} - {name}" for name in names]
        yield from told.found(vectors[a] - vectors, totals[a] - totals, minus)
        for b in range(len(group)) if len(group) <= _TRIPLES else ():
            if b != a:
                rest, left = vectors[a] - vectors[b], totals[a] - totals[b]
                minus = [f"{names[a]} - {names[b]} - {name}" for name in names[b:]]
                yield from told.found(rest - vectors[b:], left - totals[b:], minus)


@dataclass(frozen=True)
class _Told:
    """Hold forms of one variable on the cells that they use: `firm` (cells,), `values` (cells,).

    Where they are effects only treated firms are looked for: comparison firms are subtracted.
    """

    variable: tuple[str, str]
    effect: bool
    vectors: np.ndarray
    totals: np.ndarray
    firm: np.ndarray
    values: np.ndarray
    treated: np.ndarray
    few: int

    @classmethod
    def of(cls, group: list[Form], world: World, few: int, entered: set[str]) -> "_Told":
        vectors = np.array([form.vector for form in group])
        cells = np.flatnonzero(np.abs(vectors).max(axis=0) > 1e-9)
        firm = cells // _YEARS
        treated = np.array([world.firms[i] in entered for i in firm])
        return cls(
            variable=group[0].variable,
            effect=isinstance(group[0].time, tuple),
            vectors=vectors[:, cells],
            totals=np.array([form.total for form in group]),
            firm=firm,
            values=world.truth(group[0].variable)[cells],
            treated=treated,
            few=few,
        )

    def found(self, vectors: np.ndarray, totals: np.ndarray, names: list[str]) -> Iterator[Found]:
        """Yield the totals that are of few firms, and near to what one firm has of them."""
        used = np.abs(vectors) > 1e-7
        used = used & self.treated if self.effect else used
        for place in np.flatnonzero(used.any(axis=1) & (used.sum(axis=1) <= 2 * self.few)):
            firms = np.unique(self.firm[used[place]])
            if len(firms) > self.few:
                continue
            part = vectors[place] * self.values
            own = [part[(self.firm == firm) & used[place]].sum() for firm in firms]
            # comparison firms that do not cancel leave nothing that is known to be of these firms
            if not _near(totals[place], sum(own), self.variable[1]):
                continue
            if any(_near(totals[place], x, self.variable[1]) for x in own):
                kind = "change" if self.effect else "value"
                what = f"{self.variable} {names[place]}: {kind} of {len(firms)} firms"
                yield Found("sums", what, totals[place])


def _near(value: float, true: float, transform: str) -> bool:
    if transform == "log":
        return abs(np.expm1(value - true)) < _NEAR
    return abs(value - true) <= _NEAR * abs(true) and true != 0


def _solved(group: list[Form], world: World, few: int) -> Iterator[Found]:
    """Yield the cells, one firm in one year, whose unit vector lies in the row space."""
    if not group:
        return
    vectors = np.array([form.vector for form in group])
    totals = np.array([form.total for form in group])
    used = np.flatnonzero(np.abs(vectors).max(axis=0) > 1e-9)
    matrix = vectors[:, used]
    left, sizes, right = np.linalg.svd(matrix, full_matrices=False)
    kept = sizes > 1e-8 * sizes[0]
    right, left, sizes = right[kept], left[:, kept], sizes[kept]
    leverage = (right**2).sum(axis=0)
    values = world.truth(group[0].variable)[used]
    for place in np.flatnonzero(leverage > 1 - 1e-9):
        solution = (left / sizes) @ right[:, place]
        value = float(solution @ totals)
        if _near(value, values[place], group[0].variable[1]):
            firm, year = divmod(int(used[place]), _YEARS)
            terms = [group[i].where for i in np.argsort(-np.abs(solution))[:3]]
            what = f"{group[0].variable} {_FIRST + year} firm {firm} from {'; '.join(terms)} ..."
            yield Found("row space", what, value)
