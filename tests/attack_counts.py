"""Published counts of firms, each with the firms that it counts: what an attacker subtracts."""

import io
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from attack_world import World

from pipeline.datasets.arms import ARM_FLOW
from pipeline.datasets.balance import BALANCE, SUPPORT
from pipeline.datasets.details import DETAILS
from pipeline.datasets.exposure import EXPOSED
from pipeline.datasets.panel import COVERAGE, ISSUES, PROFILE, SAMPLE_FLOW
from pipeline.datasets.results import ESTIMATES, OUTCOME_PATHS
from pipeline.datasets.selection import SCORE_COEFFICIENTS
from pipeline.datasets.store import columns_that_tell
from pipeline.publishing.arm_files import of_arm
from pipeline.publishing.publication import PUBLISHED

_COUNTED = (
    *DETAILS, ARM_FLOW, EXPOSED, BALANCE, SUPPORT, COVERAGE, ISSUES, PROFILE, SAMPLE_FLOW,
    ESTIMATES, OUTCOME_PATHS, SCORE_COEFFICIENTS,
)  # fmt: skip
_COLUMNS = {table.name: list(table.columns) for table in PUBLISHED}


@dataclass(frozen=True)
class Found:
    """Hold what an attack recovered: how, of what, and the value."""

    how: str
    what: str
    value: float

    def __str__(self) -> str:
        return f"{self.how}: {self.what} = {self.value:.6g}"


@dataclass(frozen=True)
class Count:
    """Hold a published count, and how often it counts each firm (firms,).

    The size of the panel, or of a sample behind an estimate, `stays`, as output checkers ask; that
    of an entry year is `settled`: less samples it tells who lacks an outcome. `arms` are the
    subfolders of the arms that show it, none where it is of the panel; sizes of comparison firms,
    `compared`, stay beside those of other arms. Few participants of no arm are `in_none` of the
    panel's.
    """

    where: str
    members: np.ndarray
    stays: bool = False
    settled: bool = False
    arms: frozenset[str] = frozenset()
    compared: bool = False
    in_none: bool = False


@dataclass(frozen=True)
class Published:
    """Hold published files by path; `arm_folder` is that of the arm that is looked at."""

    files: dict[str, bytes]
    arm_folder: str = ""

    def table(self, name: str) -> pd.DataFrame:
        """Return a results table, empty where it is not published; codes and stacks as text."""
        content = self.files.get(of_arm(f"results/{name.lower()}.csv", self.arm_folder))
        if content is None:
            return pd.DataFrame(columns=_COLUMNS[name])
        text = {"stack": str, "fit": str, "subgroup": str, "category": str}
        return pd.read_csv(io.BytesIO(content), dtype=text, keep_default_na=False, na_values=[""])


def small_counts(published: Published, minimum: int) -> list[Found]:
    """Return every count of firms from one to `minimum - 1` that is shown, and effective sizes."""
    found = []
    for table in _COUNTED:
        rows = published.table(table.name)
        names = columns_that_tell(table, "count")
        for name in [n for n in (*names, "ess", "ess_control") if n in rows]:
            few = rows[(rows[name] > 0) & (rows[name] < minimum)]
            found += [
                Found("shown", f"{table.name}.{name} {_key(row, table.key)}", row[name])
                for row in few.to_dict("records")
            ]
    return found


def _key(row: dict, key: tuple[str, ...]) -> str:
    return " ".join(str(row[k]) for k in key if not pd.isna(row[k]) and row[k] != "all")


def published_counts(published: Published, world: World) -> list[Count]:
    """Return the counts whose firms the attacker knows how to name; zeros are counts too."""
    makers = (_stacks, _matched, _score, _balance, _support, _estimates, _outcomes, _ones)
    own = [count for make in makers for count in make(published, world)]
    of_panel = [count for make in (_flow, _panel) for count in make(published, world)]
    folder = published.arm_folder
    own = [
        replace(count, arms=frozenset([folder]), where=f"{folder} {count.where}".strip())
        for count in own
    ]
    none = world.vector(world.in_no_arm)
    few = 0 < none.sum() < 5
    of_panel = [replace(c, in_none=few and bool((none <= c.members).all())) for c in of_panel]
    return [*own, *of_panel, *_arms(published, world)]


def _arms(published: Published, world: World) -> Iterator[Count]:
    """Yield the firms that arms list and keep, and those of classes of exposure."""
    folders = world.settings.treatment.arm_folders
    for row in published.table("ARM_FLOW").to_dict("records"):
        sets = {"n_listed": world.listed(row["arm"]), "n_entrants": world.entrants(row["arm"])}
        arm = frozenset([folders[row["arm"]]])
        for count in _counted(f"ARM_FLOW {row['arm']}", row, sets, world):
            yield replace(count, arms=arm, settled=count.where.endswith("n_entrants"))
    for row in published.table("EXPOSED").to_dict("records"):
        own = world.exposure[world.exposure["class"] == row["class"]]
        spilt = own.loc[~own["participant"] & (own["exposure"] == row["exposure"]), "firm_id"]
        if row["class"] > 0 and set(spilt) <= set(world.place):
            yield from _counted(f"EXPOSED {row['class']}", row, {"n_firms": spilt}, world)


def _flow(published: Published, world: World) -> Iterator[Count]:
    rows = published.table("SAMPLE_FLOW")
    raw = world.raw.drop_duplicates("firm").set_index("firm")
    steps = [raw.index, raw.index[raw["status"] == "active"]]
    steps.append(raw.index.intersection(world.panel["firm_id"].unique()))
    entered = raw["entry"] < 9999
    for place, row in enumerate(rows.to_dict("records")):
        here, before = set(steps[place]), set(steps[max(place - 1, 0)])
        for group, of in (("", None), ("treated_", True), ("comparison_", False)):
            kept = [f for f in here if of is None or entered[f] == of]
            lost = [f for f in before - here if of is None or entered[f] == of]
            for name, firms in ((f"{group}firms", kept), (f"{group}firms_lost", lost)):
                if not pd.isna(row[name]):
                    stays = place == len(rows) - 1 and not name.endswith("lost")
                    yield Count(f"SAMPLE_FLOW.{name} {row['step']}", world.vector(firms), stays)


def _stacks(published: Published, world: World) -> Iterator[Count]:
    entry = pd.Series(world.cohort)
    for row in published.table("STACKS").to_dict("records"):
        entrants = list(entry.index[entry == int(row["stack"])])
        active = world.risk_set("unmatched", row["stack"], True)["firm_id"]
        sets = {
            "n_entrants": entrants,
            "n_entrants_not_active": sorted(set(entrants) - set(active)),
            "n_candidates": world.risk_set("unmatched", row["stack"], False)["firm_id"],
        }
        yield from _counted(f"STACKS {row['stack']}", row, sets, world)


def _counted(where: str, row: dict, sets: dict, world: World) -> Iterator[Count]:
    for name, firms in sets.items():
        if not pd.isna(row.get(name, np.nan)):
            settled = name == "n_entrants"
            yield Count(f"{where} {name}", world.vector(firms), settled=settled)


def _matched(published: Published, world: World) -> Iterator[Count]:
    for row in published.table("MATCHED").to_dict("records"):
        design, stack = row["design"], row["stack"]
        model, used = world.model(design), world.used(design, stack)
        controls = used.loc[~used["treated"], "firm_id"]
        uses = controls.value_counts()
        sets = {
            "n_treated": world.risk_set(model, stack, True)["firm_id"],
            "n_comparison": world.risk_set(model, stack, False)["firm_id"],
            "n_treated_matched": used.loc[used["treated"], "firm_id"],
            "n_comparison_used": controls,
            "n_comparison_distinct": uses.index,
            "n_comparison_reused": uses.index[uses > 1],
        }
        yield from _counted(f"MATCHED {design} {stack}", row, sets, world)
    for row in published.table("LOSSES").to_dict("records"):
        risk = set(world.risk_set(world.model(row["design"]), row["stack"], True)["firm_id"])
        lost = risk - set(world.used(row["design"], row["stack"], True)["firm_id"])
        if row["reason"] == "unmatched":
            where = f"LOSSES {row['design']} {row['stack']}"
            yield from _counted(where, row, {"n_firms": sorted(lost)}, world)


def _lacking(world: World, model: str, stack: str, treated: bool) -> list[str]:
    pool = world.risk_set("unmatched", stack, treated)["firm_id"]
    return sorted(set(pool) - set(world.risk_set(model, stack, treated)["firm_id"]))


def _off(world: World, model: str, stack: str, treated: bool) -> list[str]:
    rows = world.risk_set(model, stack, treated)
    return list(rows.loc[~rows["on_support"], "firm_id"])


def _score(published: Published, world: World) -> Iterator[Count]:
    for row in published.table("SCORE_LOSSES").to_dict("records"):
        at = (row["model"], row["stack"], row["treated"])
        sets = {
            "n_without_covariates": _lacking(world, *at),
            "n_off_support": _off(world, *at),
        }
        yield from _counted(f"SCORE_LOSSES {at}", row, sets, world)
    for row in published.table("SCORE_COEFFICIENTS").to_dict("records"):
        if row["term"] == "const":
            fit = "all" if row["fit"] == "pooled" else row["fit"]
            sets = {
                "n_obs": world.risk_set(row["model"], fit)["firm_id"],
                "n_treated": world.risk_set(row["model"], fit, True)["firm_id"],
            }
            yield from _counted(f"SCORE_COEFFICIENTS {row['model']} {fit}", row, sets, world)


def sample_rows(world: World, row: dict, treated: bool) -> pd.DataFrame:
    """Return the firms of a row of BALANCE with their values."""
    design, stack = row["design"], row["stack"]
    if row["sample"] == "after" or (treated and row["of_matched"]):
        rows = world.used(design, stack, treated)
    else:
        rows = world.risk_set(world.model(design), stack, treated)
        rows = rows if row["sample"] == "before" else rows[rows["on_support"]]
    return world.known(rows, row["covariate"])


def _balance(published: Published, world: World) -> Iterator[Count]:
    for row in published.table("BALANCE").to_dict("records"):
        if row["covariate"] == "propensity_score":
            continue
        for name, treated in (("n_treated", True), ("n_control", False)):
            if not pd.isna(row[name]):
                rows = sample_rows(world, row, treated)
                where = f"BALANCE {row['design']} {row['stack']} {row['sample']} {name}"
                yield Count(f"{where} {row['covariate']}", world.vector(rows["firm_id"]))


def fate_rows(world: World, design: str, stack: str, fate: str) -> pd.DataFrame:
    """Return the treated firms of one fate of SUPPORT."""
    model = world.model(design)
    everyone = world.risk_set("unmatched", stack, True)
    kept = set(world.used(design, stack, True)["firm_id"])
    lacking, off = set(_lacking(world, model, stack, True)), set(_off(world, model, stack, True))
    lost = set(everyone["firm_id"]) - kept
    firms = {
        "kept": kept, "lost": lost, "no_covariate": lacking & lost, "off_support": off & lost,
        "no_match": lost - lacking - off,
    }[fate]  # fmt: skip
    return everyone[everyone["firm_id"].isin(firms)]


def _support(published: Published, world: World) -> Iterator[Count]:
    rows = published.table("SUPPORT").drop_duplicates(["design", "stack", "fate"])
    for row in rows.to_dict("records"):
        if not pd.isna(row["n_treated"]):
            firms = fate_rows(world, row["design"], row["stack"], row["fate"])["firm_id"]
            yield Count(
                f"SUPPORT {row['design']} {row['stack']} {row['fate']}", world.vector(firms)
            )


def _estimates(published: Published, world: World) -> Iterator[Count]:
    table = published.table("ESTIMATES")
    rows = table[(table["sample"] == "all") & (table["band"] == "pointwise")]
    for row in rows.to_dict("records"):
        units = units_of(world, row)
        if units is None:
            continue
        stacks = world.samples[row["design"], row["outcome"]].stacks
        where = (
            f"ESTIMATES {row['outcome']} {row['design']} {row['estimator']} {row['grouping']} "
            f"{row['subgroup']} {row['term']} {row['cohort']} {row['event_time']}"
        )
        for name, group in (("n_treated", True), ("n_control", False)):
            firms = np.unique(stacks.firm[units & (stacks.treated == group)])
            if not pd.isna(row[name]) and len(firms) == row[name]:
                stays = row["term"] in ("att", "event")
                yield Count(f"{where} {name}", world.codes(firms), stays, compared=not group)


def units_of(world: World, row: dict) -> np.ndarray | None:
    """Return the units behind a row of ESTIMATES, None where the attacker does not model them."""
    sample = world.samples.get((row["design"], row["outcome"]))
    if sample is None or row["estimator"] not in ("stacked", "twoway", "group_time", "groups"):
        return None
    stacks, seen = sample.stacks, sample.observed
    units = seen.any(axis=1)
    if not pd.isna(row["event_time"]) and row["term"] == "event":
        column = np.flatnonzero(stacks.event_times == int(row["event_time"]))
        units = units & seen[:, column[0]] if len(column) else units
    if not pd.isna(row["cohort"]):
        units = units & (stacks.stack == int(row["cohort"]))
    if row["grouping"] == "year":
        units = units & (stacks.stack == int(row["subgroup"]))
    if row["grouping"] in ("sector", "size") and row["subgroup"] != "all":
        group = _groups(world, stacks, row["grouping"])
        units = units & ((group == row["subgroup"]) | ~stacks.treated)
    return units


def _groups(world: World, stacks, grouping: str) -> np.ndarray:
    """Return each unit's group as ESTIMATES names it."""
    column = {"sector": "sector", "size": "jobs"}[grouping]
    values = world.covariates.set_index(["stack", "firm_id"])[column]
    firms = world.study.index.firms[stacks.firm]
    own = values.reindex(list(zip(stacks.stack, firms, strict=True))).to_numpy()
    if grouping == "sector":
        return own
    return np.array([f"g{np.digitize(x, [5, 30]) + 1}" for x in own])


def _outcomes(published: Published, world: World) -> Iterator[Count]:
    for row in published.table("OUTCOME_PATHS").to_dict("records"):
        sample = world.samples[row["design"], row["outcome"]]
        column = int(np.flatnonzero(sample.stacks.event_times == row["event_time"])[0])
        units = sample.observed[:, column] & (sample.stacks.treated == row["treated"])
        if not pd.isna(row["n_firms"]):
            where = f"PATHS {row['outcome']} {row['design']} {row['treated']} {row['event_time']}"
            yield Count(where, world.codes(sample.stacks.firm[units]))
    for row in published.table("ATTRITION").to_dict("records"):
        status, stacks = world.exit, world.study.stacks["matched"]
        column = int(np.flatnonzero(stacks.event_times == row["event_time"])[0])
        own = (stacks.treated == row["treated"]) & status.covered[:, column]
        sets = {
            "n_observed": status.observed, "n_gap": status.gap, "n_gone": status.gone,
            "n_not_known": ~status.observed & ~status.known,
        }  # fmt: skip
        for name, marks in sets.items():
            if not pd.isna(row[name]):
                where = f"ATTRITION {row['treated']} {row['event_time']} {name}"
                yield Count(where, world.codes(stacks.firm[own & marks[:, column]]))
        if not pd.isna(row["share_alive"]):
            gone = world.codes(stacks.firm[own & status.gone[:, column]])
            where = f"ATTRITION {row['treated']} {row['event_time']} share_alive x firms"
            yield Count(where, gone)
    for row in published.table("ZEROS").to_dict("records"):
        sample = world.samples[row["design"], row["outcome"]]
        stacks, base = sample.stacks, sample.stacks.reference_column
        own = (stacks.treated == row["treated"]) & sample.observed.any(axis=1)
        above = np.where(sample.observed, sample.values, 0) > 0
        sets = {
            "n_firms": own, "n_above_zero_at_base": own & above[:, base],
            "n_never_above_zero": own & ~above.any(axis=1),
        }  # fmt: skip
        for name, units in sets.items():
            if not pd.isna(row[name]):
                firms = np.unique(stacks.firm[units])
                yield Count(f"ZEROS {row['treated']} {name}", world.codes(firms))


def _panel(published: Published, world: World) -> Iterator[Count]:
    panel, treated = world.panel, world.panel["cohort"].notna()
    firms = panel.drop_duplicates("firm_id")
    for row in published.table("COVERAGE").to_dict("records"):
        own = treated == row["treated"]
        there = panel[own & (panel["year"] == row["year"])].dropna(subset=row["column"])
        sets = {
            "n_firms": firms.loc[firms["cohort"].notna() == row["treated"], "firm_id"],
            "n_observed": there["firm_id"],
        }
        where = f"COVERAGE {row['column']} {row['year']} {row['treated']}"
        yield from _counted(where, row, sets, world)
    for row in published.table("PROFILE").to_dict("records"):
        where = f"PROFILE {row['column']} {row['scope']} {row['first_year']} {row['treated']}"
        if row["scope"] == "entry_year":
            entrants = firms.loc[firms["cohort"] == row["first_year"], "firm_id"]
            yield from _counted(where, row, {"n_rows": entrants}, world)
        if row["scope"] == "year":
            here = panel[(treated == row["treated"]) & (panel["year"] == row["first_year"])]
            lacking = here.loc[here[row["column"]].isna(), "firm_id"]
            sets = {"n_rows": here["firm_id"], "n_missing": lacking}
            yield from _counted(where, row, sets, world)


def _ones(published: Published, world: World) -> Iterator[Count]:
    """Yield the firms with a one, and with a zero, where a mean of zeros and ones is published."""
    binary = {"foreign", "exporter", "sector"}
    for row in published.table("BALANCE").to_dict("records"):
        # a mean of zero or one tells of nobody, and how many there are is not in it
        if row["covariate"] not in binary or not 0 < row["mean_treated"] < 1:
            continue
        rows = sample_rows(world, row, True)
        value = rows["value"]
        one = value == (1 if pd.isna(row["category"]) else row["category"])
        where = f"BALANCE {row['design']} {row['stack']} {row['sample']} {row['covariate']}"
        yield Count(f"{where} {row['category']} mean x n", world.vector(rows.loc[one, "firm_id"]))
        yield Count(
            f"{where} {row['category']} n - mean x n", world.vector(rows.loc[~one, "firm_id"])
        )
    for row in published.table("SUPPORT").to_dict("records"):
        if row["covariate"] in binary and 0 < row["mean"] < 1:
            rows = fate_rows(world, row["design"], row["stack"], row["fate"])
            rows = world.known(rows, row["covariate"])
            where = f"SUPPORT {row['design']} {row['stack']} {row['fate']} {row['covariate']}"
            for n, part in (("mean x n", 1), ("n - mean x n", 0)):
                own = rows.loc[rows["value"] == part, "firm_id"]
                yield Count(f"{where} {n}", world.vector(own))
    yield from _ones_of_outcomes(published, world)


def _ones_of_outcomes(published: Published, world: World) -> Iterator[Count]:
    means = [published.table("OUTCOME_PATHS"), published.table("BASELINES").assign(event_time=-1)]
    for row in pd.concat(means).to_dict("records"):
        if row["outcome"] != "exports_any" or not 0 < row["mean"] < 1 or not row["treated"]:
            continue
        sample = world.samples[row["design"], row["outcome"]]
        column = int(np.flatnonzero(sample.stacks.event_times == row["event_time"])[0])
        units = sample.observed[:, column] & sample.stacks.treated
        for n, part in (("mean x n", 1), ("n - mean x n", 0)):
            own = sample.stacks.firm[units & (sample.values[:, column] == part)]
            yield Count(f"PATHS any {row['design']} {row['event_time']} {n}", world.codes(own))
    panel, treated = world.panel, world.panel["cohort"].notna()
    for row in published.table("PROFILE").to_dict("records"):
        known = not (pd.isna(row["mean"]) or pd.isna(row["n_rows"]) or pd.isna(row["n_missing"]))
        if row["column"] == "foreign" and row["scope"] == "year" and known:
            here = panel[(treated == row["treated"]) & (panel["year"] == row["first_year"])]
            for n, part in (("mean x n", 1), ("n - mean x n", 0)):
                own = here.loc[here["foreign"] == part, "firm_id"]
                where = f"PROFILE foreign {row['first_year']} {row['treated']} {n}"
                yield Count(where, world.vector(own))
