"""The same small study from PANEL on: risk sets, score, matching, and what has to redo them."""

import pandas as pd
from bad_studies import DRAWS, EVENTS, GROUPS, LEVEL, estimate_section, plain_panel, with_entries
from bad_studies import spec as named
from matched_sets import nearest_design
from stacked_tables import treatment
from told import estimate_specs

from pipeline.commands.in_memory import match_in_memory
from pipeline.effects.collected import Results
from pipeline.params.match import MatchSection
from pipeline.params.outcomes import OutcomesSection
from pipeline.params.score import ScoreSection

MODEL = {
    "controls_from": "all",
    "covariates": ["size"],
    "fit": "per_stack",
    "link": "logit",
    "missing": "drop_firm",
    "support": "none",
}
NEAREST = nearest_design("size_only", replacement=True)
DESIGNS = {
    "matched": NEAREST,
    "odds": {"score": "size_only", "method": "odds"},
    "close": NEAREST
    | {"method": "mahalanobis", "covariates": ["size"], "covariance_of": "all", "order": "data"},
}
SPECS = [
    named("main", "stacked", average="event", terms=EVENTS, designs=["odds", "unmatched"])
    | {"inference": "cluster_bootstrap", "draws": 50, "seed": 1},
    named("drawn", "stacked", average="event", designs=["matched"], randomisation=DRAWS),
    named("difference", "matched_difference", terms=EVENTS, designs=["matched", "close"])
    | {"cluster": "firm", "inference": "abadie_imbens"},
]
WITHIN = {
    "outcomes": ["sales"],
    "cluster": "assignment",
    "match": "within",
    "least_firms": 2,
    "by": GROUPS,
}


def chained(
    panel: pd.DataFrame | None = None,
    *,
    window: tuple[int, int] = (-2, 1),
    anticipation: int = 0,
    comparison: str = "never_treated",
    specs: list[dict] | None = None,
) -> Results:
    """Run what the stages from `score` to `estimate` run, on one panel."""
    panel = plain_panel() if panel is None else with_entries(panel)
    asked = SPECS if specs is None else specs
    settings = treatment(*window, anticipation).model_copy(update={"comparison": comparison})
    dated = {"label": "Size", "column": "size", "transform": "level", "at": -1 - anticipation}
    score = ScoreSection.model_validate(
        {
            "covariates": {"size": dated},
            "unmatched": {"controls_from": "all"},
            "models": {"size_only": MODEL},
        }
    )
    balance = {"denominator": "pooled", "threshold": 0.1}
    match = MatchSection.model_validate({"designs": DESIGNS, "balance": balance})
    found = match_in_memory(
        panel,
        outcomes=OutcomesSection.model_validate({"sales": LEVEL}),
        treatment=settings,
        score=score,
        match=match,
        estimate=estimate_section(
            specs=asked,
            analyses={"groups": WITHIN | {"designs": asked[0]["designs"]}},
            headline={"spec": asked[0]["name"], "design": asked[0]["designs"][0], "term": "att"},
        ),
    )
    return estimate_specs(found.study, found.redo)
