"""The kinds of reward model by the name that people choose; each model's code is imported when it is asked for."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from .base import RewardModel
from .clip_architecture import FOLDER_CONFIG

if TYPE_CHECKING:
    from .clip_trunk import ClipTrunk


@dataclass(frozen=True, kw_only=True)
class RewardSource:
    """All that a reward model can be made of; each kind reads only what it needs, see `load_reward_model`."""

    checkpoint: str | None
    architecture: str | None
    clip_checkpoint: str | None
    reference: torch.Tensor | None
    text: str
    load_clip: "Callable[[str, str], ClipTrunk]"

    def clip(self, own: str | None = None) -> "ClipTrunk":
        """The CLIP in `checkpoint`. own: the architecture of a kind that has only one, unless a file beside it says more."""
        chosen = own if own and self.architecture != FOLDER_CONFIG else self.architecture
        return self.load_clip(self.checkpoint, chosen)


@dataclass(frozen=True)
class RewardKind:
    """How one kind is loaded and what it needs besides."""

    load: Callable[[RewardSource], RewardModel]
    needs_file: bool = False
    needs_architecture: bool = False
    needs_clip_file: bool = False
    needs_reference: bool = False


def _clip_score(source: RewardSource) -> RewardModel:
    from .clip_score import ClipScore

    return ClipScore(source.clip())


def _clip_image_similarity(source: RewardSource) -> RewardModel:
    from .clip_image_similarity import ClipImageSimilarity

    return ClipImageSimilarity(source.clip(), source.reference)


def _clip_negative_prompt(source: RewardSource) -> RewardModel:
    from .clip_negative_prompt import ClipNegativePrompt

    return ClipNegativePrompt(source.clip(), source.text)


def _pick_score(source: RewardSource) -> RewardModel:
    from .pick_score import ARCHITECTURE, PickScore

    return PickScore(source.clip(ARCHITECTURE), file=source.checkpoint)


def _hps_v2(source: RewardSource) -> RewardModel:
    from .hps_v2 import ARCHITECTURE, HpsV2

    return HpsV2(source.clip(ARCHITECTURE), "v2")


def _hps_v2_1(source: RewardSource) -> RewardModel:
    from .hps_v2 import ARCHITECTURE, HpsV2

    return HpsV2(source.clip(ARCHITECTURE), "v2.1")


def _aesthetic(source: RewardSource) -> RewardModel:
    from .aesthetic import ARCHITECTURE, load_aesthetic

    architecture = FOLDER_CONFIG if source.architecture == FOLDER_CONFIG else ARCHITECTURE
    return load_aesthetic(source.checkpoint, source.clip_checkpoint, architecture, source.load_clip)


def _image_reward(source: RewardSource) -> RewardModel:
    from .image_reward import load_image_reward

    return load_image_reward(source.checkpoint)


def _brightness(_source: RewardSource) -> RewardModel:
    from .brightness import Brightness

    return Brightness()


def _colourfulness(_source: RewardSource) -> RewardModel:
    from .colourfulness import Colourfulness

    return Colourfulness()


def _contrast(_source: RewardSource) -> RewardModel:
    from .contrast import Contrast

    return Contrast()


def _sharpness(_source: RewardSource) -> RewardModel:
    from .sharpness import Sharpness

    return Sharpness()


def _symmetry(_source: RewardSource) -> RewardModel:
    from .symmetry import Symmetry

    return Symmetry()


def _palette_match(source: RewardSource) -> RewardModel:
    from .palette_match import PaletteMatch

    return PaletteMatch(source.reference)


# The names are promises: saved workflows hold them
REWARD_KINDS: dict[str, RewardKind] = {
    "CLIP score": RewardKind(_clip_score, needs_file=True, needs_architecture=True),
    "brightness": RewardKind(_brightness),
    "colourfulness": RewardKind(_colourfulness),
    "PickScore": RewardKind(_pick_score, needs_file=True),
    "HPS v2.1": RewardKind(_hps_v2_1, needs_file=True),
    "HPS v2": RewardKind(_hps_v2, needs_file=True),
    "LAION aesthetic v2": RewardKind(_aesthetic, needs_file=True, needs_clip_file=True),
    "ImageReward": RewardKind(_image_reward, needs_file=True),
    "CLIP image similarity": RewardKind(
        _clip_image_similarity, needs_file=True, needs_architecture=True, needs_reference=True
    ),
    "CLIP negative prompt": RewardKind(_clip_negative_prompt, needs_file=True, needs_architecture=True),
    "contrast": RewardKind(_contrast),
    "sharpness": RewardKind(_sharpness),
    "symmetry": RewardKind(_symmetry),
    "palette match": RewardKind(_palette_match, needs_reference=True),
}


def load_reward_model(
    kind: str,
    checkpoint: str | None = None,
    architecture: str | None = None,
    *,
    clip_checkpoint: str | None = None,
    reference: torch.Tensor | None = None,
    text: str = "",
    load_clip: "Callable[[str, str], ClipTrunk] | None" = None,
) -> RewardModel:
    """Load a reward model on the CPU, in float32 and evaluation mode. What a kind does not need is ignored.

    checkpoint: path of the file. architecture: of a CLIP, see `load_clip_trunk`; kinds with an architecture of their own
    heed only FOLDER_CONFIG. clip_checkpoint: the CLIP of a kind whose file is a head. reference: (r, 3, H, W) in [0, 1],
    the pictures to resemble. text: what the kind CLIP negative prompt avoids. load_clip: another way to get a trunk than
    `load_clip_trunk`, such as one that shares it; such a trunk is left as it is.
    ValueError for an unknown kind or for what is missing, and what the model's own loader raises.
    """
    if kind not in REWARD_KINDS:
        raise ValueError(f"unknown kind of reward model {kind!r}; known are {', '.join(REWARD_KINDS)}")
    needs = REWARD_KINDS[kind]
    if needs.needs_file and not checkpoint:
        raise ValueError(f"{kind} needs a checkpoint file: choose one in 'file'")
    if needs.needs_architecture and not architecture:
        raise ValueError(f"{kind} needs an architecture: choose one in 'architecture'")
    if needs.needs_clip_file and not clip_checkpoint:
        raise ValueError(f"{kind} reads the embeddings of a CLIP: choose OpenAI's ViT-L/14 in 'clip_file'")
    if needs.needs_reference and reference is None:
        raise ValueError(f"{kind} compares with a picture: connect one to 'reference'")
    if load_clip is None:
        from .clip_trunk import load_clip_trunk as load_clip
    source = RewardSource(
        checkpoint=checkpoint,
        architecture=architecture,
        clip_checkpoint=clip_checkpoint,
        reference=reference,
        text=text,
        load_clip=load_clip,
    )
    return needs.load(source).eval().requires_grad_(False)
