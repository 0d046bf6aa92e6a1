"""What exhibits say of SPECS and ANALYSES: by column the sentence, or why none needs to say it."""

# Code or section of the sentences that a column is said by, or chooses.
SAID: dict[str, str] = {
    "kind": "estimator",
    "method": "group_time_method",
    "average": "stacked_average",
    "firms": "estimator_words.every_firm",
    "comparison": "comparison_kind",
    "controls_from": "comparison_pool",
    "firm_years": "main_notes.count_mixed",
    "gaps": "gap_rule",
    "first_event_time": "main_notes.sample",
    "last_event_time": "main_notes.sample",
    "anticipation_years": "assumptions.no_change_before_anticipation",
    "base_event_time": "main_notes.sample",
    "event_base": "dynamic_effects.varying_base",
    "matched_event_times": "dynamic_effects.matched_column",
    "firm_effects": "firm_effects",
    "year_effects": "year_effects",
    "year_effects_by": "year_effects.year_by_entry_year",
    "weights": "flat_weights",
    "weight_by": "designs.no_matching_weighted_by",
    "weight_matched_again": "estimator_words.weighted_again",
    "covariates": "estimator_words.with_covariates",
    "bias_adjustment": "estimator_words.bias_adjusted",
    "cluster": "assumptions.intervals",
    "other_cluster": "assumptions.intervals",
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
    "base": "follows from `average` and `kind`, whose sentences say it",
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
