"""Stage 4: the student, which draws in one to four steps what the finished sampling would draw from the same noise.

Distilled from the teacher's endpoints (Luhman 2021, arXiv 2101.02388): it predicts the finished latent at the first noise level,
and also where its own first step leads, so that a second and a fourth step gain. It starts from the teacher's weights.
"""

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .. import host_objects
from ..grammar import KINDS, PROMPTS
from .dataset import KIND_SHARES
from .loop import LoopConfig, train

PAIRS, CHUNK = 12_800, 128
BATCH, STEPS = 64, 2600
OWN_STATE_SHARE = 0.5
TEACHER = {"steps": 8, "cfg": 3.0}
LATER_TIMESTEPS = (749.25, 499.5, 249.75)
"""Where sgm_uniform's second to fourth step begin, of 2 and of 4 steps."""


class Student(nn.Module):
    """The network with the model around it; `predict` gives the finished latent."""

    def __init__(self, weights: Path):
        super().__init__()
        self.host_model = host_objects.new_student()
        self.host_model.diffusion_model.load_state_dict(host_objects.denoiser_weights(weights))
        self.host_model.diffusion_model.requires_grad_(True)
        nn.init.zeros_(self.host_model.diffusion_model.out[-1].weight)
        nn.init.zeros_(self.host_model.diffusion_model.out[-1].bias)

    def predict(self, noisy: Tensor, sigma: Tensor, context: Tensor, pooled: Tensor) -> Tensor:
        """x = z + sigma * noise (B,4,8,8), sigma (B,), the prompts' encodings -> z (B,4,8,8)."""
        sampling = self.host_model.model_sampling
        size = {"width": 8 * noisy.shape[-1], "height": 8 * noisy.shape[-2]}
        y = self.host_model.encode_adm(pooled_output=pooled, device=noisy.device, **size)
        scaled = sampling.calculate_input(sigma[:, None, None, None], noisy)
        return self.host_model.diffusion_model(scaled, sampling.timestep(sigma).float(), context=context, y=y)


class _Encodings:
    """Every prompt of the training split with its text encoding, and the shares in which they are drawn."""

    def __init__(self, weights: Path, device: torch.device):
        clip = host_objects.load_clip(weights)
        prompts = [p for p in PROMPTS.values() if not p.held_out]
        found = [clip.encode_from_tokens(clip.tokenize(p.text), return_pooled=True) for p in prompts]
        self.context, self.pooled = (torch.cat(each).float().to(device) for each in zip(*found, strict=True))
        empty = clip.encode_from_tokens(clip.tokenize(""), return_pooled=True)
        self.negative = [[empty[0], {"pooled_output": empty[1]}]]
        sizes = {kind: sum(p.kind == kind for p in prompts) for kind in KINDS}
        self.weights = torch.tensor([KIND_SHARES[p.kind] / sizes[p.kind] for p in prompts])

    def positive(self, rows: Tensor) -> list:
        return [[self.context[rows], {"pooled_output": self.pooled[rows]}]]


def _teacher_pairs(encodings: _Encodings, teacher, file: Path, count: int) -> tuple[Tensor, Tensor, Tensor]:
    """Standard noise (N,4,8,8), the prompt's row (N,), and the teacher's finished latent (N,4,8,8); goes on where it stopped."""
    rows, finished = torch.load(file, weights_only=True) if file.is_file() else ([], [])
    noises = []
    for chunk in range(count // CHUNK):
        generator = torch.Generator().manual_seed(10_000 + chunk)
        noise = torch.randn(CHUNK, 4, 8, 8, generator=generator)
        noises.append(noise)
        if chunk < len(rows):
            continue
        chosen = torch.multinomial(encodings.weights, CHUNK, replacement=True, generator=generator)
        drawn = host_objects.draw_finished(teacher, noise, encodings.positive(chosen), encodings.negative, **TEACHER)
        rows.append(chosen)
        finished.append(drawn)
        torch.save((rows, finished), file.with_suffix(".partial"))
        file.with_suffix(".partial").replace(file)
        print(f"[student] {(chunk + 1) * CHUNK} of {count} pairs from the teacher", flush=True)
    return torch.cat(noises), torch.cat(rows), torch.cat(finished)


def train_student(weights: Path, work: Path, device: torch.device, steps: int = STEPS, pairs: int = PAIRS) -> Student:
    """The teacher is what the earlier stages have written into the folder `weights`."""
    encodings = _Encodings(weights, device)
    teacher = host_objects.load_model(weights)
    noises, prompt_rows, finished = _teacher_pairs(encodings, teacher, work / "student_pairs.pt", pairs)
    torch.manual_seed(4)
    student = Student(weights).to(device)
    sampling = student.host_model.model_sampling
    highest = sampling.sigma_max
    later = torch.stack([sampling.sigma(torch.tensor(t)) for t in LATER_TIMESTEPS]).to(device)

    def loss_of_step(rng, generator) -> Tensor:
        rows = torch.from_numpy(rng.integers(len(noises), size=BATCH))
        target = finished[rows].to(device)
        context, pooled = encodings.context[prompt_rows[rows]], encodings.pooled[prompt_rows[rows]]
        sigma = torch.full((BATCH,), float(highest), device=device)
        noisy = sampling.noise_scaling(highest, noises[rows].to(device), torch.zeros_like(target), max_denoise=True)
        own = int(BATCH * OWN_STATE_SHARE)
        with torch.no_grad():
            first = student.predict(noisy[:own], sigma[:own], context[:own], pooled[:own])
        next_sigma = later[torch.randint(len(later), (own,), generator=generator)]
        ratio = (next_sigma / highest)[:, None, None, None]
        noisy = torch.cat([first + ratio * (noisy[:own] - first), noisy[own:]])
        sigma = torch.cat([next_sigma, sigma[own:]])
        return F.mse_loss(student.predict(noisy, sigma, context, pooled), target)

    train(student, loss_of_step, LoopConfig("student", steps, 8e-4, 0.9995, work / "student.pt"))
    return student.eval()
