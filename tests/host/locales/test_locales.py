"""Every language says all that English says, and the files that the host serves are made of it."""

from __future__ import annotations

import json

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


def test_no_text_of_a_node_has_signs_that_older_pages_take_for_syntax():
    """ComfyUI 0.18's page shows no tooltip with an @ in it, and says "Invalid linked format"."""
    for path in LOCALES.glob("*/nodeDefs.json"):
        texts = []
        json.loads(
            path.read_text(encoding="utf-8"),
            object_pairs_hook=lambda pairs, texts=texts: texts.extend(dict(pairs).values()),
        )
        texts = [text for text in texts if isinstance(text, str)]
        assert len(texts) > 300
        assert [text for text in texts if set(text) & set("@{}|")] == []


def test_what_is_wrong_is_found(source, schemas):
    words = written("fr")
    finish = next(text for text in words["texts"] if text.startswith("How many of the best are finished"))

    def found(section, **changed):
        wrong = {changed.get(key, key): changed.get(text, text) for key, text in words[section].items()}
        return set(faults(words | {section: wrong}, source, schemas)) - set(faults(words, source, schemas))

    def with_text(section, key, text):
        return found(section, **{words[section][key]: text})

    assert with_text("nodes", "LiDAR Continue Best", " ") == {"nodes: empty: LiDAR Continue Best"}
    assert with_text("texts", finish, "1 {count} {finis}") == {
        f"texts: lacks 0: {finish}",
        f"texts: names {{finis}}, which is nothing: {finish}",
    }
    config = next(text for text in words["texts"] if text.startswith("How lookaheads are drawn and used"))
    assert with_text("texts", config, "8 16 4 1 distilled") == {
        f"texts: lacks {what}: {config}" for what in ("LiDAR Lookahead Config", "lookahead_model", "recommended")
    }
    assert with_text("page", "Finish {count} picked", "Finish") == {"page: lacks count: Finish {count} picked"}
    assert found("texts", **{finish: "Finish."}) == {
        f"texts: not translated: {finish}",
        "texts: no such text any more: Finish.",
    }
