"""Our ImageReward against the authors' own package, and the frozen figures that the tests compare with.

The package needs old versions, so it lives in a throw-away environment beside that of `python3 dev.py` (ENV is its
site-packages, as `python3 dev.py python -c "import torch; print(torch.__path__)"` tells):

    python3.11 -m venv oracle && echo ENV > oracle/lib/python3.11/site-packages/env.pth
    oracle/bin/pip install --no-deps image-reward==1.5 transformers==4.55.4 huggingface_hub==0.34.4 datasets==3.2.0 \\
        diffusers==0.33.1 tokenizers==0.21.4 clip-anytorch timm fairscale==0.4.13 accelerate pandas pyarrow multiprocess \\
        dill xxhash pytz python-dateutil "fsspec<2025"
    oracle/bin/python benchmarks/reward_references/image_reward.py --work FOLDER

Writes FOLDER/ImageReward.pt (1.8 GB of random weights in the true format: 625 tensors), prints the differences over
32 pairs of image and prompt, and renews tests/rewards/references/image_reward.json.
"""

import argparse
import gzip
import json
import sys
import warnings
from importlib import import_module
from pathlib import Path

import torch
from PIL import Image

warnings.simplefilter("ignore")
ROOT = Path(__file__).resolve().parents[2]
REFERENCES = ROOT / "tests" / "rewards" / "references"
sys.path[:0] = [str(ROOT), str(REFERENCES)]

from closed_form import closed_form_picture, closed_form_weights  # noqa: E402

from reward_models.image_batch import ImageBatch  # noqa: E402
from reward_models.image_reward import load_image_reward  # noqa: E402
from reward_models.image_reward.tokens import PromptTokens  # noqa: E402

SIZES = ((224, 224), (512, 512), (300, 225), (333, 517), (64, 64), (1024, 576), (97, 411), (225, 224))
PROMPTS = (
    "a red cube on a table",
    "Fog.",
    "Cafe\u0301 au lait, na\u00efve r\u00e9sum\u00e9 \u2014 \u6771\u4eac \U0001f600 don't/won't (3.5x)",
    "a highly detailed portrait of an old sailor, " * 6,
)
TRICKY = (
    "", " ", "A", "unaffable", "don't stop!", "x" * 150, "\u0130stanbul stra\u00dfe", "tab\tnew\nline", "[MASK] me", "1,234.56",
    "\u6771\u4eac tower", "emoji \U0001f600\U0001f680", "a_b-c/d", "supercalifragilisticexpialidocious", "e\u0301 vs \u00e9",
)  # fmt: skip
MED = {
    "attention_probs_dropout_prob": 0.1, "hidden_act": "gelu", "hidden_dropout_prob": 0.1, "initializer_range": 0.02,
    "layer_norm_eps": 1e-12, "max_position_embeddings": 512, "model_type": "bert", "pad_token_id": 0, "type_vocab_size": 2,
    "add_cross_attention": True, "encoder_width": 768, "hidden_size": 768, "intermediate_size": 3072,
    "num_attention_heads": 12, "num_hidden_layers": 12, "vocab_size": 30524,
}  # fmt: skip
TINY_WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "red", "cube", "##s", "fog", ".", "on", "table", "##d"]
TINY_PROMPTS = ("a red cube", "Fogs.", "a REDS cubed on a table " * 9)


def authors_package(vocabulary: Path):
    """The authors' classes, with their tokenizer reading a local file instead of downloading it."""
    from transformers import BertTokenizer

    BertTokenizer.from_pretrained = classmethod(lambda cls, *args, **kwargs: cls(str(vocabulary)))
    return import_module("ImageReward.ImageReward"), import_module("ImageReward.models.BLIP.blip_pretrain")


def their_score(model, pixels, prompts):
    """(b,) by the authors' modules from ready pixels, and the features before the last layers."""
    text = model.blip.tokenizer(
        list(prompts), padding="max_length", truncation=True, max_length=35, return_tensors="pt"
    )
    image_tokens = model.blip.visual_encoder(pixels)
    features = model.blip.text_encoder(
        text.input_ids,
        attention_mask=text.attention_mask,
        encoder_hidden_states=image_tokens,
        encoder_attention_mask=torch.ones(image_tokens.shape[:-1], dtype=torch.long),
        return_dict=True,
    ).last_hidden_state[:, 0]
    return ((model.mlp(features) - model.mean) / model.std).squeeze(-1), features, text.input_ids


def spread(model) -> None:
    """Random weights under which no part is idle: scores of different pairs differ by about 1."""
    generator = torch.Generator().manual_seed(20230501)
    for name, parameter in model.named_parameters():
        noise = torch.randn(parameter.shape, generator=generator)
        if parameter.ndim > 1:
            scale = 0.5 if "embed" in name and "proj" not in name else 1.0 / parameter[0].numel() ** 0.5
            parameter.data = noise * scale
        else:
            parameter.data = (1.0 if name.endswith("weight") else 0.0) + 0.1 * noise
    model.mlp.layers[-1].weight.data *= 3


def full_size(work: Path, theirs) -> dict:
    config = work / "med_config.json"
    config.write_text(json.dumps(MED))
    model = theirs.ImageReward(str(config), device="cpu").eval()
    spread(model)
    torch.save(model.state_dict(), work / "ImageReward.pt")
    ours = load_image_reward(str(work / "ImageReward.pt"))
    figures = {"tensors": len(model.state_dict()), "parameters": sum(each.numel() for each in model.parameters())}
    pictures = [closed_form_picture(*size, number) for number, size in enumerate(SIZES)]
    same, ends, pixels, reference, halves = [], [], [], [], {torch.float16: [], torch.bfloat16: []}
    for picture in pictures:
        image = picture.permute(2, 0, 1)[None].float() / 255
        their_pixels = model.preprocess(Image.fromarray(picture.numpy()))[None]
        our_pixels = ImageBatch(image).preprocessed(ours.preprocessing)
        pixels.append(
            (our_pixels - their_pixels).abs() * torch.tensor([0.26862954, 0.26130258, 0.27577711]).view(3, 1, 1) * 255
        )
        truth, _, ids = their_score(model, their_pixels.repeat(len(PROMPTS), 1, 1, 1), PROMPTS)
        assert torch.equal(ids, ours.tokens(PROMPTS)[0]), "token ids"
        given = ImageBatch(image.repeat(len(PROMPTS), 1, 1, 1))
        given.once(ours.preprocessing, lambda ready=their_pixels: ready.repeat(len(PROMPTS), 1, 1, 1))
        same.append(ours.score_batch(given, PROMPTS) - truth)
        ends.append(ours.score(image.repeat(len(PROMPTS), 1, 1, 1), PROMPTS) - truth)
        reference.append(truth)
    for dtype, differences in halves.items():
        ours.trunk.to(dtype)
        for picture, truth in zip(pictures[:3], reference, strict=False):
            image = picture.permute(2, 0, 1)[None].float() / 255
            differences.append(ours.score(image.repeat(len(PROMPTS), 1, 1, 1), PROMPTS) - truth)
        ours.trunk.float()
    truth = torch.cat(reference)
    pixel = torch.cat([each.flatten() for each in pixels])
    figures |= {
        "pairs": len(truth), "score spread": float(truth.std()), "score range": [float(truth.min()), float(truth.max())],
        "same pixels: largest difference": float(torch.cat(same).abs().max()),
        "same pixels: largest relative difference": float((torch.cat(same) / truth).abs().max()),
        "pixels: mean difference in 8-bit steps": float(pixel.mean()),
        "pixels: largest difference in 8-bit steps": float(pixel.max()),
        "own pixels: largest difference": float(torch.cat(ends).abs().max()),
        "fp16 trunk: largest difference": float(torch.cat(halves[torch.float16]).abs().max()),
        "bf16 trunk: largest difference": float(torch.cat(halves[torch.bfloat16]).abs().max()),
    }  # fmt: skip
    return figures


def tiny(work: Path, theirs, blip_pretrain) -> dict:
    """Frozen outputs of the authors' classes at a size that fits into a test."""
    words = work / "tiny_vocab.txt"
    words.write_text("\n".join(TINY_WORDS) + "\n")
    sizes = {"hidden_size": 64, "intermediate_size": 96, "num_attention_heads": 1, "num_hidden_layers": 2,
             "max_position_embeddings": 40, "vocab_size": len(TINY_WORDS) + 2, "encoder_width": 128}  # fmt: skip
    config = work / "tiny_config.json"
    config.write_text(json.dumps(MED | sizes))
    from ImageReward.models.BLIP.vit import VisionTransformer
    from transformers import BertTokenizer

    BertTokenizer.from_pretrained = classmethod(lambda cls, *args, **kwargs: cls(str(words)))
    blip_pretrain.create_vit = lambda *args, **kwargs: (
        VisionTransformer(img_size=32, patch_size=8, embed_dim=128, depth=2, num_heads=2), 128
    )  # fmt: skip
    model = theirs.ImageReward(str(config), device="cpu").eval()
    model.mlp = theirs.MLP(64).eval()
    shapes = {name: list(value.shape) for name, value in model.state_dict().items() if value.is_floating_point()}
    model.load_state_dict(closed_form_weights(shapes), strict=False)
    pixels = torch.stack([closed_form_picture(32, 32, number) for number in range(len(TINY_PROMPTS))])
    pixels = (pixels.permute(0, 3, 1, 2).float() / 255 - 0.45) / 0.27
    scores, features, ids = their_score(model, pixels, TINY_PROMPTS)
    return {"shapes": shapes, "words": TINY_WORDS, "prompts": TINY_PROMPTS, "ids": ids.tolist(), "scores": scores.tolist(),
            "features": features[:, :8].tolist()}  # fmt: skip


@torch.no_grad()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", type=Path, required=True, help="a folder for the files of weights")
    parser.add_argument("--tiny", action="store_true", help="renew the references alone")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    vocabulary = options.work / "vocab.txt"
    shipped = ROOT / "reward_models" / "image_reward" / "bert_base_uncased_vocab.txt.gz"
    vocabulary.write_bytes(gzip.decompress(shipped.read_bytes()))
    package, blip_pretrain = authors_package(vocabulary)
    from transformers import BertTokenizer

    tokenizer = BertTokenizer(str(vocabulary))
    ids = tokenizer(list(TRICKY), padding="max_length", truncation=True, max_length=35).input_ids
    ours = PromptTokens(vocabulary.read_text(encoding="utf-8").splitlines())(TRICKY)[0]
    print("token ids equal:", ours.tolist() == ids)
    if not options.tiny:
        for name, value in full_size(options.work, package).items():
            print(f"{name}: {value}")
    reference = tiny(options.work, package, blip_pretrain) | {"tricky": dict(zip(TRICKY, ids, strict=True))}
    (REFERENCES / "image_reward.json").write_text(json.dumps(reference) + "\n")


if __name__ == "__main__":
    main()
