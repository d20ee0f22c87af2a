"""The templates for real models: they name the files that they want, and the page offers to fetch those."""

from __future__ import annotations

from .board import Board, Placed
from .columns import (
    BOTTOM,
    CHECKPOINT,
    CLIP,
    CODE,
    DIFFUSION_MODEL,
    FOLDED,
    KSAMPLER,
    LATENT,
    LIDAR,
    LORA,
    NUMBER,
    PICTURES,
    REWARD,
    SAMPLING_SHIFT,
    VAE,
    WORDS,
    stack,
)  # fmt: skip

BACKPACK = "a photo of a red backpack on the left and a blue bicycle on the right, in front of a brick wall"
NEGATIVE = "blurry, low quality"


def file(url: str, directory: str) -> dict[str, str]:
    return {"name": url.rsplit("/", 1)[-1], "url": f"https://huggingface.co/{url}", "directory": directory}


IMAGE_REWARD = file("THUDM/ImageReward/resolve/main/ImageReward.pt", "reward_models")
SDXL = file("stabilityai/stable-diffusion-xl-base-1.0/resolve/main/sd_xl_base_1.0.safetensors", "checkpoints")
LIGHTNING = file("ByteDance/SDXL-Lightning/resolve/main/sdxl_lightning_4step_lora.safetensors", "loras")
DMD2 = file("tianweiy/DMD2/resolve/main/dmd2_sdxl_4step_lora_fp16.safetensors", "loras")
_Z = "Comfy-Org/z_image_turbo/resolve/main/split_files"
Z_MODEL = file(f"{_Z}/diffusion_models/z_image_turbo_bf16.safetensors", "diffusion_models")
Z_CLIP = file(f"{_Z}/text_encoders/qwen_3_4b.safetensors", "text_encoders")
Z_VAE = file(f"{_Z}/vae/ae.safetensors", "vae")


def _link(model: dict[str, str], much: str) -> str:
    return f"- [{model['name']}]({model['url']}) ({much}) into *models/{model['directory']}*"


def _reward(board: Board, at) -> Placed:
    return board.add("LiDARRewardModelLoader", *at, kind="auto", file=IMAGE_REWARD["name"], models=[IMAGE_REWARD])


def z_image(board: Board) -> None:
    """ComfyUI's default graph of today, with LiDAR KSampler in KSampler's place."""
    note, reward_at, latent_at = stack(0, 320, 330, REWARD, LATENT)
    read_me = board.note(
        f"""
# From ComfyUI's default graph

The graph that a new ComfyUI opens with, and **LiDAR KSampler** in the place of KSampler. New are two links: *vae*,
and *reward_model* from the loader below.

**Run.** Eight pictures begin with the settings that you see, eight steps at cfg 1. They are judged after the fourth
step; the best go on. No step is drawn twice.

**The file that is new**
{_link(IMAGE_REWARD, "1.8 GB")}

The others are the default graph's own.

**Other settings, or out of memory?** Connect *LiDAR Lookahead Config*: **count**, **finish**, **batch_size**.
""",
        *note,
    )
    reward = _reward(board, reward_at)
    latent = board.add("EmptySD3LatentImage", *latent_at, width=1024, height=1024, batch_size=1)
    left = stack(340, 300, DIFFUSION_MODEL, CLIP, 150, WORDS)
    unet = board.add("UNETLoader", *left[0], unet_name=Z_MODEL["name"], weight_dtype="default", models=[Z_MODEL])
    clip = board.add(
        "CLIPLoader", *left[1], clip_name=Z_CLIP["name"], type="lumina2", device="default", models=[Z_CLIP]
    )
    prompt = "a photo of a fox in a red scarf beside a campfire at night, the milky way in the sky"
    positive = board.add("CLIPTextEncode", *left[2], "Prompt", clip=clip["CLIP"], text=prompt)
    negative = board.add("CLIPTextEncode", *left[3], "Negative prompt (not read at cfg 1)", clip=clip["CLIP"], text="")
    vae_at, decode_at, save_at = stack(1240, 310, VAE, CODE, 420)
    vae = board.add("VAELoader", *vae_at, vae_name=Z_VAE["name"], models=[Z_VAE])
    shift_at, sampler_at = stack(680, 520, SAMPLING_SHIFT, LIDAR)
    model = board.add("ModelSamplingAuraFlow", *shift_at, model=unet["MODEL"], shift=3)
    sampler = board.add(
        "LiDARKSampler", *sampler_at, model=model["MODEL"], positive=positive["CONDITIONING"],
        negative=negative["CONDITIONING"], latent_image=latent["LATENT"], vae=vae["VAE"],
        reward_model=reward["reward_model"], seed=42, steps=8, cfg=1, sampler_name="res_multistep", scheduler="simple",
    )  # fmt: skip
    picture = board.add("VAEDecode", *decode_at, samples=sampler["latent"], vae=vae["VAE"])
    saved = board.add("SaveImage", *save_at, images=picture["IMAGE"], filename_prefix="lidar_z_image")
    board.group("1  Models and prompt", read_me, unet, latent, positive, bottom=BOTTOM)
    board.group("2  LiDAR instead of KSampler", model, sampler, bottom=BOTTOM)
    board.group("3  The picture", picture, vae, saved, bottom=BOTTOM)


def sdxl(board: Board) -> None:
    note, reward_at = stack(0, 320, 480, REWARD)
    read_me = board.note(
        f"""
# SDXL with distilled lookaheads

**LiDAR KSampler** stands where a KSampler would. SDXL with the Lightning LoRA draws 16 quick *lookaheads* of 4
steps. The reward model scores how well each fits the prompt. SDXL itself makes the picture: from the noise of the
best, and steered towards them.

**Files**
{_link(SDXL, "6.9 GB")}
{_link(LIGHTNING, "0.4 GB")}
{_link(IMAGE_REWARD, "1.8 GB")}

**Try**
- **Without the LoRA**: remove the link to *lookahead_model*. Eight pictures begin, the best go on.
- **Other settings**: connect *LiDAR Lookahead Config*; DMD2 has a preset there. Its values were not measured on
SDXL: *LiDAR Measure Drafts* measures them on *your* pictures.
- Out of memory? Lower its **batch_size**.
""",
        *note,
    )
    reward = _reward(board, reward_at)
    left = stack(340, 300, CHECKPOINT, LORA, 130, WORDS, LATENT)
    source = board.add("CheckpointLoaderSimple", *left[0], ckpt_name=SDXL["name"], models=[SDXL])
    distilled = board.add(
        "LoraLoaderModelOnly", *left[1], "Distilled model for the lookaheads", model=source["MODEL"],
        lora_name=LIGHTNING["name"], strength_model=1, models=[LIGHTNING],
    )  # fmt: skip
    positive = board.add("CLIPTextEncode", *left[2], "Prompt", clip=source["CLIP"], text=BACKPACK)
    negative = board.add("CLIPTextEncode", *left[3], "Negative prompt", clip=source["CLIP"], text=NEGATIVE)
    latent = board.add("EmptyLatentImage", *left[4], width=1024, height=1024, batch_size=1)
    ((place, size),) = stack(680, 520, LIDAR)
    sampler = board.add(
        "LiDARKSampler", place, size, model=source["MODEL"], positive=positive["CONDITIONING"],
        negative=negative["CONDITIONING"], latent_image=latent["LATENT"], vae=source["VAE"],
        reward_model=reward["reward_model"], lookahead_model=distilled["MODEL"], seed=2602, steps=30, cfg=7.5,
        sampler_name="dpmpp_2m", scheduler="karras",
    )  # fmt: skip
    decode_at, save_at = stack(1240, 310, CODE, 420)
    picture = board.add("VAEDecode", *decode_at, samples=sampler["latent"], vae=source["VAE"])
    saved = board.add("SaveImage", *save_at, images=picture["IMAGE"], filename_prefix="lidar_sdxl")
    board.group("1  Models and prompt", read_me, source, positive, latent, bottom=BOTTOM)
    board.group("2  Look ahead, score, steer", sampler, bottom=BOTTOM)
    board.group("3  The picture", picture, saved, bottom=BOTTOM)


def sdxl_in_parts(board: Board) -> None:
    note, reward_at, latent_at = stack(0, 290, 355, REWARD, LATENT)
    read_me = board.note(
        f"""
# SDXL in parts, for any sampler

1. **Sample Lookaheads**: a distilled model draws 16.
2. **Score Lookaheads** ranks them.
3. **Start From Best**: from the noise of the best.
4. **Apply Guidance**: steered towards them.

All share *Seed*, latent and prompts: so the noise of each lookahead is known by its number.

**Files**
{_link(SDXL, "6.9 GB")}
{_link(DMD2, "0.4 GB, non-commercial")}
{_link(IMAGE_REWARD, "1.8 GB")}
""",
        *note,
    )
    reward = _reward(board, reward_at)
    left = stack(310, 270, CHECKPOINT, LORA, 100, FOLDED, WORDS, NUMBER)
    source = board.add("CheckpointLoaderSimple", *left[0], ckpt_name=SDXL["name"], models=[SDXL])
    distilled = board.add(
        "LoraLoaderModelOnly", *left[1], "Distilled model for the lookaheads", model=source["MODEL"],
        lora_name=DMD2["name"], strength_model=1, models=[DMD2],
    )  # fmt: skip
    prompt = board.add("PrimitiveStringMultiline", *left[2], "Prompt", value=BACKPACK)
    positive = board.add("CLIPTextEncode", *left[3], "... for the model", clip=source["CLIP"], text=prompt["STRING"])
    negative = board.add("CLIPTextEncode", *left[4], "Negative prompt", clip=source["CLIP"], text=NEGATIVE)
    latent = board.add("EmptyLatentImage", *latent_at, width=1024, height=1024, batch_size=1)
    seed = board.add("PrimitiveInt", *left[5], "Seed of lookaheads and picture", value=2602)
    middle = stack(620, 390, 400, FOLDED, 280)
    task = {"positive": positive["CONDITIONING"], "negative": negative["CONDITIONING"]}
    lookaheads = board.add(
        "LiDARSampleLookaheads", *middle[0], model=distilled["MODEL"], **task, latent_image=latent["LATENT"],
        seed=seed["INT"], count=16, steps=4, cfg=1, sampler_name="lcm", scheduler="sgm_uniform",
    )  # fmt: skip
    seen = board.add("VAEDecode", *middle[1], samples=lookaheads["lookaheads"], vae=source["VAE"])
    scored = board.add(
        "LiDARScoreLookaheads", *middle[2], lookaheads=lookaheads["lookaheads"], images=seen["IMAGE"],
        reward_model=reward["reward_model"], prompt=prompt["STRING"],
    )  # fmt: skip
    start_at, guide_at, sample_at = stack(1050, 270, CODE, 260, KSAMPLER)
    start = board.add(
        "LiDARStartFromBest", *start_at, latent_image=latent["LATENT"], lookaheads=scored["lookahead_set"]
    )
    guided = board.add("LiDARApplyGuidance", *guide_at, model=source["MODEL"], lookaheads=scored["lookahead_set"])
    sampled = board.add(
        "KSampler", *sample_at, model=guided["model"], **task, latent_image=start["latent_image"], seed=seed["INT"],
        steps=30, cfg=7.5, sampler_name="dpmpp_2m", scheduler="karras",
    )  # fmt: skip
    decode_at, save_at = stack(1340, 220, CODE, PICTURES)
    picture = board.add("VAEDecode", *decode_at, samples=sampled["LATENT"], vae=source["VAE"])
    saved = board.add("SaveImage", *save_at, images=picture["IMAGE"], filename_prefix="lidar_sdxl_in_parts")
    board.group("1  Models and prompt", read_me, source, prompt, latent, bottom=BOTTOM)
    board.group("2  Look ahead and score", lookaheads, seen, scored, bottom=BOTTOM)
    board.group("3  Steer and sample", start, guided, sampled, picture, saved, bottom=BOTTOM)
