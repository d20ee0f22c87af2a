"""LAION aesthetic predictor v2: how much people like the look of an image, whatever it shows.

C. Schuhmann, improved-aesthetic-predictor, 2022: a chain of linear layers on the image embedding of OpenAI's CLIP
ViT-L/14, trained on SAC, LOGOS and AVA; file `sac+logos+ava1-l14-linearMSE.pth`. The CLIP is a file of its own.
"""

from collections.abc import Callable, Mapping, Sequence

import torch

from .base import RewardModel
from .checkpoint_file import first_names, open_checkpoint
from .clip_trunk import ClipTrunk
from .image_batch import ImageBatch
from .regular_file import shown_name
from .weights import check_numbers, check_types

ARCHITECTURE = "ViT-L-14-quickgelu"
# Between them the training had dropout layers, and no activations
LAYERS = (0, 2, 4, 6, 7)
# Far above the 1024 of the authors' head; a damaged file does not make a giant of it
_WIDEST = 16384


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
    with open_checkpoint(checkpoint) as opened:
        if not _is_chain(opened.tensors):
            raise ValueError(
                f"{opened.name} is no LAION aesthetic predictor v2 (its first tensors: {first_names(opened.tensors)}): choose "
                "sac+logos+ava1-l14-linearMSE.pth, or another linear one, in 'checkpoint', and the CLIP in 'clip_checkpoint'"
            )
        check_types(opened.tensors, opened.name)
        state = opened.read(opened.tensors)
    check_numbers(state, opened.name)
    weights = [(state[f"layers.{index}.weight"], state[f"layers.{index}.bias"]) for index in LAYERS]
    head = torch.nn.Sequential(*(torch.nn.Linear(weight.shape[1], weight.shape[0]) for weight, _ in weights))
    for layer, (weight, bias) in zip(head, weights, strict=True):
        layer.load_state_dict({"weight": weight, "bias": bias})
    return head.float().eval()


def _is_chain(tensors: Mapping[str, torch.Tensor]) -> bool:
    """True if the tensors are those of linear layers that follow each other, down to one number."""
    if tensors.keys() != {f"layers.{index}.{part}" for index in LAYERS for part in ("weight", "bias")}:
        return False
    weights, biases = ([tensors[f"layers.{index}.{part}"] for index in LAYERS] for part in ("weight", "bias"))
    if any(weight.ndim != 2 for weight in weights):
        return False
    sizes = [weights[0].shape[1], *(weight.shape[0] for weight in weights)]
    follow = [tuple(weight.shape) for weight in weights] == list(zip(sizes[1:], sizes, strict=False))
    return (
        follow
        and [tuple(bias.shape) for bias in biases] == [(size,) for size in sizes[1:]]
        and all(1 <= size <= _WIDEST for size in sizes)
        and sizes[-1] == 1
    )


def load_aesthetic(
    checkpoint: str, clip_checkpoint: str, architecture: str, load_clip: Callable[[str, str], ClipTrunk]
) -> Aesthetic:
    """Load head and CLIP; ValueError if the head was trained on embeddings of another size than those of the CLIP."""
    head = load_aesthetic_head(checkpoint)
    trunk = load_clip(clip_checkpoint, architecture)
    if head[0].in_features != trunk.embedding_size:
        raise ValueError(
            f"{shown_name(checkpoint)} reads embeddings of {head[0].in_features} numbers, but "
            f"{shown_name(clip_checkpoint)} gives {trunk.embedding_size}: choose OpenAI's CLIP ViT-L/14 in 'clip_checkpoint'"
        )
    return Aesthetic(trunk, head)
