"""The templates that run at once: with the demo model, which comes with the pack."""

from __future__ import annotations

from .board import Board, Placed
from .columns import (
    BOTTOM,
    CODE,
    COMBINE,
    DEMO_MODEL,
    FOLDED,
    KSAMPLER,
    LATENT,
    LIDAR,
    NUMBER,
    PICTURES,
    REWARD,
    WORDS,
    stack,
)  # fmt: skip

FINAL = {"steps": 25, "cfg": 3, "sampler_name": "dpmpp_2m", "scheduler": "karras"}
PROMPT = "a red circle left of a blue square"


def lidar(board: Board, place, size, model: Placed, positive, negative, latent, **more) -> Placed:
    """LiDAR KSampler with the demo model, its reward and its distilled student."""
    return board.add(
        "LiDARKSampler", place, size,
        **{
            "model": model["model"], "positive": positive["CONDITIONING"], "negative": negative["CONDITIONING"],
            "latent_image": latent["LATENT"], "vae": model["vae"], "reward_model": model["reward_model"],
            "lookahead_model": model["lookahead_model"], **FINAL, **more,
        },
    )  # fmt: skip


def words(board: Board, at, model: Placed, text: str, title: str = "Prompt") -> Placed:
    return board.add("CLIPTextEncode", *at, title, clip=model["clip"], text=text)


def decoded(board: Board, at, model: Placed, latent) -> Placed:
    return board.add("VAEDecode", *at, samples=latent, vae=model["vae"])


def demo(board: Board) -> None:
    note, source, seed_at = stack(0, 320, 420, DEMO_MODEL, NUMBER)
    read_me = board.note(
        """
# LiDAR demo

**Press Run, then compare *Without LiDAR* and *With LiDAR*:** eight pictures each, of the same model, seed and
steps. How many show what the prompt says?

**How.** A quick model draws 16 *lookaheads*. A reward model judges them: the sheet in LiDAR KSampler shows them,
best first. The pictures start from the noise of the best eight, and are steered towards the best.

**What it costs.** Little here: eight pictures share 64 steps of the quick model. One picture alone, or no quick
model, and it is several times as long as without LiDAR.

**Try**
- *three green triangles*, or *a purple cross above a yellow circle*
- another *Seed*
- click a picture on the sheet, then **Finish picked**

The model knows one to three circles, squares, triangles and crosses in six colours. It is made for trying.
""",
        *note,
    )
    model = board.add("LiDARLoadDemoModel", *source)
    seed = board.add("PrimitiveInt", *seed_at, "Seed", value=1)
    left = stack(340, 300, WORDS, WORDS, LATENT, KSAMPLER)
    positive = words(board, left[0], model, PROMPT)
    negative = words(board, left[1], model, "", "Negative prompt (empty)")
    latent = board.add("EmptyLatentImage", *left[2], "Eight pictures of 64 x 64", width=64, height=64, batch_size=8)
    plain = board.add(
        "KSampler", *left[3], "KSampler (without LiDAR)", model=model["model"], positive=positive["CONDITIONING"],
        negative=negative["CONDITIONING"], latent_image=latent["LATENT"], seed=seed["INT"], **FINAL,
    )  # fmt: skip
    ((place, size),) = stack(680, 480, LIDAR)
    steered = lidar(board, place, size, model, positive, negative, latent, seed=seed["INT"])
    right = stack(1200, 350, FOLDED, PICTURES, FOLDED, PICTURES)
    pictures = decoded(board, right[0], model, plain["LATENT"])
    shown = board.add(
        "SaveImage", *right[1], "Without LiDAR", images=pictures["IMAGE"], filename_prefix="lidar_demo/vanilla"
    )
    better = decoded(board, right[2], model, steered["latent"])
    also = board.add("SaveImage", *right[3], "With LiDAR", images=better["IMAGE"], filename_prefix="lidar_demo/guided")
    board.group("1  What to draw, and as usual", read_me, model, seed, positive, plain, bottom=BOTTOM)
    board.group("2  With LiDAR", steered, bottom=BOTTOM)
    board.group("3  Compare", pictures, shown, better, also, bottom=BOTTOM)


def _simple(
    board: Board, text: str, *, prompt: str, batch: int, title: str, prefix: str, note: int = 480, **more
) -> Placed:
    """One LiDAR KSampler with the demo model, from prompt to picture; returns it. note: its height in pixels."""
    read_me_at, source = stack(0, 320, note, DEMO_MODEL)
    read_me = board.note(text, *read_me_at)
    model = board.add("LiDARLoadDemoModel", *source)
    left = stack(340, 300, WORDS, WORDS, LATENT)
    positive = words(board, left[0], model, prompt)
    negative = words(board, left[1], model, "", "Negative prompt (empty)")
    latent = board.add("EmptyLatentImage", *left[2], width=64, height=64, batch_size=batch)
    ((place, size),) = stack(680, 500, LIDAR)
    more = {name: value(board, model) if callable(value) else value for name, value in more.items()}
    sampler = lidar(board, place, size, model, positive, negative, latent, **more)
    right = stack(1220, 330, CODE, 360)
    picture = decoded(board, right[0], model, sampler["latent"])
    saved = board.add("SaveImage", *right[1], title, images=picture["IMAGE"], filename_prefix=prefix)
    board.group("1  What to draw", read_me, model, positive, latent, bottom=BOTTOM)
    board.group("2  Look and choose", sampler, bottom=BOTTOM)
    board.group("3  The picture", picture, saved, bottom=BOTTOM)
    return sampler


def look_first(board: Board) -> None:
    _simple(
        board,
        """
# Look first, pick, finish

1. **Run.** 16 quick pictures are drawn and judged. They stand on the sheet, best first. Nothing is finished yet.
2. **Click** what you like, one or several. A second click rejects.
3. **Finish picked.** Only these are finished; what was drawn is not drawn again.

Other pictures to choose from: another *seed*, and Run. Another prompt: the same.

**look_first** is the switch. Off, each run goes through to the end and takes the best by score, until you pick.

**Your own model:** put your loader, its CLIP and VAE in the place of the demo model, and a *Load LiDAR Reward
Model*. Without a distilled model leave *lookahead_model* empty: eight pictures are then begun and shown half-way.
""",
        prompt=PROMPT, batch=1, title="Finished", prefix="lidar_picked", look_first=True, seed=1,
    )  # fmt: skip


def rewards(board: Board) -> None:
    left_below = stack(340, 300, WORDS, WORDS, LATENT, REWARD)[3]
    combine_at = stack(0, 320, note := 390, DEMO_MODEL, COMBINE)[2]

    def both(board: Board, model: Placed):
        colour = board.add("LiDARRewardModelLoader", *left_below, "Second reward: colourfulness", kind="colourfulness")
        combined = board.add(
            "LiDARCombineRewards", *combine_at, weights="0.8, 0.2",
            **{"rewards.reward_1": model["reward_model"], "rewards.reward_2": colour["reward_model"]},
        )  # fmt: skip
        return combined["reward_model"]

    _simple(
        board,
        """
# Several rewards

**Run.** *LiDAR Combine Rewards* lets two judges rank the lookaheads: how well they fit the prompt (0.8) and how
colourful they are (0.2). Each is standardised first, so the weights mean what they say. Point at a picture on the
sheet: it shows what each judge gave.

**Try**
- Other **weights**. A negative one asks for less: *0.8, -0.2*. The lookaheads stay; only the choice and the
pictures are made anew.
- Another **kind** of second reward: *contrast*, *sharpness*, *symmetry*.
- A third one: the node grows a socket.
- Your own taste on top: click a picture, **Finish picked**.
""",
        prompt="three red circles", batch=4, title="Four pictures", prefix="lidar_rewards", note=note, seed=7,
        reward_model=both,
    )  # fmt: skip


def second_opinion(board: Board) -> None:
    note, source, other_at = stack(0, 290, 300, DEMO_MODEL, REWARD)
    read_me = board.note(
        """
# A second opinion

Is it better, or did LiDAR only please its judge?

**Run.** *LiDAR Score Images* compares four pictures with LiDAR to four without. *Held-out* judges, which had no say
before, score them too. If the guiding judge is pleased while most others are not, it says so.

**Try** another kind of held-out judge, or a real one: ImageReward to check PickScore, say.
""",
        *note,
    )
    model = board.add("LiDARLoadDemoModel", *source)
    other = board.add("LiDARRewardModelLoader", *other_at, "Held-out judge: sharpness", kind="sharpness")
    left = stack(310, 270, WORDS, FOLDED, WORDS, LATENT, KSAMPLER)
    prompt = board.add("PrimitiveStringMultiline", *left[0], "Prompt", value="three red circles")
    positive = words(board, left[1], model, prompt["STRING"], "... for the model")
    negative = words(board, left[2], model, "", "Negative prompt (empty)")
    latent = board.add("EmptyLatentImage", *left[3], width=64, height=64, batch_size=4)
    plain = board.add(
        "KSampler", *left[4], "KSampler (without LiDAR)", model=model["model"], positive=positive["CONDITIONING"],
        negative=negative["CONDITIONING"], latent_image=latent["LATENT"], seed=7, **FINAL,
    )  # fmt: skip
    ((place, size),) = stack(620, 410, LIDAR)
    steered = lidar(board, place, size, model, positive, negative, latent, seed=7)
    decode_at, table_at, score_at = stack(1070, 480, FOLDED, 270, 410)
    pictures = decoded(board, decode_at, model, steered["latent"])
    without = decoded(board, ((1320, 0), (230, FOLDED)), model, plain["LATENT"])
    scored = board.add(
        "LiDARScoreImages", *score_at, images=pictures["IMAGE"], reward_model=model["reward_model"],
        prompt=prompt["STRING"], top_k=4, baseline_images=without["IMAGE"],
        **{"held_out.held_out_1": other["reward_model"]},
    )  # fmt: skip
    table = board.add("PreviewAny", *table_at, "Scores", source=scored["table"])
    board.group("1  As usual", read_me, model, other, prompt, plain, bottom=BOTTOM)
    board.group("2  With LiDAR", steered, bottom=BOTTOM)
    board.group("3  Who likes which better", pictures, without, scored, table, bottom=BOTTOM)


def measure(board: Board) -> None:
    note, source = stack(0, 290, 480, DEMO_MODEL)
    read_me = board.note(
        """
# Does it pay on this model?

**Run.** 32 pictures of one prompt are drawn twice from the same noise: as quick drafts, and finished. A reward
model scores both. Chart and text say how well a draft foretells the finished picture, and what to choose for a
given time.

**Your own model:** put its MODEL, CLIP and VAE and a *Load LiDAR Reward Model* in the place of the demo model, and
your sampler settings into LiDAR Measure Drafts. No distilled model? Leave *lookahead_model* empty.

**Then**
- Another **budget**: only the report runs again.
- The choice itself: connect *lookahead_config* to a LiDAR KSampler.

A cancelled run goes on where it stood.
""",
        *note,
    )
    model = board.add("LiDARLoadDemoModel", *source)
    left = stack(310, 260, WORDS, WORDS, LATENT)
    positive = words(board, left[0], model, PROMPT)
    negative = words(board, left[1], model, "", "Negative prompt (empty)")
    latent = board.add("EmptyLatentImage", *left[2], width=64, height=64, batch_size=1)
    ((place, size),) = stack(610, 310, 500)
    measured = board.add(
        "LiDARMeasureDrafts", place, size, model=model["model"], positive=positive["CONDITIONING"],
        negative=negative["CONDITIONING"], latent_image=latent["LATENT"], vae=model["vae"],
        reward_model=model["reward_model"], lookahead_model=model["lookahead_model"], seed=1, **FINAL,
    )  # fmt: skip
    right = stack(960, 600, 420, 290)
    chart = board.add("PreviewImage", *right[0], "Drafts against finished pictures", images=measured["chart"])
    report = board.add("PreviewAny", *right[1], "What to choose", source=measured["report"])
    board.group("1  What to draw", read_me, model, positive, latent, bottom=BOTTOM)
    board.group("2  Measure", measured, bottom=BOTTOM)
    board.group("3  Does it pay?", chart, report, bottom=BOTTOM)


def app(board: Board) -> None:
    """The page's simple view: what it shows is named in `extra`, by node and widget."""
    sampler = _simple(
        board,
        """
# The simple view

This graph opens as an *app*: prompt, seed, the sheet, the picture, and nothing else.

1. Write what to draw, and **Run**: 16 quick pictures are judged.
2. **Click** what you like on the sheet.
3. **Finish picked**.

Back to the simple view: the menu at the top left, *App*. To change what it shows: *Build an app* there.
""",
        prompt="three green triangles", batch=1, title="Finished", prefix="lidar_app", look_first=True, seed=1,
    )  # fmt: skip
    (prompt,) = (node for node in board.nodes if node.get("title") == "Prompt")
    (saved,) = (node for node in board.nodes if node["type"] == "SaveImage")
    prompt["inputs"][-1]["label"] = "prompt"
    shown = [
        [prompt["id"], "text", {"height": 80}],
        [sampler.node["id"], "seed"],
        [sampler.node["id"], "contact_sheet"],
    ]
    board.extra |= {"linearMode": True, "linearData": {"inputs": shown, "outputs": [saved["id"]]}}
