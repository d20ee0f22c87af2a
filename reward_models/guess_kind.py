"""What kind of reward model a file holds, told from its tensors, and from its name where the tensors cannot tell."""

import os
import re
from typing import NamedTuple

from .checkpoint_file import first_names, open_checkpoint
from .clip_shape import shape_of_state
from .transformers_clip import is_transformers_clip, to_open_clip


class Guess(NamedTuple):
    """kind: a name of REWARD_KINDS. reason: for people, what the guess rests on."""

    kind: str
    reason: str


def guess_kind(checkpoint: str) -> Guess:
    """Guess the kind of a .safetensors, .pt, .pth or .bin file.

    PickScore and HPS are CLIPs of one shape with others: they go by their name or that of their folder, as PickScore's
    own file is called model.safetensors. ValueError, FileNotFoundError: one line, as `open_checkpoint`, and if the tensors
    are those of no kind.
    """
    folder, file = os.path.split(os.path.abspath(checkpoint))
    with open_checkpoint(checkpoint) as opened:
        state = opened.tensors
    # CycleReward has the same towers, but activations in its head, whose last layer is therefore number 8
    if any(key.startswith("blip.") for key in state) and "mlp.layers.7.weight" in state:
        return Guess("ImageReward", "by its tensors")
    if "layers.0.weight" in state and all(key.startswith("layers.") for key in state):
        return Guess("LAION aesthetic v2", "by its tensors")
    shape = shape_of_state(to_open_clip(state) if is_transformers_clip(state) else state)
    is_clip = any(key.startswith(("visual.", "vision_model.")) for key in state)
    if not is_clip:
        raise ValueError(
            f"{opened.name} is no reward model that is known here (its first tensors: {first_names(state)}): choose another "
            "'checkpoint', or the kind that it is"
        )
    if shape is not None and (shape.image_width, shape.image_layers, shape.text_width) == (1280, 32, 1024):
        for name in (file, os.path.basename(folder)):
            name = re.sub(r"[^a-z0-9]", "", name.lower())
            if "pickscore" in name:
                return Guess("PickScore", "a CLIP ViT-H/14, by its name")
            if "hps" in name:
                return Guess("HPS v2.1" if re.search("hpsv?21", name) else "HPS v2", "a CLIP ViT-H/14, by its name")
        return Guess("CLIP score", "a CLIP ViT-H/14; if it is PickScore or HPS, choose that kind")
    return Guess("CLIP score", "a CLIP, by its tensors")
