"""Block `data.source.settings` of a simulated study: firms, a programme, and what it does to them.

Everything that shapes the simulated world is required. The switches that break an assumption of
the evaluation are off unless set.
"""

from itertools import pairwise

from pydantic import Field, model_validator

from pipeline.params.settings import Settings

Profile = list[float]


class CovariateWeights(Settings):
    """Weight the observed characteristics of a firm, each in its own unit."""

    age_years: float = Field(description="per year since founding")
    foreign_owned: float = Field(description="foreign-owned against locally owned")
    manager_education_years: float = Field(description="per year of schooling of the manager")
    distance_km: float = Field(description="per km to the seat of the cluster")


class SelectionWeights(CovariateWeights):
    """Weight what decides who enters, in log-odds."""

    log_employment: float = Field(description="per log of jobs in the year before entry")


class EffectProfiles(Settings):
    """Set the effect of the programme by event time 0, 1, 2, ...; the last value carries on.

    All zeros is a world without effect. Firms are alive in their entry year by construction, so
    the survival profile starts at 0.
    """

    sales_percent: Profile = Field(min_length=1, description="percent of untreated sales")
    employment_percent: Profile = Field(min_length=1, description="percent of untreated jobs")
    exporting_points: Profile = Field(min_length=1, description="percentage points of firms")
    export_value_percent: Profile = Field(
        min_length=1, description="percent of the exports of a firm that exports"
    )
    survival_points: Profile = Field(
        min_length=1, description="percentage points of entrants still alive"
    )

    @model_validator(mode="after")
    def _possible(self) -> "EffectProfiles":
        for name in ("sales_percent", "employment_percent", "export_value_percent"):
            if min(getattr(self, name)) <= -100:
                raise ValueError(f"{name} must stay above -100: nobody can lose more than all")
        if self.survival_points[0] != 0 or min(self.survival_points) < 0:
            raise ValueError("survival_points starts at 0 and has no negative value")
        return self


class BySector(Settings):
    """Set effects on firms of tradable and of other sectors apart, one for each class of share."""

    tradable: list[float] = Field(description="percent of sales and jobs, the lowest class first")
    non_tradable: list[float] = Field(
        description="percent of sales and jobs, the lowest class first"
    )


class ByLink(Settings):
    """Set one number for each kind of link between firms."""

    supply: float = Field(description="of suppliers, which deliver to others")
    labour_flow: float = Field(description="of firms that others' workers moved to")


class ClusterProgramme(Settings):
    """Make the programme one of clusters: places, links, components, effects on other firms.

    Effects on others hold in percent of sales and jobs from the year in which another firm that
    exposes a firm takes part in any of the two programmes, and add up on logs. Participants have
    them beside their own: total = own + spill. The other programme opens in the clusters of the
    first, in the same year or one later, or in its place. Links are dated before anybody enters.
    """

    country_km: float = Field(gt=0, description="side of the square that municipalities lie in")
    municipality_sd_km: float = Field(
        ge=0, description="SD of places around the centre of the municipality, in each direction"
    )
    tradable_sectors: int = Field(ge=0, description="the first so many sectors are tradable")
    saturations: list[float] = Field(
        min_length=1,
        description="shares of firms that enter, one drawn for each cluster; in the place of "
        "participation_share",
    )
    other_alone_share: float = Field(
        ge=0, lt=1, description="share of clusters in which the other programme opens alone"
    )
    saturation_edges: list[float] = Field(
        description="upper edges of all but the last class of the share of the other firms of "
        "the cluster that take part"
    )
    spill_percent: BySector
    horizontal_percent: float = Field(
        gt=-100, description="what a good of the whole cluster brings all its firms"
    )
    links_per_firm: ByLink
    local_link_share: float = Field(
        ge=0, le=1, description="share of links within the municipality; others are anywhere"
    )
    link_percent: ByLink = Field(description="percent of sales and jobs, of the linked firm")
    component_factors: dict[str, float] = Field(
        min_length=1, description="factor on own effects of each component of the programme"
    )
    several_components_share: float = Field(
        ge=0, le=1, description="share of participants that take all components at once"
    )
    complementarity_factor: float = Field(
        default=0, description="added to the sum of factors of those that take all"
    )
    sponsor_factor: float = Field(
        default=1, description="factor on own effects of sponsors, the largest of each cluster"
    )

    @model_validator(mode="after")
    def _classes_fit(self) -> "ClusterProgramme":
        edges = [0.0, *self.saturation_edges, 1.0]
        if any(later <= earlier for earlier, later in pairwise(edges)):
            raise ValueError("saturation_edges must ascend between 0 and 1")
        if not all(0 < share < 1 for share in self.saturations):
            raise ValueError("saturations are shares between 0 and 1")
        effects = [self.spill_percent.tradable, self.spill_percent.non_tradable]
        if any(len(percent) != len(edges) - 1 for percent in effects):
            raise ValueError("spill_percent needs a number for each class of saturation_edges")
        linked = [self.link_percent.supply, self.link_percent.labour_flow]
        if min(*effects[0], *effects[1], *linked) <= -100:
            raise ValueError(
                "effects on others must stay above -100: nobody can lose more than all"
            )
        if min(self.links_per_firm.supply, self.links_per_firm.labour_flow) < 0:
            raise ValueError("links_per_firm has no negative number")
        return self


class Simulation(Settings):
    """Describe firms, shocks, selection, effects, and the assumptions that are broken."""

    firms: int = Field(ge=20, description="firms ever alive in the panel")
    first_year: int = Field(description="first calendar year of the panel")
    last_year: int = Field(description="last calendar year of the panel")
    municipalities: int = Field(ge=1, description="municipalities; clusters cross them and sectors")
    sectors: int = Field(ge=1, description="sectors")
    born_late_share: float = Field(ge=0, lt=1, description="share of firms founded after year one")
    exit_share_per_year: float = Field(ge=0, lt=0.5, description="share of firms lost every year")
    exporter_share: float = Field(gt=0, lt=0.5, description="share of untreated firms that export")

    cohort_years: list[int] = Field(min_length=1, description="entry years, ascending")
    treated_clusters: int = Field(ge=1, description="clusters in which the programme opens")
    participation_share: float = Field(
        gt=0, lt=1, description="share of the firms alive in those clusters that enter"
    )
    selection_log_odds: SelectionWeights
    trend_percent_per_year: CovariateWeights = Field(
        description="untreated growth of sales and jobs that a characteristic brings"
    )
    unobserved_trend_sd_percent_per_year: float = Field(
        ge=0, description="SD of untreated growth that no column shows"
    )

    sales_shock_sd_log: float = Field(ge=0, description="SD of the firm's shock to log sales")
    employment_shock_sd_log: float = Field(ge=0, description="SD of the firm's shock to log jobs")
    shock_correlation: float = Field(
        ge=-1, le=1, description="correlation of the firm's shocks to sales and jobs"
    )
    shock_persistence: float = Field(
        ge=0, lt=1, description="part of a firm's or cluster's shock left a year later"
    )
    exporting_persistence: float = Field(
        ge=0, lt=1, description="part of the propensity to export left a year later"
    )
    sector_shock_sd_log: float = Field(ge=0, description="SD of sector x year shocks, log sales")
    cluster_shock_sd_log: float = Field(ge=0, description="SD of cluster x year shocks, log sales")

    effects: EffectProfiles
    cohort_effect_factors: list[float] = Field(
        description="factor on all effects (on logs and points) by entry year, as cohort_years"
    )

    treated_trend_percent_per_year: float = Field(
        default=0, description="breaks parallel trends: extra untreated growth of participants"
    )
    entry_dip_percent: float = Field(
        default=0, ge=0, lt=100, description="untreated sales lost by participants before entry"
    )
    entry_dip_years: int = Field(default=1, ge=1, description="years before entry with the dip")
    anticipation_percent: float = Field(
        default=0, gt=-100, description="effect on participants' sales before entry"
    )
    anticipation_years: int = Field(default=1, ge=1, description="years before entry with it")
    spillover_percent: float = Field(
        default=0,
        gt=-100,
        description="effect on sales and jobs of non-participants beside participants",
    )
    informative_exit_log_hazard: float = Field(
        default=0, ge=0, description="rise of the log exit rate per SD of a bad year in sales"
    )
    other_programme_share: float = Field(
        default=0, ge=0, lt=1, description="share of other firms in another programme"
    )
    other_programme_log_odds: float = Field(
        default=1.5, description="log-odds of entering the other programme for participants"
    )
    other_programme_percent: float = Field(
        default=10, gt=-100, description="effect of the other programme on sales and jobs"
    )
    unobserved_selection_log_odds: float = Field(
        default=0, description="log-odds of entry per SD of the unobserved trend"
    )
    cluster_programme: ClusterProgramme | None = Field(
        default=None, description="places, links, components and effects on others, if any"
    )

    @model_validator(mode="after")
    def _consistent(self) -> "Simulation":
        years = [self.first_year, *self.cohort_years]
        if any(later <= earlier for earlier, later in pairwise(years)):
            raise ValueError("cohort_years must ascend and begin after first_year")
        if self.cohort_years[-1] > self.last_year:
            raise ValueError("cohort_years must not pass last_year")
        if len(self.cohort_effect_factors) != len(self.cohort_years):
            raise ValueError("cohort_effect_factors needs one factor for each of cohort_years")
        if self.treated_clusters > self.municipalities * self.sectors:
            raise ValueError("treated_clusters exceeds municipalities x sectors")
        around = self.cluster_programme
        if around is not None and around.tradable_sectors > self.sectors:
            raise ValueError("cluster_programme.tradable_sectors exceeds sectors")
        return self
