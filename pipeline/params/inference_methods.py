"""Methods of inference: what params, SPECS and exhibits must know of each.

`pipeline.inference.registry` has how each makes its rows; a test holds the two equal. A trait that
is left out is an error when this is imported, and so is a method that nobody knows.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Method:
    """Hold what must be known of a method of inference, a value of ESTIMATES.inference.

    `option` asks a spec for it: `inference`, of which it is a value, or one of its own; None where
    it comes with what it is for. `primary` says whether its rows are an effect's own errors, and
    not others beside these; `redoes` whether it makes designs again, for which an estimator must be
    one that can be redone; `average_only` whether it is for the average effect alone; `std_error`
    whether it gives a standard error, and does not compare t statistics of the analytic one.
    `drawn` names the column of SPECS that has each setting of its draws: none where it draws
    nothing.
    """

    option: str | None
    primary: bool
    redoes: bool
    average_only: bool
    std_error: bool
    drawn: Mapping[str, str]


# In the order in which they are shown.
METHODS: dict[str, Method] = {
    "analytic": Method(
        option="inference",
        primary=True,
        redoes=False,
        average_only=False,
        std_error=True,
        drawn={},
    ),
    "abadie_imbens": Method(
        option="inference",
        primary=True,
        redoes=False,
        average_only=False,
        std_error=True,
        drawn={},
    ),
    "hc3": Method(
        option="inference",
        primary=True,
        redoes=False,
        average_only=False,
        std_error=True,
        drawn={},
    ),
    "imbens_manski": Method(
        option=None,
        primary=False,
        redoes=False,
        average_only=False,
        std_error=False,
        drawn={},
    ),
    "bias_reduced": Method(
        option="bias_reduced",
        primary=False,
        redoes=False,
        average_only=False,
        std_error=True,
        drawn={},
    ),
    "wild_bootstrap": Method(
        option="wild_bootstrap",
        primary=False,
        redoes=False,
        average_only=True,
        std_error=False,
        drawn={"draws": "wild_draws", "seed": "wild_seed", "ties": "wild_ties"},
    ),
    "randomisation": Method(
        option="randomisation",
        primary=False,
        redoes=True,
        average_only=True,
        std_error=False,
        drawn={"draws": "randomisation_draws", "seed": "randomisation_seed"},
    ),
    "cluster_bootstrap": Method(
        option="inference",
        primary=False,
        redoes=True,
        average_only=False,
        std_error=True,
        drawn={"draws": "draws", "seed": "seed"},
    ),
}


def method_named(name: str) -> Method:
    """Return the traits of a method; raise ValueError where there is none of the name."""
    if name not in METHODS:
        raise ValueError(f"{name} is no method of inference: {', '.join(METHODS)}")
    return METHODS[name]


def primary_methods() -> list[str]:
    """Return the methods whose rows are an effect's own errors."""
    return [name for name, method in METHODS.items() if method.primary]


def own_options() -> dict[str, str]:
    """Return, by method that a spec asks for by an option of its own, that option."""
    asked = {name: method.option for name, method in METHODS.items()}
    return {name: option for name, option in asked.items() if option not in (None, "inference")}
