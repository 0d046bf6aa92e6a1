"""By which sentences readers learn of every option of params, or why none says it.

An option of data, clean or treatment is said by the sentence of its name in the section of its rule
(`option_clean_tails.by`), or by one for each of its codes (`option_clean_tails.method_trim`); one
that a column of a record holds by what says that column (`exhibits.words.said`).
"""

_DELIVERED = "says how delivered files are read, not what is made of them"
_PLACE = "says which rows of results there are, and exhibits show these rows"
# Of options that have no sentence because tables show them.
PRESENTED = "readers see it as you wrote it: a heading, a unit, a name"
_SIMULATED = "the truth of simulated firms, which the table of recovery shows"

# Rules of which no option is said.
SILENT_RULES: dict[str, str] = {
    "data_source": _DELIVERED,
    "data_source_wide": _DELIVERED,
    "data_source_format": _DELIVERED,
    "data_source_register_format": _DELIVERED,
    "data_register_columns": _DELIVERED,
    "data_links_format": _DELIVERED,
    "data_source_settings": _SIMULATED,
    "data_source_settings_selection_log_odds": _SIMULATED,
    "data_source_settings_trend_percent_per_year": _SIMULATED,
    "data_source_settings_effects": _SIMULATED,
    "data_source_settings_cluster_programme": _SIMULATED,
    "data_source_settings_cluster_programme_spill_percent": _SIMULATED,
    "data_source_settings_cluster_programme_links_per_firm": _SIMULATED,
    "data_source_settings_cluster_programme_link_percent": _SIMULATED,
    "match_designs_format": _DELIVERED,
    "estimate_headline": _PLACE,
}

SILENT_OPTIONS: dict[str, str] = {
    "estimate.other_arms": "tables of an arm name the specs that it has",
    "data.firm_id": _DELIVERED,
    "data.year": _DELIVERED,
    "data.date_format": _DELIVERED,
    "data.two_digit_years_from": _DELIVERED,
    "data.max_rows": _DELIVERED,
    "data.confidential": "says what a replication package holds",
    "data_links.file": _DELIVERED,
    "data_links.source": _DELIVERED,
    "data_links.target": _DELIVERED,
    "data_links.year": _DELIVERED,
    "data_links.kind": _DELIVERED,
    "data_links.weight": _DELIVERED,
    "data_columns.kind": "follows from what else is said of the column",
    "data_columns.column": _DELIVERED,
    "data_columns.unit": PRESENTED,
    "data_columns.label": PRESENTED,
    "clean_identifier.least_name_score": "says from where names are alike, which join nothing",
    "clean.minimum_count": "what it hides has a sign, and a note of its own",
    "outcomes.label": PRESENTED,
    "outcomes.unit": PRESENTED,
    "match_designs.estimand": "checked against the method, whose sentence says it",
    "match_designs.file": _DELIVERED,
    "match_designs.firm_id": _DELIVERED,
    "match_designs.control_id": _DELIVERED,
    "match_designs.weight": _DELIVERED,
    "match_designs.stack": _DELIVERED,
    "estimate_specs.name": _PLACE,
    "estimate_specs.designs": _PLACE,
    "estimate_specs.outcomes": _PLACE,
    "estimate_specs_conley.latitude": _DELIVERED,
    "estimate_specs_conley.longitude": _DELIVERED,
    "estimate_analyses_margins.designs": _PLACE,
    "estimate_analyses_margins.outcomes": _PLACE,
    "estimate_analyses_survival.designs": _PLACE,
    "estimate_analyses_survival.outcomes": _PLACE,
    "estimate_analyses_groups.designs": _PLACE,
    "estimate_analyses_groups.outcomes": _PLACE,
    "estimate_analyses_groups_by.label": PRESENTED,
    "estimate_analyses_groups_by.labels": PRESENTED,
    "estimate_analyses_size_weighted.designs": _PLACE,
    "estimate_analyses_size_weighted.outcomes": _PLACE,
}

# Options that rows of results tell, by the sentence that is made of them.
OF_RESULTS: dict[str, str] = {
    "outcomes.negative_control": "placebos.declared_outcomes",
    "outcomes.observed": "outcome_tables.not_observed",
    "outcomes.reason": "outcome_tables.not_observed",
    "outcomes.relevant": "sure.smaller",
    "outcomes.post_only": "reason.observed_after_entry_only",
    "estimate.match_orders": "matching_choices.range_of_orders",
    "estimate_analyses_groups.match": "heterogeneity.matched_",
    "estimate_analyses_size_weighted.comparison": "size_weighted.by_",
    "estimate_analyses_margins.unit_dependent": "export_margins.unit_dependence",
    "estimate_analyses_groups_by.transform": "group_of",
    "estimate_analyses_groups_by.edges": "group_of",
}

# Rules whose options are columns of a record by the same name, and options that have another.
_RECORDED_RULES: dict[str, str] = {
    "outcomes": "OUTCOMES",
    "score_unmatched": "SCORE_MODELS",
    "score_models": "SCORE_MODELS",
    "score_covariates": "DATED_COVARIATES",
    "match_designs": "DESIGNS",
    "match_balance": "BALANCE_SUMMARY",
    "estimate": "SPECS",
    "estimate_specs": "SPECS",
    "estimate_analyses_margins": "SPECS",
    "estimate_analyses_survival": "SPECS",
    "estimate_analyses_survival_exit": "ANALYSES",
    "estimate_analyses_survival_limits": "ANALYSES",
    "estimate_analyses_groups": "SPECS",
    "estimate_analyses_groups_by": "ANALYSES",
    "estimate_analyses_size_weighted": "SPECS",
    "estimate_analyses_size_weighted_by": "ANALYSES",
}
_OTHER_COLUMNS: dict[str, str] = {
    "score_covariates.at": "last_event_time",
    "score_covariates.average": "dated_by",
    "score_covariates.change": "dated_by",
    "score_covariates.trend": "dated_by",
    "score_covariates.constant": "dated_by",
    "match_designs.score": "score_model",
    "match_designs.ratio_range": "most_ratio",
    "match_designs_bins.edges": "bins",
    "match_designs_bins.equal_width": "bins",
    "match_designs_bins.quantiles": "bins",
    "estimate.missing": "gaps",
    "estimate_romano_wolf.draws": "romano_wolf_draws",
    "estimate_romano_wolf.seed": "romano_wolf_seed",
    "estimate_specs.estimator": "kind",
    "estimate_specs.bias_reduced": "inference",
    "estimate_specs.base": "event_base",
    "estimate_specs.base_value": "base",
    "estimate_specs.effects": "firm_effects",
    "estimate_specs_conley.cutoff_km": "cutoff_km",
    "estimate_specs_conley.kernel": "kernel",
    "estimate_specs_event_bins.first_event_time": "event_bins",
    "estimate_specs_event_bins.last_event_time": "event_bins",
    "estimate_specs_wild_bootstrap.draws": "wild_draws",
    "estimate_specs_wild_bootstrap.seed": "wild_seed",
    "estimate_specs_wild_bootstrap.ties": "wild_ties",
    "estimate_specs_randomisation.draws": "randomisation_draws",
    "estimate_specs_randomisation.seed": "randomisation_seed",
    "estimate_analyses_survival_exit.known_by": "exit_known_by",
    "estimate_analyses_groups_by.at": "column_event_time",
    "estimate_analyses_size_weighted_by.at": "column_event_time",
}
_OTHER_RULES: dict[str, str] = {
    "match_designs_bins": "DESIGNS",
    "estimate_romano_wolf": "SPECS",
    "estimate_specs_event_bins": "SPECS",
    "estimate_specs_conley": "SPECS",
    "estimate_specs_wild_bootstrap": "SPECS",
    "estimate_specs_randomisation": "SPECS",
}


def silent(option: str) -> str | None:
    """Return why nobody says an option of a rule, None where a sentence does."""
    rule, _, _ = option.partition(".")
    return SILENT_RULES.get(rule) or SILENT_OPTIONS.get(option)


def recorded(option: str) -> tuple[str, str] | None:
    """Return the record and the column that hold an option, None where no column does."""
    rule, _, name = option.partition(".")
    if silent(option) is not None or option in OF_RESULTS:
        return None
    if option in _OTHER_COLUMNS:
        return (_RECORDED_RULES | _OTHER_RULES)[rule], _OTHER_COLUMNS[option]
    return (_RECORDED_RULES[rule], name) if rule in _RECORDED_RULES else None
