"""Drawings are compared by what they show: a replaced one is a fault, wherever it stands."""

import ast
import importlib
import io
import json
import re
import zlib

import numpy as np
import pytest
from import_closure import ROOT
from matplotlib.image import imread, imsave
from published import STUDY, build_exhibits, published_project
from results import OUTCOMES, study_results

from pipeline.commands.audit.drawings import drawing_differences
from pipeline.commands.audit.fault import MAKE_AGAIN, Fault, with_remedies
from pipeline.commands.audit.lock_check import lock_faults
from pipeline.commands.audit.provenance_check import provenance_faults
from pipeline.commands.audit.rebuild import drawing_faults, other_versions, table_faults
from pipeline.publishing.provenance import Inputs, provenance

SMALL = {
    "outcomes": {"sales_log": OUTCOMES["sales_log"]},
    "figures": ["overlap", "cohorts"],
    "tables": ["sample_flow"],
}
AUDIT = ROOT / "pipeline" / "commands" / "audit"


@pytest.fixture(scope="module")
def made():
    """Make every published file of a small study once."""
    return build_exhibits(study_results(**SMALL))


@pytest.fixture
def project(tmp_path, made):
    """Write the study's files, as the stages leave them."""
    folder = published_project(tmp_path, **SMALL)
    for path, content in made.items():
        place = folder / "reports" / STUDY / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
    content = provenance(Inputs("raw", "parameters", "code"), {})
    (folder / "reports" / STUDY / "provenance.json").write_bytes(content)
    return folder


def edited(folder, path, change):
    place = folder / "reports" / STUDY / path
    place.write_bytes(change(place.read_bytes()))


def moved(svg: bytes) -> bytes:
    """Move one corner of a drawing by a point."""
    return re.sub(rb"(?<=\nL )[0-9.]+", lambda x: b"%.6f" % (float(x[0]) + 1), svg, count=1)


def test_figures_and_pages_that_were_replaced_are_faults_whatever_else_agrees(project):
    edited(project, "figures/overlap.svg", moved)
    edited(project, "report.html", page_moved)
    for kind in ("png", "pdf"):
        other = (project / "reports" / STUDY / f"figures/cohorts.{kind}").read_bytes()
        edited(project, f"figures/overlap.{kind}", lambda _, other=other: other)
    edited(project, "figures/overlap.csv", lambda csv: csv.replace(b"1,bar,", b"2,bar,", 1))
    (project / "reports" / STUDY / "figures" / "cohorts.pdf").unlink()
    (project / "reports" / STUDY / "figures" / "added.svg").write_bytes(b"<svg></svg>")
    faults = drawing_faults(project)
    assert {fault.todo for fault in faults} == {MAKE_AGAIN.replace("{study}", STUDY)}
    found = sorted(fault.what.split(":")[0] for fault in faults)
    place = f"reports/{STUDY}"
    assert found == [
        f"{place}/figures/added.svg",
        f"{place}/figures/cohorts.pdf",
        f"{place}/figures/overlap.csv",
        f"{place}/figures/overlap.pdf",
        f"{place}/figures/overlap.png",
        f"{place}/figures/overlap.svg",
        f"{place}/report.html",
    ]


def test_what_other_versions_drew_is_compared_by_what_it_plots(project):
    place = project / "reports" / STUDY / "provenance.json"
    content = json.loads(place.read_text())
    content["packages"]["matplotlib"] = "3.1.0"
    place.write_text(json.dumps(content))
    assert [*other_versions(project, STUDY)] == ["matplotlib"]
    edited(project, "figures/overlap.svg", moved)
    edited(project, "figures/overlap.csv", lambda csv: csv.replace(b"1,bar", b"2,bar", 1))
    edited(project, "report.html", page_moved)
    found = sorted(fault.what.split(":")[0] for fault in drawing_faults(project))
    assert found == [f"reports/{STUDY}/figures/overlap.csv", f"reports/{STUDY}/report.html"]


def page_moved(page: bytes) -> bytes:
    """Move one point of the first drawing of a page by a point."""
    return re.sub(rb'(?<= cx=")[0-9.]+|(?<= x=")[0-9.]+', b"1.5", page, count=1)


def renamed(svg: bytes) -> bytes:
    return svg.replace(b'axes_1"', b'another"')


def recoloured(svg: bytes) -> bytes:
    assert b"#0072b2" in svg
    return svg.replace(b"#0072b2", b"#d55e00")


def repacked(pdf: bytes) -> bytes:
    """Pack the first stream of a PDF anew, less tightly."""
    head, mark, rest = pdf.partition(b"stream\n")
    stream, end, tail = rest.partition(b"\nendstream")
    content = zlib.compress(zlib.decompress(stream), 1)
    assert content != stream
    return head + mark + content + end + tail


def redrawn(pdf: bytes) -> bytes:
    """Draw one number of a PDF elsewhere."""
    head, mark, rest = pdf.partition(b"stream\n")
    stream, end, tail = rest.partition(b"\nendstream")
    content = zlib.decompress(stream).replace(b" l\n", b"1 l\n", 1)
    return head + mark + zlib.compress(content) + end + tail


def with_pixel(step):
    def change(png: bytes) -> bytes:
        pixels = imread(io.BytesIO(png), format="png")
        pixels[10, 10, :3] = np.clip(pixels[10, 10, :3] - step / 255, 0, 1)
        buffer = io.BytesIO()
        imsave(buffer, pixels, format="png")
        return buffer.getvalue()

    return change


@pytest.mark.parametrize(
    ("path", "change", "same"),
    [
        ("figures/overlap.svg", renamed, True),
        ("figures/overlap.svg", recoloured, False),
        ("figures/overlap.svg", lambda svg: svg.replace(b"</svg>", b"<g/></svg>"), False),
        ("figures/overlap.pdf", repacked, True),
        ("figures/overlap.pdf", redrawn, False),
        ("figures/overlap.pdf", lambda pdf: pdf + b"1 0 obj\n<< >>\nendobj\n", False),
        ("figures/overlap.png", with_pixel(1), True),
        ("figures/overlap.png", with_pixel(20), False),
        ("figures/overlap.png", lambda png: png[:200], False),
        ("report.html", lambda page: page.replace(b"<h2", b"<h2 id='here'", 1), True),
        ("report.html", page_moved, False),
        ("report.html", lambda page: page.replace(b"</main>", b"<svg></svg></main>"), False),
    ],
)
def test_a_drawing_is_the_same_where_a_reader_sees_the_same(made, path, change, same):
    before = {path: made[path]}
    after = {path: change(made[path])}
    assert before != after
    assert (drawing_differences(before, after) == []) is same


def test_results_that_cannot_be_read_are_a_fault_and_stop_no_other_check(project):
    place = f"reports/{STUDY}/results/estimates.csv"
    (project / place).write_text("outcome,design\nsales_log,covariates\n")
    (fault,) = table_faults(project)
    assert "does not hold the tables of the code here" in fault.what
    assert "ESTIMATES" in fault.what
    assert "`dvc repro`" in fault.todo
    assert drawing_faults(project) == [fault]
    (project / place).unlink()
    (fault,) = table_faults(project)
    assert "estimates.csv is missing" in fault.what


def packed(content: str) -> bytes:
    return b"1 0 obj\nstream\n" + zlib.compress(content.encode()) + b"\nendstream\nendobj\n"


@pytest.mark.parametrize(
    ("kind", "before", "after", "same"),
    [
        ("pdf", packed("10.005 2 l (p = 0.051) Tj"), packed("10.001 2 l (p = 0.051) Tj"), True),
        ("pdf", packed("10.005 2 l (p = 0.051) Tj"), packed("10.005 2 l (p = 0.045) Tj"), False),
        ("svg", b'<text x="1.001">p = 0.051</text>', b'<text x="1.009">p = 0.051</text>', True),
        ("svg", b'<text x="1.001">p = 0.051</text>', b'<text x="1.001">p = 0.045</text>', False),
        ("html", b"<svg><text>0.051</text></svg>", b"<svg><text>0.045</text></svg>", False),
    ],
)
def test_a_number_that_is_read_is_compared_as_it_reads(kind, before, after, same):
    assert (drawing_differences({f"a.{kind}": before}, {f"a.{kind}": after}) == []) is same


def test_every_fault_says_what_to_do(project):
    """Each place that makes a fault gives a command; `verify` prints it under the faults."""
    edited(project, "tables/sample_flow.md", lambda table: table + b"edited")
    checks = (lock_faults, table_faults, provenance_faults)
    (project / "dvc.yaml").write_text((ROOT / "dvc.yaml").read_text())
    for check in checks:
        faults = check(project)
        assert faults, check.__name__
        assert all(isinstance(fault, Fault) and "`" in fault.todo for fault in faults)
    assert with_remedies([Fault("a", "do `x`"), Fault("b", "do `y`"), Fault("c", "do `x`")]) == [
        *("a", "c", "-> do `x`"),
        *("b", "-> do `y`"),
    ]
    n_made = 0
    for path in AUDIT.glob("*.py"):
        module = importlib.import_module(f"pipeline.commands.audit.{path.stem}")
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "Fault":
                todo = call.args[1]
                if path.stem != "fault":
                    assert "`" in getattr(module, todo.id), ast.unparse(call)
                    n_made += 1
    assert n_made > 10
