"""Our PickScore, HPS v2.1 and LAION aesthetic v2 against other people's code, on random weights in the true file formats.

The other code is that of `clip_oracles.py`, beside this file. All runs in the environment of `python3 dev.py`; hpsv2 pins old packages, so its
wheel is only unpacked:

    python3 dev.py python -m pip download --no-deps hpsv2==1.2.0 && unzip hpsv2-1.2.0-py3-none-any.whl -d hps
    python3 dev.py python benchmarks/reward_references/clip_family.py --work FOLDER --hpsv2 hps

Needs 11 GB of memory and 4 GB of disk in FOLDER. Prints a table of the differences and writes them to FOLDER/clip_family.json.
"""

import argparse
import gc
import json
import sys
import warnings
from pathlib import Path

import open_clip
import torch
from PIL import Image
from safetensors.torch import save_file

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "nodes"), str(ROOT / "tests" / "rewards" / "references")]

from clip_family_tiny import LOGIT_SCALE, PROMPTS, head_shapes  # noqa: E402
from clip_oracles import OPENAI_STD, AestheticOracle, HpsOracle, PickScoreOracle, transformers_clip  # noqa: E402
from closed_form import closed_form_picture  # noqa: E402
from image_layout import channels_first  # noqa: E402

from reward_models import load_reward_model  # noqa: E402
from reward_models.image_batch import ImageBatch  # noqa: E402

SIZES = (
    (224, 224),
    (512, 512),
    (300, 225),
    (333, 517),
    (64, 64),
    (1024, 576),
    (97, 411),
    (225, 224),
    (1216, 832),
    (17, 23),
)
HEAD_SIZES = (768, 1024, 128, 64, 16, 1)
VIT_H = {
    "hidden_size": 1280,
    "intermediate_size": 5120,
    "num_hidden_layers": 32,
    "num_attention_heads": 16,
    "patch_size": 14,
}
TEXT_H = {"hidden_size": 1024, "intermediate_size": 4096, "num_hidden_layers": 24, "num_attention_heads": 16}
VIT_L = {
    "hidden_size": 1024,
    "intermediate_size": 4096,
    "num_hidden_layers": 24,
    "num_attention_heads": 16,
    "patch_size": 14,
}
TEXT_L = {"hidden_size": 768, "intermediate_size": 3072, "num_hidden_layers": 12, "num_attention_heads": 12}


def spread(model: torch.nn.Module, seed: int) -> None:
    """Random weights under which no part is idle: the cosines of different pairs differ."""
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in model.named_parameters():
        parameter.data.normal_(generator=generator)
        if parameter.ndim > 1:
            table = "token_embedding" in name or "position" in name
            parameter.data *= 0.5 if table else parameter[0].numel() ** -0.5
        elif parameter.ndim == 1:
            parameter.data = 0.1 * parameter.data + (1.0 if name.endswith("weight") else 0.0)
    model.logit_scale.data.fill_(LOGIT_SCALE)


def given_images() -> list[tuple[str, Image.Image, torch.Tensor]]:
    """(name, as the others read it, as the host's IMAGE (1, H, W, C)); the last two have an alpha channel, and are grey."""
    pictures = [closed_form_picture(*size, number) for number, size in enumerate(SIZES)]
    alpha = closed_form_picture(513, 384, 20)
    pictures.append(torch.cat((alpha, alpha[..., :1].flip(0)), dim=-1))
    pictures.append(closed_form_picture(200, 333, 21)[..., :1])
    kinds = {1: "grey", 3: "", 4: "RGBA"}
    return [
        (
            f"{each.shape[0]}x{each.shape[1]} {kinds[each.shape[2]]}".strip(),
            Image.fromarray(each.squeeze(-1).numpy()),
            each[None].float() / 255,
        )
        for each in pictures
    ]


def theirs_of(oracle, images, prompts) -> tuple[torch.Tensor, torch.Tensor]:
    """(pixels (n, 3, S, S), scores (n, p) float64) of n images and p prompts."""
    pixels = torch.cat([oracle.pixels(image) for _, image, _ in images])
    return pixels, oracle.scores(pixels, prompts)


def ours_of(model, batches: list[ImageBatch], prompts) -> torch.Tensor:
    """(n, p) float64 of n batches of one image and p prompts; every image and every text is embedded once."""
    preprocessing = getattr(model, "preprocessing", model.trunk.preprocessing)
    embedded = torch.cat([model.trunk.embed_images(batch, preprocessing) for batch in batches])
    pairs = ImageBatch(torch.empty(len(batches) * len(prompts), 3, 1, 1))
    pairs.once((model.trunk, preprocessing), lambda: embedded.repeat_interleave(len(prompts), dim=0))
    return model.score_batch(pairs, list(prompts) * len(batches)).view(len(batches), -1).double()


def compare(name: str, model, images, pixels, truth, prompts=PROMPTS) -> dict:
    """Differences of the scores with equal pixels, of the pixels, and of the scores with each one's own pixels."""
    preprocessing = getattr(model, "preprocessing", model.trunk.preprocessing)
    std = torch.tensor(OPENAI_STD).view(3, 1, 1)
    own, given = ([ImageBatch(channels_first(image)) for _, _, image in images] for _ in range(2))
    for batch, ready in zip(given, pixels, strict=True):
        batch.once(preprocessing, lambda ready=ready: ready[None])
    steps = torch.cat([batch.preprocessed(preprocessing) for batch in own]).sub(pixels).mul(std * 255).abs().flatten(1)
    return {
        "name": name,
        "images": [label for label, _, _ in images],
        "scores": truth.tolist(),
        "same_pixels": (ours_of(model, given, prompts) - truth).abs().tolist(),
        "own_pixels": (ours_of(model, own, prompts) - truth).abs().tolist(),
        "mean_steps": steps.mean(dim=1).tolist(),
        "max_steps": steps.amax(dim=1).tolist(),
    }


def table(results: list[dict]) -> str:
    lines = [
        "| reward | pairs | scores, standard deviation | same pixels: largest difference, by the largest score | "
        "pixels, in 8-bit steps: mean, largest | own pixels: mean difference, largest, by the largest score |",
        "|---|---|---|---|---|---|",
    ]
    for result in results:
        what = ("scores", "same_pixels", "own_pixels", "mean_steps", "max_steps")
        scores, same, own, mean_steps, max_steps = (torch.tensor(result[key], dtype=torch.float64) for key in what)
        top = scores.abs().max()
        lines.append(
            f"| {result['name']} | {scores.numel()} | {scores.min():.4g} to {scores.max():.4g}, {scores.std():.3g} | "
            f"{same.max():.2g}, {same.max() / top:.2g} | {mean_steps.mean():.2g}, {max_steps.max():.3g} | "
            f"{own.mean():.2g}, {own.max():.2g}, {own.max() / top:.2g} |"
        )
    return "\n".join(lines)


def pick_score(work: Path, images) -> dict:
    file = work / "PickScore_v1.safetensors"
    clip = transformers_clip(VIT_H, TEXT_H, 1024, "gelu")
    spread(clip, 1)
    save_file({key: value.contiguous() for key, value in clip.state_dict().items()}, file)
    oracle = PickScoreOracle(clip)
    pixels, scores = theirs_of(oracle, images, PROMPTS)
    ids, ours = oracle.tokens(PROMPTS), open_clip.SimpleTokenizer()(list(PROMPTS))
    ends = ids.eq(49407).int().argmax(dim=1)  # behind it one fills up with 0, the other with the end: neither is read
    equal = all(torch.equal(a[: end + 1], b[: end + 1]) for a, b, end in zip(ids, ours, ends, strict=True))
    on_tensors = torch.cat([PickScoreOracle(clip, on_tensors=True).pixels(image) for _, image, _ in images])
    steps = (on_tensors - pixels).abs().max().item() * max(OPENAI_STD) * 255
    print(f"PickScore: token ids equal: {equal}; transformers' own two processors differ by up to {steps:.2g} steps")
    oracle.model = clip = None
    return compare("PickScore", loaded(file, "PickScore"), images, pixels, scores)


def hps(work: Path, images, package: Path) -> dict:
    file = work / "HPS_v2.1_compressed.pt"
    oracle = HpsOracle(package)
    spread(oracle.model, 2)
    half = {key: value.half() for key, value in oracle.model.state_dict().items()}
    oracle.model.load_state_dict(half)
    assert (len(half), sum(each.numel() for each in half.values())) == (686, 986_109_441)
    torch.save({"state_dict": half}, file)
    pixels, scores = theirs_of(oracle, images, PROMPTS)
    equal = torch.equal(oracle.tokens(PROMPTS), open_clip.SimpleTokenizer()(list(PROMPTS)))
    print("HPS v2.1: token ids equal:", equal)
    oracle.model = half = None
    return compare("HPS v2.1", loaded(file, "HPS v2.1"), images, pixels, scores)


def aesthetic(work: Path, images) -> dict:
    file, clip_file = work / "sac+logos+ava1-l14-linearMSE.pth", work / "clip_vit_large_patch14.safetensors"
    clip = transformers_clip(VIT_L, TEXT_L, 768, "quick_gelu")
    spread(clip, 3)
    save_file({key: value.contiguous() for key, value in clip.state_dict().items()}, clip_file)
    generator = torch.Generator().manual_seed(4)
    head = {
        key: torch.randn(shape, generator=generator) * (1.5 / shape[-1] ** 0.5 if len(shape) == 2 else 0.1)
        for key, shape in head_shapes(HEAD_SIZES).items()
    }
    torch.save(head, file)
    pixels, scores = theirs_of(AestheticOracle(clip, head), images, PROMPTS[:1])
    clip = None
    model = loaded(file, "LAION aesthetic v2", clip_file)
    return compare("LAION aesthetic v2", model, images, pixels, scores, PROMPTS[:1])


def loaded(file: Path, kind: str, clip_file: Path | None = None):
    """Load ours and delete the files of weights."""
    gc.collect()
    model = load_reward_model(kind, str(file), clip_checkpoint=None if clip_file is None else str(clip_file))
    for each in filter(None, (file, clip_file)):
        each.unlink()
    return model


@torch.no_grad()
def main() -> None:
    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", type=Path, required=True, help="a folder for the files of weights")
    parser.add_argument("--hpsv2", type=Path, required=True, help="the unpacked wheel of hpsv2 1.2.0")
    parser.add_argument("--only", choices=("aesthetic", "PickScore", "HPS"), help="compare this one alone")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    images = given_images()
    runs = {
        "aesthetic": lambda: aesthetic(options.work, images),
        "PickScore": lambda: pick_score(options.work, images),
        "HPS": lambda: hps(options.work, images, options.hpsv2),
    }
    results = [run() for name, run in runs.items() if options.only in (None, name)]
    (options.work / f"clip_family{options.only or ''}.json").write_text(json.dumps(results) + "\n")
    print(table(results))


if __name__ == "__main__":
    main()
