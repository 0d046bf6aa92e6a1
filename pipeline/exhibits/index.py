"""reports/index.html: the findings of every study, with a link to its page."""

from html import escape
from typing import Any

from pipeline.exhibits.page import bullets, page
from pipeline.exhibits.words.language import say


def index_page(headlines: dict[str, dict[str, Any]]) -> bytes:
    """Return the page that lists studies, in the order given; see `headlines` for what each has."""
    title = say("index.title")
    parts = [_study(name, content) for name, content in headlines.items()]
    return page(title, [f"<h1>{title}</h1>", *parts])


def _study(name: str, content: dict[str, Any]) -> str:
    source = f"{say('note.source')} {escape(content['source'])}."
    return (
        f'<section>\n<h2><a href="{escape(name)}/report.html">{escape(content["title"])}</a></h2>\n'
        f"{bullets(content['findings'], 'lead')}\n<p>{source}</p>\n"
        "</section>"
    )
