"""Opens a checkpoint file: its tensors' names and sizes at once, their numbers when asked; one line if it cannot be read.

What a file is, is told from its first bytes rather than its name. Nothing in a file is run, and nothing is mapped into
memory: a pickle is read as data (pickle_table.py), and each tensor is read into memory of its own.
"""

import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import BinaryIO

import torch

from .file_faults import DOWNLOAD_AGAIN, Damaged, naming
from .file_signature import HEAD, is_git_lfs_pointer, is_page, is_pickle, is_torch_zip, other_kind
from .pickle_names import Unread
from .printable import printable
from .regular_file import file_size, open_regular, read_bytes, shown_name
from .safetensors_table import read_safetensors_table, safetensors_header_length
from .state_within import without_prefixes
from .tensor_entry import TensorEntry
from .torch_file import read_torch_legacy, read_torch_zip


class Checkpoint:
    """An open checkpoint. name: of the file, for messages. tensors: by name, on the meta device, so without numbers."""

    def __init__(self, name: str, file: BinaryIO, table: dict[str, TensorEntry]):
        self.name = name
        self.tensors = {key: entry.without_numbers() for key, entry in table.items()}
        self._file = file
        self._table = table

    def read(self, names: Collection[str]) -> dict[str, torch.Tensor]:
        """Read these tensors, on the CPU, each into memory of its own. ValueError: more than this computer has, or the
        file became shorter."""
        wanted, most = sum(self._table[key].span_bytes for key in names), _physical_memory()
        if most is not None and wanted > most:
            raise ValueError(
                f"{self.name} has weights of {wanted / 1e9:.1f} GB, and this computer {most / 1e9:.1f} GB of memory: choose a "
                "smaller file"
            )
        try:
            with naming(self.name):
                return {key: self._table[key].read(self._file) for key in names}
        except (MemoryError, RuntimeError) as error:  # the latter is torch's word for the former
            raise ValueError(
                f"{self.name} has weights of {wanted / 1e9:.1f} GB, and less memory is free: close other programs or choose a "
                "smaller file"
            ) from error


@contextmanager
def open_checkpoint(path: str) -> Iterator[Checkpoint]:
    """Open a .safetensors, .pt, .pth or .bin file.

    A dict around the state_dict, and prefixes before all names, are taken off: state_within.py.
    ValueError, FileNotFoundError: the message names the file, what it is instead, and what to do.
    """
    name = shown_name(path)
    with open_regular(path) as file:
        yield Checkpoint(name, file, _plain_table(_read_table(file, name), name))


def read_checkpoint(path: str) -> dict[str, torch.Tensor]:
    """Return all tensors of a file by name, on the CPU; as `open_checkpoint`."""
    with open_checkpoint(path) as checkpoint:
        return checkpoint.read(checkpoint.tensors)


def first_names(tensors: Collection[str]) -> str:
    """A few names of tensors, for messages that say what a file holds instead."""
    return ", ".join(printable(key, 60) for key in sorted(tensors)[:3])


def _read_table(file: BinaryIO, name: str) -> object:
    size = file_size(file)
    if not size:
        raise ValueError(f"{name} is empty (0 bytes): {DOWNLOAD_AGAIN}")
    head = read_bytes(file, 0, min(size, HEAD))
    header = safetensors_header_length(head, size)
    if header is not None:
        return read_safetensors_table(file, header)
    if is_torch_zip(head):
        return read_torch_zip(file, name)
    if is_pickle(head):
        return read_torch_legacy(file, name)
    if is_page(head):
        raise ValueError(f"{name} is a web page that was saved instead of the model: {DOWNLOAD_AGAIN}")
    if is_git_lfs_pointer(head):
        raise ValueError(f"{name} is a Git LFS pointer, not the model itself: fetch the real file (git lfs pull)")
    kind = other_kind(head)
    if kind is None and head[8:9] == b"{":
        raise Damaged("its header has no sound length")
    raise ValueError(
        f"{name} is no model file: it {f'is {kind}' if kind else 'begins neither like .safetensors nor like a PyTorch file'}: "
        "choose another file"
    )


def _plain_table(content: object, name: str) -> dict[str, TensorEntry]:
    if not isinstance(content, dict) or not content:
        raise ValueError(
            f"{name} holds no table of named tensors but {type(content).__name__}: save or choose a state_dict instead"
        )
    for key, value in content.items():
        if not isinstance(key, str):
            raise ValueError(
                f"{name} is no plain state_dict: {printable(repr(key), 60)}, the name of an entry, is no text: save the "
                "state_dict alone"
            )
        if not isinstance(value, TensorEntry):
            raise ValueError(
                f"{name} is no plain state_dict: its entry {printable(repr(key), 80)} is {_kind(value)}, not a tensor: save the "
                "state_dict alone"
            )
    return without_prefixes(content, name)


def _kind(value: object) -> str:
    return value.name if isinstance(value, Unread) else type(value).__name__


def _physical_memory() -> int | None:
    """Bytes of memory that the computer has, None where the system does not tell."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None
