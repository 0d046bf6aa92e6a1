"""CITATION.cff has what its schema asks for, and says what pyproject.toml says."""

import re
import tomllib

from import_closure import ROOT

from pipeline.params.settings import load_yaml

CITATION = load_yaml(ROOT / "CITATION.cff")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

# Keys of version 1.2.0, those that it requires first.
REQUIRED = {"cff-version", "message", "title", "authors"}
ALLOWED = REQUIRED | {
    *("abstract", "commit", "contact", "date-released", "doi", "identifiers", "keywords"),
    *("license", "license-url", "preferred-citation", "references", "repository"),
    *("repository-artifact", "repository-code", "type", "url", "version"),
}
OF_AN_AUTHOR = {
    *("name", "family-names", "given-names", "name-particle", "name-suffix", "alias"),
    *("affiliation", "orcid", "email", "website"),
}


def test_the_citation_has_the_keys_of_its_schema():
    assert CITATION.keys() >= REQUIRED
    assert CITATION.keys() <= ALLOWED
    assert CITATION["cff-version"] == "1.2.0"
    assert CITATION["type"] in {"software", "dataset"}
    texts = [CITATION[name] for name in ("message", "title", "abstract", "version", "license")]
    assert all(isinstance(text, str) and text for text in texts)
    assert len(set(CITATION["keywords"])) == len(CITATION["keywords"]) > 0


def test_each_author_is_a_person_or_a_group():
    assert CITATION["authors"]
    for author in CITATION["authors"]:
        assert author.keys() <= OF_AN_AUTHOR
        assert author.keys() & {"name", "family-names", "given-names", "alias"}


def test_the_citation_says_what_the_package_says():
    assert (CITATION["version"], CITATION["license"]) == (PROJECT["version"], PROJECT["license"])
    assert CITATION["title"].startswith(f"{PROJECT['name']}: ")
    (holder,) = re.findall(r"Copyright \(c\) \d+ (.+)", (ROOT / "LICENSE").read_text("utf-8"))
    assert holder in {author.get("name") for author in CITATION["authors"]}
