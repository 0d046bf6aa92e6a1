"""The methods paragraph: the conventions behind every table of a study, said once, as they ran."""

from pipeline.exhibits.arms import is_exposed
from pipeline.exhibits.inputs import StudyResults
from pipeline.exhibits.ran import Ran, each, measures_change, ran_on
from pipeline.exhibits.render.latex_cells import escape
from pipeline.exhibits.tables.panels import Shown, absorbed
from pipeline.exhibits.words.assumptions import anticipation_words
from pipeline.exhibits.words.beneficiaries import switched_off
from pipeline.exhibits.words.designs import (
    capitalised,
    gap_rules,
    pool_that_ran,
    rule_that_ran,
    score_covariates,
)
from pipeline.exhibits.words.estimator_names import name_in_words
from pipeline.exhibits.words.estimators import adjusted_for, estimator_words
from pipeline.exhibits.words.inference import (
    clustered_by,
    conditional_words,
    is_by_distance,
    is_normal,
)
from pipeline.exhibits.words.language import join_words, say
from pipeline.exhibits.words.sampling import sampling_words
from pipeline.params.exhibit import PanelSection


def methods_tex(results: StudyResults) -> bytes:
    r"""Return the paragraph to \input before the first table."""
    title = escape(say("methods_paragraph.title"))
    sentences = "\n".join(map(escape, methods_sentences(results)))
    return f"\\noindent\\textbf{{{title}}} {sentences}\\par\n".encode()


def methods_sentences(results: StudyResults) -> list[str]:
    """Return how the headline was estimated, sentence by sentence."""
    settings = results.settings
    headline = settings.estimate.headline
    rows = ran_on(results, headline.spec, [headline.design], settings.outcomes.intended)
    panel = PanelSection(design=headline.design, spec=headline.spec, label="")
    shown = Shown(dict(enumerate(settings.outcomes.intended, start=1)), {"A": panel})
    ancova = rows[0].code("base") == "covariate"
    sentences = (
        say("methods_paragraph.assigned_at_random") if ancova else "",
        _compared(results, rows),
        _picked(results, rows),
        sampling_words(results, "in_methods"),
        say("methods_paragraph.estimated", words=_estimator(results, rows)),
        _gaps(results, rows),
        _intervals(results, shown),
        say("methods_paragraph.percent") if _in_logs(results) else "",
        _percent_of_mean(results),
        *switched_off(results),
        _assumption(rows[0]),
    )
    return [sentence for sentence in sentences if sentence]


def _compared(results: StudyResults, rows: list[Ran]) -> str:
    exhibit, pool = results.settings.exhibit, pool_that_ran(results, rows)
    named = {"firms": exhibit.firms, "programme": exhibit.programme, "pool": pool}
    if results.arm is not None:
        named["programme"] = results.settings.arm_label(results.arm)
    if is_exposed(results, results.arm):
        return say("methods_paragraph.compared_exposed", **named)
    changes = measures_change(rows[0])
    return say(
        "methods_paragraph.compared" if changes else "methods_paragraph.compared_after_entry",
        **named,
    )


def _picked(results: StudyResults, rows: list[Ran]) -> str:
    design = results.settings.estimate.headline.design
    n = len(score_covariates(results, design))
    on = say("methods_paragraph.counted", n=n) if n else ""
    rule = rule_that_ran(results, design, rows)
    return say("methods_paragraph.picked", rule=rule, on=on)


def _estimator(results: StudyResults, rows: list[Ran]) -> str:
    """Return how it was estimated; of stacked effects what the first sentences leave open."""
    if rows[0].code("kind") != "stacked":
        return estimator_words(results, rows)
    words = say(
        "methods_paragraph.stacked",
        name=name_in_words("stacked"),
        absorbed=each(rows, lambda row: join_words([*absorbed(results, row)])),
        averages=each(rows, lambda row: say(f"stacked_average.{row.code('average')}")),
    )
    return adjusted_for(results, rows, words)


def _assumption(row: Ran) -> str:
    """Return what must hold; since when, where effects may come before entry."""
    if row.code("base") == "covariate":
        return say("methods_paragraph.assumption_random")
    if not measures_change(row):
        return say("methods_paragraph.assumption_same_level")
    anticipated = row.has("anticipation_years")
    since = f"; {anticipation_words(row)}" if anticipated else ""
    return say("methods_paragraph.assumption", since=since)


def _gaps(results: StudyResults, rows: list[Ran]) -> str:
    rules = gap_rules(results.settings, rows)
    return f"{capitalised(rules)}." if rules else ""


def _intervals(results: StudyResults, shown: Shown) -> str:
    """Say how errors are clustered and intervals made; empty where nothing is clustered."""
    by = clustered_by(results, shown)
    if not by:
        return ""
    normal = is_normal(results, shown, "A")
    plain = normal or is_by_distance(results, shown, "A")
    return say(
        "methods_paragraph.intervals",
        by=by,
        factor="" if plain else say("methods_paragraph.factor"),
        distribution=say(f"methods_paragraph.{'normal' if normal else 't'}"),
        conditional=conditional_words(results, "methods_paragraph", [shown.panels["A"].design]),
    )


def _percent_of_mean(results: StudyResults) -> str:
    """Say that the mean is taken as fixed where an outcome is told in percent of it."""
    settings = results.settings
    told = [o for o in settings.outcomes.intended.values() if o.in_percent_of_mean and o.observed]
    return say("methods_paragraph.percent_of_mean", firms=settings.exhibit.firms) if told else ""


def _in_logs(results: StudyResults) -> bool:
    intended = results.settings.outcomes.intended.values()
    return any(outcome.in_logs and outcome.observed for outcome in intended)
