"""The lookahead phase over two real servers, by save and merge: the same rows as one server draws alone, bit for bit.

docs/scaling.md tells people to do what stands here.
"""

import json
import urllib.request
import uuid

import pytest
import safetensors.torch
import torch

COUNT, SEED = 8, 20_260_717
PROMPT = "two red circles and a blue square"


def node(class_type, **inputs):
    return {"class_type": class_type, "inputs": inputs}


TASK = {"model": ["demo", 0], "positive": ["positive", 0], "negative": ["negative", 0]}
MODEL = {
    "demo": node("LiDARLoadDemoModel"),
    "positive": node("CLIPTextEncode", clip=["demo", 1], text=PROMPT),
    "negative": node("CLIPTextEncode", clip=["demo", 1], text=""),
    "latent": node("EmptyLatentImage", width=64, height=64, batch_size=1),
}
DRAWING = {"seed": SEED, "steps": 2, "cfg": 3.0, "sampler_name": "dpmpp_2m", "scheduler": "karras", "denoise": 1.0}


@pytest.fixture(scope="module")
def second_server(new_server):
    return new_server()


def lookaheads(count, first_row, prefix, at_once=2):
    """Draw, decode, score and save some rows."""
    return MODEL | {
        "draw": node(
            "LiDARSampleLookaheads", **TASK, latent_image=["latent", 0], count=count, batch_size=at_once, first_row=first_row, **DRAWING
        ),
        "decode": node("VAEDecode", samples=["draw", 0], vae=["demo", 2]),
        "contrast": node("LiDARRewardModelLoader", kind="contrast", file="none", architecture="ViT-B-32"),
        "judges": node("LiDARCombineRewards", weights="0.8, 0.2", **{"rewards.reward_1": ["demo", 3], "rewards.reward_2": ["contrast", 0]}),
        "score": node(
            "LiDARScoreLookaheads", lookaheads=["draw", 0], images=["decode", 0], reward_model=["judges", 0], prompt=PROMPT,
            batch_size=2, steady_scores=False,
        ),
        "keep": node("LiDARSaveLookaheads", lookahead_set=["score", 0], filename_prefix=prefix, overwrite=True),
    }  # fmt: skip


def finish(lookahead_set):
    """The guided images of the best two of a set."""
    return {
        "pair": node("EmptyLatentImage", width=64, height=64, batch_size=2),
        "start": node("LiDARStartFromBest", latent_image=["pair", 0], lookaheads=lookahead_set),
        "guide": node("LiDARApplyGuidance", model=["demo", 0], lookaheads=lookahead_set, guidance_form="blend",
            guidance_scale=0.5, reward_strength=30.0, reward_scale="standardised", effective_dimension=256.0,
            percent_of="this run",
            start_percent=0.0, end_percent=0.9),
        "sample": node("KSampler", **TASK | {"model": ["guide", 0]}, latent_image=["start", 0], **DRAWING | {"seed": ["start", 1]}),
        "save": node("SaveLatent", samples=["sample", 0], filename_prefix="several_servers"),
    }  # fmt: skip


def upload(server, name, content):
    """Put a file into a server's input folder, as the page does it with pictures."""
    mark = uuid.uuid4().hex
    head = f'--{mark}\r\nContent-Disposition: form-data; name="image"; filename="{name}"\r\n\r\n'
    form = f'\r\n--{mark}\r\nContent-Disposition: form-data; name="overwrite"\r\n\r\ntrue\r\n--{mark}--\r\n'
    request = urllib.request.Request(
        server.url + "/upload/image", head.encode() + content + form.encode(), {"Content-Type": f"multipart/form-data; boundary={mark}"}
    )  # fmt: skip
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request) as answer:
        return json.loads(answer.read())["name"]


def run(server, prompt):
    result = server.queue(prompt)
    assert result.status == "success", result.message
    return result


def saved_file(server, result, key="keep"):
    return server.view(result.outputs[key]["latents"][0])


def test_two_servers_draw_one_set_which_steers_as_that_of_one(server, second_server, record_figure):
    alone = run(server, lookaheads(COUNT, 0, "alone") | finish(["score", 0]))
    parts = [
        saved_file(each, run(each, lookaheads(COUNT // 2, first, f"part_{first}")))
        for each, first in ((second_server, COUNT // 2), (server, 0))
    ]
    names = [upload(server, f"part_{number}.safetensors", part) for number, part in enumerate(parts)]
    merged = run(
        server,
        MODEL
        | {f"load_{number}": node("LiDARLoadLookaheads", file=name) for number, name in enumerate(names)}
        | {
            "merge": node("LiDARMergeLookaheads", **{"sets.set_1": ["load_0", 2], "sets.set_2": ["load_1", 2]}),
            "keep": node("LiDARSaveLookaheads", lookahead_set=["merge", 2], filename_prefix="merged", overwrite=True),
            "show": node("PreviewImage", images=["merge", 1]),
        }
        | finish(["merge", 2]),
    )
    assert "LiDARSampleLookaheads" not in merged.executed_classes
    assert len(merged.outputs["show"]["images"]) == COUNT
    whole, joined = (safetensors.torch.load(saved_file(server, result)) for result in (alone, merged))
    assert whole["latents"].shape[0] == COUNT and len(whole["latents"].unique(dim=0)) == COUNT
    assert torch.equal(joined["latents"], whole["latents"])
    # VAE Decode takes as many at once as there are, which may change a last digit of what is scored
    final, same = (safetensors.torch.load(saved_file(server, result, "save")) for result in (alone, merged))
    assert final["latent_tensor"].shape[0] == 2
    pairs = [(joined[name], whole[name]) for name in ("rewards", "scores")] + [
        (same["latent_tensor"], final["latent_tensor"])
    ]
    for one, other in pairs:
        torch.testing.assert_close(one, other, atol=1e-3, rtol=1e-4)
    record_figure("two servers and one: the same to the last bit", all(torch.equal(*pair) for pair in pairs))


def test_the_best_of_collected_images_are_drawn_again_bit_for_bit(server):
    """What stands behind a collector that brings images alone: score them, and draw the best m anew with their latents."""
    alone = run(server, lookaheads(COUNT, 0, "whole", at_once=1))
    whole = safetensors.torch.load(saved_file(server, alone))
    collected = {
        "rows": node("EmptyLatentImage", width=64, height=64, batch_size=COUNT),
        "best": node(
            "LiDARScoreImages", images=["decode", 0], reward_model=["judges", 0], prompt=PROMPT, prompt_per_line=False, top_k=3,
            use_threshold=False, threshold=0.0, batch_size=2, steady_scores=False, latents=["rows", 0],
        ),
        "again": node(
            "LiDARSampleLookaheads", **TASK, latent_image=["latent", 0], count=1, batch_size=1, first_row=0, rows=["best", 1], **DRAWING
        ),
        "images": node("VAEDecode", samples=["again", 0], vae=["demo", 2]),
        "few": node(
            "LiDARScoreLookaheads", lookaheads=["again", 0], images=["images", 0], reward_model=["judges", 0], prompt=PROMPT,
            batch_size=2, steady_scores=False,
        ),
        "keep": node("LiDARSaveLookaheads", lookahead_set=["few", 0], filename_prefix="few", overwrite=True),
    }  # fmt: skip
    redrawn = safetensors.torch.load(
        saved_file(server, run(server, lookaheads(COUNT, 0, "whole", at_once=1) | collected))
    )
    best = whole["rewards"].argsort(descending=True)[:3]
    assert torch.equal(redrawn["latents"], whole["latents"][best])
    torch.testing.assert_close(redrawn["scores"], whole["scores"][:, best], atol=1e-3, rtol=1e-4)
