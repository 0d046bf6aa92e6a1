"""Tables of arms: which treatment each firm entered when, and what became of the firms listed."""

from pipeline.datasets.store import Column, Dataset


def in_arm(name: str, arm_folder: str) -> str:
    """Return what tables on all arms call a design or score model of one; the headline's its name.

    `arm_folder` is the arm's subfolder. Nothing reads arm or design out of it.
    """
    return f"{arm_folder}/{name}" if arm_folder else name


ARM_ENTRIES = Dataset(
    name="ARM_ENTRIES",
    row="one firm's first entry in one arm of the register; private",
    key=("arm", "firm_id"),
    columns={
        "arm": Column("string", "arm as named in params"),
        "firm_id": Column("string", "firm identifier"),
        "cohort": Column("integer", "first treated year in this arm"),
    },
)

ARMS = Dataset(
    name="ARMS",
    row="one firm in one arm; private",
    key=("arm", "firm_id"),
    columns={
        "arm": Column("string", "arm as named in params"),
        "firm_id": Column("string", "firm identifier"),
        "cohort": Column("integer", "first year in this arm"),
        "until": Column(
            "integer",
            "year in which it enters another arm: from then on, less anticipation, not compared",
            missing="it enters no other",
        ),
    },
)

# Column of PANEL, as an arm sees it, with the year from which an entrant is in another arm.
LEFT_ARM = "left_arm"

CONTACTS = Dataset(
    name="CONTACTS",
    row="one firm in contact with the programme: it took part, or is exposed; private",
    key=("firm_id",),
    columns={
        "firm_id": Column("string", "firm identifier"),
        "contact": Column(
            "integer",
            "first year of contact",
            missing="the firm's place is unknown: it is never a comparison firm",
        ),
    },
)

ARM_FLOW = Dataset(
    name="ARM_FLOW",
    row="what became of the firms of one arm",
    key=("arm",),
    columns={
        "arm": Column("string", "arm as named in params"),
        "n_listed": Column("integer", "firms that the arm's rule names", tells="count"),
        "n_joint": Column(
            "integer", "of these, in an arm for several that they entered at once", tells="count"
        ),
        "n_after_another": Column(
            "integer",
            "of these, in another arm before, or in the same year in one that is named before",
            tells="count",
        ),
        "n_until": Column(
            "integer", "of those that stay, compared until they enter another", tells="count"
        ),
        "n_entrants": Column("integer", "firms that stay", tells="count"),
        "n_cells": Column(
            "integer",
            "cells, or assignment clusters, that these are in",
            tells="other_count",
            missing="the arm is not one of exposed firms",
        ),
        "given_up_in": Column(
            "string",
            "stage in which the arm turned out to have no support: score, match, estimate",
            tells="words",
            missing="it has support",
        ),
        "reason": Column(
            "string", "code: why the arm has no results", tells="words", missing="it has some"
        ),
        "reason_fields": Column(
            "string",
            "fields of the reason, JSON",
            tells="words",
            missing="the reason has none, or there is none",
        ),
    },
)

# What a weighted sum of arms' effects is of.
CONTRAST, OWN, OVERALL = "contrast", "own", "overall"

ARM_CONTRASTS = Dataset(
    name="ARM_CONTRASTS",
    row="one weighted sum of the effects of several arms, or the reason why there is none",
    key=(
        "estimand",
        "contrast",
        "exposure",
        "outcome",
        "design",
        "estimator",
        "term",
        "event_time",
    ),
    columns={
        "estimand": Column(
            "string",
            f"{CONTRAST}: as params weigh arms; {OWN}: of own participation, the total on "
            f"participants less spillover at their own exposure; {OVERALL}: mean over participants "
            "and exposed",
        ),
        "contrast": Column(
            "string",
            f"contrast as named in params; the arm of which {OWN} is; all arms of participants "
            f"together are `all` ({OVERALL})",
        ),
        "exposure": Column(
            "string",
            "exposure by which firms are spilt over, as named in params",
            missing="the contrast is named in params",
        ),
        "outcome": Column("string", "outcome as named in params"),
        "design": Column("string", "matching design"),
        "estimator": Column("string", "name of the spec"),
        "term": Column("string", "att, event"),
        "event_time": Column(
            "integer", "years since entry", missing="the term speaks of no event time"
        ),
        "estimate": Column(
            "number",
            "weighted sum of the effects",
            tells="effect",
            unit="see `scale` of ESTIMATES",
            missing="not estimated, see `reason`",
        ),
        "std_error": Column(
            "number",
            "from the joint covariance",
            tells="effect",
            unit="see `scale` of ESTIMATES",
            missing="not estimated, or without an error, see `reason`",
        ),
        "std_error_apart": Column(
            "number",
            "as if the arms had no cluster in common, for comparison",
            tells="effect",
            unit="see `scale` of ESTIMATES",
            missing="not estimated, or without an error, see `reason`",
        ),
        "df": Column(
            "number",
            "degrees of freedom of the t distribution",
            tells="statistic",
            unit="degrees of freedom",
            missing="the distribution is normal, or there is no error",
        ),
        "p_value": Column(
            "number",
            "two-sided p-value",
            tells="statistic",
            unit="probability",
            missing="not estimated, or without an error, see `reason`",
        ),
        "conf_low": Column(
            "number",
            "lower end of the interval",
            tells="effect",
            unit="see `scale` of ESTIMATES",
            missing="not estimated, or without an error, see `reason`",
        ),
        "conf_high": Column(
            "number",
            "upper end of the interval",
            tells="effect",
            unit="see `scale` of ESTIMATES",
            missing="not estimated, or without an error, see `reason`",
        ),
        "n_clusters": Column(
            "integer",
            "clusters behind any of the effects",
            tells="other_count",
            missing="not estimated, or without an error, see `reason`",
        ),
        "n_fewest": Column(
            "integer",
            "fewest participants in one class and lag of OWN_EXPOSURE, of those that have any",
            tells="count",
            missing="own effects alone have it, where shares are of known firms",
        ),
        "reason": Column(
            "string",
            "code: why there is none, or no error",
            tells="words",
            missing="nothing is missing",
        ),
        "reason_fields": Column(
            "string",
            "fields of the reason, JSON",
            tells="words",
            missing="the reason has none, or there is none",
        ),
        "remarks": Column(
            "string",
            "codes and fields of what must be known, JSON",
            tells="words",
            missing="there is nothing to know",
        ),
    },
)

OWN_EXPOSURE = Dataset(
    name="OWN_EXPOSURE",
    row="participants behind one arm's effect in one class of exposure to other participants",
    key=("arm", "exposure", "outcome", "design", "class", "lag"),
    columns={
        "arm": Column("string", "arm of participants as named in params"),
        "exposure": Column("string", "exposure as named in params"),
        "outcome": Column("string", "outcome as named in params"),
        "design": Column("string", "matching design"),
        "class": Column(
            "integer",
            "class at first exposure, in the order of params; 0 is not exposed from own entry on",
        ),
        "lag": Column(
            "integer",
            "years from own entry to first exposure",
            missing="not exposed, or before own entry",
        ),
        "n_firms": Column("integer", "participants behind the effect", tells="count"),
        "share": Column(
            "number",
            "share of those whose exposure is known, weighted as in the effect",
            tells="share",
            unit="share",
        ),
    },
)
