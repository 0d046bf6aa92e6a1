"""Which counts of the sample moved: cleaning steps, and firms in and out of each design."""

from dataclasses import dataclass

import pandas as pd

# Facts of `score` and `match` that the sample-flow table shows, and their words.
_SELECTION = {
    "n_treated": "treated in a risk set",
    "n_comparison": "comparison in a risk set",
    "n_treated_unmatched": "treated off support or without a match",
    "n_treated_matched": "treated in the design",
    "n_comparison_used": "comparison in the design",
}
_CLEANING = {
    "firm_years_lost": "rows lost",
    "firms_lost": "firms lost",
    "firm_years": "rows left",
    "firms": "firms left",
    "treated_firms": "treated left",
    "comparison_firms": "comparison left",
}


@dataclass(frozen=True)
class MovedCount:
    """Hold one count before and after; None where the step was not there."""

    name: str
    before: int | None
    after: int | None


def moved_counts(
    flow: tuple[pd.DataFrame, pd.DataFrame], facts: tuple[pd.DataFrame, pd.DataFrame]
) -> list[MovedCount]:
    """Return the counts of SAMPLE_FLOW and FACTS, each before and after, that differ."""
    before = {**_cleaning(flow[0]), **_selection(facts[0])}
    after = {**_cleaning(flow[1]), **_selection(facts[1])}
    names = [*after, *(name for name in before if name not in after)]
    return [
        MovedCount(name, before.get(name), after.get(name))
        for name in names
        if before.get(name) != after.get(name)
    ]


def _cleaning(flow: pd.DataFrame) -> dict[str, int]:
    """Return each step's counts; steps are known by their rule, because numbers shift."""
    return {
        f"{row['rule']}: {words}": int(row[name])
        for row in flow.to_dict("records")
        for name, words in _CLEANING.items()
        if pd.notna(row[name])  # not published where it tells of few firms
    }


def _selection(facts: pd.DataFrame) -> dict[str, int]:
    if facts.empty:
        return {}
    known = facts["name"].isin(list(_SELECTION)) & facts["value"].notna()
    chosen = facts[(facts["outcome"] == "all") & known]
    return {
        f"{row['design']}: {_SELECTION[str(row['name'])]}": int(row["value"])
        for row in chosen.to_dict("records")
    }
