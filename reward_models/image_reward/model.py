"""ImageReward v1: how well people would rate an image for a prompt; the reward that the LiDAR paper guides with.

J. Xu et al., "ImageReward: learning and evaluating human preferences for text-to-image generation", NeurIPS 2023: BLIP's
image-grounded text encoder and a chain of linear layers. File `ImageReward.pt` of THUDM/ImageReward.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import nn

from ..base import RewardModel
from ..checkpoint_file import first_names, open_checkpoint
from ..image_batch import ImageBatch
from ..preprocess import OPENAI_MEAN, OPENAI_STD, Preprocessing
from ..printable import printable
from ..weights import check_numbers, check_types
from ..words_read import words_read
from .text_tower import TextTower
from .tokens import LENGTH, PromptTokens, read_vocabulary
from .vision_tower import VisionTower

# Mean and deviation of the raw score over the training set, by which the authors bring it to 0 and 1
MEAN, STD = 0.16717362830052426, 1.0333394966054072
# Between them the training had dropout layers, and no activations
LAYERS = (0, 2, 4, 6, 7)
# Far above the 224 pixels and 197 tokens of the authors' model, whose work grows with their square
_LARGEST_IMAGE, _MOST_TOKENS = 1024, 4097
_NOT_READ = re.compile(r"blip\.(vision_proj|text_proj)\.(weight|bias)|blip\.text_encoder\.embeddings\.position_ids")


class _Blip(nn.Module):
    def __init__(self, visual_encoder: VisionTower, text_encoder: TextTower):
        super().__init__()
        self.visual_encoder = visual_encoder
        self.text_encoder = text_encoder


class _Head(nn.Module):
    def __init__(self, sizes: Sequence[int]):
        super().__init__()
        pairs = zip(sizes, sizes[1:], strict=False)
        self.layers = nn.ModuleDict({str(index): nn.Linear(*pair) for index, pair in zip(LAYERS, pairs, strict=True)})

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        for layer in self.layers.values():
            features = layer(features)
        return features.squeeze(-1)


class ImageReward(RewardModel):
    """Human preference in standard deviations of the training set; most pictures have -2 to 2.

    image_size: pixels of the vision tower. tokens: prompts -> (ids, mask).
    """

    name = "ImageReward"
    reads_prompt = True

    def __init__(self, trunk: _Blip, mlp: _Head, image_size: int, tokens: PromptTokens):
        super().__init__()
        self.trunk = trunk
        self.mlp = mlp
        self.tokens = tokens
        self.preprocessing = Preprocessing((image_size, image_size), OPENAI_MEAN, OPENAI_STD)

    def words_read(self, prompt: str) -> int:
        return words_read(prompt, lambda prompts: self.tokens(prompts)[0])

    def score_batch(self, batch: ImageBatch, prompts: Sequence[str]) -> torch.Tensor:
        """Rating of each image for its prompt: (b,) float32."""
        vision = self.trunk.visual_encoder
        image_tokens = batch.once(vision, lambda: vision(batch.preprocessed(self.preprocessing)))
        ids, mask = (each.to(batch.device) for each in self.tokens(prompts))
        features = self.trunk.text_encoder(ids, mask, image_tokens)
        return (self.mlp(features.float()) - MEAN) / STD


def load_image_reward(checkpoint: str) -> ImageReward:
    """Load ImageReward from a .pt or .safetensors file, on the CPU in float32; all sizes are read off the tensors.

    A vocab.txt beside the file is used instead of the vocabulary of bert-base-uncased. ValueError, FileNotFoundError: one
    line that names the file and what to change.
    """
    with open_checkpoint(checkpoint) as opened:
        with torch.device("meta"):
            trunk, mlp, image_size = _build(opened.tensors, opened.name)
        needed = [key for key in opened.tensors if not _NOT_READ.fullmatch(key)]
        tensors = {key.removeprefix("blip."): opened.tensors[key] for key in needed}
        _check(tensors, {**trunk.state_dict(), **mlp.state_dict(prefix="mlp.")}, opened.name)
        check_types(tensors, opened.name)
        _try_out(trunk, mlp, image_size, opened.name)
        weights = {key.removeprefix("blip."): tensor for key, tensor in opened.read(needed).items()}
    check_numbers(weights, opened.name)
    trunk.load_state_dict({key: weights[key] for key in trunk.state_dict()}, assign=True)
    mlp.load_state_dict({key: weights[f"mlp.{key}"] for key in mlp.state_dict()}, assign=True)
    vocabulary = read_vocabulary(Path(checkpoint).parent, len(trunk.text_encoder.embeddings.word_embeddings.weight))
    model = ImageReward(trunk, mlp, image_size, PromptTokens(vocabulary))
    return model.float().eval().requires_grad_(False)


def _build(state: Mapping[str, torch.Tensor], file: str) -> tuple[_Blip, _Head, int]:
    vision, text = "blip.visual_encoder", "blip.text_encoder"
    try:
        patches = state[f"{vision}.patch_embed.proj.weight"]
        tokens = state[f"{vision}.pos_embed"].shape[1]
        image_size = patches.shape[-1] * round((tokens - 1) ** 0.5)
        if image_size > _LARGEST_IMAGE or tokens > _MOST_TOKENS or not all(tensor.numel() for tensor in state.values()):
            raise ValueError
        visual_encoder = VisionTower(
            width=patches.shape[0],
            hidden=state[f"{vision}.blocks.0.mlp.fc1.weight"].shape[0],
            depth=_depth(state, rf"{vision}\.blocks\.(\d+)\."),
            patch_size=patches.shape[-1],
            tokens=tokens,
        )
        vocabulary, width = state[f"{text}.embeddings.word_embeddings.weight"].shape
        text_encoder = TextTower(
            width=width,
            hidden=state[f"{text}.encoder.layer.0.intermediate.dense.weight"].shape[0],
            depth=_depth(state, rf"{text}\.encoder\.layer\.(\d+)\."),
            image_width=state[f"{text}.encoder.layer.0.crossattention.self.key.weight"].shape[1],
            vocabulary=vocabulary,
            positions=state[f"{text}.embeddings.position_embeddings.weight"].shape[0],
        )
        head = _Head([width, *(state[f"mlp.layers.{index}.weight"].shape[0] for index in LAYERS)])
    except (KeyError, IndexError, ValueError, TypeError, RuntimeError) as error:  # the last two by torch, for odd sizes
        raise ValueError(
            f"{file} is not ImageReward v1 (its first tensors: {first_names(state)}): choose ImageReward.pt in 'checkpoint', or the "
            "kind that the file is"
        ) from error
    return _Blip(visual_encoder, text_encoder), head, image_size


@torch.no_grad()
def _try_out(trunk: _Blip, mlp: _Head, image_size: int, file: str) -> None:
    """Score nothing, on the meta device: sizes that do not work together show before any number is read."""
    pixels = torch.empty(1, 3, image_size, image_size, device="meta")
    ids = torch.zeros(1, LENGTH, dtype=torch.int64, device="meta")
    try:
        scores = mlp(trunk.text_encoder(ids, ids == 0, trunk.visual_encoder(pixels)))
    except (RuntimeError, ValueError, IndexError, ZeroDivisionError) as error:
        raise ValueError(
            f"{file} is not ImageReward v1 (the sizes of its layers do not work together): choose ImageReward.pt in 'checkpoint'"
        ) from error
    if scores.shape != (1,):
        raise ValueError(
            f"{file} is not ImageReward v1 (it does not give one number): choose ImageReward.pt in 'checkpoint'"
        )


def _depth(state: Mapping[str, torch.Tensor], pattern: str) -> int:
    return len({match[1] for key in state if (match := re.match(pattern, key))})


def _check(weights: Mapping[str, torch.Tensor], wanted: Mapping[str, torch.Tensor], file: str) -> None:
    missing, extra = wanted.keys() - weights.keys(), weights.keys() - wanted.keys()
    differing = [key for key in wanted.keys() & weights.keys() if wanted[key].shape != weights[key].shape]
    if missing or extra or differing:
        counts = f"{len(missing)} tensors missing, {len(extra)} unknown, {len(differing)} of another size"
        raise ValueError(
            f"{file} is no whole ImageReward v1 ({counts}; for example "
            f"{printable(min([*missing, *extra, *differing]), 80)}): download "
            "ImageReward.pt again"
        )
