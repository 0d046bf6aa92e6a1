"""What single published figures tell: shares of totals, spreads, percentiles, and words."""

import json
import re
from collections.abc import Iterator

import numpy as np
import pandas as pd
from attack_counts import Found, Published
from attack_world import World

_NEAR = 0.01
_WORDS = ("report.html", "summary.md", "tables.tex", "figures.tex")
_FEW_FIRMS = re.compile(r"\b([1-4]|two|three|four) (?:treated |comparison )?firms?\b")


def direct(published: Published, world: World, minimum: int) -> list[Found]:
    """Return what single figures tell."""
    makers = (_shares, _spreads, _percentiles, _lone_entry_years, _hidden_steps)
    found = [f for make in makers for f in make(published, world, minimum)]
    return [*found, *_words(published)]


def _shares(published: Published, world: World, minimum: int) -> Iterator[Found]:
    """Yield the largest firm's value: its share, or that of the top five, times a total."""
    for row in published.table("CONCENTRATION").to_dict("records"):
        for name in ("largest_firm_share", "largest_five_share"):
            share = pd.to_numeric(row.get(name), errors="coerce")
            if pd.isna(share) or row["outcome"] == "all":
                continue
            sample = world.samples[row["design"], row["outcome"]]
            base = sample.stacks.reference_column
            own = sample.observed[:, base] & (sample.stacks.treated == row["treated"])
            parts = sample.values[own, base] * sample.weights[own, base]
            value = share * parts.sum()
            if abs(value - parts.max()) < _NEAR * parts.max():
                place = f"{row['outcome']} {row['design']} {row['treated']}"
                yield Found("share x total", f"CONCENTRATION.{name} {place}", value)


def _spreads(published: Published, world: World, minimum: int) -> Iterator[Found]:
    """Yield the largest firm's value from a standard deviation that it makes."""
    for row in published.table("PROFILE").dropna(subset="std_dev").to_dict("records"):
        values = _profiled(world, row)
        if row["scope"] != "year" or values is None or len(values) < 2:
            continue
        others = np.sort(values)[:-1]
        value = row["std_dev"] * np.sqrt(len(values))
        if others.sum() > 0 and abs(value - values.max()) < _NEAR * values.max():
            place = f"{row['column']} {row['first_year']} {row['treated']}"
            yield Found("spread", f"PROFILE.std_dev x sqrt(n) {place}", value)


def _percentiles(published: Published, world: World, minimum: int) -> Iterator[Found]:
    """Yield percentiles with fewer than `minimum` firms beyond them, in levels that vary."""
    for row in published.table("PROFILE").to_dict("records"):
        values = _profiled(world, row)
        for name in ("p10", "p25", "p50", "p75", "p90", "min", "max", "minimum", "maximum"):
            if values is None or pd.isna(row.get(name, np.nan)) or row["scope"] != "year":
                continue
            beyond = min((values <= row[name]).sum(), (values >= row[name]).sum())
            if beyond < minimum:
                place = f"{row['column']} {row['first_year']} {row['treated']}"
                yield Found("percentile", f"PROFILE.{name} {place}", row[name])


def _profiled(world: World, row: dict) -> np.ndarray | None:
    if row["column"] not in ("sales", "exports", "employment", "schooling"):
        return None
    panel = world.panel
    own = (panel["cohort"].notna() == row["treated"]) & (panel["year"] == row["first_year"])
    return panel.loc[own, row["column"]].dropna().to_numpy()


def _lone_entry_years(published: Published, world: World, minimum: int) -> Iterator[Found]:
    """Yield effects whose remark names entry years of fewer firms than `minimum`."""
    rows = published.table("ESTIMATES").dropna(subset=["estimate", "remarks"])
    entry = pd.Series(world.cohort).value_counts()
    for row in rows.to_dict("records"):
        for remark in json.loads(row["remarks"]):
            years = remark["fields"].get("years")
            if years is None or not str(remark["code"]).startswith("entry_years"):
                continue
            n = entry.reindex(years).sum()
            others = entry.sum() - n
            place = f"{row['outcome']} {row['design']} {row['estimator']} {row['event_time']}"
            if n < minimum:
                what = f"ESTIMATES {place} {remark['code']} {years}"
                yield Found("lone entry year", what, row["estimate"])
            elif others < minimum and row["estimator"] == "stacked" and row["n_treated"] > 0:
                what = f"ESTIMATES {place} n beside {years}"
                yield Found("lone entry year", what, row["n_treated"])


def _hidden_steps(published: Published, world: World, minimum: int) -> Iterator[Found]:
    """Yield issues that count what a hidden step of the sample flow lost."""
    flow = published.table("SAMPLE_FLOW")
    hidden = set(flow.loc[flow["firms_lost"].isna(), "rule"])
    for row in published.table("ISSUES").dropna(subset="count").to_dict("records"):
        if row["rule"] in hidden:
            yield Found("issue", f"ISSUES {row['rule']} {row['column']}", row["count"])


def _words(published: Published) -> Iterator[Found]:
    """Yield sentences that say one to four firms."""
    for path, content in published.files.items():
        if path in _WORDS or path.endswith((".md", ".svg")):
            for match in _FEW_FIRMS.finditer(content.decode("utf-8")):
                yield Found("words", f"{path}: {match.group(0)}", np.nan)
