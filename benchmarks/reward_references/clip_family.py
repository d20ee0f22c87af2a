"""Our rewards made of a CLIP against other people's code, on random weights at full size in the true file formats.

The other code is that of `clip_oracles.py`, beside this file. All runs in the environment of `python3 dev.py`; hpsv2 pins old packages, so its
wheel is only unpacked, and `--only aesthetic` and `--only CLIP` need none of it:

    python3 dev.py python -m pip download --no-deps hpsv2==1.2.0 && unzip hpsv2-1.2.0-py3-none-any.whl -d hps
    python3 dev.py python benchmarks/reward_references/clip_family.py --work FOLDER --hpsv2 hps

Needs 11 GB of memory (aesthetic and CLIP 5 GB) and 4 GB of disk in FOLDER. Prints a table of the differences and writes them to
FOLDER/clip_family.json.
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
HERE, REFERENCES = Path(__file__).parent, ROOT / "tests" / "rewards" / "references"
# Python is started by dev.py without even the script's own folder
sys.path[:0] = [str(each) for each in (HERE, ROOT, ROOT / "nodes", REFERENCES)]

from clip_family_tiny import LOGIT_SCALE, PROMPTS, head_shapes  # noqa: E402
from clip_oracles import (  # noqa: E402
    OPENAI_STD,
    AestheticOracle,
    HpsOracle,
    OpenClipOracle,
    PickScoreOracle,
    transformers_clip,
)
from closed_form import closed_form_picture  # noqa: E402
from comparison import Batches, compare, preprocessing_of, table  # noqa: E402
from pictures import FIRST, given_images  # noqa: E402

from reward_models import load_reward_model  # noqa: E402
from reward_models.clip_trunk import load_clip_trunk  # noqa: E402

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


def theirs_of(oracle, images, prompts) -> tuple[torch.Tensor, torch.Tensor]:
    """(pixels (n, 3, S, S), scores (n, p) float64) of n images and p prompts."""
    pixels = torch.cat([oracle.pixels(image) for _, image, _ in images])
    return pixels, oracle.scores(pixels, prompts)


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
    model = loaded(file, "PickScore")
    return compare("PickScore", model, Batches(images, pixels, preprocessing_of(model)), scores, PROMPTS)


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
    model = loaded(file, "HPS v2.1")
    return compare("HPS v2.1", model, Batches(images, pixels, preprocessing_of(model)), scores, PROMPTS)


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
    return compare("LAION aesthetic v2", model, Batches(images, pixels, preprocessing_of(model)), scores, PROMPTS[:1])


def clip_rewards(work: Path, images) -> list[dict]:
    """CLIP score, image similarity and negative prompt on one ViT-L-14, against open_clip's encoders, transform and tokenizer."""
    file, architecture = work / "clip_vit_l_14.pt", "ViT-L-14"
    oracle = OpenClipOracle(architecture)
    spread(oracle.model, 5)
    torch.save({"state_dict": oracle.model.state_dict()}, file)
    trunk = load_clip_trunk(str(file), architecture)
    file.unlink()
    pixels = torch.cat([oracle.pixels(image) for _, image, _ in images])
    embedded, words = oracle.embed_images(pixels), oracle.embed_texts(PROMPTS)
    batches = Batches(images, pixels, trunk.preprocessing)
    truths = [("CLIP score", {}, embedded @ words.T, PROMPTS)]
    truths.append(("CLIP negative prompt", {"text": PROMPTS[2]}, -embedded @ words[2:3].T, PROMPTS[:1]))
    for size in ((224, 224), (333, 517)):  # without resizing both have the same pixels of the references
        pictures = [closed_form_picture(*size, number) for number in (40, 41)]
        theirs = oracle.embed_images(torch.cat([oracle.pixels(Image.fromarray(each.numpy())) for each in pictures]))
        reference = torch.stack(pictures).movedim(-1, 1).float() / 255
        truth = (embedded @ theirs.T).mean(dim=1, keepdim=True)
        truths.append(("CLIP image similarity", {"reference": reference}, truth, PROMPTS[:1]))
    results = []
    for kind, needs, truth, prompts in truths:
        model = load_reward_model(kind, str(file), architecture, load_clip=lambda *_: trunk, **needs)
        name = kind + (", references of {}x{}".format(*needs["reference"].shape[-2:]) if "reference" in needs else "")
        results.append(compare(name, model, batches, truth, prompts))
    return results


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
    parser.add_argument("--hpsv2", type=Path, help="the unpacked wheel of hpsv2 1.2.0")
    parser.add_argument("--only", choices=("aesthetic", "CLIP", "PickScore", "HPS"), help="compare this one alone")
    options = parser.parse_args()
    if options.only in (None, "HPS") and options.hpsv2 is None:
        parser.error("HPS is compared with its own package: give --hpsv2")
    options.work.mkdir(parents=True, exist_ok=True)
    images = given_images()
    runs = {
        "aesthetic": lambda: [aesthetic(options.work, images)],
        "CLIP": lambda: clip_rewards(options.work, images),
        "PickScore": lambda: [pick_score(options.work, images[:FIRST])],
        "HPS": lambda: [hps(options.work, images[:FIRST], options.hpsv2)],
    }
    results = [result for name, run in runs.items() if options.only in (None, name) for result in run()]
    (options.work / f"clip_family{options.only or ''}.json").write_text(json.dumps(results) + "\n")
    print(table(results))


if __name__ == "__main__":
    main()
