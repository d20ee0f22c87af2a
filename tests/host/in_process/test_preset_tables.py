"""The tables of presets on the help page of LiDAR Lookahead Config: by API nobody has another way to know the values."""

import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.host
PAGE = Path(__file__).resolve().parents[3] / "web" / "docs" / "LiDARLookaheadConfig.md"
IN_A_SENTENCE = {
    "reward_scale",
    "start_percent",
    "steady_scores",
    "batch_size",
}  # below the tables, equal in all presets that set them


def shown_presets() -> dict[str, dict[str, str]]:
    section = PAGE.read_text(encoding="utf-8").split("\n## Presets\n")[1].split("\n## ")[0]
    presets = {}
    for table in re.findall(r"(?:^\|.*\n)+", section, flags=re.MULTILINE):
        rows = [[cell.strip() for cell in row.strip().strip("|").split("|")] for row in table.splitlines()]
        for column, preset in enumerate(rows[0][1:], start=1):
            presets[preset] = {row[0]: row[column] for row in rows[2:]}
    return presets


def text(value) -> str:
    return f"{value:g}" if isinstance(value, (int, float)) else value.removesuffix(" (paper)")


def test_the_page_shows_every_preset_and_every_value(nodes_room):
    presets, defaults = nodes_room("settings.presets").PRESETS, nodes_room("settings.definitions").DEFAULTS
    shown = shown_presets()
    assert list(shown) == list(presets)
    for preset, values in presets.items():
        wanted = {
            name: text(values[name]) if name in values else f"yours ({text(defaults[name])})" for name in defaults
        }
        assert shown[preset] == {name: told for name, told in wanted.items() if name not in IN_A_SENTENCE}


def test_what_the_sentence_says_holds_for_all_presets(nodes_room):
    for values in nodes_room("settings.presets").PRESETS.values():
        assert (values["reward_scale"], values["start_percent"], values["steady_scores"]) == ("standardised", 0, False)
        assert values.get("batch_size", 16) == 16
