from import_closure import ROOT

from pipeline.exhibits.index import index_page
from pipeline.params.settings import load_yaml
from pipeline.params.study import read_study


def test_the_index_links_to_every_study():
    content = load_yaml(ROOT / "params.yaml")
    studies = {name: read_study(content, name) for name in content["studies"]}
    text = index_page(studies).decode()
    for name in content["studies"]:
        assert f'href="{name}/report.html"' in text
    assert "Michigan job-training grants" in text
