"""Latents out of the host's sampler, a few at a time, with its progress and previews: a whole run, or one that is cut in two.

The same as the host's KSampler makes of the same noise. A cut run hands its x on as it is, in model space, and both parts
see the picture, the mask and the noise levels of the whole: nothing is scaled, rounded or masked twice at the cut.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

import comfy.model_management
import comfy.sample
import comfy.samplers
import comfy.utils
import latent_preview
import torch
from comfy.patcher_extension import WrappersMP
from torch import Tensor

from ...lidar_core import Origin
from .guided_run import FIRST_STEP

# What ancestral and SDE samplers draw after a cut must not repeat what they drew before it; within the low 32 bits, all that
# torch's CPU generator reads ("cutA" in ASCII).
_SEED_AFTER_CUT = 0x63757441


@dataclass(frozen=True, eq=False, kw_only=True)
class Task:
    """What the host's KSampler is told besides the model, and what it starts from: start (1 or n, *S), noise_mask or None."""

    start: Tensor
    noise_mask: Tensor | None
    positive: list
    negative: list
    seed: int
    steps: int
    cfg: float
    sampler_name: str
    scheduler: str
    denoise: float

    def noise(self, rows: Sequence[int]) -> Tensor:
        """Return (len(rows), *S): what the host's KSampler draws for batch_index `rows` of this seed."""
        return comfy.sample.prepare_noise(self.start, self.seed, rows)

    def origins(self, rows: Sequence[int], model: str, last: int | None = None) -> tuple[Origin, ...]:
        """Return where the latents drawn from these rows come from; model: its name; last: the step that they came to."""
        sampler = f"{self.sampler_name}, {self.scheduler}, {self.steps} steps, cfg {self.cfg:g}"
        sampler += f", denoise {self.denoise:g}" * (self.denoise < 1) + (
            f", predicted after step {last}" if last else ""
        )
        return tuple(Origin(row, self.seed, model, sampler) for row in rows)

    def sigmas(self, model) -> Tensor:
        """Return (k + 1,) the noise levels of KSampler's k steps; some schedulers give fewer than asked for."""
        return comfy.samplers.KSampler(
            model, self.steps, model.load_device, self.sampler_name, self.scheduler, self.denoise, model.model_options
        ).sigmas


class Drawn(NamedTuple):
    samples: Tensor
    """(n, *S) as a sampler returns them: finished, or at the cut what they are predicted to become."""
    states: Tensor
    """(n, *S) x where the drawing ended, in model space."""
    evaluations: int
    """Latents that the network worked on, summed over its calls: with cfg above 1 two an image and step."""


def draw(
    model,
    task: Task,
    noise: Tensor,
    *,
    at_once: int,
    first: int = 0,
    last: int | None = None,
    states: Tensor | None = None,
    rows: Sequence[int] | None = None,
    what: str = "lookahead",
    watch: Callable[[int, int, Tensor], None] = lambda place, step, x0: None,
) -> Drawn:
    """Sample noise (n, *S) from step `first` to step `last`, None for the end; at most `at_once` latents at the same time.

    states: (n, *S) x at step `first`, in model space. rows: of the noise, where what ancestral and SDE samplers draw should follow
    from them, and not from the place in the batch. what: their name for people. watch(place, step, x0): is called after every
    step with what the latents from `place` on are predicted to become, in model space. ValueError for what is not finite.
    """
    sigmas, count = task.sigmas(model), len(noise)
    last = len(sigmas) - 1 if last is None else last
    start = comfy.utils.repeat_to_batch_size(task.start, count)
    places = range(0, count, at_once)
    show_step = latent_preview.prepare_callback(model, len(places) * (last - first))
    model, network_rows = _counted(model)
    model.model_options[FIRST_STEP] = first
    drawn, ended = [], []
    for index, place in enumerate(places):
        part, predicted = slice(place, place + at_once), {}

        def on_step(step, x0, x, total_steps, index=index, place=place, predicted=predicted):
            comfy.model_management.throw_exception_if_processing_interrupted()
            predicted["x0"] = x0
            watch(place, step, x0)
            show_step(index * (last - first) + step, x0, x, len(places) * (last - first))

        with _told_of_batches(len(noise[part]), what):
            samples = comfy.sample.sample_custom(
                model, noise[part], task.cfg,
                _between(task.sampler_name, first, last, None if states is None else states[part], ended),
                sigmas, task.positive, task.negative, start[part], noise_mask=_rows(task.noise_mask, part, count),
                callback=on_step, disable_pbar=not comfy.utils.PROGRESS_BAR_ENABLED,
                # Ancestral and SDE samplers draw from this seed in every step: chunks must not repeat each other.
                seed=(task.seed + (place if rows is None else rows[place]) + (_SEED_AFTER_CUT if first else 0)) % 2**64,
            )  # fmt: skip
        if last < len(sigmas) - 1:
            samples = model.model.process_latent_out(predicted["x0"].float()).to(samples)
        drawn.append(samples)
    samples = torch.cat(drawn)
    bad = (~samples.isfinite().flatten(1).all(dim=1)).nonzero().flatten().tolist()
    if bad:
        raise ValueError(
            f"{what} no. {bad[0] + 1} of {count} came out of the sampler as NaN or infinite; change the model, its "
            "precision (start ComfyUI with --force-fp32), cfg or sampler_name"
        )
    return Drawn(samples, torch.cat(ended), sum(network_rows))


def _between(name: str, first: int, last: int, states: Tensor | None, ended: list[Tensor]) -> comfy.samplers.KSAMPLER:
    """The host's sampler of this name for the steps from `first` to `last`; x is `states` there, and its end is appended."""
    whole = comfy.samplers.sampler_object(name)

    def sample(model, x, sigmas, **options):
        x = x if states is None else states.to(x, copy=True)
        x = whole.sampler_function(model, x, sigmas[first : last + 1], **options)
        ended.append(x.to("cpu", copy=True))
        return x

    return comfy.samplers.KSAMPLER(sample, whole.extra_options, whole.inpaint_options)


def _counted(model):
    """A clone of the model, and the list that gets the batch size of every call of its network."""
    model, rows = model.clone(), []

    def count(executor, x, *args, **kwargs):
        rows.append(len(x))
        return executor(x, *args, **kwargs)

    model.add_wrapper_with_key(WrappersMP.APPLY_MODEL, "lidar", count)
    return model, rows


def _rows(mask: Tensor | None, part: slice, count: int) -> Tensor | None:
    return mask[part] if mask is not None and len(mask) == count else mask


@contextmanager
def _told_of_batches(images: int, what: str) -> Iterator[None]:
    """Say what to try where several images at once fail: some patches of models ask `if` of one number for each image."""
    try:
        yield
    except RuntimeError as error:
        if images == 1 or isinstance(error, comfy.model_management.OOM_EXCEPTION):
            raise
        raise ValueError(
            f"sampling {images} {what}s at once failed: {error}. Set batch_size to 1, in case a patch of the model works "
            "for one image only"
        ).with_traceback(error.__traceback__) from error
