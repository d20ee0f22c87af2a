"""Our ImageReward against the authors' own package, and the frozen figures that the tests compare with.

The package needs old versions, so it lives in a throw-away environment beside that of `python3 dev.py` (ENV is its
site-packages, the folder above what `python3 dev.py python -c "import torch; print(torch.__path__)"` tells):

    python3.11 -m venv oracle && echo ENV > oracle/lib/python3.11/site-packages/env.pth
    oracle/bin/pip install --no-deps image-reward==1.5 transformers==4.55.4 huggingface_hub==0.34.4 datasets==3.2.0 \\
        diffusers==0.33.1 tokenizers==0.21.4 clip-anytorch timm fairscale==0.4.13 accelerate pandas pyarrow multiprocess \\
        dill xxhash pytz python-dateutil "fsspec<2025"
    oracle/bin/python benchmarks/reward_references/image_reward.py --work FOLDER --json FIGURES.json

Writes FOLDER/ImageReward.pt (1.8 GB of random weights in the true format: 625 tensors), prints the differences over
60 pairs of image and prompt, and renews tests/rewards/references/image_reward.json. Takes 8 GB of memory.
"""

import argparse
import gzip
import json
import random
import sys
import unicodedata
import warnings
from pathlib import Path

import torch
from torch import nn

warnings.simplefilter("ignore")
ROOT = Path(__file__).resolve().parents[2]
REFERENCES = ROOT / "tests" / "rewards" / "references"
sys.path[:0] = [str(ROOT), str(ROOT / "nodes"), str(REFERENCES)]

from image_reward_package import MED, spread, their_class, their_ids, their_scores  # noqa: E402
from image_reward_tiny import frozen  # noqa: E402
from pictures import FIRST, given_images, image_batch  # noqa: E402

from reward_models.image_batch import ImageBatch  # noqa: E402
from reward_models.image_reward import ImageReward, load_image_reward  # noqa: E402

PROMPTS = (
    "a red cube on a table",
    "a blue cube on a table",
    "Fog.",
    "Cafe\u0301 au lait, na\u00efve r\u00e9sum\u00e9 \u2014 \u6771\u4eac \U0001f600 don't/won't (3.5x)",
    "a highly detailed portrait of an old sailor, " * 6,
)


def same_tokens(model: nn.Module, ours: ImageReward) -> dict:
    """How many random texts of each sort get the same ids from both tokenizers."""
    draw = random.Random(20230501)
    words = [word for word in model.blip.tokenizer.get_vocab() if not word.startswith("[")]
    assigned = [char for char in map(chr, range(0x110000)) if unicodedata.category(char)[0] != "C"]
    sorts = {
        "words of the vocabulary": (words, " "),
        "printable ASCII": ([chr(code) for code in range(32, 127)], ""),
        "European letters and signs": ([chr(code) for code in range(32, 0x500)], ""),
        "any assigned character": (assigned, ""),
        "any code point": ([chr(code) for code in range(0x110000)], ""),
    }
    equal = {}
    for sort, (parts, between) in sorts.items():
        texts = [between.join(draw.choices(parts, k=draw.randint(1, 30))) for _ in range(4000)]
        pairs = zip(ours.tokens(texts)[0].tolist(), their_ids(model, texts), strict=True)
        equal[f"token ids equal, of 4000 texts of {sort}"] = sum(our_ids == ids for our_ids, ids in pairs)
    assert ours.tokens(PROMPTS)[0].tolist() == their_ids(model, PROMPTS)
    return equal


def differences(model: nn.Module, ours: ImageReward, halves_of: int) -> dict:
    """Scores and pixels of both over all pairs; half precision, slow on processors, over the first `halves_of` pictures.

    The package gets what the host's IMAGE holds, so RGBA without its alpha. Left to itself it drops the alpha after it has
    resized, and PIL resizes colours weighted by alpha: how far that is from the same picture without alpha is told, too.
    """
    steps = torch.tensor(ours.preprocessing.std).view(3, 1, 1) * 255
    truth, package, same, own, pixels, with_alpha = [], [], [], [], [], {}
    halves = {torch.float16: [], torch.bfloat16: []}
    images = given_images(FIRST)
    for number, (name, given, image) in enumerate(images):
        pil = given.convert("RGB")
        their_pixels = model.preprocess(pil)[None]
        our_pixels = image_batch(image).preprocessed(ours.preprocessing)
        pixels.append(((our_pixels - their_pixels).abs() * steps).flatten())
        truth.append(their_scores(model, their_pixels, PROMPTS)[0])
        package.append(torch.tensor([model.score(prompt, pil) for prompt in PROMPTS[:2]]))
        same.append(_our_scores(ours, their_pixels))
        own.append(_our_scores(ours, our_pixels))
        if given.mode == "RGBA":
            untouched = model.preprocess(given)[None]
            moved = _largest(their_scores(model, untouched, PROMPTS)[0] - truth[-1])
            with_alpha[name] = {"score": moved, "8-bit steps": _largest((untouched - their_pixels) * steps)}
        if number < halves_of:
            for dtype, scores in halves.items():
                ours.trunk.to(dtype)
                scores.append(_our_scores(ours, their_pixels))
            # Half precision rounded the weights: take back those of the authors' model, which are the same
            ours.trunk.float().load_state_dict(model.blip.state_dict(), strict=False)
        print(f"{number + 1} of {len(images)} pictures: {name}", flush=True)
    truth, package, same, own = map(torch.stack, (truth, package, same, own))
    pixels = torch.cat(pixels)
    figures = {
        "pictures": [name for name, _, _ in images],
        "pairs": truth.numel(),
        "scores from, to": [truth.min().item(), truth.max().item()],
        "spread over pictures": truth.std(dim=0).mean().item(),
        "spread over prompts": truth.std(dim=1).mean().item(),
        "the package's own score() against its modules: largest difference": _largest(package - truth[:, :2]),
        "same pixels: largest difference": _largest(same - truth),
        "same pixels: largest difference, each by its own score": _largest((same - truth) / truth),
        "same pixels: largest difference, by the largest score": _largest(same - truth) / _largest(truth),
        "pixels: mean difference in 8-bit steps": pixels.mean().item(),
        "pixels: largest difference in 8-bit steps": pixels.max().item(),
        "each with its own pixels: mean difference": (own - truth).abs().mean().item(),
        "each with its own pixels: largest difference": _largest(own - truth),
        "each with its own pixels: largest difference, picture by picture": (own - truth).abs().amax(dim=1).tolist(),
        "the package with the alpha, against itself without: largest differences": with_alpha,
    }
    for dtype, scores in halves.items() if halves_of else ():
        difference, trunk = torch.stack(scores) - truth[:halves_of], str(dtype).removeprefix("torch.")
        figures[f"{trunk} trunk, same pixels, {difference.numel()} pairs: mean difference"] = (
            difference.abs().mean().item()
        )
        figures[f"{trunk} trunk, same pixels, {difference.numel()} pairs: largest difference"] = _largest(difference)
    return figures


def _our_scores(ours: ImageReward, pixels: torch.Tensor) -> torch.Tensor:
    """Score all prompts from the ready pixels of one picture, (1, 3, 224, 224), embedded once."""
    count, vision = len(PROMPTS), ours.trunk.visual_encoder
    batch = ImageBatch(torch.zeros(count, 3, 1, 1))
    batch.once(vision, lambda: vision(pixels).expand(count, -1, -1))
    return ours.score_batch(batch, PROMPTS)


def _largest(difference: torch.Tensor) -> float:
    return difference.abs().max().item()


@torch.no_grad()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", type=Path, required=True, help="a folder for the files of weights")
    parser.add_argument("--json", type=Path, help="where to write the figures")
    parser.add_argument("--tiny", action="store_true", help="renew the references alone")
    parser.add_argument("--halves", type=int, default=3, help="compare half precision on so many pictures (default: 3)")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    vocabulary, config = options.work / "vocab.txt", options.work / "med_config.json"
    shipped = ROOT / "reward_models" / "image_reward" / "bert_base_uncased_vocab.txt.gz"
    vocabulary.write_bytes(gzip.decompress(shipped.read_bytes()))
    config.write_text(json.dumps(MED))
    model = their_class(vocabulary)(str(config), device="cpu").eval()
    if not options.tiny:
        spread(model)
        torch.save(model.state_dict(), options.work / "ImageReward.pt")
        ours = load_image_reward(str(options.work / "ImageReward.pt"))
        figures = same_tokens(model, ours) | differences(model, ours, options.halves)
        for name, value in figures.items():
            print(f"{name}: {value}")
        if options.json:
            options.json.write_text(json.dumps(figures, indent=1) + "\n")
    (REFERENCES / "image_reward.json").write_text(json.dumps(frozen(options.work, model)) + "\n")


if __name__ == "__main__":
    main()
