"""The lookaheads out of the host's sampler, a few at a time, with its progress and previews."""

from collections.abc import Iterator
from contextlib import contextmanager

import comfy.model_management
import comfy.sample
import comfy.utils
import latent_preview
import torch
from torch import Tensor

from .chunk_size import fitting_chunk


def draw_lookaheads(
    model,
    start: Tensor,
    noise_mask: Tensor | None,
    *,
    positive,
    negative,
    seed: int,
    count: int,
    steps: int,
    cfg: float,
    sampler_name: str,
    scheduler: str,
    denoise: float,
    batch_size: int,
) -> Tensor:
    """Return (count, *S): `count` samples from the latent `start` (1, *S), at most `batch_size` at once.

    Row i has the noise that the host's KSampler draws for batch_index [i] of this seed, whatever the batch size.
    ValueError for a lookahead that is not finite.
    """
    start = start.repeat(count, *[1] * (start.ndim - 1))
    noise = comfy.sample.prepare_noise(start, seed, range(count))
    batch_size = fitting_chunk(model, start.shape[1:], batch_size)
    chunks = range(0, count, batch_size)
    show_step = latent_preview.prepare_callback(model, len(chunks) * steps)
    samples = []
    for index, first in enumerate(chunks):

        def on_step(step, x0, x, total_steps, index=index):
            comfy.model_management.throw_exception_if_processing_interrupted()
            show_step(index * total_steps + step, x0, x, len(chunks) * total_steps)

        part = slice(first, first + batch_size)
        with _told_of_batches(len(noise[part])):
            samples.append(
                comfy.sample.sample(
                    model, noise[part], steps, cfg, sampler_name, scheduler, positive, negative, start[part],
                    denoise=denoise, noise_mask=noise_mask, callback=on_step,
                    disable_pbar=not comfy.utils.PROGRESS_BAR_ENABLED,
                    # Ancestral and SDE samplers draw from this seed in every step: chunks must not repeat each other.
                    seed=(seed + first) % 2**64,
                )
            )  # fmt: skip
    drawn = torch.cat(samples)
    bad = (~drawn.isfinite().flatten(1).all(dim=1)).nonzero().flatten().tolist()
    if bad:
        raise ValueError(
            f"lookahead no. {bad[0] + 1} of {count} came out of the sampler as NaN or infinite; change the model, its "
            "precision (start ComfyUI with --force-fp32), cfg or sampler_name"
        )
    return drawn


@contextmanager
def _told_of_batches(images: int) -> Iterator[None]:
    """Say what to try where several images at once fail: some patches of models ask `if` of one number for each image."""
    try:
        yield
    except RuntimeError as error:
        if images == 1 or isinstance(error, comfy.model_management.OOM_EXCEPTION):
            raise
        raise ValueError(
            f"sampling {images} lookaheads at once failed: {error}. Set batch_size to 1, in case a patch of the model works "
            "for one image only"
        ).with_traceback(error.__traceback__) from error
