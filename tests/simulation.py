"""The simulated programme's default settings, for every test that needs firms with a known effect.

`settings(firms=1000)` changes single keys; the study `simulated` has the same text.
"""

from typing import Any

from ruamel.yaml import YAML

from pipeline.params.simulation import Simulation

DEFAULTS = """\
# firms ever alive in the panel
firms: 6000
# calendar years, both included
first_year: 2005
last_year: 2016
# assignment clusters are municipality x sector
municipalities: 50
sectors: 8
# share of firms founded after first_year
born_late_share: 0.15
# share of firms lost every year
exit_share_per_year: 0.04
# share of untreated firms that export; the others have exports 0
exporter_share: 0.15
# entry years, ascending
cohort_years:
- 2009
- 2010
- 2011
treated_clusters: 96  # clusters in which it opens, spread evenly over the entry years
# share of the firms alive in those clusters that enter
participation_share: 0.4
# who enters: log-odds per unit of each characteristic
selection_log_odds:
  # per log of jobs in the year before entry
  log_employment: 0.4
  # per year since founding
  age_years: -0.04
  # foreign-owned against locally owned
  foreign_owned: 0.6
  # per year of schooling of the manager
  manager_education_years: 0.2
  # per km to the seat of the cluster
  distance_km: -0.03
# untreated growth of sales and jobs, percent per year and unit of each characteristic
trend_percent_per_year:
  age_years: -0.2
  foreign_owned: 2.0
  manager_education_years: 1.0
  distance_km: -0.15
# SD of untreated growth that no column shows, percent per year
unobserved_trend_sd_percent_per_year: 2.0
# SD of the firm's mean-reverting shocks, in logs
sales_shock_sd_log: 0.35
employment_shock_sd_log: 0.2
# correlation of the two shocks of a firm
shock_correlation: 0.5
# part of a firm's or cluster's shock left a year later
shock_persistence: 0.6
# part of the propensity to export left a year later
exporting_persistence: 0.95
# SD of sector x year and cluster x year shocks to log sales; jobs take half of each
sector_shock_sd_log: 0.03
cluster_shock_sd_log: 0.08
# effect of the programme in the entry year and one, two, three years later; the last value
# carries on. Sizes: supplier development in Chile (Arraiz, Henriquez & Stucchi)
effects:
  # percent of untreated sales
  sales_percent:
  - 0
  - 16
  - 11
  - 9
  employment_percent:  # percent of untreated jobs
  - 0
  - 8
  - 9
  - 10
  exporting_points:  # percentage points of firms that export
  - 0
  - 0
  - 4
  - 5
  export_value_percent:  # percent of the exports of a firm that exports
  - 0
  - 5
  - 10
  - 10
  survival_points:  # percentage points of entrants still alive
  - 0
  - 2
  - 2.5
  - 3
cohort_effect_factors:  # factor on all effects for each entry year
- 1
- 1
- 1
"""


def settings(**changes: Any) -> Simulation:
    """Return the default settings with single keys changed."""
    content = YAML(typ="safe", pure=True).load(DEFAULTS)
    return Simulation.model_validate({**content, **changes})


CLUSTER_PROGRAMME = """\
# side of the square that municipalities lie in, and SD of places around the centre of theirs
country_km: 600
municipality_sd_km: 4
# the first so many sectors are tradable
tradable_sectors: 4
# shares of firms that enter, one drawn for each cluster
saturations:
- 0.2
- 0.6
# share of clusters in which the other programme opens in the place of the first
other_alone_share: 0.25
# classes of the share of the other firms of the cluster that take part: to 0.4, and above
saturation_edges:
- 0.4
# what their participation does to sales and jobs of a firm, percent by class
spill_percent:
  tradable:
  - 2
  - 10
  non_tradable:
  - -1
  - -6
# what a good of the whole cluster brings all its firms, percent
horizontal_percent: 2
# links that a firm has on average, and what one to a participant brings, percent
links_per_firm:
  supply: 0.6
  labour_flow: 0.3
local_link_share: 0.7
link_percent:
  supply: 6
  labour_flow: -3
# own effects by component, as a factor on `effects`; those that take both gain more than the sum
component_factors:
  training: 1
  equipment: 0.5
several_components_share: 0.3
complementarity_factor: 0.4
sponsor_factor: 0.6
"""


def cluster_settings(programme: dict[str, Any] | None = None, **changes: Any) -> Simulation:
    """Return the settings of a programme of clusters with single keys of either level changed."""
    content = YAML(typ="safe", pure=True).load(CLUSTER_PROGRAMME)
    both = {"other_programme_share": 0.05, **changes}
    return settings(cluster_programme={**content, **(programme or {})}, **both)
