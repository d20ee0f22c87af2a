"""The numbers of a model: each tensor a plain floating point one, and none of them NaN or infinite."""

from collections.abc import Mapping

import torch

from .printable import printable

_TYPES = (torch.float32, torch.float16, torch.bfloat16, torch.float64)
_MOST = torch.finfo(torch.float32).max


def check_types(tensors: Mapping[str, torch.Tensor], file: str) -> None:
    """Raise ValueError, naming file and tensor, unless all are float16, bfloat16, float32 or float64; any device."""
    for key, tensor in tensors.items():
        if tensor.dtype not in _TYPES:
            raise ValueError(
                f"{file} holds {str(tensor.dtype).removeprefix('torch.')} numbers in {printable(key)}, which are no weights: "
                "choose a file in float16, bfloat16 or float32, not a quantised one"
            )


def check_numbers(tensors: Mapping[str, torch.Tensor], file: str) -> None:
    """Raise ValueError, naming file and tensor, unless all numbers are finite in float32."""
    for key, tensor in tensors.items():
        if tensor.numel():
            low, high = (bound.item() for bound in torch.aminmax(tensor))
            if not (low >= -_MOST and high <= _MOST):
                raise ValueError(f"{file} holds numbers that are not finite in {printable(key)}: choose another file")
