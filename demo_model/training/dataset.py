"""The drawn training set: prompts of the training split, balanced over the kinds, each with a scene and its image."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..grammar import KINDS, PROMPTS
from ..scenes import Scene, draw_scene, render

KIND_SHARES = {
    "single object": 0.04,
    "two objects": 0.12,
    "counting": 0.18,
    "colours": 0.06,
    "position": 0.36,
    "colour attribution": 0.24,
}


@dataclass(frozen=True)
class Scenes:
    """`images` (N,3,64,64) uint8, with the prompt that each was drawn for and its scene."""

    images: Tensor
    prompts: list[str]
    scenes: list[Scene]


def draw_dataset(count: int, seed: int) -> Scenes:
    """`count` scenes; prompts that are held out never occur."""
    rng = np.random.default_rng(seed)
    by_kind = {k: [p for p in PROMPTS.values() if p.kind == k and not p.held_out] for k in KINDS}
    shares = np.array([KIND_SHARES[k] for k in KINDS])
    images = torch.empty(count, 3, 64, 64, dtype=torch.uint8)
    prompts, scenes = [], []
    for i in range(count):
        candidates = by_kind[str(rng.choice(KINDS, p=shares / shares.sum()))]
        prompt = candidates[int(rng.integers(len(candidates)))]
        scene = draw_scene(prompt, rng)
        images[i] = torch.from_numpy(np.round(render(scene) * 255).astype(np.uint8)).permute(2, 0, 1)
        prompts.append(prompt.text)
        scenes.append(scene)
    return Scenes(images, prompts, scenes)


def to_pixels(images: Tensor) -> Tensor:
    """uint8 images -> float pixels in [-1, 1]."""
    return images.float() / 127.5 - 1
