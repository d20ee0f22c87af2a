"""One set of lookaheads from two real servers on this computer: the same rows as from one, and the seconds that it takes.

    python3 dev.py python benchmarks/several_servers.py                                    by save and merge
    python3 dev.py python benchmarks/several_servers.py --distributed ComfyUI-Distributed   and with that node pack, a folder

Each server computes on one core, so that two of them stand for two computers. docs/scaling.md explains both ways.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
import urllib.request
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import safetensors.torch
import torch

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from devtools.comfy_client import ComfyClient  # noqa: E402
from devtools.server import link_pack, start_server  # noqa: E402

COUNT, BEST, SEED, PROMPT = 64, 8, 20_261_126, "three red circles and a blue square"
WORKER = "second"


def node(class_type: str, **inputs) -> dict:
    return {"class_type": class_type, "inputs": inputs}


MODEL = {
    "demo": node("LiDARLoadDemoModel"),
    "positive": node("CLIPTextEncode", clip=["demo", 1], text=PROMPT),
    "negative": node("CLIPTextEncode", clip=["demo", 1], text=""),
    "latent": node("EmptyLatentImage", width=64, height=64, batch_size=1),
}


def draw(key: str, **rows) -> dict:
    """The nodes <key>, <key>.images and <key>.score: lookaheads one at a time, so that each can be drawn again alone."""
    return {
        key: node(
            "LiDARSampleLookaheads", model=["demo", 0], positive=["positive", 0], negative=["negative", 0],
            latent_image=["latent", 0], seed=SEED, steps=10, cfg=3.0, sampler_name="dpmpp_2m", scheduler="karras", denoise=1.0,
            batch_size=1, **rows,
        ),
        f"{key}.images": node("VAEDecode", samples=[key, 0], vae=["demo", 2]),
        f"{key}.score": node(
            "LiDARScoreLookaheads", lookaheads=[key, 0], images=[f"{key}.images", 0], reward_model=["demo", 3], prompt=PROMPT,
            batch_size=8, steady_scores=False,
        ),
    }  # fmt: skip


def save(lookahead_set: list, name: str) -> dict:
    return {"keep": node("LiDARSaveLookaheads", lookahead_set=lookahead_set, filename_prefix=name, overwrite=True)}


def run(server: ComfyClient, prompt: dict) -> bytes:
    """Run a prompt to its end; return the lookahead file that its node "keep" wrote."""
    result = server.queue(prompt, timeout=1800)
    if result.status != "success":
        raise SystemExit(result.message)
    return server.view(result.outputs["keep"]["latents"][0])


def upload(server: ComfyClient, name: str, content: bytes) -> None:
    mark = uuid.uuid4().hex
    parts = ((f'name="image"; filename="{name}"', content), ('name="overwrite"', b"true"))
    form = b"".join(
        f"--{mark}\r\nContent-Disposition: form-data; {head}\r\n\r\n".encode() + body + b"\r\n" for head, body in parts
    )
    request = urllib.request.Request(
        server.url + "/upload/image", form + f"--{mark}--\r\n".encode(), {"Content-Type": f"multipart/form-data; boundary={mark}"}
    )  # fmt: skip
    urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request).close()


def by_save_and_merge(servers: list[ComfyClient]) -> bytes:
    share = COUNT // len(servers)
    prompts = [
        MODEL | draw("draw", count=share, first_row=share * place) | save(["draw.score", 0], f"part_{place}")
        for place in range(len(servers))
    ]
    with ThreadPoolExecutor() as pool:
        files = list(pool.map(run, servers, prompts))
    loaded = {}
    for place, content in enumerate(files):
        upload(servers[0], f"part_{place}.safetensors", content)
        loaded[f"load_{place}"] = node("LiDARLoadLookaheads", file=f"part_{place}.safetensors")
    sets = {f"sets.set_{place + 1}": [key, 2] for place, key in enumerate(loaded)}
    return run(servers[0], loaded | {"merge": node("LiDARMergeLookaheads", **sets)} | save(["merge", 2], "merged"))


def by_collector(master: ComfyClient, workers: list[str]) -> bytes:
    """Draw on master and workers, score the collected images, draw the best again on the master with their latents."""
    share = COUNT // (1 + len(workers))
    first_rows = {str(place): str(share * place) for place in range(1, 1 + len(workers))} | {"_type": "INT"}
    prompt = MODEL | {
        key: each for key, each in draw("draw", count=share, first_row=["first", 0]).items() if key != "draw.score"
    }  # fmt: skip
    prompt |= {
        "first": node("DistributedValue", default_value="0", worker_values=json.dumps(first_rows)),
        "collect": node("DistributedCollector", images=["draw.images", 0], load_balance=False),
        "rows": node("EmptyLatentImage", width=64, height=64, batch_size=COUNT),
        "best": node(
            "LiDARScoreImages", images=["collect", 0], reward_model=["demo", 3], prompt=PROMPT, prompt_per_line=False, top_k=BEST,
            use_threshold=False, threshold=0.0, batch_size=8, steady_scores=False, latents=["rows", 0],
        ),
    }  # fmt: skip
    prompt |= draw("again", count=1, first_row=0, rows=["best", 1]) | save(["again.score", 0], "collected")
    answer = master.post(
        "/distributed/queue", {"prompt": prompt, "client_id": "several_servers", "enabled_worker_ids": workers}
    )
    assert answer["worker_count"] == len(workers), answer
    while not (told := master.history(answer["prompt_id"])):
        time.sleep(0.05)
    if told["status"]["status_str"] != "success":
        raise SystemExit(json.dumps(told["status"], indent=1))
    return master.view(told["outputs"]["keep"]["latents"][0])


class Timing:
    """Wall time, and processor time of each server, which other work on this computer does not lengthen."""

    def __init__(self, started: list):
        self.processes = [psutil.Process(each.process.pid) for each in started]

    def run(self, what: str, call, *given) -> bytes:
        before, began = self._processor(), time.perf_counter()
        content = call(*given)
        wall = time.perf_counter() - began
        spent = [f"{after - earlier:.1f}" for earlier, after in zip(before, self._processor(), strict=True)]
        print(f"{wall:6.1f} s, processor {' + '.join(spent)} s  {what}", flush=True)
        return content

    def _processor(self) -> list[float]:
        return [sum(each.cpu_times()[:2]) for each in self.processes]


def rows_of(content: bytes) -> list[int]:
    """Return the row of each lookahead of a file."""
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    return [each["row"] for each in json.loads(header["__metadata__"]["lookaheads"])]


def start(base: Path, place: int, distributed: Path | None, ports: list[int]):
    link_pack(base, ROOT)
    if distributed:
        copy = base / "custom_nodes" / "ComfyUI-Distributed"
        shutil.copytree(distributed, copy, ignore=shutil.ignore_patterns(".git"))
        second = {
            "id": WORKER,
            "name": WORKER,
            "type": "remote",
            "host": "127.0.0.1",
            "port": ports[1],
            "enabled": True,
        }
        config = {"master": {"host": "127.0.0.1"}, "workers": [second] if place == 0 else []}
        (copy / "gpu_config.json").write_text(json.dumps(config))
    return start_server(
        python=sys.executable, comfyui=Path(os.environ["COMFYUI_PATH"]), base_directory=base, log_path=base / "server.log", cpu=True,
        port=ports[place],
    )  # fmt: skip


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--distributed", type=Path, help="a folder with ComfyUI-Distributed")
    arguments.add_argument("--ports", type=int, nargs=2, default=[8301, 8302])
    given = arguments.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    with tempfile.TemporaryDirectory() as folder:
        started = []
        try:
            for place in range(2):
                started.append(start(Path(folder, str(place)), place, given.distributed, given.ports))
            servers = [ComfyClient(each.url) for each in started]
            for server in servers:
                run(server, MODEL | draw("draw", count=2, first_row=9999) | save(["draw.score", 0], "warm"))
            measure(servers, Timing(started), with_collector=given.distributed is not None)
        finally:
            for each in started:
                each.stop()


def measure(servers: list[ComfyClient], timing: Timing, *, with_collector: bool) -> None:
    print(f"{COUNT} lookaheads of 10 steps, drawn, decoded and scored; each server on one core")
    whole = timing.run("one server, saved", by_save_and_merge, servers[:1])
    merged = timing.run("two servers, saved and merged", by_save_and_merge, servers)
    one, other = (safetensors.torch.load(content) for content in (whole, merged))
    equal = {name: torch.equal(one[name], other[name]) for name in ("latents", "rewards", "pictures")}
    print(f"{'':9}rows {rows_of(merged) == rows_of(whole)}, equal to the last bit: {equal}")
    if not with_collector:
        return
    alone = timing.run(f"one server, the best {BEST} drawn again", by_collector, servers[0], [])
    both = timing.run(f"two servers, collected, the best {BEST} drawn again", by_collector, servers[0], [WORKER])
    best = one["rewards"].argsort(descending=True)[:BEST].tolist()
    for content in (alone, both):
        latents, rows = safetensors.torch.load(content)["latents"], rows_of(content)
        print(
            f"{'':9}drawn again as in the whole, to the last bit: {torch.equal(latents, one['latents'][rows])}; "
            f"the whole's best {BEST}: {sorted(rows) == sorted(best)}, in this order: {rows == best}"
        )


if __name__ == "__main__":
    main()
