"""Estimate how wide text is in Latin Modern, in em, so that tables fit before they are compiled.

Digits are exactly 0.5 em in every size (Latin Modern metrics); letters are grouped into four
widths, each the widest of its group, so that an estimate is rarely too small.
"""

_NARROW = set(" .,:;'|!ijltI[]()/`")
_WIDE = set("mwMWOQ%@&\u2212\u00d7\u2265\u2264")
_DASH = set("\u2014")


def text_width(text: str) -> float:
    """Return the width of one line of text, in em."""
    return sum(_character_width(character) for character in text)


def longest_word(text: str) -> float:
    """Return the width of the widest word of a text that may wrap at spaces, in em."""
    return max((text_width(word) for word in text.split()), default=0.0)


def n_lines(text: str, width: float) -> int:
    """Return how many lines of `width` em a text takes that wraps at spaces, one at least."""
    lines, used = 1, 0.0
    for word in text.split():
        if used and used + text_width(" " + word) > width:
            lines, used = lines + 1, 0.0
        used += text_width(" " + word if used else word)
    return lines


def _character_width(character: str) -> float:
    if character in _DASH:
        return 1.0
    if character in _WIDE:
        return 0.84
    if character in _NARROW:
        return 0.39
    if character.isupper():
        return 0.76
    return 0.56 if character.isalpha() else 0.5
