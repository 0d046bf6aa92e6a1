"""Record matching designs as they ran, every option resolved, in DESIGNS."""

import json
from typing import Any

import pandas as pd

from pipeline.datasets.designs import DESIGNS, UNMATCHED_DESIGN
from pipeline.datasets.reasons import packed_list
from pipeline.datasets.specs import NO_LIST, NONE
from pipeline.datasets.store import conform
from pipeline.params.design_rules import CellDesign, Design
from pipeline.params.match import MatchSection, NearestDesign

# What a method without an option has in its place.
_WITHOUT: dict[str, Any] = {
    "distance": NONE,
    "ratio": 0,
    "replacement": False,
    "caliper": None,
    "caliper_sd": None,
    "bandwidth": None,
    "covariance_of": NONE,
    "moments": 0,
    "base": NONE,
    "content": NONE,
}
_LISTS = ("exact", "covariates")
# Without any bins, cells are of values as they are.
_NO_BINS = "{}"


def designs_matched(section: MatchSection) -> pd.DataFrame:
    """Return DESIGNS: `unmatched`, then the designs in the order of params."""
    rows = [{**_unmatched(), "position": 0}]
    rows += [
        {"design": name, "position": position, **_row(design)}
        for position, (name, design) in enumerate(section.designs.items(), start=1)
    ]
    return conform(DESIGNS, pd.DataFrame(rows))


def _unmatched() -> dict[str, Any]:
    return {
        "design": UNMATCHED_DESIGN,
        "method": NONE,
        "score_model": UNMATCHED_DESIGN,
        "uses_score": False,
        "estimand": "att",
        "least_ratio": 0,
        "most_ratio": 0,
        "caliper_sd_of": NONE,
        "order": NONE,
        "order_seed": None,
        "tie_tolerance": None,
        "bins": _NO_BINS,
        "base_covariate": NONE,
        **dict.fromkeys(_LISTS, NO_LIST),
        **_WITHOUT,
    }


def _row(design: Design) -> dict[str, Any]:
    """Return what settings come to: firms choose in turn, or with replacement share."""
    given = design.model_dump()
    least, most = (isinstance(design, NearestDesign) and design.ratio_range) or (0, 0)
    in_turn, shared = (given.get("replacement") is which for which in (False, True))
    return {
        "method": given["method"],
        "score_model": design.score,
        "uses_score": design.uses_score,
        "estimand": design.own_estimand,
        **{name: given.get(name, without) for name, without in _WITHOUT.items()},
        "distance": given.get("distance", NONE) if design.uses_score else NONE,
        "least_ratio": least,
        "most_ratio": most,
        "caliper_sd_of": given["caliper_sd_of"] if given.get("caliper_sd") is not None else NONE,
        "order": given["order"] if in_turn else NONE,
        "order_seed": given["order_seed"] if in_turn else None,
        "tie_tolerance": given["tie_tolerance"] if shared else None,
        "base_covariate": given.get("base_covariate") or NONE,
        "bins": _bins(design),
        **{name: packed_list(given.get(name) or []) for name in _LISTS},
    }


def _bins(design: Design) -> str:
    """Return the one rule of each covariate that is cut, with its numbers."""
    if not isinstance(design, CellDesign):
        return _NO_BINS
    cut = {name: bins.model_dump(exclude_none=True) for name, bins in design.bins.items()}
    return json.dumps(cut, sort_keys=True)
