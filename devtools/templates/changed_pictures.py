"""The templates that change a picture, img2img and inpainting: with the demo model, which draws that picture first."""

from __future__ import annotations

from .board import Board, Placed
from .columns import BOTTOM, CODE, DEMO_MODEL, FOLDED, KSAMPLER, LATENT, LIDAR, PICTURES, WORDS, stack
from .demo_model import FINAL, PROMPT, decoded, lidar, words


def _changed(
    board: Board, text: str, *, note: int, seed: int, prompt: str, denoise: float, masks: tuple[int, ...], prefix: str
) -> None:
    """From a first picture to a changed one. note, masks: heights, of the note and of the nodes that make a mask."""
    read_me_at, source, *mask_at = stack(0, 290, note, DEMO_MODEL, *masks)
    read_me = board.note(text, *read_me_at)
    model = board.add("LiDARLoadDemoModel", *source)
    left = stack(310, 270, WORDS, WORDS, LATENT, KSAMPLER)
    positive = words(board, left[0], model, PROMPT, "What the first picture shows")
    negative = words(board, left[1], model, "", "Negative prompt (empty)")
    latent = board.add("EmptyLatentImage", *left[2], width=64, height=64, batch_size=1)
    first = board.add(
        "KSampler", *left[3], "KSampler of the first picture", model=model["model"], positive=positive["CONDITIONING"],
        negative=negative["CONDITIONING"], latent_image=latent["LATENT"], seed=seed, **FINAL,
    )  # fmt: skip
    heights = (FOLDED, 270, FOLDED, *((CODE,) if masks else ()), WORDS)
    middle = stack(600, 230, *heights)
    picture = decoded(board, middle[0], model, first["LATENT"])
    before = board.add("PreviewImage", *middle[1], "First picture", images=picture["IMAGE"])
    encoded = board.add("VAEEncode", *middle[2], pixels=picture["IMAGE"], vae=model["vae"])
    if masks:
        encoded = board.add(
            "SetLatentNoiseMask", *middle[3], samples=encoded["LATENT"], mask=_left_part(board, mask_at)["MASK"]
        )
    wanted = words(board, middle[-1], model, prompt, "What it should become")
    ((place, size),) = stack(870, 430, LIDAR)
    changed = lidar(board, place, size, model, wanted, negative, encoded, denoise=denoise, seed=1)
    right = stack(1340, 230, CODE, PICTURES)
    result = decoded(board, right[0], model, changed["latent"])
    saved = board.add("SaveImage", *right[1], "Changed", images=result["IMAGE"], filename_prefix=prefix)
    board.group("1  A picture, and what it should become", read_me, model, first, before, wanted, bottom=BOTTOM)
    board.group("2  With LiDAR", changed, bottom=BOTTOM)
    board.group("3  Changed", result, saved, bottom=BOTTOM)


def _left_part(board: Board, places) -> Placed:
    whole = board.add("SolidMask", *places[0], "Mask: everything", value=1, width=64, height=64)
    return board.add(
        "MaskComposite", *places[1], "... less what is right of 40", destination=whole["MASK"], source=whole["MASK"],
        x=40, y=0, operation="subtract",
    )  # fmt: skip


def img2img(board: Board) -> None:
    _changed(
        board,
        """
# img2img with LiDAR

**Run.** A first picture is drawn. LiDAR KSampler changes it: 16 quick tries of the new prompt begin from it, the
best is finished.

**denoise** says how much is replaced, for tries and picture alike: lower keeps more of the first.

**Your own picture:** *Load Image* in the place of the *VAE Decode* above *First picture*, your model in the place
of the demo model. Nothing else changes.

None of the tries is right? Another *seed*, or a higher **denoise**. One is: click it, **Finish picked**.
""",
        note=460, seed=5, prompt="a green circle left of a blue square", denoise=0.75, masks=(), prefix="lidar_img2img",
    )  # fmt: skip


def inpainting(board: Board) -> None:
    _changed(
        board,
        """
# Inpainting with LiDAR

**Run.** The left of a first picture is drawn anew. 16 quick tries are judged as whole pictures, so the best also
fits what stays.

**Your own picture:** *Load Image* in the place of the *VAE Decode* above *First picture*; its MASK, from the mask
editor, to *Set Latent Noise Mask*. Your model in the place of the demo model.

One of the tries is better? Click it, **Finish picked**.
""",
        note=260, seed=5, prompt="a green triangle left of a blue square", denoise=1.0, masks=(110, 135),
        prefix="lidar_inpainting",
    )  # fmt: skip
