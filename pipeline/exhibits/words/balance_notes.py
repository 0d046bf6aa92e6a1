"""Notes under the balance table: what is compared, how far, and whether it is enough."""

from pipeline.exhibits.design_balance import (
    differences_together,
)
from pipeline.exhibits.inputs import StudyResults
from pipeline.exhibits.ran import (
    balance_rule,
    matching_designs,
)
from pipeline.exhibits.render import rounding
from pipeline.exhibits.words.designs import design_pool, design_rule, score_covariates
from pipeline.exhibits.words.in_full import either
from pipeline.exhibits.words.language import say


def _score_words(results: StudyResults, headline: str) -> str:
    """List what each design conditions on, the headline design's covariates first."""
    own = score_covariates(results, headline)
    lists = {design: score_covariates(results, design) for design in matching_designs(results)}
    others = [
        f"{results.settings.design_label(design)}: {_more_than(own, covariates)}"
        for design, covariates in lists.items()
        if covariates and set(covariates) != set(own)
    ]
    return say("balance.other_covariates", others="; ".join(others)) if others else ""


def _more_than(own: list[str], covariates: list[str]) -> str:
    """Return a list of covariates, as additions to `own` where it holds all of them."""
    if own and set(own) < set(covariates):
        return say(
            "balance.also_covariates",
            covariates=", ".join(label for label in covariates if label not in own),
        )
    return ", ".join(covariates)


def _design_words(results: StudyResults, design: str) -> str:
    settings = results.settings
    covariates = score_covariates(results, design)
    on = say("balance.on_covariates", covariates=", ".join(covariates)) if covariates else ""
    return say(
        "balance.design",
        design_label=settings.design_label(design),
        design_rule=design_rule(results, design),
        on=on,
        design_pool=design_pool(results, design),
    )


def balance_notes(results: StudyResults, design: str) -> tuple[str, ...]:
    """Return the notes of the balance table of a design, in short or in full."""
    settings = results.settings
    firms = settings.exhibit.firms
    matched = design in matching_designs(results)
    own = results.balance[results.balance["design"] == design]
    few_lost = bool(own.loc[own["stack"] == "all", "of_matched"].any())
    denominator = balance_rule(results).code("denominator")
    conventions = either(
        results,
        full=[
            _design_words(results, design),
            _score_words(results, design),
            say(
                "balance.standardised_difference",
                denominators=say(f"balance.{denominator}_denominator"),
            ),
            say(f"balance.treated_{'of_matched' if few_lost else 'before_matching'}", firms=firms)
            + (say("balance.after_matching_note") if matched else say("balance.comparison_note")),
        ],
        short=[
            say("short_notes.balance_design", design_label=settings.design_label(design)),
            say(f"short_notes.balance_{_treated_words(matched, few_lost)}"),
        ],
    )
    verdict = _verdict(results, design) if matched else ""
    return (*conventions, *([verdict] if verdict else []), say("balance.no_tests"))


def _treated_words(matched: bool, few_lost: bool) -> str:
    """Return which words say who the treated are."""
    if few_lost:
        return "treated_of_matched"
    return "treated" if matched else "all_treated"


def _verdict(results: StudyResults, design: str) -> str:
    threshold = balance_rule(results).value("threshold")
    after = differences_together(results, design, "after")
    if after.hidden:
        return ""
    if not after.n_known:
        return say("balance.no_sample")
    verdict = say("balance.met") if after.largest <= threshold else say("balance.not_met")
    return say(
        "balance.verdict",
        threshold=rounding.general(threshold),
        verdict=verdict,
        worst=rounding.fixed(after.largest, 3),
    )
