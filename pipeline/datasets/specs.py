"""SPECS, ANALYSES and OUTCOMES: what ran, resolved; exhibits say what they say.

ANALYSES has what only analyses have, the same on every design: when firms are gone, limits of worst
cases, and the columns that group or weigh firms.
"""

from pipeline.datasets.reasons import packed_list
from pipeline.datasets.store import Column, Dataset

# Where an option does not apply, or is not asked for; where one that is a list has no values.
NONE = "none"
NO_LIST = packed_list([])


def word(meaning: str) -> Column:
    """Return a column that holds a code or a text; `none` where the option does not apply."""
    return Column("string", meaning, tells="words")


def listed(meaning: str) -> Column:
    """Return a column that holds a list of codes or numbers."""
    return Column("string", f"{meaning}: a list, JSON", tells="words")


def _number(meaning: str, missing: str | None = None) -> Column:
    return Column("integer", meaning, tells="words", missing=missing)


def _limit(meaning: str) -> Column:
    return Column(
        "number",
        meaning,
        tells="words",
        stored="delivered",
        unit="unit of the outcome",
        missing="there are no limits",
    )


def _seed(of: str) -> Column:
    return _number(f"seed of {of}", missing="nothing is drawn")


SPECS = Dataset(
    name="SPECS",
    row="one spec or analysis, outcome and design; `none` is no option",
    key=("design", "outcome", "estimator"),
    columns={
        "design": Column("string", "matching design"),
        "outcome": Column("string", "outcome as named in params; survival for that of firms"),
        "estimator": Column("string", "name of the spec or analysis"),
        "kind": word("estimator or analysis as params call it: stacked, group_time, margins ..."),
        "method": listed("least_squares, poisson, imputation, a method of group_time ..."),
        "solved_by": word("own, linearmodels; nobody where nothing could be estimated"),
        "terms": listed("families of terms asked for"),
        "average": word("what `att` averages: event, pooled, simple, cohort, year"),
        "event_bins": listed("ranges of event times averaged, of each first and last"),
        "balanced_last_event_time": _number(
            "last event time of event_balanced",
            missing="no such average is asked for",
        ),
        "firms": word("risk_sets: those of the design's stacks; panel: every firm"),
        "end_bins": word(
            "open-ended event times: both, untested (both, no test before entry), last; shown, "
            "averaged"
        ),
        "untreated_categories": word("leave_out: who is in a category without a treated firm"),
        "comparison": word("never_treated, not_yet_treated"),
        "controls_from": word("pool: all, outside_treated_clusters; not_known without settings"),
        "firm_years": word("per_entry_year, or once where entry years are pooled"),
        "gaps": listed("who counts where outcomes are missing: drop_set, observed, pairs ..."),
        "first_event_time": _number("first event time of the window"),
        "last_event_time": _number("last event time of the window"),
        "anticipation_years": _number("years before entry that count as treated"),
        "base_event_time": _number("event time of the reference year"),
        "base": word(
            "what the average is measured from: reference_year, every_year_before; covariate, none"
        ),
        "event_base": word("what event times before entry are measured from: universal, varying"),
        "matched_event_times": listed("event times of the outcome that the design matched on"),
        "adjusted_event_times": listed(
            "event times before entry whose change the spec's covariates add up to"
        ),
        "firm_effects": word("firm_by_entry_year, firm, cohort, or differenced"),
        "year_effects": word("year_by_entry_year, year, or differenced"),
        "year_effects_by": word("column whose base-year value year effects vary by"),
        "weights": word(
            "matching, matching_summed, matched_anew, matched_within_groups, scaled_to_treated, "
            "one, sampling, treated_size, own_size"
        ),
        "weight_by": listed("covariate or columns that weight firms"),
        "weight_matched_again": Column(
            "flag", "weights by the score on top of matching", tells="words"
        ),
        "covariates": listed("covariates adjusted for"),
        "bias_adjustment": listed("covariates whose differences within matches are removed"),
        "cluster": word("what errors are clustered by: firm, assignment ..., or a text column"),
        "other_cluster": word("the other of two levels that they are clustered by"),
        "cutoff_km": Column(
            "number",
            "how far apart firms share shocks",
            tells="words",
            unit="km",
            missing="they share none by distance",
        ),
        "kernel": word("how pairs of firms at a distance count: uniform, bartlett"),
        "variance": word("clustered; hc3; robust or homoskedastic within neighbours"),
        "variance_neighbours": _number("neighbours that variances are among; 0 without"),
        "inference": listed("methods that gave an error, a p-value or an interval"),
        "bands": Column("flag", "simultaneous bands beside", tells="words"),
        "draws": _number("samples of the cluster bootstrap; 0 without"),
        "seed": _seed("the cluster bootstrap"),
        "wild_draws": _number("draws of the wild bootstrap; 0 without"),
        "wild_seed": _seed("the wild bootstrap"),
        "wild_ties": word("ties of the wild bootstrap: counted, left_out"),
        "randomisation_draws": _number("assignments of the randomisation test; 0 without"),
        "randomisation_seed": _seed("the randomisation test"),
        "influence_kept": word("estimates that INFLUENCE has: all, averages, none"),
        "romano_wolf_draws": _number("draws over the family of outcomes; 0 where not in one"),
        "romano_wolf_seed": _seed("these draws"),
        "placebo_entry_years": _number("years too early of a placebo entry; 0 without"),
        "conf_level": Column("number", "level of intervals", tells="words", unit="share"),
        "power": Column(
            "number", "power at which effects are detectable", tells="words", unit="probability"
        ),
        "least_firms": _number("fewest firms of a group that is estimated; 0 without groups"),
    },
)

ANALYSES = Dataset(
    name="ANALYSES",
    row="what an analysis rests on: its rule of exit, an outcome's limits, a column of firms",
    key=("estimator", "outcome", "grouping"),
    columns={
        "estimator": Column("string", "name of the analysis"),
        "outcome": Column("string", "outcome whose limits these are, or `all`"),
        "grouping": Column("string", "what firms are grouped, or weighted, by; or `all`"),
        "exit_known_by": word("how a firm is known to be gone: last_year, column"),
        "least_years_absent": _number(
            "fewest years absent up to the panel's last of who is gone; 0 where that is no rule",
        ),
        "column": word("column that says when firms exit, groups or weighs them"),
        "column_event_time": _number(
            "event time at which firms have the column",
            missing="the column has no date",
        ),
        "lowest": _limit("least that an outcome could have been"),
        "highest": _limit("most that it could have been"),
    },
)

OUTCOMES = Dataset(
    name="OUTCOMES",
    row="one outcome as it was made of PANEL",
    key=("outcome",),
    columns={
        "outcome": Column("string", "outcome as named in params"),
        "position": _number("order in which tables show it, from 1"),
        "column": word("column of PANEL; none where it is not observed"),
        "transform": word(
            "log, level, any, proportional, percent_of_mean; none where it is not observed"
        ),
        "family": word("outcomes whose p-values are corrected together"),
    },
)
