"""Typeset single cells for LaTeX: escaped text, siunitx numbers, boxes, and how wide text is."""

from pipeline.exhibits.render.rounding import canonical
from pipeline.exhibits.tables.table import (
    Cell,
    Interval,
    Magnitude,
    Number,
    Prose,
    TableColumn,
    Text,
    WholeNumbers,
)
from pipeline.exhibits.words.language import speech
from pipeline.exhibits.words.magnitudes import MILLION

_TEX_MARKS = {"\u202f": r"\,", " ": "~"}

# Widths in em, in Latin Modern, so that tables fit before they are compiled. Digits are exactly 0.5
# in every size; letters are in four groups, each as wide as its widest, so that an estimate is
# rarely too small.
_NARROW = set(" .,:;'|!ijltI[]()/`")
_WIDE = set("mwMWOQ%@&\u2212\u00d7\u2265\u2264")
_DASH = set("\u2014")

# Width of a column of prose, in em.
PROSE_WIDTH = 24.0

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


def siunitx_marks() -> str:
    r"""Return the options of siunitx for the report's marks; none for English ones.

    Those are the preamble's, which a report may change for all tables at once.
    """
    marks = speech()
    if (marks.decimal_mark, marks.group_mark) == (".", ","):
        return ""
    decimal, group = (_TEX_MARKS.get(m, m) for m in (marks.decimal_mark, marks.group_mark))
    return (
        f"output-decimal-marker={{{decimal}}}, group-separator={{{group}}}, group-minimum-digits=4"
    )


def column_format(cells: list[Cell]) -> str:
    """Return the siunitx column that reserves room for sign, digits and parentheses."""
    if any(isinstance(cell, Prose) for cell in cells):
        return "l"
    numbers = [cell for cell in cells if isinstance(cell, Number)]
    if not numbers:
        return "c"
    digits = [canonical(cell.digits()).replace("<", "") for cell in numbers]
    sign = "-" if any(text.startswith("-") for text in digits) else ""
    whole = max(len(text.lstrip("-").split(".")[0]) for text in digits)
    decimals = max(cell.decimals for cell in numbers)
    body = f"{sign}{whole}.{decimals}" if decimals else f"{sign}{whole}"
    parentheses = any(cell.style == "parenthesis" for cell in numbers)
    longest = max((cell.suffix for cell in numbers), key=len)
    before = "{(}" if parentheses else ""
    after = f"{{{_raised(longest)}}}" if longest else "{)}" if parentheses else ""
    return f"S[table-format={before}{body}{after}]"


def latex_cell(cell: Cell, width: float) -> str:
    """Return a cell of a column `width` em wide; what is not on the decimal point is in braces."""
    if isinstance(cell, Number):
        return _number(cell)
    content = "" if cell is None else _braced(cell, width)
    return f"{{{content}}}" if content else ""


def _braced(cell: Text | Prose | Interval | WholeNumbers | Magnitude, width: float) -> str:
    """Return what stands in braces, off the column's decimal point."""
    match cell:
        case Interval():
            low, high = (_num(end) for end in cell.ends())
            return rf"[{low}\cisep{high}]"
        case WholeNumbers():
            return " / ".join(_num(part) for part in cell.parts())
        case Magnitude():
            has_word = abs(cell.value) >= MILLION
            return escape(cell.plain()) if has_word else _num(cell.plain())
        case Prose():
            return rf"\parbox[t]{{{width:.2f}em}}{{\raggedright {escape(cell.text)}\strut}}"
        case Text():
            wraps = text_width(cell.text) > width
            return box(cell.text, width, "t") if wraps else escape(cell.text)


def _number(cell: Number) -> str:
    digits = cell.digits()
    if digits.startswith("<"):
        return rf"{{({_num(digits)})}}" if cell.style == "parenthesis" else f"{{{_num(digits)}}}"
    body = canonical(digits)
    suffix = f"{{{_raised(cell.suffix)}}}" if cell.suffix else ""
    return (f"({body})" if cell.style == "parenthesis" else body) + suffix


def _raised(text: str) -> str:
    return rf"\textsuperscript{{{escape(text)}}}"


def _num(digits: str) -> str:
    # siunitx sets minus sign and grouping itself.
    return rf"\num{{{canonical(digits)}}}"


def box(text: str, width: float | str, position: str = "b") -> str:
    """Return centred, wrapping text in a box `width` em wide, aligned at `position` (b or t).

    A width that is text is a length in TeX.
    """
    length = width if isinstance(width, str) else f"{width:.2f}em"
    # \hspace{0pt} lets TeX hyphenate the first word of the box.
    return (
        rf"\parbox[{position}]{{{length}}}"
        rf"{{\centering\hspace{{0pt}}{escape(text)}\strut}}"
    )


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


def column_width(column: TableColumn, cells: list[Cell], one_line: float) -> float:
    """Return the least width of a column; texts wider than `one_line` may wrap."""
    headings = max(_wrapped_width(text, one_line) for text in (column.heading, column.unit))
    content = max((_cell_width(cell, one_line) for cell in cells), default=0.0)
    return max(headings, content, _reserved_width(cells)) + 0.15


def _cell_width(cell: Cell, one_line: float) -> float:
    """Return the least width of a cell: text may wrap, numbers may not."""
    if cell is None:
        return 0.0
    if isinstance(cell, Prose):
        return PROSE_WIDTH
    shown = cell.plain()
    return _wrapped_width(shown, one_line) if isinstance(cell, Text) else text_width(shown)


def _wrapped_width(text: str, one_line: float) -> float:
    """Return the width of a short text on one line, of a longer one wrapped at its words."""
    whole = text_width(text)
    return whole if whole <= one_line else longest_word(text)


def _reserved_width(cells: list[Cell]) -> float:
    """Return what siunitx sets aside: the widest integer, decimal and bracket parts together."""
    numbers = [cell for cell in cells if isinstance(cell, Number)]
    if not numbers:
        return 0.0
    mark = speech().decimal_mark
    before = max(text_width(cell.plain().split(mark)[0]) for cell in numbers)
    after = max(text_width(mark + cell.plain().partition(mark)[2]) for cell in numbers)
    return before + after + 0.4
