"""Where one tensor lies in a file: known before any of its numbers are read."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO

import torch

from .file_faults import Damaged
from .regular_file import read_exactly

# What torch can address; a sound file is far below
_MOST_NUMBERS = 2**48
_MOST_AXES = 8


@dataclass(frozen=True)
class TensorEntry:
    """dtype, shape and strides (in numbers) of a tensor whose first number begins at byte `begin` of the file."""

    dtype: torch.dtype
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    begin: int

    @property
    def span(self) -> int:
        """Numbers from the first to the last of the tensor, 0 if it is empty."""
        if 0 in self.shape:
            return 0
        return 1 + sum((size - 1) * stride for size, stride in zip(self.shape, self.strides, strict=True))

    @property
    def span_bytes(self) -> int:
        """Bytes of the file that `read` takes."""
        return self.span * self.dtype.itemsize

    def without_numbers(self) -> torch.Tensor:
        """The tensor on the meta device, contiguous."""
        return torch.empty(self.shape, dtype=self.dtype, device="meta")

    def read(self, file: BinaryIO) -> torch.Tensor:
        """Read the tensor into memory of its own, contiguous, on the CPU. Damaged if the file ends before."""
        content = torch.empty(self.span_bytes, dtype=torch.uint8)
        read_exactly(file, self.begin, memoryview(content.numpy()))
        return content.view(self.dtype).as_strided(self.shape, self.strides).contiguous()


def checked_shape(shape: object) -> tuple[int, ...]:
    """Return a shape out of a file as a tuple; Damaged unless it is one that torch can hold."""
    sizes = checked_sizes(shape)
    if math.prod(max(size, 1) for size in sizes) > _MOST_NUMBERS:
        raise Damaged("a tensor of impossible size")
    return sizes


def checked_sizes(sizes: object) -> tuple[int, ...]:
    """Return whole numbers out of a file, at most eight and none below 0, as a tuple; else Damaged."""
    if not isinstance(sizes, Sequence) or isinstance(sizes, str | bytes) or len(sizes) > _MOST_AXES:
        raise Damaged("a tensor without a sound shape")
    if any(type(size) is not int or not 0 <= size <= _MOST_NUMBERS for size in sizes):
        raise Damaged("a tensor without a sound shape")
    return tuple(sizes)


def contiguous_strides(shape: Sequence[int]) -> tuple[int, ...]:
    """Strides, in numbers, of a tensor whose last axis runs fastest."""
    return tuple(math.prod(shape[axis + 1 :]) for axis in range(len(shape)))
