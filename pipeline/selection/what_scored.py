"""Record score models and covariates as they ran, in SCORE_MODELS and DATED_COVARIATES."""

from typing import Any

import pandas as pd

from pipeline.datasets.designs import DATED_COVARIATES, SCORE_MODELS, UNMATCHED_DESIGN
from pipeline.datasets.reasons import packed_list
from pipeline.datasets.specs import NO_LIST, NONE
from pipeline.datasets.store import conform
from pipeline.params.score import Covariate, ScoreModel, ScoreSection

_NO_SCORE = {
    "covariates": NO_LIST,
    "fit": NONE,
    "link": NONE,
    "missing": NONE,
    "untreated_categories": NONE,
    "errors": NONE,
    "support": NONE,
    "trim_share": None,
    "score_bound": None,
    "score_floor": None,
    "score_floor_of": NONE,
    "refit": False,
}
# What may date a covariate, by the name of its setting.
_DATES = ("at", "average", "change", "trend")


def score_models(section: ScoreSection) -> pd.DataFrame:
    """Return SCORE_MODELS: every score model, and the risk sets without one."""
    pool = {"model": UNMATCHED_DESIGN, "controls_from": section.unmatched.controls_from}
    rows = [{**pool, **_NO_SCORE}]
    rows += [_model_row(name, model) for name, model in section.models.items()]
    return conform(SCORE_MODELS, pd.DataFrame(rows))


def _model_row(name: str, model: ScoreModel) -> dict[str, Any]:
    own = {
        "covariates": packed_list(model.covariates),
        "score_floor_of": model.score_floor_of or NONE,
    }
    return {"model": name, **model.model_dump(), **own}


def covariates_dated(section: ScoreSection) -> pd.DataFrame:
    """Return DATED_COVARIATES: every covariate with its date, in the order of params."""
    rows = [
        _covariate_row(name, covariate, position)
        for position, (name, covariate) in enumerate(section.covariates.items(), start=1)
    ]
    return conform(DATED_COVARIATES, pd.DataFrame(rows, columns=list(DATED_COVARIATES.columns)))


def _covariate_row(name: str, covariate: Covariate, position: int) -> dict[str, Any]:
    dates = [date for date in _DATES if getattr(covariate, date) is not None]
    times = covariate.event_times if dates else []
    return {
        "covariate": name,
        "position": position,
        "label": covariate.label,
        "column": covariate.column or NONE,
        "transform": covariate.transform or NONE,
        "value": covariate.value or NONE,
        "dated_by": dates[0] if dates else "constant" if covariate.constant else NONE,
        "first_event_time": min(times, default=None),
        "last_event_time": max(times, default=None),
        "product_of": packed_list(covariate.product_of or []),
    }
