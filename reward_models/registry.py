"""The kinds of reward model by the name that people choose: how each is loaded, and what it needs."""

from collections.abc import Callable
from dataclasses import dataclass

import torch

from . import aesthetic, hps_v2, pick_score
from .base import RewardModel
from .brightness import Brightness
from .clip_architecture import FOLDER_CONFIG
from .clip_image_similarity import ClipImageSimilarity
from .clip_negative_prompt import ClipNegativePrompt
from .clip_score import ClipScore
from .clip_trunk import ClipTrunk, load_clip_trunk
from .colourfulness import Colourfulness
from .contrast import Contrast
from .image_reward import load_image_reward
from .palette_match import PaletteMatch
from .printable import printable
from .sharpness import Sharpness
from .symmetry import Symmetry

CHECKPOINT, ARCHITECTURE, CLIP_CHECKPOINT, REFERENCE = "checkpoint", "architecture", "clip_checkpoint", "reference"
_ASKED_FOR = {
    CHECKPOINT: "needs a model file: choose one in 'checkpoint'",
    ARCHITECTURE: "needs an architecture: choose one in 'architecture'",
    CLIP_CHECKPOINT: "reads the embeddings of a CLIP: choose OpenAI's ViT-L/14 in 'clip_checkpoint'",
    REFERENCE: "compares with a picture: connect one to 'reference'",
}


@dataclass(frozen=True, kw_only=True)
class RewardSource:
    """All that a reward model can be made of; each kind reads only what it needs, see `load_reward_model`."""

    checkpoint: str | None
    architecture: str | None
    clip_checkpoint: str | None
    reference: torch.Tensor | None
    text: str
    load_clip: Callable[[str, str], ClipTrunk]

    def architecture_or(self, own: str) -> str:
        """The architecture of a kind that has only one, unless a file beside the checkpoint says more."""
        return FOLDER_CONFIG if self.architecture == FOLDER_CONFIG else own

    def clip(self, own: str | None = None) -> ClipTrunk:
        """The CLIP in `checkpoint`, of the kind's own architecture if it has one."""
        return self.load_clip(self.checkpoint, self.architecture_or(own) if own else self.architecture)


@dataclass(frozen=True)
class RewardKind:
    """How one kind is loaded, and which parameters of `load_reward_model` it needs besides."""

    load: Callable[[RewardSource], RewardModel]
    needs: tuple[str, ...] = ()


# The names are promises: saved workflows hold them
REWARD_KINDS: dict[str, RewardKind] = {
    "CLIP score": RewardKind(lambda source: ClipScore(source.clip()), (CHECKPOINT, ARCHITECTURE)),
    "brightness": RewardKind(lambda source: Brightness()),
    "colourfulness": RewardKind(lambda source: Colourfulness()),
    "PickScore": RewardKind(
        lambda source: pick_score.PickScore(source.clip(pick_score.ARCHITECTURE), file=source.checkpoint), (CHECKPOINT,)
    ),
    "HPS v2.1": RewardKind(lambda source: hps_v2.HpsV2(source.clip(hps_v2.ARCHITECTURE), "v2.1"), (CHECKPOINT,)),
    "HPS v2": RewardKind(lambda source: hps_v2.HpsV2(source.clip(hps_v2.ARCHITECTURE), "v2"), (CHECKPOINT,)),
    "LAION aesthetic v2": RewardKind(
        lambda source: aesthetic.load_aesthetic(
            source.checkpoint, source.clip_checkpoint, source.architecture_or(aesthetic.ARCHITECTURE), source.load_clip
        ),
        (CHECKPOINT, CLIP_CHECKPOINT),
    ),
    "ImageReward": RewardKind(lambda source: load_image_reward(source.checkpoint), (CHECKPOINT,)),
    "CLIP image similarity": RewardKind(
        lambda source: ClipImageSimilarity(source.clip(), source.reference), (CHECKPOINT, ARCHITECTURE, REFERENCE)
    ),
    "CLIP negative prompt": RewardKind(
        lambda source: ClipNegativePrompt(source.clip(), source.text), (CHECKPOINT, ARCHITECTURE)
    ),
    "contrast": RewardKind(lambda source: Contrast()),
    "sharpness": RewardKind(lambda source: Sharpness()),
    "symmetry": RewardKind(lambda source: Symmetry()),
    "palette match": RewardKind(lambda source: PaletteMatch(source.reference), (REFERENCE,)),
}


def load_reward_model(
    kind: str,
    checkpoint: str | None = None,
    architecture: str | None = None,
    *,
    clip_checkpoint: str | None = None,
    reference: torch.Tensor | None = None,
    text: str = "",
    load_clip: Callable[[str, str], ClipTrunk] = load_clip_trunk,
) -> RewardModel:
    """Load a reward model on the CPU, in float32 and evaluation mode. What a kind does not need is ignored.

    checkpoint: path of the file. architecture: of a CLIP, see `load_clip_trunk`; kinds with an architecture of their own
    heed only FOLDER_CONFIG. clip_checkpoint: the CLIP of a kind whose file is a head. reference: (r, 3, H, W) in [0, 1],
    the pictures to resemble. text: what the kind CLIP negative prompt avoids. load_clip: another way to get a trunk than
    `load_clip_trunk`, such as one that shares it; such a trunk is left as it is.
    ValueError for an unknown kind or for what is missing, and what the model's own loader raises; messages put the names
    of these parameters into quotes.
    """
    if kind not in REWARD_KINDS:
        raise ValueError(
            f"there is no kind of reward model {printable(repr(kind), 80)}: choose {', '.join(REWARD_KINDS)}"
        )
    source = RewardSource(
        checkpoint=checkpoint or None,
        architecture=architecture or None,
        clip_checkpoint=clip_checkpoint or None,
        reference=reference,
        text=text,
        load_clip=load_clip,
    )
    for need in REWARD_KINDS[kind].needs:
        if getattr(source, need) is None:
            raise ValueError(f"{kind} {_ASKED_FOR[need]}")
    return REWARD_KINDS[kind].load(source).eval().requires_grad_(False)
