"""The kinds of reward model by the name that people choose; each model's code is imported when it is asked for."""

from collections.abc import Callable
from dataclasses import dataclass

from .base import RewardModel


@dataclass(frozen=True)
class RewardKind:
    """How one kind is loaded. `load(checkpoint, architecture)` gets None for what the kind does not need."""

    load: Callable[[str | None, str | None], RewardModel]
    needs_file: bool = False
    needs_architecture: bool = False


def _clip_score(checkpoint: str, architecture: str) -> RewardModel:
    from .clip_score import load_clip_score

    return load_clip_score(checkpoint, architecture)


def _brightness(_checkpoint: None, _architecture: None) -> RewardModel:
    from .brightness import Brightness

    return Brightness()


def _colourfulness(_checkpoint: None, _architecture: None) -> RewardModel:
    from .colourfulness import Colourfulness

    return Colourfulness()


# The names are promises: saved workflows hold them
REWARD_KINDS: dict[str, RewardKind] = {
    "CLIP score": RewardKind(_clip_score, needs_file=True, needs_architecture=True),
    "brightness": RewardKind(_brightness),
    "colourfulness": RewardKind(_colourfulness),
}


def load_reward_model(kind: str, checkpoint: str | None = None, architecture: str | None = None) -> RewardModel:
    """Load a reward model on the CPU, in float32 and evaluation mode.

    checkpoint: path of the file, for kinds that need one. architecture: see `load_clip_score`.
    What a kind does not need is ignored. ValueError for an unknown kind or for what is missing.
    """
    if kind not in REWARD_KINDS:
        raise ValueError(f"unknown kind of reward model {kind!r}; known are {', '.join(REWARD_KINDS)}")
    needs = REWARD_KINDS[kind]
    if needs.needs_file and not checkpoint:
        raise ValueError(f"{kind} needs a checkpoint file: choose one in 'file'")
    if needs.needs_architecture and not architecture:
        raise ValueError(f"{kind} needs an architecture: choose one in 'architecture'")
    model = needs.load(checkpoint if needs.needs_file else None, architecture if needs.needs_architecture else None)
    return model.float().eval().requires_grad_(False)
