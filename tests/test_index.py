import html
import json

import pytest
from results import study_results

from pipeline.exhibits.headlines import headlines
from pipeline.exhibits.page import index_page
from stages import index


def test_the_index_links_to_every_study_and_shows_its_findings():
    results = study_results()
    content = json.loads(headlines(results))
    text = index_page({"one": content, "two": {**content, "title": "R&D <b>"}}).decode()
    for name in ("one", "two"):
        assert f'href="{name}/report.html"' in text
    assert "R&amp;D &lt;b&gt;" in text
    assert len(content["findings"]) == 4
    for sentence in (content["answer"], *content["findings"], *content["cautions"]):
        assert text.count(html.escape(sentence)) == 2


def test_a_study_that_was_not_run_stops_the_index(tmp_path, monkeypatch, capsys):
    (tmp_path / "params.yaml").write_text("studies:\n- absent\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["index"])
    with pytest.raises(SystemExit) as stop:
        index.main()
    assert stop.value.code == 2
    assert "reports/headlines/absent.json does not exist yet" in capsys.readouterr().err
