"""The moving picture and the picture of the node in README, from the real page with the demo model.

python3 dev.py python tests/browser/film.py      a minute; writes docs/loop.gif and docs/node.png
"""

import io
import json
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

PACK = Path(__file__).resolve().parents[2]
sys.path.append(str(PACK))

from devtools.comfy_client import ComfyClient  # noqa: E402
from devtools.server import link_pack, start_server  # noqa: E402

SIZE = {"width": 1280, "height": 960}
SHOWN = 0.65  # of the page's size, in the film
WAITED = 10  # frames of each run
FAVOURITE = 4  # the rank of the tile that is clicked
TEMPLATE = PACK / "workflows" / "02 Look first, pick, finish.json"
VIEW = {"scale": 0.74, "offset": [110, 110]}
OVERLAY = """() => {
  const style = "position:fixed;z-index:99999;pointer-events:none;";
  const cursor = document.createElement("div");
  cursor.id = "film-cursor";
  const arrow = "M2 2 L2 24 L8 18 L12 28 L16 26 L12 17 L21 17 Z";
  cursor.innerHTML = `<svg width="30" height="30"><path d="${arrow}" fill="white" stroke="black" stroke-width="1.5"/></svg>`;
  cursor.style = style + "left:600px;top:600px;";
  const words = document.createElement("div");
  words.id = "film-words";
  words.style = style + "left:0;right:0;bottom:0;padding:14px;text-align:center;font:600 26px sans-serif;color:white;background:#000c;";
  document.body.append(cursor, words);
}"""


class Film:
    """Frames of the page, each with the time that it is shown."""

    def __init__(self, tab: Page):
        self.tab, self.frames, self.times, self.cursor = tab, [], [], (600.0, 600.0)

    def say(self, words: str) -> None:
        self.tab.evaluate("(words) => { document.getElementById('film-words').textContent = words; }", words)

    def take(self, seconds: float) -> None:
        picture = Image.open(io.BytesIO(self.tab.screenshot())).convert("RGB")
        size = tuple(round(SHOWN * each) for each in picture.size)
        self.frames.append(picture.resize(size, Image.Resampling.LANCZOS))
        self.times.append(round(1000 * seconds))

    def move(self, target) -> None:
        """Moves the pointer to the middle of an element."""
        box = target.bounding_box()
        end, start = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2), self.cursor
        for share in (0.25, 0.5, 0.75, 1.0):
            self.cursor = tuple(a + share * (b - a) for a, b in zip(start, end, strict=True))
            self.tab.mouse.move(*self.cursor)
            self.tab.evaluate(
                "([x, y]) => Object.assign(document.getElementById('film-cursor').style, { left: x + 'px', top: y + 'px' })",
                list(self.cursor),
            )
            self.take(0.12)

    def until(self, condition: str, seconds: float = 240) -> None:
        """Waits until the condition holds, and keeps WAITED frames of it, a fifth of a second each."""
        end, kept = time.monotonic() + seconds, len(self.frames)
        while not self.tab.evaluate(condition):
            if time.monotonic() > end:
                raise TimeoutError(f"the page did not come to {condition}")
            self.take(0.2)
            self.tab.wait_for_timeout(200)
        waited = self.frames[kept:]
        thinned = waited[:: -(-len(waited) // WAITED)] if waited else []
        self.frames[kept:], self.times[kept:] = thinned, [200] * len(thinned)

    def save(self, path: Path) -> None:
        some = self.frames[:: max(1, len(self.frames) // 8)] + self.frames[-1:]
        strip = Image.new("RGB", (some[0].width, some[0].height * len(some)))
        for place, frame in enumerate(some):
            strip.paste(frame, (0, place * frame.height))
        palette = strip.quantize(255, kmeans=3, dither=Image.Dither.NONE)  # else the green of Finish is lost
        frames = [frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in self.frames]
        frames[0].save(path, save_all=True, append_images=frames[1:], duration=self.times, loop=0, optimize=True)


def shoot(tab: Page, client: ComfyClient) -> None:
    tab.goto(client.url)
    tab.wait_for_function(
        "window.app?.extensionManager?.workflow?.activeWorkflow?.changeTracker && app.rootGraph.nodes.length"
    )
    tab.evaluate(
        "(workflow) => app.loadGraphData(workflow, true, true, 'lidar', { openSource: 'template' })",
        json.loads(TEMPLATE.read_text(encoding="utf-8")),
    )
    tab.wait_for_timeout(500)
    tab.evaluate("(view) => { Object.assign(app.canvas.ds, view); app.canvas.setDirty(true, true); }", VIEW)
    tab.evaluate(OVERLAY)
    tab.wait_for_timeout(1500)
    film = Film(tab)
    film.say("1  Run: LiDAR draws quick lookaheads and ranks them")
    film.move(tab.get_by_test_id("queue-button"))
    film.take(1.0)
    tab.evaluate(
        "() => { window.ended = 0; app.api.addEventListener('execution_success', () => (window.ended += 1)); }"
    )
    tab.mouse.down()
    tab.mouse.up()
    film.until("() => window.ended === 1 && document.querySelectorAll('.lidar-tile').length")
    tab.wait_for_timeout(700)
    film.take(1.5)
    film.say("2  Click the one you like")
    tile = tab.locator(".lidar-tile:visible").nth(FAVOURITE - 1)
    film.move(tile)
    tab.wait_for_timeout(300)
    film.take(1.5)
    tile.click()
    tab.wait_for_timeout(200)
    film.take(0.8)
    film.say("3  Finish picked")
    button = tab.locator(".lidar-finish:visible")
    film.move(button)
    film.take(0.6)
    button.click()
    film.until("() => window.ended === 2")
    film.say("The lookaheads came from the cache: only the final image was made")
    film.move(tab.locator('[data-node-id="8"] img'))
    film.take(3.5)
    film.save(PACK / "docs" / "loop.gif")
    tab.evaluate("() => document.querySelectorAll('#film-words, #film-cursor').forEach((each) => each.remove())")
    tab.wait_for_timeout(3000)  # the toast has gone
    tab.evaluate(
        "() => { app.canvas.ds.offset[0] -= 400; app.canvas.setDirty(true, true); }"
    )  # away from the page's buttons
    tab.wait_for_timeout(500)
    tab.locator('[data-node-id="6"]').screenshot(path=PACK / "docs" / "node.png")


def main() -> None:
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        link_pack(base, PACK)
        running = start_server(
            python=sys.executable, comfyui=Path(os.environ["COMFYUI_PATH"]), base_directory=base, log_path=base / "log",
            cpu=True,
        )  # fmt: skip
        try:
            client = ComfyClient(running.url)
            for name, value in {
                "Comfy.VueNodes.Enabled": True,
                "Comfy.TutorialCompleted": True,
                "Comfy.Minimap.Visible": False,
            }.items():
                client.post(f"/settings/{name}", value)
            with sync_playwright() as started:
                browser = started.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
                shoot(browser.new_page(viewport=SIZE), client)
                browser.close()
        finally:
            running.stop()


if __name__ == "__main__":
    main()
