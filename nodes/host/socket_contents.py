"""What travels through each socket, and how to tell that something else came: a link may carry anything."""

from collections.abc import Callable
from dataclasses import dataclass

import torch

from ...lidar_core import LookaheadSet
from ..settings.config import LookaheadConfig
from ..values.plain_numbers import whole_numbers
from .candidates import Candidates
from .combined_reward import CombinedReward
from .hosted_reward_model import HostedRewardModel
from .measured_rows import JudgedRows, SampledRows


@dataclass(frozen=True)
class Socket:
    """problem: value -> what came instead, for a message, or "" for what is right; wanted, advice: for the same message.

    plain: what is right -> the same as the host has it itself.
    """

    problem: Callable[[object], str]
    wanted: str
    advice: str
    plain: Callable[[object], object] = lambda value: value


def _instance(*classes: type) -> Callable[[object], str]:
    return lambda value: "" if isinstance(value, classes) else kind_of(value)


def _judged(value) -> str:
    sound = isinstance(value, tuple) and value and all(isinstance(each, JudgedRows) for each in value)
    return "" if sound else kind_of(value)


def _model(value) -> str:
    sampling = getattr(getattr(value, "model", None), "model_sampling", None)
    return "" if sampling is not None and hasattr(value, "get_model_object") else kind_of(value)


def _vae(value) -> str:
    return "" if callable(getattr(value, "decode", None)) else kind_of(value)


def _conditioning(value) -> str:
    if not isinstance(value, (list, tuple)):
        return kind_of(value)
    if not value:
        return "an empty list"
    sound = all(isinstance(each, (list, tuple)) and len(each) == 2 and isinstance(each[1], dict) for each in value)
    return "" if sound else "a list of something else"


def _latent(value) -> str:
    samples = value.get("samples") if isinstance(value, dict) else None
    if getattr(samples, "is_nested", False):
        return "a LATENT of several parts (such as video with sound), which LiDAR does not support"
    if not isinstance(samples, torch.Tensor):
        return kind_of(value)
    if not samples.is_floating_point() or samples.ndim < 3 or samples.numel() == 0:
        return f"a LATENT of {_shape(samples)}"
    if not _is_finite(samples):
        return "a LATENT with NaN or infinite numbers"
    if value.get("batch_index") is not None:
        rows = whole_numbers(value["batch_index"])
        if rows is None or min(rows, default=0) < 0:
            return "a LATENT whose batch_index holds something else than whole numbers from 0"
        if len(rows) != len(samples):
            return f"a LATENT of {len(samples)} samples whose batch_index does not name as many rows"
    mask = value.get("noise_mask")
    problem = "" if mask is None else _mask(mask, (2, 3, 4))
    return f"a LATENT whose noise mask is {problem}" if problem else ""


def _plain_latent(value: dict) -> dict:
    rows = value.get("batch_index")
    return value if rows is None else {**value, "batch_index": whole_numbers(rows)}


def _image(value) -> str:
    if not isinstance(value, torch.Tensor):
        return kind_of(value)
    if value.ndim != 4 or value.shape[-1] not in (1, 3, 4) or value.numel() == 0 or not value.is_floating_point():
        return f"a tensor of {_shape(value)}"
    return "" if _is_finite(value) else "an IMAGE with NaN or infinite pixels"


def _mask(value, dimensions: tuple[int, ...] = (2, 3)) -> str:
    if not isinstance(value, torch.Tensor):
        return kind_of(value)
    if value.ndim not in dimensions or value.numel() == 0 or not value.is_floating_point():
        return f"a tensor of {_shape(value)}"
    return "" if _is_finite(value) else "a MASK with NaN or infinite numbers"


SOCKETS = {
    "MODEL": Socket(_model, "a MODEL", "connect the MODEL of a checkpoint loader"),
    "VAE": Socket(_vae, "a VAE", "connect the VAE of a checkpoint loader"),
    "CONDITIONING": Socket(_conditioning, "a CONDITIONING", "connect CLIP Text Encode"),
    "LATENT": Socket(
        _latent,
        "a LATENT of finite numbers in one part",
        "connect Empty Latent Image, VAE Encode or LiDAR Sample Lookaheads",
        plain=_plain_latent,
    ),
    "IMAGE": Socket(
        _image,
        "an IMAGE (n, height, width, 3) of finite numbers",
        "connect VAE Decode; where that gives NaN start ComfyUI with --fp32-vae, or use another VAE",
    ),
    "MASK": Socket(_mask, "a MASK (n, height, width) of finite numbers", "connect Load Image (as Mask)"),
    "LIDAR_REWARD_MODEL": Socket(
        _instance(HostedRewardModel, CombinedReward), "a LiDAR reward model", "connect Load LiDAR Reward Model"
    ),
    "LIDAR_LOOKAHEAD_SET": Socket(_instance(LookaheadSet), "scored lookaheads", "connect LiDAR Score Lookaheads"),
    "LIDAR_CANDIDATES": Socket(_instance(Candidates), "candidates", "connect LiDAR Sample Candidates"),
    "LIDAR_SAMPLED_ROWS": Socket(_instance(SampledRows), "sampled rows", "connect LiDAR Sample Rows"),
    "LIDAR_JUDGED_ROWS": Socket(_judged, "judged rows", "connect LiDAR Judge Rows"),
    "LIDAR_LOOKAHEAD_CONFIG": Socket(
        _instance(LookaheadConfig), "a LiDAR Lookahead Config", "connect LiDAR Lookahead Config, or nothing"
    ),
}


def _is_finite(tensor: torch.Tensor) -> bool:
    lowest, highest = tensor.aminmax()  # both are NaN where any number is; no copy of a large batch is made
    return bool(lowest.isfinite() and highest.isfinite())


def _shape(tensor: torch.Tensor) -> str:
    return f"shape {tuple(tensor.shape)} and {str(tensor.dtype).removeprefix('torch.')}"


def kind_of(value) -> str:
    """What came, for a message: the name of its type."""
    if value is None:
        return "None, so nothing came"
    name = type(value).__name__
    return f"{'an' if name[0] in 'aeiouAEIOU' else 'a'} {name}"
