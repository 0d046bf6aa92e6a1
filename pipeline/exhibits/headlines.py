"""What the index says of a study: answer, findings, cautions, in a file that the index reads."""

import json

from pipeline.exhibits.checks.cautions import cautions_on, study_cautions
from pipeline.exhibits.checks.verdicts import verdict
from pipeline.exhibits.inputs import StudyResults
from pipeline.exhibits.shown_outcomes import card_outcomes
from pipeline.exhibits.words.arms import others_sentences
from pipeline.exhibits.words.beneficiaries import headline_lost, switched_off
from pipeline.exhibits.words.caution_words import cautions_said, severity_word
from pipeline.exhibits.words.findings import finding, headline_effect
from pipeline.exhibits.words.language import say
from pipeline.exhibits.words.verdicts import answer, sure_sentence


def headlines(results: StudyResults) -> bytes:
    """Return title, answer, findings with how sure they are, cautions and source as JSON."""
    exhibit = results.settings.exhibit
    with results.speaking():
        cautions = study_cautions(results)
        names = card_outcomes(results)
        content = {
            "title": exhibit.title,
            "language": exhibit.language,
            "answer": answer(results, {name: verdict(results, name, cautions) for name in names}),
            "findings": _findings(results),
            "cautions": [
                f"{severity_word(said.severity)}: {said.sentence}"
                for said in cautions_said(results, cautions)
            ],
            "source": exhibit.source,
        }
    return (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode("utf-8")


def _findings(results: StudyResults) -> list[str]:
    """Return a sentence for each outcome on a card that has an effect, and how sure it is.

    Behind them stands who else was affected, who was lost on the way to the effects, and whose
    treatment ended.
    """
    cautions = study_cautions(results)
    sentences, shown = [], []
    for name in card_outcomes(results):
        effect = headline_effect(results, name)
        if effect is not None:
            shown.append(name)
            found = verdict(results, name, cautions)
            own = [c for c in cautions_on(cautions, name) if c.outcome == name]
            sure = "" if found is None else f" {sure_sentence(results, found, own)}"
            sentences.append(finding(results, name, effect) + sure)
    if not shown:
        return [say("findings.nothing_estimated")]
    return [
        *sentences,
        *others_sentences(results),
        *headline_lost(results, shown),
        *switched_off(results),
    ]
