"""Escape text for LaTeX, character by character in one pass: everything, by default."""

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    # A row that starts with a bracket would be read as the option of the row before it.
    "[": "{[}",
    "]": "{]}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "`": r"\textasciigrave{}",
    "\u00a0": "~",
    "\u2212": "$-$",
    "\u00d7": r"$\times$",
    "\u00f7": r"$\div$",
    "\u00b1": r"$\pm$",
    "\u00b7": r"$\cdot$",
    "\u00ac": r"$\neg$",
    "\u2264": r"$\leq$",
    "\u2265": r"$\geq$",
    "\u2260": r"$\neq$",
    "\u2013": "--",
    "\u2014": "---",
    "\u2018": "`",
    "\u2019": "'",
    "\u201c": "``",
    "\u201d": "''",
    "\u2026": r"\ldots{}",
    "\u20ac": r"\texteuro{}",
    "\u00ad": r"\-",
}

# What pdfLaTeX's T1 fonts have beyond ASCII and Latin-1 (utf8 and T1 input tables).
_T1_LETTERS = set("ĂăĄąĆćČčĎďĐđĘęĚěĞğİıĹĺĽľŁłŃńŇňŐőŒœŔŕŘřŚśŞşŠšŢţŤťŮůŰűŸŹźŻżŽžŊŋȘșȚț")


def escape(text: str) -> str:
    """Return text that LaTeX prints as written.

    Line breaks and tabs become spaces. A character that the preamble's fonts lack is shown as
    its code point, `U+4E2D`, because a stopped compilation would hide every other number.
    """
    return "".join(_escape_character(character) for character in text)


def _escape_character(character: str) -> str:
    if character in _SPECIAL:
        return _SPECIAL[character]
    if character.isspace():
        return " "
    if " " < character <= "~" or "\u00a1" <= character <= "\u00ff" or character in _T1_LETTERS:
        return character
    return f"U+{ord(character):04X}"
