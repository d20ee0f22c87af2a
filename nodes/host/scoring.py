"""Scores the host's IMAGE batches with reward models; the only place that sizes batches."""

import itertools
from collections.abc import Container, Sequence
from typing import NamedTuple

import comfy.model_management as mm
import comfy.utils
import torch

from ...lidar_core import Combination
from ...reward_models.image_batch import ImageBatch
from ...reward_models.shifted_views import shifted_views
from ..values.held_out import Change, change
from .combined_reward import CombinedReward
from .hosted_reward_model import HostedRewardModel
from .image_layout import channels_first

# Working memory an image: measured 12 to 34 MiB in float32 for ViT-L/14, ViT-H/14 and bigG at 224 px and L/14 at 336 px
_ACTIVATION_BYTES = 64 * 2**20
# Working memory in copies of the image: measured 2.4 besides the image itself
_IMAGE_COPIES = 5


class Scores(NamedTuple):
    """What one LIDAR_REWARD_MODEL says of n images: rewards (n,) float32; columns: each member's own scores, (n,), by name;
    judges: the same, turned round where the member's weight is negative; combination: how the rewards follow from columns, ()
    where they are one of them."""

    name: str
    rewards: torch.Tensor
    columns: dict[str, torch.Tensor]
    judges: dict[str, torch.Tensor]
    combination: Combination


def score_images(
    rewards: Sequence[HostedRewardModel | CombinedReward],
    images: torch.Tensor,
    prompts: str | Sequence[str],
    batch_size: int,
    *,
    steady: bool = False,
) -> list[Scores]:
    """Score every image with every reward: `score_with_models`, then `scores_of` for each."""
    scores = score_with_models(models_of(rewards), images, prompts, batch_size, steady=steady)
    return [scores_of(reward, scores) for reward in rewards]


def models_of(rewards: Sequence[HostedRewardModel | CombinedReward]) -> list[HostedRewardModel]:
    """Return the reward models that the rewards are made of, each once."""
    return list(dict.fromkeys(model for reward in rewards for model in reward.models))


def score_with_models(
    models: Sequence[HostedRewardModel],
    images: torch.Tensor,
    prompts: str | Sequence[str],
    batch_size: int,
    *,
    steady: bool = False,
) -> dict[HostedRewardModel, torch.Tensor]:
    """Score every image with every model, at most `batch_size` images at a time, obeying cancel between batches.

    images: IMAGE (n, H, W, C) in [0, 1]. prompts: one text for all images, or n texts. Models that share a trunk run
    after each other, so that it is loaded once. steady: the mean over five slightly moved views of each image. Returns
    (n,) float32 on the CPU for each model. ValueError for an empty prompt if a model reads it, for what is no IMAGE,
    for batch_size below 1 and for a score that is not finite.
    """
    images = channels_first(images)
    prompts = [prompts] * len(images) if isinstance(prompts, str) else list(prompts)
    if len(prompts) != len(images):
        raise ValueError(
            f"there are {len(prompts)} prompts for {len(images)} images: give one for all, or one an image"
        )
    if batch_size < 1:
        raise ValueError(f"batch_size must be 1 or more, got {batch_size}")
    require_prompts(models, prompts)
    scores = _score(models, images, prompts, batch_size, steady)
    for model in models:
        _check_finite(scores[model], images, model.name)
    return scores


def require_prompts(models: Sequence[HostedRewardModel], prompts: Sequence[str]) -> None:
    """Raise ValueError where a model reads the prompt and one of the prompts is empty."""
    for model in models:
        if model.model.reads_prompt and not all(prompt.strip() for prompt in prompts):
            raise ValueError(
                f"{model.name} compares images with a text, and 'prompt' is empty: write into it, or into the node that is "
                "linked to it, what the image should show; usually the positive prompt"
            )


def scores_of(reward: HostedRewardModel | CombinedReward, scores: dict[HostedRewardModel, torch.Tensor]) -> Scores:
    """Return what one reward makes of the scores of its models."""
    columns: dict[str, torch.Tensor] = {}
    judges: dict[str, torch.Tensor] = {}
    names: dict[HostedRewardModel, str] = {}
    for model in reward.models:
        names[model] = name = unused_name(model.name, columns)
        columns[name] = scores[model]
        judges[name] = -scores[model] if reward.direction(model) < 0 else scores[model]
    combination = reward.named(names) if isinstance(reward, CombinedReward) else ()
    return Scores(reward.name, reward.total(scores), columns, judges, combination)


def columns_of(
    rewards: Sequence[HostedRewardModel | CombinedReward], scores: dict[HostedRewardModel, torch.Tensor]
) -> tuple[dict[str, torch.Tensor], list[str]]:
    """Return the scores by name, each reward followed by the members that it is made of; and the names of the rewards."""
    columns, names = {}, []
    for reward in rewards:
        result = scores_of(reward, scores)
        names.append(unused_name(result.name, columns))
        columns[names[-1]] = result.rewards
        if len(result.columns) > 1:
            columns |= {unused_name(name, columns): values for name, values in result.columns.items()}
    return columns, names


def changes_of(
    rewards: Sequence[HostedRewardModel | CombinedReward],
    before: dict[HostedRewardModel, torch.Tensor],
    after: dict[HostedRewardModel, torch.Tensor],
) -> dict[str, Change]:
    """Return how each column of `columns_of` changed from one batch to another.

    A combination is standardised over both batches together, or it could not be compared.
    """
    both, _ = columns_of(rewards, {model: torch.cat((before[model], after[model])) for model in after})
    count = len(next(iter(before.values())))
    return {name: change(values[:count], values[count:]) for name, values in both.items()}


def unused_name(name: str, used: Container[str]) -> str:
    """Return name, or "name (2)" and so on if it is used already."""
    numbered = (name if number == 1 else f"{name} ({number})" for number in itertools.count(1))
    return next(each for each in numbered if each not in used)


def _score(models, images, prompts, batch_size, steady) -> dict[HostedRewardModel, torch.Tensor]:
    image_memory = _IMAGE_COPIES * images[0].numel() * 4 + _ACTIVATION_BYTES
    batch_size = min(batch_size, len(images))
    views = list(shifted_views(images)) if steady else [images]
    progress = comfy.utils.ProgressBar(len(images) * len(models) * len(views))
    scores = {model: torch.zeros(len(images)) for model in models}
    batches: dict[tuple, ImageBatch] = {}
    done = 0
    # Those that share a trunk after each other, so that it is loaded once
    for model in sorted(models, key=lambda model: id(model.patcher)):
        device = model.load(batch_size * image_memory)
        fitting = max(1, int(mm.get_free_memory(device) // image_memory))
        batch_size = min(batch_size, fitting)
        for start in range(0, len(images), batch_size):
            part = slice(start, start + batch_size)
            for number, view in enumerate(views):
                mm.throw_exception_if_processing_interrupted()
                given = view[part]
                batch = batches.setdefault((number, start, len(given), device), ImageBatch(given, device))
                scores[model][part] += model.score_batch(batch, prompts[part]) / len(views)
                done += len(given)
                progress.update_absolute(done)
    return scores


def _check_finite(scores: torch.Tensor, images: torch.Tensor, name: str) -> None:
    bad = (~scores.isfinite()).nonzero().flatten().tolist()
    if not bad:
        return
    if images[bad[0]].isfinite().all():
        advice = "the image is sound, so the checkpoint of the reward model is damaged or unfit: choose another 'file'"
    else:
        advice = "the image itself is not finite: start ComfyUI with --fp32-vae, or use another VAE"
    raise ValueError(f"{name} gave {scores[bad[0]]:g} for image {bad[0] + 1} of {len(scores)}: {advice}")
