"""Does the answer depend on choices: the average effect by design and by estimator."""

from pipeline.exhibits.checks.variants import Variant, variants
from pipeline.exhibits.inputs import StudyResults
from pipeline.exhibits.numbers import translated_unit
from pipeline.exhibits.panels.rows import DrawnRow, rows_panel
from pipeline.exhibits.ran import estimator_of
from pipeline.exhibits.words.designs import capitalised
from pipeline.exhibits.words.estimator_names import name_in_words
from pipeline.exhibits.words.language import say

# Kinds of choice, in order.
KINDS = ("design", "estimator", "both")


def choice_kind(results: StudyResults, variant: Variant) -> str:
    """Return which choice sets a variant apart from the headline."""
    headline = results.settings.estimate.headline
    if variant.spec == headline.spec:
        return "design"
    return "estimator" if variant.design == headline.design else "both"


def choice_names(results: StudyResults, kind: str, chosen: list[Variant]) -> list[str]:
    """Return what variants of one kind are called; those of one name are numbered from 2."""
    names: list[str] = []
    for variant in chosen:
        design = results.settings.design_label(variant.design)
        estimator = name_in_words(estimator_of(results, variant.spec))
        words = {"design": design, "estimator": estimator, "both": f"{estimator}, {design}"}
        names.append(capitalised(words[kind]))
    return [
        f"{name} ({n})" if (n := names[: i + 1].count(name)) > 1 else name
        for i, name in enumerate(names)
    ]


def choice_rows(results: StudyResults, outcome: str) -> list[DrawnRow]:
    """Return every variant under a heading of its kind; none where the headline is the only one."""
    found = variants(results, outcome)
    if len(found) < 2 or not any(v.is_headline for v in found):
        return []
    rows = []
    for kind in KINDS:
        own = [v for v in found if choice_kind(results, v) == kind]
        rows += [DrawnRow(say(f"page.choice_{kind}"))] if own else []
        rows += [
            DrawnRow(name, v.effect, main=v.is_headline, hollow=v.biased)
            for name, v in zip(choice_names(results, kind, own), own, strict=True)
        ]
    return rows


def choices_panel(results: StudyResults, outcome: str) -> str:
    """Draw every variant; nothing where the headline is the only one."""
    rows = choice_rows(results, outcome)
    effects = [row.effect for row in rows if row.effect is not None]
    if not effects:
        return ""
    label = results.plain_name(outcome)
    described = say("page.choices_described", label=label, n=len(effects))
    unit = translated_unit(effects[0])
    return rows_panel(rows, say("page.effect_axis", unit=unit), described)
