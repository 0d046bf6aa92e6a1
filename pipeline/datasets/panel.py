"""Tables that `clean` writes: the panel and the ledger of what cleaning cost."""

from pipeline.datasets.store import HIDDEN, Column, Dataset

# The column that PANEL has where the study has sampling weights: the firm's, in each of its rows.
SAMPLING_WEIGHT = "sampling_weight"

PANEL = Dataset(
    name="PANEL",
    row="one firm in one year; levels, never transforms; study columns follow the declared ones",
    key=("firm_id", "year"),
    columns={
        "firm_id": Column("string", "firm identifier, as text"),
        "year": Column("integer", "calendar year"),
        "cohort": Column("integer", "first treated year", missing="never treated"),
        "cluster": Column("string", "assignment cluster in this year"),
        "cluster_entry": Column(
            "integer",
            "first year in which a firm seen in this cluster entered, excluded firms included",
            missing="none did",
        ),
    },
    open_kinds=("number", "string"),
    open_stored="delivered",
)

SAMPLE_FLOW = Dataset(
    name="SAMPLE_FLOW",
    row="one step of the sample, in order",
    key=("step",),
    columns={
        "step": Column("integer", "order of the step, from 1"),
        "rule": Column("string", "code: what the step requires", tells="words"),
        "rule_fields": Column(
            "string", "fields of the rule, JSON", tells="words", missing="the rule has none"
        ),
        "firms_lost": Column(
            "integer", "firms with no firm-year left after the step", tells="count"
        ),
        "firm_years_lost": Column("integer", "firm-years that the step removed", tells="count"),
        "treated_firms_lost": Column("integer", "ever-treated firms lost", tells="count"),
        "comparison_firms_lost": Column("integer", "never-treated firms lost", tells="count"),
        "treated_firm_years_lost": Column(
            "integer", "firm-years of ever-treated firms lost", tells="count"
        ),
        "comparison_firm_years_lost": Column(
            "integer", "firm-years of never-treated firms lost", tells="count"
        ),
        "sales_lost_share": Column(
            "number",
            "share of the sum of `sales` lost",
            tells="share",
            unit="share",
            missing="the panel has no `sales`",
        ),
        "employment_lost_share": Column(
            "number",
            "share of the sum of `employment` lost",
            tells="share",
            unit="share",
            missing="the panel has no `employment`",
        ),
        "firms": Column("integer", "firms left", tells="count"),
        "firm_years": Column("integer", "firm-years left", tells="count"),
        "treated_firms": Column("integer", "ever-treated firms left", tells="count"),
        "comparison_firms": Column("integer", "never-treated firms left", tells="count"),
    },
)

ISSUES = Dataset(
    name="ISSUES",
    row="what one rule found in one column, in order",
    key=("issue",),
    columns={
        "issue": Column("integer", "order in which it was found, from 1"),
        "rule": Column("string", "code: what was looked for", tells="words"),
        "rule_fields": Column(
            "string", "fields of the rule, JSON", tells="words", missing="the rule has none"
        ),
        "column": Column("string", "standard name of the column", tells="words"),
        "count": Column("integer", "values or rows concerned", tells="count"),
        "firms": Column(
            "integer", "firms concerned", tells="count", missing="rows are not of firms"
        ),
        "first_year": Column(
            "integer", "first year concerned", tells="year", missing="rows have no years"
        ),
        "last_year": Column(
            "integer", "last year concerned", tells="year", missing="rows have no years"
        ),
        "action": Column("string", "code: what was done", tells="words"),
        "action_fields": Column(
            "string", "fields of the action, JSON", tells="words", missing="the action has none"
        ),
    },
)

CORRECTIONS = Dataset(
    name="CORRECTIONS",
    row="one value that the evaluation corrected, with its own words; private",
    key=("firm_id", "year", "column"),
    columns={
        "firm_id": Column("string", "firm identifier, before links"),
        "year": Column("integer", "calendar year"),
        "column": Column("string", "standard name of the column"),
        "old": Column("string", "value as delivered", missing="there was none"),
        "new": Column("string", "value in its place", missing="it was taken out"),
        "reason": Column("string", "why, as the rules file says"),
        "source": Column("string", "after what, as the rules file says"),
    },
)

NOT_FOUND = Dataset(
    name="NOT_FOUND",
    row="one beneficiary that the panel lacks; private",
    key=("firm_id",),
    columns={
        "firm_id": Column("string", "firm identifier, as text"),
        "cohort": Column("integer", "first treated year"),
    },
)

# The scopes of PROFILE: all firm-years of a group, those of one year, those before and from the
# firm's own entry, those before and from the first entry of anybody, and firms by entry year.
ALL_YEARS, YEAR = "all_years", "year"
BEFORE_ENTRY, FROM_ENTRY = "before_entry", "from_entry"
BEFORE_FIRST_ENTRY, FROM_FIRST_ENTRY = "before_first_entry", "from_first_entry"
ENTRY_YEAR = "entry_year"

PROFILE = Dataset(
    name="PROFILE",
    row="one column of PANEL in one scope and group; hidden counts and statistics are missing",
    key=("column", "scope", "first_year", "treated"),
    columns={
        "column": Column("string", "standard name; `cohort` where firms are counted by entry year"),
        "scope": Column(
            "string",
            "code: all_years; year; before_entry and from_entry, of the firm's own; "
            "before_first_entry and from_first_entry, of anybody; entry_year",
        ),
        "first_year": Column(
            "integer", "first year that the scope takes of the panel's; the entry year"
        ),
        "treated": Column("flag", "ever-treated firms, else never-treated"),
        "last_year": Column("integer", "last year of the scope, alike", tells="year"),
        "n_rows": Column(
            "integer", "firm-years; firms by entry year", tells="count", missing=HIDDEN
        ),
        "n_missing": Column("integer", "of these without a value", tells="count", missing=HIDDEN),
        "missing_share": Column(
            "number",
            "n_missing over n_rows",
            tells="share",
            unit="share",
            missing="there are no rows",
        ),
        "n_values": Column(
            "integer", "different values", tells="other_count", missing="the scope counts none"
        ),
        "label": Column(
            "string", "what readers call the column", tells="words", missing="params give none"
        ),
        "unit": Column(
            "string",
            "unit of a number",
            tells="words",
            missing="the column is no number, or params give none",
        ),
        "mean": Column(
            "number",
            "mean, three significant digits",
            tells="mean",
            unit="see `unit`",
            missing="the column is no number, or has no value",
        ),
        "std_dev": Column(
            "number",
            "standard deviation, n - 1",
            tells="statistic",
            unit="see `unit`",
            missing="the column is no number, or has no value",
        ),
        "p10": Column(
            "number",
            "tenth percentile",
            tells="statistic",
            unit="see `unit`",
            missing="the column is no number, or has no value",
        ),
        "p25": Column(
            "number",
            "first quartile",
            tells="statistic",
            unit="see `unit`",
            missing="the column is no number, or has no value",
        ),
        "p50": Column(
            "number",
            "median",
            tells="statistic",
            unit="see `unit`",
            missing="the column is no number, or has no value",
        ),
        "p75": Column(
            "number",
            "third quartile",
            tells="statistic",
            unit="see `unit`",
            missing="the column is no number, or has no value",
        ),
        "p90": Column(
            "number",
            "ninetieth percentile",
            tells="statistic",
            unit="see `unit`",
            missing="the column is no number, or has no value",
        ),
    },
)

COVERAGE = Dataset(
    name="COVERAGE",
    row="one column of PANEL in one year and group",
    key=("column", "year", "treated"),
    columns={
        "column": Column("string", "standard name"),
        "year": Column("integer", "calendar year"),
        "treated": Column("flag", "ever-treated firms, else never-treated"),
        "n_firms": Column("integer", "firms of the group in any year", tells="count"),
        "n_observed": Column("integer", "of these with a value in the year", tells="count"),
        "observed_share": Column(
            "number",
            "n_observed over n_firms",
            tells="share",
            unit="share",
            missing="the group has no firm",
        ),
    },
)

# The file of rows that came from none: a package's, or those of simulated firms.
NO_FILE = "none"

COVERAGE_BY_SOURCE = Dataset(
    name="COVERAGE_BY_SOURCE",
    row="one column of PANEL in one year, group and delivered file; private",
    key=("column", "year", "treated", "source"),
    columns={
        "column": Column("string", "standard name"),
        "year": Column("integer", "calendar year"),
        "treated": Column("flag", "ever-treated firms, else never-treated"),
        "source": Column("string", "name of the delivered file; `none` without one"),
        "n_rows": Column("integer", "rows of the group in the year and file"),
        "n_missing": Column("integer", "of these without a value"),
        "n_zero": Column("integer", "of these with zero", missing="the column is no number"),
    },
)

FIRM_FLOWS = Dataset(
    name="FIRM_FLOWS",
    row="the firms of one year, group and delivered file; private",
    key=("year", "treated", "source"),
    columns={
        "year": Column("integer", "calendar year"),
        "treated": Column("flag", "ever-treated firms, else never-treated"),
        "source": Column("string", "name of the delivered file; `none` without one"),
        "n_firms": Column("integer", "firms with a row"),
        "n_entering": Column("integer", "of these in their first year, which may be the panel's"),
        "n_leaving": Column("integer", "of these in their last year, which may be the panel's"),
        "n_back": Column("integer", "of these with earlier years, none the year before"),
        "n_all_zero": Column("integer", "of these with zero in every size"),
    },
)

# The unit of columns that hold calendar years, which are neither rounded nor grouped.
CALENDAR = "year"

# The rules of ISSUES that count rows of zeros where firms had more before, or nothing yet, those of
# the first kind that lack a size, and rows flagged absent.
ZERO_ROWS, ZERO_BEFORE = "zero_in_every_size", "zero_before_first_value"
ZERO_IN_PART, FLAGGED_ABSENT = "zero_in_every_known_size", "flagged_absent"

# Those on years: no row of anybody; fewer than half of the firms of the years around it; far fewer,
# of all, of a group, of one delivered file; firm-years between those of a firm, and those that
# are one year alone.
EMPTY_YEAR, HALF_YEAR = "year_without_rows", "half_of_firms_in_year"
FEW_FIRMS, FEW_IN_FILE = "few_firms_in_year", "few_firms_of_file_in_year"
FEW_TREATED, FEW_COMPARISON = "few_treated_in_year", "few_comparison_in_year"
YEARS_NOT_OBSERVED, GONE_ONE_YEAR = "years_not_observed", "gone_one_year"

# Those on columns that nobody, or nobody of a group, has a value of; and on firms that move.
NO_VALUE_IN_YEAR = "no_value_in_year"
NO_VALUE_OF_TREATED, NO_VALUE_OF_COMPARISON = "no_value_of_treated", "no_value_of_comparison"
CLUSTER_CHANGES = "cluster_changes"

# The rule of ISSUES that counts beneficiaries of the register that the panel lacks.
NOT_IN_PANEL = "not_in_panel"
# Those that count its amounts, those whose identifiers are nearly of a firm, by kind, and, by
# table, identifiers whose check digit is wrong.
AMOUNT_NOT_IN_PANEL, NEAR_MISS = "amount_not_in_panel", "near_miss"
WRONG_CHECK_DIGIT = "wrong_check_digit"

# The rule of ISSUES that counts rows of the register with a code of firms that never entered.
CODED_NEVER = "coded_never_entered"
# The one that counts its entries that a column which no setting reads calls rejected.
REJECTION_NOT_READ = "rejection_not_read"

# The step of SAMPLE_FLOW that takes firms of the panel that are nearly beneficiaries.
NEAR_A_BENEFICIARY = "not_nearly_a_beneficiary"

# The rules of ISSUES that count whose treatment ends, although they count as treated: rows of an
# indicator that returns to 0, firms that leave the programme in the register.
SWITCHED_OFF, LEAVES_PROGRAMME = "switched_off", "leaves_programme"

# The rule of ISSUES under which a window looked at years after entry; every table then says so.
SURVIVAL_RULE = "selects_on_survival"
