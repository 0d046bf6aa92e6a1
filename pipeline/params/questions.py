"""Questions that a started study leaves open: `check` refuses them until they are answered.

A value with the word QUESTION waits for an answer in its place. Beside the sections of a study
`questions` holds, by the path of a setting that has a guess, what must be known before the guess
counts: an answer written there, or the line deleted, settles it.
"""

import re
from collections.abc import Iterator
from typing import Any

from pydantic import TypeAdapter, ValidationError

from pipeline.params.leaves import leaves

# The key of a study's section that holds questions about settings.
QUESTIONS = "questions"

_OPEN = re.compile(r"\bQUESTION\b:? ?")
_BY_PATH = TypeAdapter(dict[str, str])
# What stands in place of a value, by the last key of its path.
_ALLOWED = {
    "unit": "write what one of it is: US$, pesos of 2010, jobs, tonnes, share",
    "reason": "write why nobody measured it, or give column and transform in place of "
    "observed: false",
    "accepted": "list the values of data.register_columns.decision that count as entry",
    "source": "write who delivered the data, and when",
}


def open_questions(block: dict[str, Any]) -> Iterator[str]:
    """Yield one line for each value of a study's section that waits for an answer."""
    asked = block.get(QUESTIONS)
    for path, value in leaves({key: part for key, part in block.items() if key != QUESTIONS}):
        if _OPEN.search(value):
            allowed = _ALLOWED.get(path.rpartition(".")[2])
            told = f"; {allowed}" if allowed else ""
            yield f"{path} is {value!r}: answer it, or exhibits would print it{told}"
    if asked is not None:
        yield from _open_beside(asked)


def _open_beside(asked: Any) -> Iterator[str]:
    """Yield one line for each question about a setting that has a guess."""
    try:
        by_path = _BY_PATH.validate_python(asked, strict=True)
    except ValidationError:
        yield f"{QUESTIONS} must hold texts by the path of a setting, one `path: text` a line"
        return
    for path, text in by_path.items():
        if _OPEN.search(text):
            yield (
                f"{path}: QUESTION: {_OPEN.sub('', text, count=1)}; change the setting where it is "
                f"wrong, then write your answer at {QUESTIONS}.{path}, or delete that line"
            )
