"""What exhibits say of the records of what ran: by column the sentence, or why none says it."""

from dataclasses import dataclass

# Code or section of the sentences that a column is said by, or chooses.
SAID: dict[str, str] = {
    "kind": "estimator",
    "method": "group_time_method",
    "average": "stacked_average",
    "firms": "estimator_words.every_firm",
    "end_bins": "end_bins",
    "untreated_categories": "estimator_words.without_untreated_categories",
    "comparison": "comparison_kind",
    "controls_from": "comparison_pool",
    "firm_years": "main_notes.count_mixed",
    "gaps": "gap_rule",
    "first_event_time": "main_notes.sample",
    "last_event_time": "main_notes.sample",
    "anticipation_years": "assumptions.no_change_before_anticipation",
    "base_event_time": "main_notes.sample",
    "base": "option_estimate_specs.base_every_year_before",
    "event_base": "dynamic_effects.varying_base",
    "matched_event_times": "dynamic_effects.matched_column",
    "adjusted_event_times": "dynamic_effects.adjusted_for_outcome",
    "firm_effects": "firm_effects",
    "year_effects": "year_effects",
    "year_effects_by": "year_effects.year_by_entry_year",
    "weights": "flat_weights",
    "weight_by": "designs.no_matching_weighted_by",
    "weight_matched_again": "estimator_words.weighted_again",
    "covariates": "estimator_words.with_covariates",
    "bias_adjustment": "estimator_words.bias_adjusted",
    "cluster": "option_estimate_specs.cluster",
    "other_cluster": "option_estimate_specs.other_cluster",
    "cutoff_km": "shocks.distance",
    "kernel": "spatial_kernel",
    "variance": "inference_words.t",
    "placebo_entry_years": "placebos.entry_too_early",
    "conf_level": "inference_words.t",
    "power": "detectable_effects.smallest_effect",
    "least_firms": "heterogeneity.what_is_shown",
}

_ROWS = "rows of ESTIMATES have it, and exhibits show these rows"
_REMARK = "a remark of the row that it gave says it"
_SEED = "repeats draws, and means nothing to readers"
_PLACE = "says where a row belongs"

SILENT: dict[str, str] = {
    "design": _PLACE,
    "outcome": _PLACE,
    "estimator": _PLACE,
    "terms": _ROWS,
    "event_bins": _ROWS,
    "balanced_last_event_time": _ROWS,
    "inference": _ROWS,
    "bands": _ROWS,
    "solved_by": "two ways to the same numbers",
    "influence_kept": "says what a private table holds",
    "variance_neighbours": "a detail of the variance of Abadie and Imbens",
    "draws": _REMARK,
    "romano_wolf_draws": _REMARK,
    "wild_draws": _REMARK,
    "wild_ties": _REMARK,
    "randomisation_draws": _REMARK,
    "seed": _SEED,
    "romano_wolf_seed": _SEED,
    "wild_seed": _SEED,
    "randomisation_seed": _SEED,
}

SAID_OF_ANALYSES: dict[str, str] = {
    "exit_known_by": "survival",
    "least_years_absent": "survival.exit_last_year",
    "column": "note.column_read",
    "column_event_time": "note.column_read",
    "lowest": "survival.limits_of_outcome",
    "highest": "survival.limits_of_outcome",
}

SILENT_OF_ANALYSES: dict[str, str] = {
    "estimator": _PLACE,
    "outcome": _PLACE,
    "grouping": _PLACE,
}

_ORDER = "the order in which rows stand"

# A code that ends in _ stands for all that begin so, one for each code of the option.
SAID_OF_DESIGNS: dict[str, str] = {
    "method": "methods",
    "score_model": "settings.on",
    "uses_score": "designs.score",
    "distance": "score_scale",
    "ratio": "methods.nearest_several",
    "least_ratio": "methods.nearest_range",
    "most_ratio": "methods.nearest_range",
    "replacement": "methods.with_replacement",
    "caliper": "methods.caliper",
    "caliper_sd": "methods.caliper_in_sd",
    "caliper_sd_of": "caliper_of",
    "bandwidth": "methods.kernel",
    "order": "option_match_designs.order_",
    "tie_tolerance": "option_match_designs.tie_tolerance",
    "exact": "methods.exact",
    "bins": "option_match_designs_bins",
    "covariates": "settings.on",
    "covariance_of": "option_match_designs.covariance_of_",
    "moments": "moments",
    "base": "balancing_base",
    "base_covariate": "balancing_base.covariate",
    "content": "external",
}

SILENT_OF_DESIGNS: dict[str, str] = {
    "design": _PLACE,
    "position": _ORDER,
    "estimand": "follows from the method, whose sentence says it",
    "order_seed": _SEED,
}

SAID_OF_MODELS: dict[str, str] = {
    "controls_from": "comparison_pool",
    "covariates": "settings.on",
    "fit": "score_fit",
    "link": "designs.score",
    "missing": "option_score_models.missing_",
    "untreated_categories": "option_score_models.untreated_categories_",
    "errors": "option_score_models.errors_",
    "support": "designs.common_support",
    "trim_share": "designs.percent",
    "score_bound": "designs.trimmed_above",
    "score_floor": "designs.trimmed_below_",
    "score_floor_of": "designs.trimmed_below_",
    "refit": "designs.fitted_on_support",
}

SILENT_OF_MODELS: dict[str, str] = {"model": _PLACE}

SAID_OF_COVARIATES: dict[str, str] = {
    "label": "covariate",
    "column": "option_score_covariates.column",
    "transform": "option_score_covariates.transform_",
    "value": "option_score_covariates.value",
    "dated_by": "covariate",
    "first_event_time": "covariate",
    "last_event_time": "covariate",
    "product_of": "option_score_covariates.product_of",
}

SILENT_OF_COVARIATES: dict[str, str] = {"covariate": _PLACE, "position": _ORDER}

SAID_OF_OUTCOMES: dict[str, str] = {
    "column": "option_outcomes.column",
    "transform": "option_outcomes.transform_",
    "family": "option_outcomes.family",
}

SILENT_OF_OUTCOMES: dict[str, str] = {"outcome": _PLACE, "position": _ORDER}

SAID_OF_BALANCE: dict[str, str] = {
    "denominator": "balance.standardised_difference",
    "threshold": "balance.verdict",
}


@dataclass(frozen=True)
class Spoken:
    """Hold of a record its columns that are said, by which sentences, and the silent ones."""

    said: dict[str, str]
    silent: dict[str, str]


RECORDS: dict[str, Spoken] = {
    "SPECS": Spoken(SAID, SILENT),
    "ANALYSES": Spoken(SAID_OF_ANALYSES, SILENT_OF_ANALYSES),
    "DESIGNS": Spoken(SAID_OF_DESIGNS, SILENT_OF_DESIGNS),
    "SCORE_MODELS": Spoken(SAID_OF_MODELS, SILENT_OF_MODELS),
    "DATED_COVARIATES": Spoken(SAID_OF_COVARIATES, SILENT_OF_COVARIATES),
    "OUTCOMES": Spoken(SAID_OF_OUTCOMES, SILENT_OF_OUTCOMES),
    "BALANCE_SUMMARY": Spoken(SAID_OF_BALANCE, {}),
}
