"""Rows of a seed's noise, sampled and judged with the time that each takes: what LiDAR Measure Drafts is made of."""

import time
from dataclasses import dataclass

import torch
from torch import Tensor

from ..values.finish import cut_step
from .draw import Task, draw
from .finished import decoded
from .hosted_reward_model import HostedRewardModel
from .image_layout import channels_first
from .scoring import score_with_models

SHARES = (0.25, 0.4, 0.5)
"""Where a final image is judged on its way, as shares of its steps."""
_SMALL = 32  # pixels on the shorter side: what a picture shows, without its texture


@dataclass(frozen=True, eq=False)
class SampledRows:
    latents: dict[float, Tensor]
    """Share of the steps that are done -> (n, *S): finished at 1, predicted before."""
    seconds: float
    """For all rows."""
    drafts: bool
    """Whether they are drafts, or final images."""


@dataclass(frozen=True, eq=False)
class JudgedRows:
    scores: dict[float, tuple[Tensor, ...]]
    """Share of the steps that are done -> (n,) of each reward model."""
    small: Tensor
    """(n, 3, h, w) the finished pictures, reduced."""
    seconds: tuple[float, float, float]
    """A picture: sampling it, one decode, one score."""
    drafts: bool


def sample_rows(model, task: Task, rows: range, *, at_once: int, drafts: bool) -> SampledRows:
    """Draw these rows as the host's KSampler draws them; of final images also what they are predicted to become at SHARES."""
    steps = len(task.sigmas(model)) - 1
    cuts = [] if drafts or steps < 2 else sorted({cut_step(share, steps) for share in SHARES})
    seen: dict[int, dict[int, Tensor]] = {cut: {} for cut in cuts}

    def watch(place: int, step: int, x0: Tensor) -> None:
        for cut in cuts:
            if step < cut:  # the last one stays, with samplers that skip steps too
                seen[cut][place] = x0

    began = time.perf_counter()
    what = "draft" if drafts else "image"
    drawn = draw(model, task, task.noise(rows), at_once=at_once, rows=rows, what=what, watch=watch)
    seconds = time.perf_counter() - began
    latents = {1.0: drawn.samples}
    for cut, predicted in seen.items():
        x0 = torch.cat([predicted[place] for place in sorted(predicted)])
        latents[cut / steps] = model.model.process_latent_out(x0.float()).to(drawn.samples)
    return SampledRows(latents, seconds, drafts)


def judge_rows(
    rows: SampledRows, vae, models: list[HostedRewardModel], prompt: str, batch_size: int, *, steady: bool
) -> JudgedRows:
    """Decode and score what was sampled."""
    scores, decode, score = {}, 0.0, 0.0
    count = len(rows.latents[1.0])
    for share, latents in rows.latents.items():
        began = time.perf_counter()
        images = decoded(vae, {"samples": latents})
        reduced = _reduced(images)
        decode += time.perf_counter() - began
        if share == 1:
            small = reduced
        began = time.perf_counter()
        found = score_with_models(models, images, prompt, batch_size, steady=steady)
        score += time.perf_counter() - began
        scores[share] = tuple(found[model] for model in models)
    pictures = count * len(rows.latents)
    return JudgedRows(scores, small, (rows.seconds / count, decode / pictures, score / pictures), rows.drafts)


def _reduced(images: Tensor) -> Tensor:
    pixels = channels_first(images)
    height, width = pixels.shape[-2:]
    zoom = min(1.0, _SMALL / min(height, width))
    size = (max(1, round(height * zoom)), max(1, round(width * zoom)))
    return torch.nn.functional.adaptive_avg_pool2d(pixels.float(), size).cpu()
