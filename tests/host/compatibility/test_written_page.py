"""docs/compatibility.md says what the tests of this folder found: its tables are made of their notes, and compared here."""

import difflib
from pathlib import Path

import pytest

pytestmark = pytest.mark.host
PAGE = Path(__file__).resolve().parents[3] / "docs" / "compatibility.md"
TABLES = {"families", "modes", "guiders", "patches", "samplers", "this run", "whole process"}
ANEW = "run `python3 dev.py test tests/host/compatibility --write-page` to write it anew"


def test_the_page_is_what_the_tests_found(comfy, notes, request, record_figure):
    import comfyui_version

    if set(notes.tables) != TABLES:
        pytest.skip("only a run of this whole folder knows the page")
    record_figure("compatibility: cells compared", len(notes.errors))
    record_figure("compatibility: largest error", max(notes.errors))
    if comfyui_version.__version__ != "0.30.0":
        pytest.skip("the page is about ComfyUI 0.30.0")
    text = notes.page()
    if request.config.getoption("--write-page", default=False):
        PAGE.write_text(text, encoding="utf-8")
    kept = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
    changes = [line for line in difflib.ndiff(kept.splitlines(), text.splitlines()) if line[0] in "+-"]
    assert kept == text, f"{PAGE.name} is not what was found; {ANEW}:\n" + "\n".join(changes[:20])
