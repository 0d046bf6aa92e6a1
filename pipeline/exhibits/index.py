"""reports/index.html: one line a study, with a link to its page."""

from html import escape

from pipeline.exhibits.page import page
from pipeline.params.study import Study


def index_page(studies: dict[str, Study]) -> bytes:
    """Return the page that lists studies by title, in the order of params.yaml."""
    items = [
        f'<li><a href="{name}/report.html">{escape(study.exhibit.title)}</a><br>'
        f"{escape(_about(study))}</li>"
        for name, study in studies.items()
    ]
    title = "Evaluations"
    return page(title, [f"<h1>{title}</h1>", f'<ul class="lead">{"".join(items)}</ul>'])


def _about(study: Study) -> str:
    observed = [o.label.lower() for o in study.outcomes.root.values() if o.observed]
    return f"Effects on {', '.join(observed)}. Source: {study.exhibit.source}."
