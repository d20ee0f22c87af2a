"""The template for lookaheads that several computers draw; it runs on one with the demo model."""

from __future__ import annotations

from .board import Board
from .columns import BOTTOM, DEMO_MODEL, FOLDED, KSAMPLER, LATENT, NUMBER, PICTURES, stack
from .demo_model import FINAL, PROMPT, decoded, words

QUICK = {"count": 8, "steps": 6, "cfg": 3, "sampler_name": "dpmpp_2m", "scheduler": "karras"}
BEST = 4


def one_set(board: Board) -> None:
    note, source, seed_at = stack(0, 265, 470, DEMO_MODEL, NUMBER)
    read_me = board.note(
        """
# One set from several computers

**Press Run:** it works on one as it is. Each computer does group 2. The first does group 3 with all pictures: score
them, draw the best four again with their latents, steer, finish.

**With ComfyUI-Distributed**
1. Put its *Distributed Collector* between VAE Decode and LiDAR Score Images.
2. Connect a *Distributed Value* to *first row*: 0, 8, 16, ...
3. Set batch_size of *rows* to all lookaheads together.

Not its *Distributed Seed*: the seed is the same everywhere.

**Without it**: save with LiDAR Save Lookaheads on each, copy the files, join them with LiDAR Merge Lookaheads.
docs/scaling.md has it step by step.
""",
        *note,
    )
    model = board.add("LiDARLoadDemoModel", *source)
    seed = board.add("PrimitiveInt", *seed_at, "Seed, the same everywhere", value=5)
    left = stack(285, 235, 100, FOLDED, FOLDED, LATENT, NUMBER, LATENT)
    prompt = board.add("PrimitiveStringMultiline", *left[0], "Prompt", value=PROMPT)
    positive = words(board, left[1], model, prompt["STRING"], "... for the model")
    negative = words(board, left[2], model, "", "Negative prompt (empty)")
    latent = board.add("EmptyLatentImage", *left[3], "One picture of 64 x 64", width=64, height=64)
    first_row = board.add("PrimitiveInt", *left[4], "First row: 0, 8, 16, ...", value=0)
    rows = board.add("EmptyLatentImage", *left[5], "Rows: all lookaheads", width=64, height=64, batch_size=8)
    task = {
        "positive": positive["CONDITIONING"], "negative": negative["CONDITIONING"], "seed": seed["INT"],
    }  # fmt: skip
    drawn = {**task, "model": model["model"], "latent_image": latent["LATENT"], **QUICK}
    (own,) = stack(540, 255, 365)
    ranking = stack(810, 240, FOLDED, 280)
    some = board.add("LiDARSampleLookaheads", *own, **drawn, first_row=first_row["INT"])
    seen = decoded(board, ranking[0], model, some["lookaheads"])
    ranked = board.add(
        "LiDARScoreImages", *ranking[1], images=seen["IMAGE"], reward_model=model["reward_model"], prompt=prompt["STRING"],
        latents=rows["LATENT"], top_k=BEST,
    )  # fmt: skip
    again = stack(1075, 235, FOLDED, FOLDED, FOLDED, 230)
    best = board.add("LiDARSampleLookaheads", *again[0], "Draw the best again", **drawn, rows=ranked["latents"])
    clear = decoded(board, again[1], model, best["lookaheads"])
    scored = board.add(
        "LiDARScoreLookaheads", *again[3], lookaheads=best["lookaheads"], images=clear["IMAGE"],
        reward_model=model["reward_model"], prompt=prompt["STRING"],
    )  # fmt: skip
    board.add(
        "LiDARSaveLookaheads", *again[2], lookahead_set=scored["lookahead_set"], filename_prefix="several_computers",
        overwrite=True,
    )  # fmt: skip
    right = stack(1335, 225, FOLDED, FOLDED, FOLDED, PICTURES, KSAMPLER)
    start = board.add(
        "LiDARStartFromBest", *right[0], latent_image=latent["LATENT"], lookaheads=scored["lookahead_set"]
    )
    guided = board.add(
        "LiDARApplyGuidance", *right[1], model=model["model"], lookaheads=scored["lookahead_set"], end_percent=0.3
    )
    sampled = board.add(
        "KSampler",
        *right[4],
        **task | {"seed": start["seed"]},
        model=guided["model"],
        latent_image=start["latent_image"],
        **FINAL,
    )
    picture = decoded(board, right[2], model, sampled["LATENT"])
    shown = board.add("PreviewImage", *right[3], images=picture["IMAGE"])
    board.group("1  What to draw", read_me, model, seed, prompt, rows, bottom=BOTTOM)
    board.group("2  Its own rows, and all ranked", some, seen, ranked, bottom=BOTTOM)
    board.group("3  The best again, with latents", best, clear, scored, bottom=BOTTOM)
    board.group("4  Steer and finish", start, guided, sampled, shown, bottom=BOTTOM)
