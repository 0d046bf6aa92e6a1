"""What the index says of a study: title, findings, source, in a file that the index reads."""

import json

from pipeline.exhibits.inputs import StudyResults
from pipeline.exhibits.words.findings import findings


def headlines(results: StudyResults) -> bytes:
    """Return title, findings (one sentence each) and source as JSON."""
    exhibit = results.settings.exhibit
    with results.speaking():
        sentences = findings(results)
    content = {"title": exhibit.title, "findings": sentences, "source": exhibit.source}
    return (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode("utf-8")
