import json

import pytest

from pipeline.commands.audit.tex_keys import check_keys
from stages import tex

KNOWN = {"a.sales_log.covariates.stacked.att.pct", "a.sales_log.covariates.stacked.event[-2].pct"}


def checked(tmp_path, text):
    file = tmp_path / "note.tex"
    file.write_text(text, encoding="utf-8")
    return check_keys([file], KNOWN)


def test_an_unknown_key_has_its_line_and_the_nearest_known_one(tmp_path):
    text = "One\n\\result{a.sales_log.covariates.stacked.att.pct}\n\\result{a.sale_log.covariates."
    found = checked(tmp_path, text + "stacked.att.pct}")
    (key,) = found.unknown
    assert (key.file, key.line) == (f"{tmp_path}/note.tex", 3)
    assert key.key == "a.sale_log.covariates.stacked.att.pct"
    assert key.nearest == "a.sales_log.covariates.stacked.att.pct"
    assert found.n_keys == 2


@pytest.mark.parametrize(
    ("text", "n_keys", "n_unknown"),
    [
        (r"\result{a.sales_log.covariates.stacked.event[-2].pct}", 1, 0),
        (r"% \result{nowhere}", 0, 0),
        (r"5\% of \result{nowhere}", 1, 1),
        (r"line \\% \result{nowhere}", 0, 0),
        (r"\result {nowhere}", 1, 1),
        ("\\result{a.sales_log.covariates.stacked.att.pct }", 1, 1),
        (r"\results{nowhere}", 0, 0),
        (r"\newcommand{\pct}[1]{\result{a.#1.covariates.stacked.att.pct}}", 1, 0),
    ],
)
def test_comments_are_left_out_and_made_keys_are_told(tmp_path, text, n_keys, n_unknown):
    found = checked(tmp_path, text)
    assert (found.n_keys, len(found.unknown)) == (n_keys, n_unknown)
    assert len(found.made) == ("#1" in text)


@pytest.fixture
def project(tmp_path, monkeypatch):
    numbers = tmp_path / "reports" / "a" / "numbers.json"
    numbers.parent.mkdir(parents=True)
    numbers.write_text(json.dumps({key: {"value": 1, "formatted": "1"} for key in KNOWN}))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_command_exits_2_where_a_key_is_unknown(project, capsys):
    (project / "good.tex").write_text(rf"\result{{{min(KNOWN)}}}")
    (project / "bad.tex").write_text(r"\result{b}")
    tex.main(["good.tex"])
    assert capsys.readouterr().out == "1 keys, 0 unknown\n"
    with pytest.raises(SystemExit) as stop:
        tex.main(["good.tex", "bad.tex"])
    assert stop.value.code == 2
    assert "bad.tex:1: b is unknown" in capsys.readouterr().out


def test_a_key_that_left_the_numbers_is_told_with_the_setting_that_brings_it(project, capsys):
    left = "a.sales_log.covariates.twoway.att.pct"
    every = {key: {"value": 1, "formatted": "1"} for key in [*KNOWN, left]}
    (project / "reports" / "a" / "numbers_all.json").write_text(json.dumps(every))
    (project / "note.tex").write_text(rf"\result{{{left}}} \result{{b}}")
    with pytest.raises(SystemExit):
        tex.main(["note.tex"])
    told = capsys.readouterr().out.splitlines()
    assert told[0].endswith("is unknown; exhibit.quote in params.yaml adds it to the numbers")
    assert "exhibit.quote" not in told[1]


def test_absent_files_and_numbers_are_named(project, capsys):
    with pytest.raises(SystemExit) as stop:
        tex.main(["absent.tex"])
    assert stop.value.code == 2
    assert "absent.tex does not exist" in capsys.readouterr().err
    (project / "reports" / "a" / "numbers.json").unlink()
    with pytest.raises(SystemExit):
        tex.main(["absent.tex"])
    assert "run from the project's folder" in capsys.readouterr().err
