"""Simulate a cluster development programme whose effect is known, firm by firm.

For tests, benchmarks and readers without access to data. Firms in some assignment clusters
(municipality x sector) select themselves in on what a score can observe; their untreated growth
depends on the same characteristics. A naive comparison is therefore biased, and one between firms
alike in these characteristics is not, until a switch in the settings breaks an assumption.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.datasets.arrays import Flags, Floats, Integers
from pipeline.datasets.precision import SIGNIFICANT_DIGITS, significant
from pipeline.params.simulation import Simulation
from pipeline.simulation.cluster_programme import (
    EVALUATED,
    DrawnProgramme,
    draw_cluster_programme,
    exposed_paths,
    link_table,
    register_by_component,
    with_places,
)
from pipeline.simulation.firms import REGIONS, SimulatedFirms, draw_firms
from pipeline.simulation.outcomes import (
    Outcomes,
    disturb_untreated,
    draw_rents,
    treated_outcomes,
    untreated_outcomes,
)
from pipeline.simulation.participation import Participation, draw_participation
from pipeline.simulation.untreated import draw_untreated


@dataclass(frozen=True)
class SimulatedProgramme:
    """Hold what an evaluator would receive, and the truth that only tests may read.

    `panel`: one row per firm alive and year; sales and exports in US$ thousand, employment in jobs,
    rents, which the programme leaves alone, in US$ per square metre and month.
    `register`: one row per firm and programme (`cdp`, `other`), with its entry year; of a cluster
    programme one per component too, and its role.
    `truth`: for each row of `panel`, the outcomes without any programme: no direct effect, no
    spillover, no anticipation. The true effect on a transform T is T(observed) - T(untreated).
    Where `alive_untreated` is false the levels are those of the firm had it survived; multiply by
    the flag for outcomes that count exit as zero. Of a cluster programme `<outcome>_exposed` is
    what a firm would have had it alone stayed out: T(observed) - T(exposed) is the own effect, and
    T(exposed) - T(untreated) the spillover.
    `links`: of a cluster programme, one row per link between two firms, from supplier to buyer, and
    from the firm that workers left to the one that they joined.
    """

    panel: pd.DataFrame
    register: pd.DataFrame
    truth: pd.DataFrame
    links: pd.DataFrame | None = None


def simulate_programme(settings: Simulation, rng: np.random.Generator) -> SimulatedProgramme:
    """Draw firms, who enters, and what follows; the same seed gives the same bytes.

    Each part draws from its own stream, so that switching one assumption leaves all draws alone.
    Raises ParamsError where the settings leave nobody to treat.
    """
    firm_rng, path_rng, entry_rng, effect_rng, rent_rng = rng.spawn(5)
    years = np.arange(settings.first_year, settings.last_year + 1)
    firms = draw_firms(settings, firm_rng)
    calm = draw_untreated(settings, firms, years, path_rng)
    drawn = None
    if (programme := settings.cluster_programme) is None:
        participation = draw_participation(settings, firms, calm, years, entry_rng)
    else:
        drawn = draw_cluster_programme(settings, programme, firms, calm, years, rng=entry_rng)
        participation = drawn.participation
    untreated = disturb_untreated(settings, calm, participation, years)
    exposed = untreated if drawn is None else exposed_paths(drawn, firms, untreated, years)
    observed = treated_outcomes(settings, firms, exposed, participation, years, rng=effect_rng)
    rents = draw_rents(settings, firms, participation, years, rent_rng)
    keys = _keys(observed.alive, years)
    simulated = SimulatedProgramme(
        panel=_panel(keys, settings, firms, observed, rents),
        register=_delivered_register(_register(settings, participation)),
        truth=_truth(keys, untreated_outcomes(firms, untreated), observed.alive),
    )
    if drawn is None:
        return simulated
    return _with_cluster_tables(
        simulated, settings, drawn, untreated_outcomes(firms, exposed), observed.alive
    )


def _with_cluster_tables(
    plain: SimulatedProgramme,
    settings: Simulation,
    drawn: DrawnProgramme,
    exposed: Outcomes,
    alive: Flags,
) -> SimulatedProgramme:
    """Return the tables with what a cluster programme adds to each."""
    assert settings.cluster_programme is not None, "drawn"
    names = list(settings.cluster_programme.component_factors)
    register = register_by_component(_register(settings, drawn.participation), drawn.parts, names)
    return SimulatedProgramme(
        panel=with_places(plain.panel, drawn, alive),
        register=_delivered_register(register),
        truth=plain.truth.assign(
            sales_exposed=_delivered(exposed.sales[alive]),
            employment_exposed=exposed.employment[alive].astype(np.int64),
            exports_exposed=_delivered(exposed.exports[alive]),
        ),
        links=link_table(drawn, _codes("F", settings.firms)),
    )


def _keys(alive: Flags, years: Integers) -> pd.DataFrame:
    firm, year = np.nonzero(alive)
    return pd.DataFrame({"firm_id": _codes("F", len(alive))[firm], "year": years[year]})


def _panel(
    keys: pd.DataFrame,
    settings: Simulation,
    firms: SimulatedFirms,
    observed: Outcomes,
    rents: Floats,
) -> pd.DataFrame:
    firm, year = np.nonzero(observed.alive)
    municipality = firms.municipality[firm]
    return keys.assign(
        municipality=_codes("M", settings.municipalities)[municipality],
        region=_codes("R", REGIONS)[municipality % REGIONS],
        sector=_codes("S", settings.sectors)[firms.sector[firm]],
        founding_year=firms.founding_year[firm],
        foreign_owned=firms.foreign_owned[firm].astype(np.int64),
        manager_education_years=firms.manager_education_years[firm],
        distance_km=firms.distance_km[firm],
        rent=_delivered(rents[firm, year]),
        sales=_delivered(observed.sales[firm, year]),
        employment=observed.employment[firm, year].astype(np.int64),
        exports=_delivered(observed.exports[firm, year]),
    )


def _truth(keys: pd.DataFrame, without: Outcomes, alive: Flags) -> pd.DataFrame:
    return keys.assign(
        sales_untreated=_delivered(without.sales[alive]),
        employment_untreated=without.employment[alive].astype(np.int64),
        exports_untreated=_delivered(without.exports[alive]),
        alive_untreated=without.alive[alive],
    )


def _delivered(levels: Floats) -> Floats:
    """Round levels, whose last digits processors disagree on, as a register would deliver them."""
    return significant(levels, SIGNIFICANT_DIGITS)


def _register(settings: Simulation, participation: Participation) -> pd.DataFrame:
    """Return one row per firm, by number `firm` and identifier, and programme, in that order."""
    programmes = [
        _register_of(EVALUATED, settings, participation.entry_year),
        _register_of("other", settings, participation.other_entry_year),
    ]
    register = pd.concat(programmes, ignore_index=True)
    return register.sort_values(["firm_id", "programme"], ignore_index=True)


def _register_of(programme: str, settings: Simulation, entry_year: Floats) -> pd.DataFrame:
    entered = np.flatnonzero(~np.isnan(entry_year))
    return pd.DataFrame(
        {
            "firm": entered,
            "firm_id": _codes("F", settings.firms)[entered],
            "programme": pd.array([programme] * len(entered), dtype="str"),
            "entry_year": entry_year[entered].astype(np.int64),
        }
    )


def _delivered_register(register: pd.DataFrame) -> pd.DataFrame:
    """Return the register without numbers of firms, which no evaluator receives."""
    order = [name for name in ("firm_id", "programme", "component") if name in register]
    return register.drop(columns="firm").sort_values(order, ignore_index=True)


def _codes(prefix: str, count: int) -> pd.api.extensions.ExtensionArray:
    """Return codes such as F0001, as wide as the count needs."""
    width = len(str(count))
    return pd.array([f"{prefix}{number:0{width}d}" for number in range(1, count + 1)], dtype="str")
