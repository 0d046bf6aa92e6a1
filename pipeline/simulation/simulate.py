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
    `register`: one row per firm and programme (`cdp`, `other`), with its entry year.
    `truth`: for each row of `panel`, the outcomes without any programme: no direct effect, no
    spillover, no anticipation. The true effect on a transform T is T(observed) - T(untreated).
    Where `alive_untreated` is false the levels are those of the firm had it survived; multiply by
    the flag for outcomes that count exit as zero.
    """

    panel: pd.DataFrame
    register: pd.DataFrame
    truth: pd.DataFrame


def simulate_programme(settings: Simulation, rng: np.random.Generator) -> SimulatedProgramme:
    """Draw firms, who enters, and what follows; the same seed gives the same bytes.

    Each part draws from its own stream, so that switching one assumption leaves all draws alone.
    Raises ParamsError where the settings leave nobody to treat.
    """
    firm_rng, path_rng, entry_rng, effect_rng, rent_rng = rng.spawn(5)
    years = np.arange(settings.first_year, settings.last_year + 1)
    firms = draw_firms(settings, firm_rng)
    calm = draw_untreated(settings, firms, years, path_rng)
    participation = draw_participation(settings, firms, calm, years, entry_rng)
    untreated = disturb_untreated(settings, calm, participation, years)
    without = untreated_outcomes(firms, untreated)
    observed = treated_outcomes(settings, firms, untreated, participation, years, rng=effect_rng)
    rents = draw_rents(settings, firms, participation, years, rent_rng)
    keys = _keys(observed.alive, years)
    return SimulatedProgramme(
        panel=_panel(keys, settings, firms, observed, rents),
        register=_register(settings, participation),
        truth=_truth(keys, without, observed.alive),
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
    programmes = [
        _register_of("cdp", settings, participation.entry_year),
        _register_of("other", settings, participation.other_entry_year),
    ]
    register = pd.concat(programmes, ignore_index=True)
    return register.sort_values(["firm_id", "programme"], ignore_index=True)


def _register_of(programme: str, settings: Simulation, entry_year: Floats) -> pd.DataFrame:
    entered = np.flatnonzero(~np.isnan(entry_year))
    return pd.DataFrame(
        {
            "firm_id": _codes("F", settings.firms)[entered],
            "programme": pd.array([programme] * len(entered), dtype="str"),
            "entry_year": entry_year[entered].astype(np.int64),
        }
    )


def _codes(prefix: str, count: int) -> pd.api.extensions.ExtensionArray:
    """Return codes such as F0001, as wide as the count needs."""
    width = len(str(count))
    return pd.array([f"{prefix}{number:0{width}d}" for number in range(1, count + 1)], dtype="str")
