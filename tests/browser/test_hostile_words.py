"""Names and prompts that are markup, endless or written right to left are shown as text."""

from __future__ import annotations

from .graphs import COUNT

HOSTILE = {
    "markup": "<img src=x onerror=\"window.hacked=1\"><script>window.hacked=1</script><b>bold</b>",
    "right-to-left": "\u202eevil\u202c \u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d\u0628\u0627",
    "emoji": "\U0001f469\u200d\U0001f680\U0001f1ea\U0001f1fa" * 20,
    "long": "w" * 1_000_000,
}  # fmt: skip


def test_hostile_names_are_shown_as_text(sheet, graph):
    sheet.open(graph)
    for number, name in enumerate(HOSTILE.values()):
        sheet.hear(
            sheet_id=str(number), folder=name, reward=name, numbers=[1, 2], scores=[2.0, 1.0], judges={name: [1.0, 2.0]},
            facts=[[name, name], ["", name]], started=[name], set=name,
        )  # fmt: skip
        sheet.tile(1).hover()
        large = sheet.page.tab.locator(".lidar-large")
        assert large.locator("td bdi").all_text_contents() == [name] * 2
        box = large.bounding_box()
        assert box["width"] < 700 and box["height"] < 800
        assert sheet.page.js("() => window.hacked ?? document.querySelectorAll('[class^=lidar] script').length") == 0
        assert sheet.page.js("() => document.querySelector('.lidar-card').offsetHeight") < 300
        assert (
            sheet.page.js(
                "() => { const { scrollWidth, clientWidth } = document.querySelector('.lidar-sheet'); return scrollWidth - clientWidth; }"
            )
            <= 0
        )
        sheet.page.tab.mouse.move(5, 500)


def test_a_run_with_a_hostile_prompt_shows_its_sheet(sheet, graph):
    graph["5"]["inputs"]["prompt"] = "\n".join(HOSTILE.values())
    sheet.open(graph)
    sheet.page.run()
    sheet.wait(COUNT)
    assert sheet.page.js("() => window.hacked ?? 0") == 0
