"""Every method of inference and how it makes its rows, of estimates that are made before.

`pipeline.params.inference_methods` has the traits of each, which params and exhibits read.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.effects.estimated import Estimated
from pipeline.effects.rows import Label, Row
from pipeline.effects.study import Study
from pipeline.effects.terms import ATT, Term
from pipeline.errors import Reason
from pipeline.inference.abadie_imbens import abadie_imbens_rows
from pipeline.inference.analytic import Inferred, analytic_rows, infer
from pipeline.inference.bias_reduced import bias_reduced_rows
from pipeline.inference.bootstrap import bootstrap_rows
from pipeline.inference.imbens_manski import covering_row
from pipeline.inference.leave_one_out import hc3_rows
from pipeline.inference.randomisation import randomisation_rows
from pipeline.inference.wild_bootstrap import wild_bootstrap_row
from pipeline.matching.redo import Redo
from pipeline.params.inference_methods import METHODS, method_named


@dataclass(frozen=True)
class Known:
    """Hold what is known of a result when methods beside its own errors are asked.

    `rows` are those with its own errors, of `inferred`. `assumes` says of an effect that the result
    bounds whom the bounds are for, and what they need.
    """

    label: Label
    rows: list[Row]
    inferred: Inferred
    assumes: Mapping[Term, Reason]


# Makes the rows of a result, and its covariance where others can read it.
Own = Callable[[Label, Estimated], tuple[list[Row], Inferred | None]]
# Makes rows beside those of a result, with what the spec's option for the method asks.
Beside = Callable[[Known, Any], list[Row]]
# Makes rows beside all analytic ones of a study, for specs that ask, by making designs again.
OnDesignsAgain = Callable[[Study, Redo, list[Row]], list[Row]]


@dataclass(frozen=True)
class Rows:
    """Hold how a method makes its rows.

    A primary method has `own`, one that redoes designs `again`, any other `beside`.
    """

    own: Own | None = None
    beside: Beside | None = None
    again: OnDesignsAgain | None = None


def _analytic(label: Label, result: Estimated) -> tuple[list[Row], Inferred | None]:
    inferred = infer(result, label.cluster)
    return analytic_rows(label, inferred), inferred


def _abadie_imbens(label: Label, result: Estimated) -> tuple[list[Row], Inferred | None]:
    return abadie_imbens_rows(label, result), None


def _hc3(label: Label, result: Estimated) -> tuple[list[Row], Inferred | None]:
    return hc3_rows(label, result)


def _imbens_manski(known: Known, _: Any) -> list[Row]:
    bounded = known.assumes.items()
    return [covering_row(known.label, term, known.inferred, why) for term, why in bounded]


def _bias_reduced(known: Known, _: Any) -> list[Row]:
    return bias_reduced_rows(known.rows, known.inferred) if _is_linear(known.inferred) else []


def _wild_bootstrap(known: Known, settings: Any) -> list[Row]:
    terms = known.inferred.estimated.terms
    if not _is_linear(known.inferred) or ATT not in terms:
        return []
    return [wild_bootstrap_row(known.rows[terms.index(ATT)], known.inferred, settings)]


def _is_linear(inferred: Inferred) -> bool:
    regression = inferred.estimated.regression
    return regression is not None and regression.is_linear


REGISTRY: dict[str, Rows] = {
    "analytic": Rows(own=_analytic),
    "abadie_imbens": Rows(own=_abadie_imbens),
    "hc3": Rows(own=_hc3),
    "imbens_manski": Rows(beside=_imbens_manski),
    "bias_reduced": Rows(beside=_bias_reduced),
    "wild_bootstrap": Rows(beside=_wild_bootstrap),
    "randomisation": Rows(again=randomisation_rows),
    "cluster_bootstrap": Rows(again=bootstrap_rows),
}


def require_rows(name: str, rows: Rows) -> None:
    """Raise ValueError where rows are not made as the method's traits say, or it has none."""
    method = method_named(name)
    kind = "own" if method.primary else "again" if method.redoes else "beside"
    given = [field for field, function in vars(rows).items() if function is not None]
    if given != [kind]:
        raise ValueError(f"{name} makes rows by {given}, where its traits ask for `{kind}`")


if missing := METHODS.keys() - REGISTRY.keys():
    raise ValueError(f"methods of inference that make no rows: {', '.join(sorted(missing))}")
for _name, _rows in REGISTRY.items():
    require_rows(_name, _rows)
