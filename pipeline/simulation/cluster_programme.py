"""A simulated programme of clusters: what connects firms, who takes which part, and its tables."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from pipeline.datasets.arrays import Flags, Integers
from pipeline.datasets.precision import SIGNIFICANT_DIGITS, significant
from pipeline.params.simulation import ClusterProgramme, Simulation
from pipeline.simulation.firms import SimulatedFirms
from pipeline.simulation.participation import Openings, Participation, draw_participation
from pipeline.simulation.parts import Parts, draw_parts, part_factors
from pipeline.simulation.spillovers import Surroundings, draw_surroundings, spilt_log
from pipeline.simulation.untreated import Untreated

# The programme that is evaluated, as the register calls it.
EVALUATED = "cdp"
TRADABLE, NON_TRADABLE = "tradable", "non-tradable"
SPONSOR, BENEFICIARY = "sponsor", "beneficiary"


@dataclass(frozen=True)
class DrawnProgramme:
    """Hold who enters when, which part each takes, and what connects firms."""

    participation: Participation
    parts: Parts
    around: Surroundings


def draw_cluster_programme(
    settings: Simulation,
    programme: ClusterProgramme,
    firms: SimulatedFirms,
    untreated: Untreated,
    years: Integers,
    *,
    rng: np.random.Generator,
) -> DrawnProgramme:
    """Draw who takes part in what; raises as `draw_participation` does."""
    share_rng, entry_rng, around_rng, part_rng = rng.spawn(4)
    clusters = settings.municipalities * settings.sectors
    openings = Openings(
        saturation=share_rng.choice(np.array(programme.saturations), clusters),
        other_alone=share_rng.random(clusters) < programme.other_alone_share,
    )
    participation = draw_participation(
        settings, firms, untreated, years, entry_rng, openings=openings
    )
    parts = draw_parts(programme, firms, participation, part_rng)
    return DrawnProgramme(
        replace(participation, own_factor=part_factors(programme, parts)),
        parts,
        draw_surroundings(settings, programme, firms, untreated, around_rng),
    )


def exposed_paths(
    drawn: DrawnProgramme, firms: SimulatedFirms, untreated: Untreated, years: Integers
) -> Untreated:
    """Return what firms would do if they stayed out themselves, exposed to others as they are."""
    spilt = spilt_log(drawn.around, firms, drawn.participation, years)
    return replace(
        untreated,
        log_sales=untreated.log_sales + spilt,
        log_employment=untreated.log_employment + spilt,
    )


def with_places(panel: pd.DataFrame, drawn: DrawnProgramme, alive: Flags) -> pd.DataFrame:
    """Return the panel with places in decimal degrees, and whether the sector is tradable."""
    places, firm = drawn.around.places, np.nonzero(alive)[0]
    return panel.assign(
        latitude=places.latitude[firm],
        longitude=places.longitude[firm],
        tradable=pd.array(np.where(places.tradable, TRADABLE, NON_TRADABLE)[firm], dtype="str"),
    )


def register_by_component(register: pd.DataFrame, parts: Parts, names: list[str]) -> pd.DataFrame:
    """Return the register with a row for each component that a firm takes, and its role.

    `register` has a row per firm and programme, numbered `firm`; the other programme is one
    component, of its own name, and has no sponsors.
    """
    evaluated = register["programme"] == EVALUATED
    firm, part = np.nonzero(parts.taken)
    taken = pd.DataFrame({"firm": firm, "component": pd.array(names, dtype="str")[part]})
    of_programme = register[evaluated].merge(taken, on="firm")
    role = np.where(parts.sponsor[of_programme["firm"]], SPONSOR, BENEFICIARY)
    of_other = register[~evaluated].assign(
        component=register.loc[~evaluated, "programme"], role=BENEFICIARY
    )
    rows = pd.concat([of_programme.assign(role=role), of_other], ignore_index=True)
    return rows.astype({"role": "str"})


def link_table(drawn: DrawnProgramme, codes: pd.api.extensions.ExtensionArray) -> pd.DataFrame:
    """Return one row per link, as delivered; `codes` (firms,) are identifiers."""
    parts = [
        pd.DataFrame(
            {
                "source": codes[links.source],
                "target": codes[links.target],
                "kind": kind,
                "year": links.year,
                "amount": significant(links.weight, SIGNIFICANT_DIGITS),
            }
        )
        for kind, links in drawn.around.links.items()
    ]
    return pd.concat(parts, ignore_index=True).astype({"kind": "str"})
