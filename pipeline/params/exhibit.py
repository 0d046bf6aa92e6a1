"""Section `exhibit`: titles, panels and rounding; nothing here changes an estimate."""

from pydantic import Field

from pipeline.params.settings import Settings


class Panel(Settings):
    """Name one panel of the main table: a design under one estimation spec."""

    design: str
    spec: str
    label: str


class ExhibitSection(Settings):
    """Say what readers see: names, source line, panels in order, rounding."""

    title: str
    programme: str
    firms: str = Field(description="what a unit is called in prose: firms, plants")
    cluster: str = Field(description="what an assignment cluster is: plant, municipality x sector")
    source: str
    panels: list[Panel] = Field(min_length=1)
    design_labels: dict[str, str]
    decimals: int = Field(ge=0, le=6)
    stars: bool
