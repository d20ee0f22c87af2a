"""A sound little CLIP, aesthetic head and ImageReward on disk, which the hostile cases spoil in one way each."""

import gzip
import json
import sys
from dataclasses import dataclass, field
from pathlib import Path

import torch
from safetensors.torch import save_file

sys.path.insert(0, str(Path(__file__).parents[1] / "references"))
from closed_form import closed_form_weights  # noqa: E402

CONFIG = "open_clip_config.json"
MERGES = ["#version", "r e", "re d</w>"]
TOKENS = 512 + len(MERGES) - 1 + 2
TINY = {
    "embed_dim": 8,
    "vision_cfg": {"image_size": 16, "layers": 1, "width": 32, "head_width": 16, "patch_size": 8},
    "text_cfg": {
        "context_length": 12, "vocab_size": TOKENS, "width": 16, "heads": 2, "layers": 1,
        "tokenizer_kwargs": {"bpe_path": "words.gz"},
    },
}  # fmt: skip
IMAGE_REWARD = json.loads((Path(__file__).parents[1] / "references" / "image_reward.json").read_text())
AESTHETIC_LAYERS = (0, 2, 4, 6, 7)


@dataclass(frozen=True)
class Case:
    """A file to load as `kind`.

    blamed: what the message may name instead of the file. loads: whether it is sound, None for either. other_weights: its
    numbers may be finite and absurd, so that scores need not be finite, which is told when they are given.
    """

    path: Path
    kind: str = "CLIP score"
    architecture: str = CONFIG
    blamed: str | None = None
    loads: bool | None = False
    other_weights: bool = False
    options: dict = field(default_factory=dict)


def tiny_state():
    """Tensors of the CLIP that TINY describes, by open_clip's names."""
    import open_clip

    torch.manual_seed(0)
    return {key: tensor.clone() for key, tensor in open_clip.CLIP(**TINY).state_dict().items()}


def aesthetic_state(sizes=(8, 6, 5, 4, 3, 1)):
    torch.manual_seed(1)
    state = {}
    for index, given, wanted in zip(AESTHETIC_LAYERS, sizes, sizes[1:], strict=False):
        state[f"layers.{index}.weight"], state[f"layers.{index}.bias"] = torch.randn(wanted, given), torch.randn(wanted)
    return state


def image_reward_state():
    return closed_form_weights(IMAGE_REWARD["shapes"])


def write_config(folder, config=TINY, **more):
    """Write configuration and vocabulary into the folder."""
    (folder / CONFIG).write_text(json.dumps({"model_cfg": config, **more}))
    (folder / "words.gz").write_bytes(gzip.compress("\n".join(MERGES).encode()))


def write_clip(folder, name="tiny.safetensors", state=None):
    """Write a whole little CLIP and return the path of its checkpoint."""
    write_config(folder)
    path = folder / name
    state = tiny_state() if state is None else state
    save_file(state, path) if name.endswith(".safetensors") else torch.save(state, path)
    return path
