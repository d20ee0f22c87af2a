"""Every language says all that English says, and the files that the host serves are made of it."""

from __future__ import annotations

import pytest

from .words import LOCALES, faults, files_of, written

TRANSLATED = sorted(path.parent.name for path in LOCALES.glob("*/words.json"))
ANEW = "run `python3 dev.py test tests/host/locales --write-locales` to write it anew"


def test_the_languages_are_those_promised():
    assert TRANSLATED == ["fr", "ja", "ko", "zh"]


@pytest.mark.parametrize("language", TRANSLATED)
def test_nothing_is_missing_too_much_or_stale(language, source, schemas):
    found = faults(written(language), source, schemas)
    assert not found, f"locales/{language}/words.json:\n" + "\n".join(found)


@pytest.mark.parametrize("language", ["en", *TRANSLATED])
def test_what_the_host_serves_is_made_of_the_words(language, source, schemas, request):
    files = files_of(schemas, source if language == "en" else written(language))
    for name, text in files.items():
        path = LOCALES / language / name
        if request.config.getoption("--write-locales", default=False):
            path.parent.mkdir(exist_ok=True, parents=True)
            path.write_text(text, encoding="utf-8")
        assert path.is_file() and path.read_text(encoding="utf-8") == text, f"{path} is stale: {ANEW}"


def test_what_is_wrong_is_found(source, schemas):
    words = written("fr")
    finish = next(text for text in source["texts"] if text.startswith("How many of the best are finished"))
    cases = {
        ("nodes", "LiDAR KSampler"): ("", "nodes: empty: LiDAR KSampler"),
        ("texts", finish): ("{count} {finis}", f"texts: lacks 0: {finish}"),
    }
    for (section, key), (text, fault) in cases.items():
        wrong = words | {section: words[section] | {key: text}}
        assert fault in faults(wrong, source, schemas)
    assert f"texts: names {{finis}}, which is nothing: {finish}" in faults(wrong, source, schemas)
    named = {
        key: text.replace("{lookahead_config}", "").replace("recommended", "") for key, text in words["texts"].items()
    }
    found = faults(words | {"texts": named}, source, schemas)
    assert {fault.split(":")[1] for fault in found} == {" lacks lookahead_config", " lacks recommended"}
    changed = {key + " Changed." * (key == finish): text for key, text in words["texts"].items()}
    assert faults(words | {"texts": changed}, source, schemas) == [
        f"texts: not translated: {finish}",
        f"texts: no such text any more: {finish} Changed.",
    ]
