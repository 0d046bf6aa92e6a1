"""Section of the page on comparison pools: against whom the effect is measured."""

from html import escape

from pipeline.exhibits.checks.caution import Caution
from pipeline.exhibits.inputs import StudyResults
from pipeline.exhibits.numbers import translated_unit
from pipeline.exhibits.panels.pools import pools_panel
from pipeline.exhibits.pools import known_pools
from pipeline.exhibits.questions import TableLinks, outcome_section
from pipeline.exhibits.words.language import say
from pipeline.exhibits.words.verdicts import signed_value


def pools_section(results: StudyResults, links: TableLinks, cautions: list[Caution]) -> str:
    """Show the headline's effect under each pool; nothing where no other is asked for."""
    caption = escape(say("page.pools_caption")) + links.to("pools")
    return outcome_section(results, "pools", pools_panel, _answer, caption)


def _answer(results: StudyResults, names: list[str]) -> str:
    return say("page.pools_answer", clauses="; ".join(_clause(results, name) for name in names))


def _clause(results: StudyResults, name: str) -> str:
    """Say what the clean pool gives, the least and most of others, and which are not alike."""
    clean, *others = known_pools(results, name)
    effects = [one.effect for one in others]
    low, high = (f(effects, key=lambda e: e.estimate) for f in (min, max))
    turned = sum(effect.estimate * clean.effect.estimate < 0 for effect in effects)
    return say(
        "page.pools_clause",
        label=results.plain_name(name),
        unit=translated_unit(clean.effect),
        clean=signed_value(results, clean.effect, clean.effect.estimate),
        low=signed_value(results, low, low.estimate),
        high=signed_value(results, high, high.estimate),
        differ=sum(one.differs for one in others),
        n=len(others),
    ) + (say("page.pools_turned", turned=turned) if turned else "")
