"""One panel written in many forms: each reads as the same table, or is refused in one sentence."""

import gzip
import random
import zipfile

import pandas as pd
import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.utils.datetime import CALENDAR_MAC_1904
from test_delivered import data

from pipeline.errors import EvaluationError
from pipeline.panel.delivered import delivered_files
from pipeline.panel.origin import located
from pipeline.panel.rules.standard import is_code, standard_names, standard_types
from pipeline.panel.sources import obtain_tables
from pipeline.params.identifier import Identifier

HEAD = ["id", "year", "sector", "sales"]
COLUMNS = {
    "sector": {"kind": "text", "column": "sector", "label": "Sector"},
    "sales": {"kind": "number", "column": "sales", "unit": "US$", "label": "Sales"},
}
COMMA = {"delimiter": ";", "decimal": ",", "thousands": "."}


def panel_of(seed):
    """Return rows of id, year, sector and sales: of any size and sign, some zero, one missing."""
    rng = random.Random(seed)
    sizes = [0.0, None, -1234.5, *(round(rng.lognormvariate(7, 3), 2) for _ in range(60)),
             *(-float(rng.randrange(1, 10**6)) for _ in range(10))]  # fmt: skip
    rng.shuffle(sizes)
    return [
        [f"{rng.randrange(1000):03}{at:03}", 2001 + at % 9, f"0{rng.randrange(10)}10", size]
        for at, size in enumerate(sizes)
    ]


def read(folder, source, **changes):
    """Return the panel as cleaning types it, as lists."""
    section = data(source, columns=changes.pop("columns", COLUMNS), **changes)
    tables = obtain_tables(section, folder)
    with located(tables.origins["panel"]):
        found = standard_types(standard_names(tables.panel, section, Identifier()), section)
    found["sales"] = found["sales"].round(9).astype(object).where(found["sales"].notna(), None)
    return found[["firm_id", "year", "sector", "sales"]].to_numpy().tolist()


def parted(number, thousands="", decimal="."):
    whole = f"{abs(number):,.2f}".removesuffix(".00")
    return whole.replace(",", "t").replace(".", decimal).replace("t", thousands)


def signed(number, thousands="", decimal="."):
    return "" if number is None else "-" * (number < 0) + parted(number, thousands, decimal)


def text_file(rows, written=signed, delimiter=",", **changes):
    """Return a form: a text file in which `written` writes the sales."""
    head, name, end = changes.get("head", HEAD), changes.get("name", "f.csv"), changes.get("end")

    def form(folder):
        lines = [[*row[:3], written(row[3])] for row in rows]
        quoted = [[f'"{c}"' if delimiter in str(c) else str(c) for c in line] for line in lines]
        text = "\n".join(delimiter.join(line) for line in [head, *quoted]) + "\n"
        text = (changes.get("above", "") + text).replace("\n", end or "\n")
        (folder / name).write_bytes(text.encode(changes.get("encoding", "utf-8")))
        wanted = {"panel": name, "format": {"delimiter": delimiter} | changes.get("format", {})}
        return read(folder, wanted, **changes.get("data", {}))

    return form


def around(before="", after="", minus="-{}", **marks):
    """Return how a number is written between marks, a negative one as `minus` says."""

    def written(number):
        if number is None:
            return ""
        plain = before + parted(number, **marks) + after
        return minus.format(plain) if number < 0 else plain

    return written


def workbook(rows, change=None, text=False, epoch=None):
    def form(folder):
        book = Workbook()
        if epoch is not None:
            book.epoch = epoch
        for row in [HEAD, *rows]:
            book.active.append([str(c) if text and c is not None else c for c in row])
        if change is not None:
            change(book.active)
        book.save(folder / "f.xlsx")
        return read(folder, {"panel": "f.xlsx"})

    return form


def in_the_middle(sheet):
    """Leave an empty column and rows before the table, as who likes margins does."""
    sheet.insert_cols(1)
    sheet["A1"].number_format = "0.00"


def years_as_dates(sheet):
    for cell in sheet["B"][1:]:
        cell.number_format = "dd/mm/yyyy"


def some_in_percent(sheet):
    for cell in sheet["D"][1::2]:
        cell.number_format = "0.0%"


def frame_file(rows, write):
    def form(folder):
        frame = pd.DataFrame(rows, columns=HEAD)
        return read(folder, {"panel": write(frame, folder)})

    return form


def to_parquet(frame, folder):
    frame.astype({"year": "float64"}).to_parquet(folder / "f.parquet")
    return "f.parquet"


def to_stata(frame, folder):
    frame.to_stata(folder / "f.dta", write_index=False)
    return "f.dta"


def packed(frame, folder):
    content = frame.to_csv(index=False).encode()
    (folder / "f.csv.gz").write_bytes(gzip.compress(content))
    return "f.csv.gz"


def zipped(frame, folder):
    with zipfile.ZipFile(folder / "f.zip", "w") as archive:
        archive.writestr("any.csv", frame.to_csv(index=False))
    return "f.zip"


def in_two_files(rows, second):
    """Return a form: half of the rows in a file of their own, whose sales are written otherwise."""

    def form(folder):
        half = len(rows) // 2
        text_file(rows[:half], name="f1.csv")(folder)
        lines = [",".join([*map(str, row[:3]), second(row[3])]) for row in rows[half:]]
        (folder / "f2.csv").write_text("\n".join([",".join(HEAD), *lines]), "utf-8")
        return read(folder, {"panel": "f*.csv"})

    return form


def marks_at_the_end(rows):
    """Return a form: two columns without name or cells behind the others."""

    def form(folder):
        lines = [[*map(str, row[:3]), signed(row[3]), "", ""] for row in rows]
        text = "\n".join(";".join(line) for line in [[*HEAD, " ", ""], *lines])
        (folder / "f.csv").write_text(text, "utf-8")
        return read(folder, {"panel": "f.csv", "format": {"delimiter": ";"}})

    return form


def percent(number):
    return "" if number is None else f"{number:.2f}%"


def same_forms(rows):
    """Return forms that are read as what they are."""
    blank = ["", "", "", None]
    comma = {"format": COMMA}
    quote = {"format": {"thousands": "'"}}
    return {
        "plain": text_file(rows),
        "semicolon": text_file(rows, around(thousands=".", decimal=","), ";", **comma),
        "apostrophes": text_file(rows, around(thousands="'"), **quote),
        "curly apostrophes": text_file(rows, around(thousands="\u2019"), **quote),
        "narrow spaces": text_file(rows, around(thousands="\u202f"), format={"thousands": " "}),
        "parentheses": text_file(rows, around(minus="({})")),
        "parentheses and marks": text_file(
            rows, around(minus="({})", thousands=".", decimal=","), ";", **comma
        ),
        "minus behind": text_file(rows, around(minus="{}-")),
        "unicode minus": text_file(rows, around(minus="\u2212{}")),
        "minus and space": text_file(rows, around(minus="- {}")),
        "reais": text_file(rows, around("R$ ", thousands=".", decimal=","), ";", **comma),
        "dollars": text_file(rows, around("$", minus="-{}")),
        "euros": text_file(rows, around(after="\u00a0€", minus="({})")),
        "codes of currency": text_file(rows, around("USD ")),
        "percent": text_file(
            rows, percent, data={"columns": COLUMNS | {"sales": COLUMNS["sales"] | {"factor": 1}}}
        ),
        "apostrophe years": text_file([[r[0], f"'{r[1]}", *r[2:]] for r in rows]),
        "formula text": text_file([[f'="{r[0]}"', r[1], f'="{r[2]}"', r[3]] for r in rows]),
        "spaces": text_file([[f" {r[0]} ", f" {r[1]}", f"{r[2]} ", r[3]] for r in rows]),
        "title": text_file(rows, above="Registry of firms,,,\n", format={"header_row": 2}),
        "padded names": text_file(rows, head=[" id", "year ", "\ufeffsector", "sales"]),
        "utf-16": text_file(rows, encoding="utf-16"),
        "windows lines": text_file(rows, end="\r\n"),
        "sheet": workbook(rows),
        "sheet of text": workbook(rows, text=True),
        "years as dates": workbook(rows, years_as_dates),
        "years as dates from 1904": workbook(rows, years_as_dates, epoch=CALENDAR_MAC_1904),
        "parquet": frame_file(rows, to_parquet),
        "stata": frame_file(rows, to_stata),
        "marks at the end": marks_at_the_end(rows),
        "blank rows": text_file([*rows[:9], blank, *rows[9:], blank, blank]),
        "table in the middle": workbook(rows, in_the_middle),
        "gz": frame_file(rows, packed),
        "zip": frame_file(rows, zipped),
    }


def refused_forms(rows):
    """Return forms that say too little, or two things, with words of the sentence."""
    large = [[*row[:3], float(round(row[3] or 0)) % 10**6] for row in rows]
    currency = iter(["$", "R$"] * len(rows))
    return {
        "undeclared commas": (text_file(rows, around(thousands=",")), "has marks between its"),
        "undeclared points": (
            text_file(large, lambda n: "" if n is None else parted(n, ".")),
            "as between thousands",
        ),
        "decimal comma": (text_file(rows, around(decimal=",")), "has marks between its digits"),
        "commas in one file": (
            in_two_files(rows, lambda n: f'"{signed(n, decimal=",")}"'), "row .* of f2.csv"
        ),
        "two currencies": (
            text_file(rows, lambda n: "" if n is None else f"{next(currency)}{abs(n)}"),
            "several currencies",
        ),
        "a mark here and there": (in_two_files(rows, around("$")), "or some have none"),
        "percent": (text_file(rows, percent), "has a percent sign"),
        "percent and numbers": (workbook(rows, some_in_percent), "numbers in percent"),
        "two names": (text_file(rows, head=["id", "year", "id ", "sales"]), "of one name"),
        "title": (text_file(rows, above="Registry of firms,,,\n"), "header_row"),
        "long title": (text_file(rows, above="Registry of firms\n"), "header_row"),
        "years among dates": (
            text_file([[r[0], "2001-12-31" if at else "1905-06-25", *r[2:]]
                       for at, r in enumerate(rows)]),
            "a date of 1905 or 1909",
        ),
        "headings again": (text_file([*rows, [*HEAD[:3], 1.0]]), "year"),
        "a total": (text_file([*rows, ["Total", "", "", 1.0]]), "year is missing"),
    }  # fmt: skip


@pytest.mark.parametrize("seed", [1, *(pytest.param(n, marks=pytest.mark.slow) for n in (2, 3))])
@pytest.mark.parametrize("form", same_forms(panel_of(1)))
def test_a_form_reads_as_the_same_table(form, seed, tmp_path):
    rows = panel_of(seed)
    assert same_forms(rows)[form](tmp_path) == rows


@pytest.mark.parametrize("form", refused_forms(panel_of(1)))
def test_a_form_that_says_too_little_is_refused_in_one_sentence(form, tmp_path):
    write, told = refused_forms(panel_of(3))[form]
    with pytest.raises(EvaluationError, match=told) as caught:
        write(tmp_path)
    assert "\n" not in str(caught.value)


def test_names_that_differ_in_case_are_two_columns(tmp_path):
    (tmp_path / "f.csv").write_text("id,ID,year,sector,sales\n1,2,2001,a,3\n")
    assert read(tmp_path, {"panel": "f.csv"}) == [["1", 2001, "a", 3.0]]


def test_codes_that_a_spreadsheet_made_dates_are_refused(tmp_path):
    write = workbook([["1", 2001, "0110", 1.0], ["2", 2001, "0110", 1.0]])
    write(tmp_path)
    book = load_workbook(tmp_path / "f.xlsx")
    book.active["C3"] = pd.Timestamp("2024-12-03").to_pydatetime()
    book.save(tmp_path / "f.xlsx")
    with pytest.raises(EvaluationError, match=r"column sector: a code is a date.*row 3 of f\.xlsx"):
        read(tmp_path, {"panel": "f.xlsx"})


def test_true_dates_of_a_workbook_stay_dates(tmp_path):
    rows = [["1", pd.Timestamp("1905-07-02").to_pydatetime(), "a", 1.0],
            ["2", pd.Timestamp("1906-07-02").to_pydatetime(), "a", 2.0]]  # fmt: skip
    assert [row[1] for row in workbook(rows)(tmp_path)] == [1905, 1906]


def test_decimals_of_three_digits_are_decimals_where_others_show_it(tmp_path):
    rows = [[str(at), 2001, "a", 1 + at / 1000] for at in range(1, 60)]
    rows += [["x", 2001, "a", 3.5], ["y", 2001, "a", 7.0]]
    assert text_file(rows, lambda n: f"{n:g}")(tmp_path) == rows
    kept = [*(row for row in rows if len(f"{row[3]:g}") == 5), rows[-1]]
    with pytest.raises(EvaluationError, match="as between thousands"):
        text_file(kept, lambda n: f"{n:g}")(tmp_path)
    settled = {"format": {"thousands": ","}}
    assert text_file(kept, lambda n: f"{n:g}", **settled)(tmp_path) == kept


def test_zeros_that_a_format_shows_are_part_of_a_code(tmp_path):
    """What a workbook or Stata shows as 000034 is 000034."""

    def zeros(sheet):
        for cell in sheet["A"][1:]:
            cell.number_format = "000000"

    workbook([[34, 2001, "a", 5.0], [1234567, 2001, "a", 6.0]], zeros)(tmp_path)
    assert [row[0] for row in read(tmp_path, {"panel": "f.xlsx"})] == ["000034", "1234567"]
    frame = pd.DataFrame([[34.0, 2001, "a", 5.0], [7.0, 2001, "a", 6.0]], columns=HEAD)
    to_stata(frame, tmp_path)
    content = (tmp_path / "f.dta").read_bytes()
    # the format of the first column, of doubles
    changed = content.replace(b"%10.0g", b"%06.0f", 1)
    assert changed != content
    (tmp_path / "f.dta").write_bytes(changed)
    assert [row[0] for row in read(tmp_path, {"panel": "f.dta"})] == ["000034", "000007"]


def test_a_code_for_missing_is_known_however_its_sign_is_typed():
    typed = pd.Series(["-99", "99-", "(99)", "\u221299", "99", None, "a"])
    assert is_code(typed, ["-99"]).tolist() == [True] * 4 + [False] * 3


def test_what_programs_leave_beside_files_is_none_of_a_pattern(tmp_path):
    for name in ("f1.csv", "~$f2.csv", "._f1.csv", ".f.csv"):
        (tmp_path / name).write_text("id\n1\n")
    assert [path.name for path in delivered_files(tmp_path, "*.csv")] == ["f1.csv"]


def test_rows_are_named_as_delivered_where_blank_ones_are_left_out(tmp_path):
    (tmp_path / "f.csv").write_text("id,year,sector,sales\n1,2001,a,3\n,,,\n2,x,a,3\n")
    with pytest.raises(EvaluationError, match=r"row 4 of f\.csv"):
        read(tmp_path, {"panel": "f.csv"})


def test_a_new_name_that_the_file_has_already_is_refused(tmp_path):
    (tmp_path / "f.csv").write_text("id,year,sector,sales,ventas\n1,2001,a,3,4\n")
    rename = {"f.csv": {"ventas": "sales"}}
    with pytest.raises(EvaluationError, match=r"rename: f\.csv has sales already"):
        read(tmp_path, {"panel": "f.csv", "rename": rename})


def test_years_in_a_file_that_its_name_contradicts_are_refused(tmp_path):
    (tmp_path / "f2001.csv").write_text("id,year,sector,sales\n1,2001,a,3\n")
    source = {"panel": "f*.csv", "year_in_name": True}
    assert read(tmp_path, source) == [["1", 2001, "a", 3.0]]
    (tmp_path / "f2001.csv").write_text("id,year,sector,sales\n1,1999,a,3\n")
    with pytest.raises(EvaluationError, match="a column year with other years than its name"):
        read(tmp_path, source)
