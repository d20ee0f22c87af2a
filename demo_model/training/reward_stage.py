"""Stage 3: the demo model's CLIP that serves as reward, in open_clip's own architecture and checkpoint format.

Contrastive (Radford et al. 2021, arXiv 2103.00020), with two additions that binding and relations need: beside the batch's own captions, every
image meets captions that are wrong by one word; and a caption that happens to be true of another image of the batch is no negative for it.
"""

import json
from pathlib import Path

import numpy as np
import open_clip
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional as F

from ..autoencoder import Autoencoder
from ..grammar import COLOURS, PROMPTS, RELATIONS, SHAPES
from ..scenes import captions
from .dataset import Scenes, to_pixels
from .loop import LoopConfig, train

BATCH = 128
STEPS = 900
WRONG_CAPTIONS = 2
MEAN = STD = 0.5
CONTEXT_LENGTH = 24
MODEL_CONFIG = {
    "embed_dim": 96,
    "vision_cfg": {"layers": [2, 2, 2, 1], "width": 24, "head_width": 64, "image_size": 64},
    "text_cfg": {"context_length": CONTEXT_LENGTH, "vocab_size": 49408, "width": 64, "heads": 4, "layers": 3},
}
PREPROCESS_CONFIG = {"mean": [MEAN] * 3, "std": [STD] * 3, "interpolation": "bicubic", "resize_mode": "shortest"}

_WORD_GROUPS = [tuple(COLOURS), SHAPES, RELATIONS, ("two", "three"), ("circles", "squares", "triangles", "crosses")]


def _wrong_by_one(text: str) -> list[str]:
    """The grammar's prompts that differ from this one in a single word or relation, or by exchanging the two objects."""
    variants = set()
    for group in _WORD_GROUPS:
        for word in group:
            for at in range(text.count(word)):
                head = word.join(text.split(word)[: at + 1])
                tail = word.join(text.split(word)[at + 1 :])
                variants.update(f"{head}{other}{tail}" for other in group if other != word)
    for joint in (" and ", *(f" {r} " for r in RELATIONS)):
        if joint in text:
            first, second = text.split(joint)
            variants.add(f"{second}{joint}{first}")
            prompt = PROMPTS[text]
            if prompt.objects[0].colour:
                a, b = prompt.objects
                variants.add(text.replace(a.colour, "*").replace(b.colour, a.colour).replace("*", b.colour))
    articled = {v.replace("an ", "a ").replace("a orange", "an orange") for v in variants}
    return sorted(v for v in articled if v in PROMPTS and not PROMPTS[v].held_out)


class SmallClip(nn.Module):
    """open_clip's CLIP over the token rows (T,) that the grammar uses; `expanded` gives the checkpoint of the full table."""

    def __init__(self):
        super().__init__()
        tokens = open_clip.SimpleTokenizer(context_length=CONTEXT_LENGTH)(list(PROMPTS))
        self.token_ids, compact = tokens.unique(return_inverse=True)
        self.compact = dict(zip(PROMPTS, compact, strict=True))
        config = {**MODEL_CONFIG, "text_cfg": {**MODEL_CONFIG["text_cfg"], "vocab_size": len(self.token_ids)}}
        self.clip = open_clip.CLIP(**config)

    def expanded(self) -> dict[str, Tensor]:
        weights = {
            k: v.half() if v.is_floating_point() else v for k, v in self.clip.state_dict().items() if k != "attn_mask"
        }
        table = torch.zeros(MODEL_CONFIG["text_cfg"]["vocab_size"], MODEL_CONFIG["text_cfg"]["width"], dtype=torch.half)
        table[self.token_ids] = weights["token_embedding.weight"]
        return {k: v.contiguous() for k, v in weights.items()} | {"token_embedding.weight": table}


def train_reward(
    scenes: Scenes, autoencoder: Autoencoder, work: Path, device: torch.device, steps: int = STEPS
) -> SmallClip:
    """Half of the images first pass through the autoencoder with noisy latents, so that what sampling makes is no foreign land."""
    torch.manual_seed(3)
    model = SmallClip().to(device)
    images = scenes.images.clone()
    images[::2] = _as_sampling_makes_them(images[::2], autoencoder)
    true_captions = [sorted(c for c in captions(s) if not PROMPTS[c].held_out) for s in scenes.scenes]
    wrong = {text: _wrong_by_one(text) for text in PROMPTS if not PROMPTS[text].held_out}

    def loss_of_step(rng: np.random.Generator, generator: torch.Generator) -> Tensor:
        rows = rng.integers(len(scenes.images), size=BATCH)
        pixels = to_pixels(images[torch.from_numpy(rows)]).to(device)
        own = [true_captions[i][int(rng.integers(len(true_captions[i])))] for i in rows]
        texts = own + [str(rng.choice(wrong[t])) for t in own for _ in range(WRONG_CAPTIONS)]
        true = torch.tensor(
            [[t in set_of_row for t in texts] for set_of_row in (frozenset(true_captions[i]) for i in rows)],
            device=device,
        )
        tokens = torch.stack([model.compact[t] for t in texts]).to(device)
        image_features = model.clip.encode_image(pixels, normalize=True)
        text_features = model.clip.encode_text(tokens, normalize=True)
        logits = model.clip.logit_scale.exp().clamp(max=100) * image_features @ text_features.T
        diagonal = torch.eye(BATCH, len(texts), dtype=torch.bool, device=device)
        logits = logits.masked_fill(true & ~diagonal, -1e4)
        labels = torch.arange(BATCH, device=device)
        return (F.cross_entropy(logits, labels) + F.cross_entropy(logits[:, :BATCH].T, labels)) / 2

    train(model, loss_of_step, LoopConfig("reward", steps, 1e-3, 0.998, work / "reward.pt", weight_decay=0.05))
    return model.eval()


@torch.inference_mode()
def _as_sampling_makes_them(images: Tensor, autoencoder: Autoencoder) -> Tensor:
    """uint8 images through the autoencoder, their latents disturbed by up to 0.3 of their spread."""
    device, generator = autoencoder.latent_mean.device, torch.Generator().manual_seed(4)
    decoded = []
    for chunk in images.split(256):
        latents = autoencoder.encode(to_pixels(chunk).to(device)).cpu()
        strength = 0.3 * torch.rand(len(latents), 1, 1, 1, generator=generator)
        latents += strength * latents.std() * torch.randn(latents.shape, generator=generator)
        pixels = autoencoder.decode(latents.to(device)).clamp(-1, 1)
        decoded.append(((pixels + 1) * 127.5).round().to(device="cpu", dtype=torch.uint8))
    return torch.cat(decoded)


@torch.inference_mode()
def ranking_accuracy(model: SmallClip, scenes: Scenes) -> float:
    """How often the scene's own prompt scores above a random prompt that is wrong by one word."""
    device = next(model.parameters()).device
    rng = np.random.default_rng(5)
    right = 0
    for start in range(0, len(scenes.images), 256):
        images = F.normalize(model.clip.encode_image(to_pixels(scenes.images[start : start + 256]).to(device)), dim=-1)
        own = scenes.prompts[start : start + 256]
        false = [
            str(rng.choice([w for w in _wrong_by_one(t) if w not in set(captions(s))]))
            for t, s in zip(own, scenes.scenes[start:], strict=False)
        ]
        own_features, false_features = (
            F.normalize(model.clip.encode_text(torch.stack([model.compact[t] for t in texts]).to(device)), dim=-1)
            for texts in (own, false)
        )
        right += int((((own_features - false_features) * images).sum(dim=-1) > 0).sum())
    return right / len(scenes.images)


def save_reward(model: SmallClip, folder: Path) -> None:
    """open_clip's own layout: a folder with its configuration and its weights."""
    folder.mkdir(parents=True, exist_ok=True)
    config = {"model_cfg": MODEL_CONFIG, "preprocess_cfg": PREPROCESS_CONFIG}
    (folder / "open_clip_config.json").write_text(json.dumps(config, indent=2) + "\n")
    save_file(model.expanded(), folder / "open_clip_model.safetensors", metadata={"format": "pt"})
