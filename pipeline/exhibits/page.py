"""One HTML page in one file: no script, no network, for phone, desktop, print and screen reader."""

from html import escape
from typing import Any

from pipeline.exhibits.words.language import say

# Contrast of text on its ground is 7:1 or more; widths are those of the reader's screen.
_STYLE = """
:root{color-scheme:light}
body{font:1.0625rem/1.55 Georgia,'Times New Roman',serif;color:#1a1a1a;background:#fff;
 margin:0 auto;padding:1rem;max-width:56rem}
h1{font-size:1.6rem;line-height:1.25;margin:.5rem 0}
h2{font-size:1.2rem;margin:2.2rem 0 .5rem;border-top:1px solid #767676;padding-top:.8rem}
p,li,dd{max-width:42rem}
.lead li{margin:.5rem 0}
.wide{overflow-x:auto}
.wide:focus,a:focus,summary:focus{outline:3px solid #0072B2}
table{border-collapse:collapse;font-size:.9rem;border-top:2px solid #1a1a1a;
 border-bottom:2px solid #1a1a1a;font-variant-numeric:tabular-nums}
caption{text-align:left;font-weight:bold;padding:.6rem 0;min-width:16rem}
th,td{padding:.15rem .6rem;text-align:center;vertical-align:bottom}
td{white-space:nowrap}
thead th{border-bottom:1px solid #767676;font-weight:normal}
tbody th{text-align:left;font-weight:normal;min-width:9rem}
tbody th.panel{font-style:italic;padding-top:.7rem}
tbody th.indent{padding-left:1.6rem}
tbody.foot tr:first-child>*{border-top:1px solid #767676}
table.plain td,table.plain th{text-align:left;white-space:normal;overflow-wrap:anywhere}
figure{margin:0}
figure svg{width:100%;min-width:34rem;height:auto}
figcaption,.notes{font-size:.85rem;color:#333;max-width:48rem}
dt{font-weight:bold;margin-top:.6rem}
dd{margin:0}
code{font-size:.85em;overflow-wrap:anywhere}
summary{cursor:pointer;padding:.4rem 0}
a{color:#00508a}
@media print{body{max-width:none;font-size:10pt;padding:0}.wide{overflow:visible}
 table{font-size:8.5pt}thead{display:table-header-group}tr,figure{break-inside:avoid}
 h2,caption{break-after:avoid}figure svg{min-width:0}td,th{padding:.1rem .35rem}}
"""


def page(title: str, body: list[str], language: str = "en") -> bytes:
    """Return a whole page as UTF-8; `body` holds its parts as HTML."""
    head = (
        f'<!DOCTYPE html>\n<html lang="{language}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n"
    )
    content = "\n".join(body)
    return f"{head}<body>\n<main>\n{content}\n</main>\n</body>\n</html>\n".encode()


def section(heading: str, *parts: str) -> str:
    """Return a section with its heading."""
    return "\n".join([f"<section>\n<h2>{escape(heading)}</h2>", *parts, "</section>"])


def bullets(sentences: list[str], kind: str = "") -> str:
    """Return sentences as a list."""
    items = "\n".join(f"<li>{escape(sentence)}</li>" for sentence in sentences)
    return f"<ul{f' class={kind}' if kind else ''}>\n{items}\n</ul>"


def definitions(pairs: list[tuple[str, str]]) -> str:
    """Return (term, words) pairs as a definition list."""
    items = "\n".join(f"<dt>{escape(term)}</dt><dd>{escape(words)}</dd>" for term, words in pairs)
    return f"<dl>\n{items}\n</dl>"


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
    parts = [_study(name, content) for name, content in headlines.items()]
    return page(title, [f"<h1>{title}</h1>", *parts])


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
