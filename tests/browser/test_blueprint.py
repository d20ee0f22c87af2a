"""The blueprint "LiDAR instead of KSampler": found by the search of nodes, added with a key, and run with what KSampler had."""

from __future__ import annotations

import json
import zlib
from pathlib import Path

from .page import CONFIG
from .sheet_page import SheetOnPage

NAME = "LiDAR instead of KSampler"
FILE = Path(__file__).resolve().parents[2] / "subgraphs" / f"{NAME}.json"
GIVEN = ["model", "positive", "negative", "latent_image", "vae"]


def test_the_blueprint_is_found_and_added_and_draws_with_what_ksampler_had(page, server, request):
    named = {entry["name"]: entry["info"] for entry in json.loads(server.get("/global_subgraphs")).values()}
    assert named[NAME]["node_pack"].startswith("custom_nodes.")
    page.js("(config) => app.rootGraph.remove(app.rootGraph.nodes.find((node) => node.type === config))", CONFIG)
    page.search().press_sequentially("lidar instead", delay=40)
    page.tab.get_by_text(NAME).first.wait_for()
    page.tab.keyboard.press("Enter")
    page.until("(name) => app.rootGraph.nodes.some((node) => node.title === name)", NAME)
    inputs = page.js(
        "(name) => app.rootGraph.nodes.find((node) => node.title === name).inputs.map(({ name }) => name)", NAME
    )
    assert set(GIVEN) <= set(inputs)
    page.js(
        """([name, seed]) => {
          const add = (type, pos) => { const node = LiteGraph.createNode(type); node.pos = pos; app.rootGraph.add(node); return node; };
          const lidar = app.rootGraph.nodes.find((node) => node.title === name), at = (input) => lidar.findInputSlot(input);
          const demo = add("LiDARLoadDemoModel", [0, 400]), words = add("CLIPTextEncode", [0, 550]);
          const latent = add("EmptyLatentImage", [0, 700]), decode = add("VAEDecode", [900, 400]), saved = add("PreviewImage", [900, 520]);
          words.widgets[0].value = "three red circles";
          latent.widgets[0].value = latent.widgets[1].value = 64;
          demo.connect(0, lidar, at("model")), demo.connect(1, words, 0), demo.connect(2, lidar, at("vae")), demo.connect(2, decode, 1);
          words.connect(0, lidar, at("positive")), words.connect(0, lidar, at("negative")), latent.connect(0, lidar, at("latent_image"));
          lidar.connect(0, decode, 0), decode.connect(0, saved, 0);
          for (const [name, value] of Object.entries({ kind: "colourfulness", steps: 4, seed }))
            lidar.widgets.find((each) => each.name === name).value = value;
        }""",
        [NAME, zlib.crc32(request.node.name.encode())],
    )
    ran = page.run()
    assert "LiDARContinueBest" in ran
    SheetOnPage(page).wait(8)
