"""One HTML page in one file: no script, no network, for phone, desktop, print and screen reader."""

from collections.abc import Iterable
from html import escape
from importlib import resources
from typing import Any

from pipeline.exhibits.words.language import say

# Set around what is to stand out in a sentence; no keyboard types them.
_STRONG, _END = "\ue000", "\ue001"


def page(title: str, body: Iterable[str], language: str = "en") -> bytes:
    """Return a whole page as UTF-8; `body` holds its parts as HTML."""
    style = resources.files("pipeline.exhibits.render").joinpath("page.css").read_text("utf-8")
    head = (
        f'<!DOCTYPE html>\n<html lang="{language}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>\n{style}</style>\n</head>\n"
    )
    content = "\n".join(part for part in body if part)
    return f"{head}<body>\n{content}\n</body>\n</html>\n".encode()


def strong(text: str) -> str:
    """Mark text that is to stand out, whatever sentence it comes to stand in."""
    return f"{_STRONG}{text}{_END}"


def prose(text: str) -> str:
    """Return a sentence as HTML, with what was marked set off."""
    return escape(text).replace(_STRONG, "<b>").replace(_END, "</b>")


def section(name: str, heading: str, sentence: str, *parts: str, hidden: bool = False) -> str:
    """Return a section: a question, the sentence that answers it, what shows it."""
    kind = ' class="vh"' if hidden else ""
    said = f'<p class="say">{prose(sentence)}</p>' if sentence else ""
    head = f'<section id="{name}">\n<h2{kind}>{escape(heading)}</h2>'
    return "\n".join(part for part in (head, said, *parts, "</section>") if part)


def contents(links: Iterable[tuple[str, str]]) -> str:
    """Return the list of sections, which stays in sight on a wide screen."""
    items = "".join(f'<li><a href="#{name}">{escape(words)}</a></li>' for name, words in links)
    return f'<nav aria-label="{escape(say("page.contents"))}"><ol>{items}</ol></nav>'


def cell(heading: str, *parts: str) -> str:
    """Return one panel of a strip, under its heading."""
    return "\n".join([f'<div class="cell">{heading}', *(part for part in parts if part), "</div>"])


def panel_heading(
    name: str, unit: str = "", kind: str = "", found: str = "", element: str = "h3"
) -> str:
    """Return a panel's heading: name, unit, and what was found in it."""
    aside = f" <span>{escape(unit)}</span>" if unit else ""
    aside += f' <span class="{kind}">{escape(found)}</span>' if found else ""
    words = f"<b>{escape(name)}</b>"
    return f'<{element} class="ph">{words}{aside}</{element}>'


def strip(cells: list[str], caption: str) -> str:
    """Return panels side by side, which swipe on a phone, with a caption below."""
    kind = "three one" if len(cells) == 1 else "three"
    box = (
        f'<div class="{kind}" tabindex="0" role="group" aria-label="{escape(say("page.panels"))}">'
    )
    return "\n".join(
        ["<figure>", box, *cells, "</div>", f"<figcaption>{caption}</figcaption>", "</figure>"]
    )


def bullets(sentences: Iterable[str], kind: str = "") -> str:
    """Return sentences as a list."""
    items = "\n".join(f"<li>{escape(sentence)}</li>" for sentence in sentences)
    return f"<ul{f' class={kind}' if kind else ''}>\n{items}\n</ul>"


def folded(summary: str, aside: str, *parts: str, screen_only: bool = False) -> str:
    """Return what is folded away until it is asked for; paper shows it open."""
    kind = ' class="screen"' if screen_only else ""
    head = f"<summary>{escape(summary)} <span>{escape(aside)}</span></summary>"
    return "\n".join([f"<details{kind}>{head}", '<div class="in">', *parts, "</div></details>"])


def plain_table(heads: tuple[str, str], rows: list[tuple[str, str]], caption: str) -> str:
    """Return a two-column table of text."""
    head = "".join(f"<th scope=col>{escape(name)}</th>" for name in heads)
    body = "\n".join(
        f"<tr><th scope=row><code>{escape(a)}</code></th><td><code>{escape(b)}</code></td></tr>"
        for a, b in rows
    )
    return (
        f"<table class=plain><caption>{escape(caption)}</caption>"
        f"<thead><tr>{head}</tr></thead><tbody>\n{body}\n</tbody></table>"
    )


def index_page(headlines: dict[str, dict[str, Any]]) -> bytes:
    """Return the page that lists studies, in the order given; see `headlines` for what each has."""
    title = say("index.title")
    studies = [_study(name, content) for name, content in headlines.items()]
    heading = f"<header><h1>{title}</h1></header>"
    return page(title, [heading, '<div class="page"><div></div><main>', *studies, "</main></div>"])


def _study(name: str, content: dict[str, Any]) -> str:
    link = f'<a href="{escape(name)}/report.html">{escape(content["title"])}</a>'
    parts = [
        f"<p class=lead>{escape(content['answer'])}</p>",
        bullets(content["findings"]),
        bullets(content["cautions"]),
        f"<p>{say('note.source')} {escape(content['source'])}.</p>",
    ]
    language = escape(content["language"])
    return "\n".join([f'<section lang="{language}">', f"<h2>{link}</h2>", *parts, "</section>"])
