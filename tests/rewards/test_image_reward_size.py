"""ImageReward at its true size against the authors' model, frozen as for test_image_reward.py; shapes only, no memory."""

import hashlib
import json
import math
from pathlib import Path

import torch

from reward_models.image_reward.model import _build

FROZEN = json.loads((Path(__file__).parent / "references" / "image_reward.json").read_text())


def test_the_true_size_has_the_tensors_and_parameters_of_the_authors_model():
    """On the meta device; the authors' model is frozen as a hash over the names and shapes of its tensors."""
    image, text = "blip.visual_encoder", "blip.text_encoder"
    sizes = {
        f"{image}.patch_embed.proj.weight": (1024, 3, 16, 16),
        f"{image}.pos_embed": (1, 197, 1024),
        f"{image}.blocks.0.mlp.fc1.weight": (4096, 1024),
        f"{text}.embeddings.word_embeddings.weight": (30524, 768),
        f"{text}.embeddings.position_embeddings.weight": (512, 768),
        f"{text}.encoder.layer.0.intermediate.dense.weight": (3072, 768),
        f"{text}.encoder.layer.0.crossattention.self.key.weight": (768, 1024),
        **{f"mlp.layers.{index}.weight": (size, 1) for index, size in ((0, 1024), (2, 128), (4, 64), (6, 16), (7, 1))},
    }
    sizes |= {f"{image}.blocks.{index}.norm1.bias": (1,) for index in range(24)}
    sizes |= {f"{text}.encoder.layer.{index}.output.dense.bias": (1,) for index in range(12)}
    with torch.device("meta"):
        trunk, head, image_size = _build({name: torch.empty(size) for name, size in sizes.items()}, "x.pt")
    parameters = {**trunk.state_dict(prefix="blip."), **head.state_dict(prefix="mlp.")}
    shapes = {name: tuple(parameter.shape) for name, parameter in parameters.items()}
    for not_read, width in (("vision_proj", 1024), ("text_proj", 768)):
        shapes |= {f"blip.{not_read}.weight": (256, width), f"blip.{not_read}.bias": (256,)}
    assert image_size == 224
    assert sum(math.prod(shape) for shape in shapes.values()) == 446_665_953 == FROZEN["full_size"]["parameters"]
    shapes[f"{text}.embeddings.position_ids"] = (1, 512)
    lines = sorted(f"{name} {shape}" for name, shape in shapes.items())
    assert len(lines) == 625 == FROZEN["full_size"]["tensors"]
    assert hashlib.sha256("\n".join(lines).encode()).hexdigest() == FROZEN["full_size"]["sha256"]
