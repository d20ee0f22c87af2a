"""One resumable training loop for every stage: cosine schedule, moving average of the weights, checkpoints, a progress line."""

import math
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

WARMUP_STEPS = 100
CHECKPOINT_SECONDS = 60.0
REPORT_SECONDS = 20.0


@dataclass(frozen=True)
class LoopConfig:
    name: str
    steps: int
    learning_rate: float
    ema_decay: float
    checkpoint: Path
    weight_decay: float = 0.01


def mixed_precision(device: torch.device) -> torch.autocast:
    """bfloat16 autocast where the hardware computes in it; on this size of model about twice as fast on such a CPU."""
    supported = device.type != "cpu" or torch.cpu._is_avx512_bf16_supported()
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=supported)


def _learning_rate_factor(step: int, steps: int) -> float:
    warmup = min(1.0, (step + 1) / WARMUP_STEPS)
    return warmup * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * step / steps)))


def train(
    module: nn.Module, loss_of_step: Callable[[np.random.Generator, torch.Generator], Tensor], config: LoopConfig
) -> None:
    """Train in place and leave the averaged weights in `module`; a checkpoint of the same config is resumed where it stopped.

    `loss_of_step` gets generators that depend on the step's number alone, so an interrupted run sees the batches of an uninterrupted one.
    """
    parameters = [p for p in module.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(
        parameters, lr=config.learning_rate, betas=(0.9, 0.99), weight_decay=config.weight_decay
    )
    average = {name: p.detach().clone() for name, p in module.named_parameters()}
    start, spent = 0, 0.0
    if config.checkpoint.is_file():
        saved = torch.load(config.checkpoint, weights_only=True)
        module.load_state_dict(saved["module"])
        optimiser.load_state_dict(saved["optimiser"])
        average, start, spent = saved["average"], saved["step"], saved["seconds"]
        print(f"[{config.name}] going on from step {start} of {config.steps}", flush=True)

    def save(step: int) -> None:
        partial = config.checkpoint.with_suffix(".partial")
        torch.save(
            {
                "module": module.state_dict(),
                "optimiser": optimiser.state_dict(),
                "average": average,
                "step": step,
                "seconds": spent,
            },
            partial,
        )
        os.replace(partial, config.checkpoint)

    last_save = last_report = before = time.monotonic()
    losses: list[float] = []
    for step in range(start, config.steps):
        for group in optimiser.param_groups:
            group["lr"] = config.learning_rate * _learning_rate_factor(step, config.steps)
        loss = loss_of_step(np.random.default_rng([7, step]), torch.Generator().manual_seed(step))
        if not torch.isfinite(loss):
            raise FloatingPointError(f"[{config.name}] the loss of step {step} is {loss.item()}")
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimiser.step()
        decay = min(config.ema_decay, (1 + step) / (10 + step))
        with torch.no_grad():
            for name, p in module.named_parameters():
                average[name].lerp_(p.detach(), 1 - decay)
        losses.append(loss.item())
        now = time.monotonic()
        spent, before = spent + now - before, now
        if now - last_report > REPORT_SECONDS or step + 1 == config.steps:
            left = spent / (step + 1) * (config.steps - step - 1) / 60
            print(
                f"[{config.name}] step {step + 1}/{config.steps}  loss {np.mean(losses):.4f}  {spent / (step + 1):.2f} s/step  {left:.0f} min left",
                flush=True,
            )
            last_report, losses = now, []
        if now - last_save > CHECKPOINT_SECONDS or step + 1 == config.steps:
            save(step + 1)
            last_save = now
    module.load_state_dict(average, strict=False)
