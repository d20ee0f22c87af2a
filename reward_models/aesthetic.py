"""LAION aesthetic predictor v2: how much people like the look of an image, whatever it shows.

C. Schuhmann, improved-aesthetic-predictor, 2022: a chain of linear layers on the image embedding of OpenAI's CLIP
ViT-L/14, trained on SAC, LOGOS and AVA; file `sac+logos+ava1-l14-linearMSE.pth`. The CLIP is a file of its own.
"""

import os
from collections.abc import Callable, Sequence

import torch

from .base import RewardModel
from .checkpoint_file import read_checkpoint
from .clip_trunk import ClipTrunk
from .image_batch import ImageBatch

ARCHITECTURE = "ViT-L-14-quickgelu"
# Between them the training had dropout layers, and no activations
LAYERS = (0, 2, 4, 6, 7)


class Aesthetic(RewardModel):
    """Rating from 1 to 10; usual pictures have 4.5 to 7. head: (b, d) embeddings of length 1 -> (b, 1)."""

    name = "LAION aesthetic v2"
    reads_prompt = False

    def __init__(self, trunk: ClipTrunk, head: torch.nn.Module):
        super().__init__()
        self.trunk = trunk
        self.head = head

    def score_batch(self, batch: ImageBatch, prompts: Sequence[str]) -> torch.Tensor:
        """Rating of each image: (b,) float32."""
        return self.head(self.trunk.embed_images(batch)).squeeze(-1)


def load_aesthetic_head(checkpoint: str) -> torch.nn.Sequential:
    """Load the chain of linear layers, on the CPU in float32; ValueError if the file holds another model."""
    state, file = read_checkpoint(checkpoint), os.path.basename(checkpoint)
    wanted = {f"layers.{index}.{part}" for index in LAYERS for part in ("weight", "bias")}
    if state.keys() != wanted or state[f"layers.{LAYERS[-1]}.weight"].shape[0] != 1:
        examples = ", ".join(sorted(state)[:3])
        raise ValueError(
            f"{file} is no LAION aesthetic predictor v2 (its first tensors: {examples}): choose "
            "sac+logos+ava1-l14-linearMSE.pth, or another linear one, in 'file', and the CLIP in 'clip_file'"
        )
    weights = [(state[f"layers.{index}.weight"], state[f"layers.{index}.bias"]) for index in LAYERS]
    head = torch.nn.Sequential(*(torch.nn.Linear(weight.shape[1], weight.shape[0]) for weight, _ in weights))
    for layer, (weight, bias) in zip(head, weights, strict=True):
        layer.load_state_dict({"weight": weight, "bias": bias})
    return head.float().eval()


def load_aesthetic(
    checkpoint: str, clip_checkpoint: str, architecture: str, load_clip: Callable[[str, str], ClipTrunk]
) -> Aesthetic:
    """Load head and CLIP; ValueError if the head was trained on embeddings of another size than those of the CLIP."""
    head = load_aesthetic_head(checkpoint)
    trunk = load_clip(clip_checkpoint, architecture)
    if head[0].in_features != trunk.embedding_size:
        raise ValueError(
            f"{os.path.basename(checkpoint)} reads embeddings of {head[0].in_features} numbers, but "
            f"{os.path.basename(clip_checkpoint)} gives {trunk.embedding_size}: choose OpenAI's CLIP ViT-L/14 in 'clip_file'"
        )
    return Aesthetic(trunk, head)
