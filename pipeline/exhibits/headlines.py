"""What the index says of a study: title, findings, source, in a file that the index reads."""

import json

from pipeline.exhibits.findings import findings
from pipeline.exhibits.inputs import StudyResults


def headlines(results: StudyResults) -> bytes:
    """Return title, findings (one sentence each) and source as JSON."""
    exhibit = results.settings.exhibit
    content = {"title": exhibit.title, "findings": findings(results), "source": exhibit.source}
    return (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode("utf-8")
