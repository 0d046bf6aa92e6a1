"""Tables of exposure: links between firms, who is exposed since when, and how many are."""

from pipeline.datasets.panel import ISSUES
from pipeline.datasets.store import HIDDEN, Column, Dataset

LINKS = Dataset(
    name="LINKS",
    row="one directed link between two firms of PANEL in one year; private",
    key=("kind", "source", "target", "year"),
    columns={
        "kind": Column("string", "kind of link: supply, buyer, labour flow, ownership"),
        "source": Column("string", "firm from which the link goes: the supplier, the owner"),
        "target": Column("string", "firm to which it goes"),
        "year": Column("integer", "year in which the link was seen"),
        "weight": Column(
            "number", "amount, above zero; 1 where links have none", stored="delivered"
        ),
    },
)

CENTROIDS = Dataset(
    name="CENTROIDS",
    row="one place of a file of data/rules; private",
    key=("file", "place"),
    columns={
        "file": Column("string", "name of the file"),
        "place": Column("string", "place, as a text column of PANEL writes it"),
        "latitude": Column("number", "decimal degrees, south negative", stored="delivered"),
        "longitude": Column("number", "decimal degrees, west negative", stored="delivered"),
        "radius_km": Column(
            "number",
            "by how much a firm of the place may be elsewhere",
            stored="delivered",
            missing="the file does not say",
        ),
    },
)

EXPOSURE_FRAME = Dataset(
    name="EXPOSURE_FRAME",
    row="one firm in one year, before any is left out of the sample; private",
    key=("firm_id", "year"),
    columns={
        "firm_id": Column("string", "firm identifier, as text"),
        "year": Column("integer", "calendar year"),
        "cohort": Column("integer", "first treated year", missing="never treated"),
        "cluster": Column("string", "assignment cluster in this year"),
    },
    open_kinds=("number", "string"),
    open_stored="delivered",
)

# What ends the exposure of a firm at its first class.
OWN_ENTRY, STRONGER = "own_entry", "stronger_exposure"

EXPOSURE = Dataset(
    name="EXPOSURE",
    row="one firm that is exposed to other participants, or whose exposure is unknown; private",
    key=("exposure", "firm_id"),
    columns={
        "exposure": Column("string", "name of the exposure"),
        "firm_id": Column("string", "firm identifier"),
        "class": Column(
            "integer",
            "class at first exposure, from 1, in the order of params",
            missing="the place is unknown: the firm is neither exposed nor clean",
        ),
        "value": Column(
            "number",
            "at first exposure: participants in the cell, share, km to the nearest, linked ones",
            missing="the place is unknown",
        ),
        "first_exposed": Column(
            "integer",
            "first year in which another firm that exposes this one takes part",
            missing="the place is unknown",
        ),
        "censored_from": Column(
            "integer",
            "year in which the first class ends: of own entry or a stronger exposure",
            missing="it goes on",
        ),
        "censored_by": Column("string", f"code: {OWN_ENTRY} or {STRONGER}", missing="it goes on"),
        "participant": Column(
            "flag", "took part by the year of first exposure: of no exposed group, own effect only"
        ),
        "among": Column(
            "flag", "may be of an exposed group; others are reached, so that they are not clean"
        ),
        "cell": Column(
            "integer", "number of the cell, or of the assignment cluster, that the firm is in"
        ),
    },
)

EXPOSURE_COMPONENTS = Dataset(
    name="EXPOSURE_COMPONENTS",
    row="one firm, whether or not it is exposed; private",
    key=("firm_id",),
    columns={
        "firm_id": Column("string", "firm identifier"),
        "component": Column(
            "string",
            "first name of the assignment clusters that exposure joins with the firm's own",
        ),
    },
)

# The class of firms that never take part and are never exposed.
CLEAN = 0

EXPOSED = Dataset(
    name="EXPOSED",
    row="one class of one exposure; class 0 are firms that never take part and are never exposed",
    key=("exposure", "class"),
    columns={
        "exposure": Column("string", "name of the exposure"),
        "class": Column("integer", "class, from 1, in the order of params; 0 is not exposed"),
        "measure": Column(
            "string",
            "code: what classes are of: participants, share_of_firms, share_of_size, km, "
            "linked_participants, share_of_links",
            tells="words",
        ),
        "above": Column(
            "number",
            "lower end of the class, not in it; in the first ring 0 is",
            tells="statistic",
            unit="see `measure`",
            missing="the class has no bounds",
        ),
        "up_to": Column(
            "number",
            "upper end of the class, in it",
            tells="statistic",
            unit="see `measure`",
            missing="the class has no upper end",
        ),
        "n_firms": Column(
            "integer", "firms not yet participants when first exposed", tells="count"
        ),
        "n_cells": Column(
            "integer", "cells, or assignment clusters, that they are in", tells="other_count"
        ),
        "n_entered": Column("integer", "of the firms censored by own entry", tells="count"),
        "n_stronger": Column(
            "integer", "of the firms censored by a stronger exposure", tells="count"
        ),
        "share": Column(
            "number",
            "share of the firms of all classes of the exposure",
            tells="share",
            unit="share",
        ),
        "mean": Column(
            "number",
            "mean of what classes are of, at first exposure",
            tells="mean",
            unit="see `measure`",
            missing=f"there are no firms; or {HIDDEN}",
        ),
        "n_participants": Column(
            "integer", "participants exposed to others from their entry on", tells="count"
        ),
        "n_also": Column(
            "integer",
            "of the firms those that another exposure reaches, too",
            tells="count",
        ),
        "n_outside": Column(
            "integer",
            "reached firms outside `among` that never take part: of no class, nor clean",
            tells="count",
        ),
    },
)

EXPOSURE_ISSUES = Dataset(
    name="EXPOSURE_ISSUES",
    row="one thing found while exposures and arms were made, after those of cleaning",
    key=ISSUES.key,
    columns=ISSUES.columns,
)
