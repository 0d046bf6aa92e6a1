"""Which options of params nobody says in a sentence, and why; and the sentences of the others.

An option is said by the sentence of its name in the section of its rule (`option_clean_tails.by`),
one for each of its codes (`option_clean_tails.method_trim`), or by what says the column of a record
that holds it (`exhibits.words.said`).
"""

_DELIVERED = "says how delivered files are read, not what is made of them"
_PLACE = "says which rows of results there are, not how they were made"
_PRESENTED = "readers see it as you wrote it: a heading, a unit, a name"
_FOLLOWS = "follows from another option, whose sentence says it"
_SEED = "repeats draws, and means nothing to readers"
_SIMULATED = "the truth of simulated firms, which the table of recovery shows"

# Rules of which no option is said.
SILENT_RULES: dict[str, str] = {
    "data_source": _DELIVERED,
    "data_source_wide": _DELIVERED,
    "data_source_format": _DELIVERED,
    "data_source_register_format": _DELIVERED,
    "data_register_columns": _DELIVERED,
    "data_source_settings": _SIMULATED,
    "data_source_settings_selection_log_odds": _SIMULATED,
    "data_source_settings_trend_percent_per_year": _SIMULATED,
    "data_source_settings_effects": _SIMULATED,
    "estimate_headline": _PLACE,
}

SILENT_OPTIONS: dict[str, str] = {
    "data.firm_id": _DELIVERED,
    "data.year": _DELIVERED,
    "data.max_rows": _DELIVERED,
    "data.confidential": "says what a replication package holds",
    "data_columns.kind": _FOLLOWS,
    "data_columns.column": _DELIVERED,
    "data_columns.unit": _PRESENTED,
    "data_columns.label": _PRESENTED,
    "clean.minimum_count": "what is hidden by it has a sign and a note of its own",
    "score_covariates.label": _PRESENTED,
    "match_designs.estimand": "checked against the method, whose sentence says it",
    "match_designs.order_seed": _SEED,
    "match_designs.file": _DELIVERED,
    "match_designs.firm_id": _DELIVERED,
    "match_designs.control_id": _DELIVERED,
    "match_designs.weight": _DELIVERED,
    "match_designs.stack": _DELIVERED,
}


def silent(option: str) -> str | None:
    """Return why nobody says an option, None where a sentence does."""
    rule, _, _ = option.rpartition(".")
    return SILENT_RULES.get(rule) or SILENT_OPTIONS.get(option)
