"""The tables behind feet and notes of exhibits: what ran, was matched, lost, used, detectable."""

from pipeline.datasets.balance import BALANCE_SUMMARY
from pipeline.datasets.designs import DATED_COVARIATES, DESIGNS, SCORE_MODELS
from pipeline.datasets.fits import (
    DECOMPOSED_COHORTS,
    DECOMPOSED_KINDS,
    DECOMPOSITION,
    DETECTABLE,
    FITS,
    PRE_TREND_POWER,
    UNIT_DEPENDENCE,
)
from pipeline.datasets.matches import LOSSES, MATCHED
from pipeline.datasets.rules import DATA_RULES
from pipeline.datasets.samples import (
    ATTRITION,
    BASELINES,
    CONCENTRATION,
    GROUPING_LOSSES,
    GROUPS,
    SAMPLES,
    SHARED_CLUSTERS,
    ZEROS,
)
from pipeline.datasets.selection import SCORE_LOSSES, STACKS
from pipeline.datasets.specs import ANALYSES, OUTCOMES, SPECS

# By the stage that writes them.
OF_CLEAN = (DATA_RULES,)
OF_SCORE = (STACKS, SCORE_LOSSES, SCORE_MODELS, DATED_COVARIATES)
OF_MATCH = (MATCHED, LOSSES, DESIGNS)
OF_BALANCE = (BALANCE_SUMMARY,)
OF_ESTIMATE = (
    SPECS,
    ANALYSES,
    OUTCOMES,
    SAMPLES,
    SHARED_CLUSTERS,
    BASELINES,
    ZEROS,
    CONCENTRATION,
    GROUPS,
    GROUPING_LOSSES,
    ATTRITION,
    FITS,
    DETECTABLE,
    PRE_TREND_POWER,
    DECOMPOSITION,
    DECOMPOSED_KINDS,
    DECOMPOSED_COHORTS,
    UNIT_DEPENDENCE,
)

DETAILS = (*OF_CLEAN, *OF_SCORE, *OF_MATCH, *OF_BALANCE, *OF_ESTIMATE)
