"""Stamp exhibits with the hash of their inputs, where no reader of the page sees it."""

from pathlib import PurePosixPath

_COMMENTS = {".tex": "% inputs {}\n", ".md": "<!-- inputs {} -->\n"}


def stamped(files: dict[str, bytes], inputs: str) -> dict[str, bytes]:
    """Return the files with a comment in the first line of each LaTeX and Markdown file."""
    return {path: _comment(path, inputs).encode("utf-8") + text for path, text in files.items()}


def _comment(path: str, inputs: str) -> str:
    return _COMMENTS.get(PurePosixPath(path).suffix, "").format(inputs)
