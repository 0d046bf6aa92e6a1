"""What every spec says, which options specs may have, and what a class of specs must declare.

An option that is neither here nor declared as its estimator's own is an error when the class is
made, and so is reading one that is not here: no option is passed over in silence.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar, Literal, Self, TypeVar, get_args

from pydantic import Field, model_validator

from pipeline.params.analyses import DISTANCE, Clustering
from pipeline.params.inference import SpatialErrors
from pipeline.params.inference_methods import method_named, own_options
from pipeline.params.settings import Settings

# Options that the pipeline reads of any spec, and what one of a class without them runs with.
OPTIONS: Mapping[str, Any] = MappingProxyType(
    {
        "inference": "analytic",
        "conley": None,
        "draws": None,
        "seed": None,
        "bias_reduced": False,
        "wild_bootstrap": None,
        "randomisation": None,
        "bands": False,
        "event_bins": (),
        "balanced_last_event_time": None,
        "year_effects_by": None,
        "weight_by": None,
        "weight_matched_again": False,
        "covariates": (),
        "bias_adjustment": (),
        "variance": "clustered",
        "variance_neighbours": 0,
        "placebo_entry_years": None,
        "firms": "risk_sets",
    }
)
# What is off, beside options that ask for a method of inference, where only the average is asked.
_OFF = ("bands", "event_bins", "draws", "seed")
# What every spec says; the class of an estimator adds `estimator`, `terms` and `cluster`.
_SAID = frozenset({"name", "designs", "outcomes", "estimator", "terms", "cluster"})


@dataclass(frozen=True)
class OfScore:
    """Mark an option that names covariates of score.covariates, `numeric` if none is a category."""

    numeric: bool


@dataclass(frozen=True)
class OfPanel:
    """Mark an option that names a text column of PANEL."""


Mark = TypeVar("Mark", OfScore, OfPanel)


class EstimatesAsked(Settings):
    """Say what every spec says: its name, designs and outcomes.

    Beside them every spec has `cluster`: the `assignment` cluster, or `firm`, or a pair of levels,
    `[district, sector]`: of these two, and of text columns of PANEL, as of a firm's base year.
    `exposure_component` joins the assignment clusters in which firms expose firms of others
    (treatment.exposure). `distance` lets firms near each other share shocks, as `conley` says.

    A class of specs declares what it `gives`, whether it takes outcomes in logs only (`log` or
    `proportional`), and which options are its estimator's `own`: no other module reads them.
    """

    gives: ClassVar[Literal["effects", "bounds"]]
    in_logs_only: ClassVar[bool]
    own: ClassVar[frozenset[str]]

    name: str = Field(pattern="^[a-z][a-z0-9_]*$")
    designs: list[str] = Field(min_length=1)
    outcomes: list[str] | Literal["all"]
    conley: SpatialErrors | None = None

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        """Refuse a class that leaves a trait out, or has an option that nobody knows."""
        super().__pydantic_init_subclass__(**kwargs)
        lacking = [t for t in ("gives", "in_logs_only", "own") if not hasattr(cls, t)]
        if lacking:
            raise TypeError(f"{cls.__name__} does not declare {', '.join(lacking)}")
        known = _SAID | OPTIONS.keys()
        unknown = sorted((set(cls.model_fields) - known) ^ cls.own)
        if unknown:
            raise TypeError(
                f"{cls.__name__}: {', '.join(unknown)} must be an option of all specs (OPTIONS), "
                "or one of the class and declared as `own`, not both"
            )

    @model_validator(mode="after")
    def _distance_is_said(self) -> Self:
        by_distance = getattr(self, "cluster", None) == DISTANCE
        if by_distance != (self.option("conley") is not None):
            raise ValueError(
                "cluster: distance and conley go together: conley: {cutoff_km: 50, kernel: "
                "uniform, latitude: lat, longitude: lon}, with columns of yours"
            )
        return self

    @property
    def clustering(self) -> Clustering:
        """Return what errors are clustered by, with how near firms share shocks."""
        own: Clustering = getattr(self, "cluster")  # noqa: B009
        return self.option("conley") or own

    @classmethod
    def methods(cls) -> frozenset[str]:
        """Return the methods of inference beside the analytic one that such specs can ask for."""
        fields = cls.model_fields
        named = get_args(fields["inference"].annotation) if "inference" in fields else ()
        beside = [name for name, option in own_options().items() if option in fields]
        return frozenset({*beside, *named} - {OPTIONS["inference"]})

    @property
    def asked_beside_analytic(self) -> list[str]:
        """Return the methods asked for by options of their own, as rows of ESTIMATES name them."""
        options = own_options().items()
        return [name for name, option in options if self.option(option) not in (False, None)]

    @property
    def primary_inference(self) -> str:
        """Return the method by which effects have their own errors: that asked for, if one is."""
        asked = str(self.option("inference"))
        return asked if method_named(asked).primary else str(OPTIONS["inference"])

    def option(self, name: str) -> Any:
        """Return an option, or what a spec of a class without it runs with.

        Raises ValueError where no spec has such an option.
        """
        if name not in OPTIONS:
            raise ValueError(f"{name} is not an option of specs: {', '.join(OPTIONS)}")
        return getattr(self, name) if name in type(self).model_fields else OPTIONS[name]

    def marked(self, kind: type[Mark]) -> Iterator[tuple[str, str, Mark]]:
        """Yield option, name and mark of everything named in an option that carries such a mark."""
        for option, field in type(self).model_fields.items():
            for mark in (mark for mark in field.metadata if isinstance(mark, kind)):
                value = getattr(self, option)
                for name in [value] if isinstance(value, str) else value or []:
                    yield option, name, mark

    def only_average(self, design: str) -> Self:
        """Return the spec for the average effect by one design, without what is beside it."""
        options = (*own_options().values(), *_OFF)
        off = {name: OPTIONS[name] for name in options if name in type(self).model_fields}
        if not method_named(self.option("inference")).primary:
            off["inference"] = OPTIONS["inference"]
        return self.model_copy(update={"designs": [design], "terms": ["att"], **off})
