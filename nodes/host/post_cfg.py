"""The guided step inside the host's samplers: the only place that reads post-CFG arguments and changes latent space."""

import logging
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from comfy.patcher_extension import WrappersMP, add_wrapper_with_key
from torch import Tensor

from ...lidar_core import GUIDANCE_FORMS, Particles
from ..settings.definitions import THIS_RUN, WHOLE_PROCESS
from .guided_run import FIRST_STEP, TELL, GuidedRun
from .guiders import multiplied_by
from .noise_levels import signal_and_noise

logger = logging.getLogger(__name__)

_CAUSES = "the checkpoint, its precision (start ComfyUI with --force-fp32) or cfg"
_KEY = "lidar_runs"  # in a run's model_options: Guidance -> its GuidedRun


@dataclass(frozen=True, eq=False)
class Guidance:
    """Adds guidance_scale * shift to a model's denoised predictions, Theorem 3.3 of arXiv 2602.03211 in x0-space.

    latents: (n, *S) lookaheads as a sampler returns them, before process_latent_in; rewards: (n,) on the scale of
    reward_strength. It acts where sigma is above that of end_percent and not above that of start_percent; percent_of says of
    what they are shares: THIS_RUN, the steps that are sampled (from FIRST_STEP on), or WHOLE_PROCESS, the host's own meaning.
    guidance_form: a name of lidar_core's GUIDANCE_FORMS; ValueError for any other. effective_dimension: d of the D numbers
    of a latent count in the log-likelihood, that is temperature D / d; 0, or more than D, is temperature 1.

    tell: called after every run with a text that says what was guided, unless the run's model_options name another (TELL).

    It holds no state. What belongs to one run, a GuidedRun, lives in the model_options that the host makes for the run
    and drops after it.
    """

    latents: Tensor
    rewards: Tensor
    guidance_scale: float
    reward_strength: float
    start_percent: float
    end_percent: float
    guidance_form: str
    effective_dimension: float
    percent_of: str = WHOLE_PROCESS
    tell: Callable[[str], None] = lambda text: None

    def __post_init__(self):
        if self.guidance_form not in GUIDANCE_FORMS:
            raise ValueError(f"guidance_form is {self.guidance_form!r}, wanted {' or '.join(GUIDANCE_FORMS)}")

    def attach(self, model) -> None:
        """Patch the ModelPatcher `model`; guidance attached before it, by LiDAR or others, acts before it."""
        # In the options, for a guider asks only those of a second model
        add_wrapper_with_key(
            WrappersMP.PREPARE_SAMPLING, "lidar", self.prepare, model.model_options, is_model_options=True
        )
        model.add_wrapper_with_key(WrappersMP.SAMPLER_SAMPLE, "lidar", self.guide_run)
        model.set_model_sampler_post_cfg_function(self.add_shift)

    def prepare(self, executor, model, noise_shape, conds, *args, **kwargs):
        """Tell where a guider runs the model for the negative prompt alone: a PREPARE_SAMPLING wrapper."""
        if set(conds) == {"negative"}:
            text = "nothing is guided: this guider runs the model for the negative prompt alone; guide its other model"
            logger.warning("LiDAR Apply Guidance: %s", text)
            self.tell(text)
        return executor(model, noise_shape, conds, *args, **kwargs)

    def guide_run(self, executor, model_wrap, sigmas, extra_args: Mapping, callback, noise, *args, **kwargs):
        """Sample as `executor` does, with a GuidedRun in its model_options, and tell what was guided: a SAMPLER_SAMPLE wrapper.

        ValueError before the first step for latents of another size than the lookaheads'.
        """
        if noise.shape[1:] != self.latents.shape[1:]:
            raise ValueError(_shape_message(noise, self.latents))
        options = extra_args["model_options"]
        particles, levels = (
            self._particles(model_wrap.inner_model, noise),
            sigmas.tolist()[options.get(FIRST_STEP, 0) :],
        )
        run = GuidedRun(particles, levels, multiplied_by(model_wrap))
        options = {**options, _KEY: {**options.get(_KEY, {}), self: run}}
        samples = executor(
            model_wrap, sigmas, {**extra_args, "model_options": options}, callback, noise, *args, **kwargs
        )
        best = int(self.rewards.argsort(descending=True, stable=True)[0]) + 1
        text = run.report(f"best lookahead no. {best} of {len(self.rewards)}", self.guidance_scale, self.end_percent)
        if run.steps and not run.guided:
            logger.warning("LiDAR Apply Guidance: %s", text)
        options.get(TELL, self.tell)(text)
        return samples

    def add_shift(self, args: Mapping) -> Tensor:
        """Return the denoised prediction, moved: a post-CFG function.

        Reads of its arguments only input, sigma, denoised, model and model_options. Any sampler may call it any number
        of times per step, at any noise level, with or without an unconditional prediction. Where the host's sampling
        was not wrapped, as when another pack calls the function itself, the particles are prepared for this call.
        """
        x, denoised, model = args["input"], args["denoised"], args["model"]
        _require_finite(denoised, "the model's prediction", args["sigma"], _CAUSES)
        sampling, run = model.model_sampling, args.get("model_options", {}).get(_KEY, {}).get(self)
        if run is not None:
            run.asked += 1
        lowest, highest = self._window(sampling, run)
        level = args["sigma"].max().item()
        if not lowest < level <= highest:
            return denoised
        if x.shape[1:] != self.latents.shape[1:]:
            raise ValueError(_shape_message(x, self.latents))
        particles = self._particles(model, x) if run is None else run.particles
        sigma = args["sigma"].expand(x.shape[0])
        alpha, std = signal_and_noise(sampling, sigma)
        shift, info = GUIDANCE_FORMS[self.guidance_form](
            x.float(), denoised, particles, self.rewards.to(x.device),
            alpha=alpha, sigma=std, reward_strength=self.reward_strength, temperature=self._temperature(),
        )  # fmt: skip
        if logger.isEnabledFor(logging.DEBUG):  # reading the numbers waits for the device
            logger.debug(
                "LiDAR sigma %.4g: ESS %.2f, tilted ESS %.2f of %d lookaheads, shift rms %.3g",
                sigma[0].item(), info.ess.mean().item(), info.tilted_ess.mean().item(), particles.count,
                shift.square().mean().sqrt().item(),
            )  # fmt: skip
        guided = (denoised + self.guidance_scale * shift).to(denoised.dtype)
        _require_finite(guided, "the guided prediction", args["sigma"], "guidance_scale: lower it")
        if run is not None:
            run.guided.append(level)
        return guided

    def _window(self, sampling, run: GuidedRun | None) -> tuple[float, float]:
        """(lowest, highest) sigma that is guided; lowest is outside. A call that no run belongs to knows no steps."""
        if self.percent_of == THIS_RUN and run is not None:
            return run.window(self.start_percent, self.end_percent)
        # The host's percent 0 is its sigma_max (flow) or a huge number (others): both mean "from the first step".
        highest = math.inf if self.start_percent <= 0 else float(sampling.percent_to_sigma(self.start_percent))
        return float(sampling.percent_to_sigma(self.end_percent)), highest

    def _temperature(self) -> float:
        numbers = self.latents[0].numel()
        return numbers / self.effective_dimension if 0 < self.effective_dimension < numbers else 1.0

    def _particles(self, model, x: Tensor) -> Particles:
        """The lookaheads in the space of x and on its device."""
        return Particles(model.process_latent_in(self.latents.to(x.device)))


def tell_after_runs(model, tell: Callable[[str], None], text: str) -> None:
    """Have the text told now and after every run of the ModelPatcher `model`, for nodes in between write on the same place."""

    def sample_and_tell(executor, model_wrap, sigmas, extra_args, *args, **kwargs):
        samples = executor(model_wrap, sigmas, extra_args, *args, **kwargs)
        extra_args["model_options"].get(TELL, tell)(text)
        return samples

    tell(text)
    model.add_wrapper_with_key(WrappersMP.SAMPLER_SAMPLE, "lidar", sample_and_tell)


def _require_finite(prediction: Tensor, what: str, sigma: Tensor, cause: str) -> None:
    lowest, highest = prediction.aminmax()
    if not bool(lowest.isfinite() & highest.isfinite()):
        raise ValueError(
            f"LiDAR Apply Guidance: {what} is NaN or infinite at sigma {sigma.max().item():.4g}, so no picture can come of "
            f"it; change {cause}."
        )


def _shape_message(x: Tensor, latents: Tensor) -> str:
    wanted, got = _shape_text(x), _shape_text(latents)
    if x.ndim == 3 and latents.ndim > 3:
        return (
            f"LiDAR Apply Guidance: the latent being sampled is a packed latent of several parts ({wanted} numbers), "
            "which LiDAR does not support; sample a single image latent."
        )
    return (
        f"LiDAR Apply Guidance: the lookaheads are {got} latents but the latent being sampled is {wanted}; "
        "give LiDAR Sample Lookaheads the same model family and the same latent_image size as this sampler."
    )


def _shape_text(batch: Tensor) -> str:
    return " x ".join(str(size) for size in batch.shape[1:])
