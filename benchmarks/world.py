"""The demo model as the methods of the bench see it: sample, decode and score, through the host's own code, all metered.

Importing this module needs the host on the path and `host_options.cpu` set where there is no GPU; `python3 dev.py bench` does both.
"""

import importlib.util
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from pathlib import Path
from types import ModuleType

import comfy.sample
import comfy.samplers
import torch
from comfy.patcher_extension import WrappersMP
from torch import Tensor

PACK = Path(__file__).resolve().parent.parent
SHAPE = (4, 8, 8)
PAPERS_RULE = {
    "guidance_form": "difference", "guidance_scale": 8.0, "reward_strength": 5000.0, "effective_dimension": 0.0, "end_percent": 1.0,
}  # fmt: skip
"""The guidance whose cost docs/benchmarks tells, in every step."""
CFG, SCHEDULER, SAMPLER = 3.0, "karras", "dpmpp_2m"


def load_pack() -> str:
    """Load this pack by path, as the host does; return the name under which its rooms can be imported."""
    name = str(PACK).replace(".", "_x_")
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, PACK / "__init__.py")
        sys.modules[name] = module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return name


def room(path: str) -> ModuleType:
    """Return a module of the pack, such as room("nodes.host.post_cfg")."""
    return import_module(f"{load_pack()}.{path}")


@dataclass
class Cost:
    """What one run has spent: seconds of processor time by phase, and counts of images.

    On one thread that is what the clock shows on an idle machine, and other work beside it does not count.
    """

    seconds: dict[str, float] = field(default_factory=dict)
    evaluations: int = 0
    """Denoised predictions, one an image and noise level; each is two network rows under classifier-free guidance."""
    backward: int = 0
    """Gradients taken through a denoised prediction, the decoder and the reward."""
    decodes: int = 0
    rewards: int = 0

    @property
    def total(self) -> float:
        """All seconds."""
        return sum(self.seconds.values())


@dataclass(frozen=True)
class Task:
    """A prompt with its conditioning, and the seed of its noise."""

    text: str
    kind: str
    seed: int
    positive: list
    negative: list
    shape: tuple[int, ...] = SHAPE
    """Of one latent."""

    def noise(self, count: int, *, stream: int = 0) -> Tensor:
        """Return (count, *shape) standard noise. Row i is the same whatever the count; streams are independent."""
        generator = torch.Generator().manual_seed(self.seed + 1_000_003 * stream)
        return torch.randn((count, *self.shape), generator=generator)


class World:
    """The demo model: model, decoder, the reward that guides, and the referee. `cost` counts what is spent.

    objects: other MODEL, CLIP (None if every task comes with its conditioning), VAE and LIDAR_REWARD_MODEL in its place;
    the demo model also has a distilled MODEL, `student`.
    """

    def __init__(self, objects: tuple | None = None):
        # Weights made in inference mode could never be part of a gradient
        with torch.inference_mode(False):
            objects = objects or room("nodes").LiDARLoadDemoModel.execute().result
        self.model, self.clip, self.vae, self.reward, *student = objects
        self.student = student[0] if student else None
        self.model.add_wrapper_with_key(WrappersMP.PREDICT_NOISE, "bench", self._count_evaluations)
        self._scoring = room("nodes.host.scoring")
        self._judge = room("demo_model.referee").judge
        self.cost = Cost()
        self._seconds_within = 0.0

    @cached_property
    def negative(self) -> list:
        return self._encode("")

    def task(self, prompt, seed: int) -> Task:
        """Return the task of one of the grammar's prompts."""
        return Task(prompt.text, prompt.kind, seed, self._encode(prompt.text), self.negative)

    def sigmas(self, steps: int) -> Tensor:
        """Return the noise levels of the scheduler, (steps + 1,)."""
        return comfy.samplers.calculate_sigmas(self.model.get_model_object("model_sampling"), SCHEDULER, steps)

    def sample(
        self, task: Task, noise: Tensor, sigmas: Tensor, *, phase: str, model=None, start: Tensor | None = None,
        sampler=None, seed: int | None = None, callback=None,
    ) -> Tensor:  # fmt: skip
        """Return latents (B, *shape) of noise (B, *shape) taken down `sigmas` by the host's sampler.

        model: a patched copy of `self.model`; start: latents that the noise is added to; sampler: a host SAMPLER
        object instead of DPM-Solver++ (2M); seed: of noise that the sampler draws itself; callback: the host's, called
        with (step, denoised, x, steps).
        """
        with self.spending(phase):
            return comfy.sample.sample_custom(
                model or self.model, noise, CFG, sampler or comfy.samplers.sampler_object(SAMPLER), sigmas,
                task.positive, task.negative, torch.zeros_like(noise) if start is None else start, disable_pbar=True,
                seed=task.seed if seed is None else seed, callback=callback,
            )  # fmt: skip

    def sample_student(self, task: Task, noise: Tensor, steps: int, *, phase: str) -> Tensor:
        """Return latents (B, *shape) of noise (B, *shape) by the distilled model: euler, sgm_uniform, cfg 1."""
        with self.spending(phase):
            return comfy.sample.sample(
                self.student, noise, steps, 1.0, "euler", "sgm_uniform", task.positive, task.negative,
                torch.zeros_like(noise), disable_pbar=True, seed=task.seed,
            )  # fmt: skip

    def decode(self, latents: Tensor, *, phase: str) -> Tensor:
        """Return images (B, H, W, 3) in [0, 1]."""
        with self.spending(phase):
            self.cost.decodes += len(latents)
            return self.vae.decode(latents)

    def score(self, images: Tensor, task: Task, *, phase: str, steady: bool = False) -> Tensor:
        """Return the guiding reward of images (B, H, W, 3), (B,); steady: the mean of five views."""
        with self.spending(phase):
            self.cost.rewards += len(images) * (5 if steady else 1)
            return self._scoring.score_images([self.reward], images, task.text, 64, steady=steady)[0].rewards

    def judge(self, images: Tensor, task: Task) -> list[bool]:
        """Return the referee's verdicts; not metered."""
        return [self._judge(image.numpy(), task.text).correct for image in images]

    @contextmanager
    def spending(self, phase: str) -> Iterator[None]:
        """Count the seconds inside towards `phase`, less those of phases within it, so that phases add up to the total."""
        around, self._seconds_within = self._seconds_within, 0.0
        start = time.process_time()
        try:
            yield
        finally:
            spent = time.process_time() - start
            self.cost.seconds[phase] = self.cost.seconds.get(phase, 0.0) + spent - self._seconds_within
            self._seconds_within = around + spent

    def _encode(self, text: str) -> list:
        return self.clip.encode_from_tokens_scheduled(self.clip.tokenize(text))

    def _count_evaluations(self, executor, x, *args, **kwargs):
        self.cost.evaluations += len(x)
        return executor(x, *args, **kwargs)
