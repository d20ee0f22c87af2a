"""The table at the beginning of a .safetensors file: what tensors it holds and where, each claim checked.

Format: 8 bytes with the length of a JSON header, the header, then the numbers without gaps
(https://github.com/huggingface/safetensors).
"""

import math
from typing import BinaryIO

import torch

from .file_faults import Damaged, Refused
from .printable import printable
from .regular_file import file_size, read_bytes
from .strict_json import read_json
from .tensor_entry import TensorEntry, checked_shape, checked_sizes, contiguous_strides

LONGEST_HEADER = 4 * 2**20
"""Bytes; ten times the header of the largest CLIP, and little enough to parse at once."""

_TYPES = {
    "F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16",
    "F8_E4M3": "float8_e4m3fn", "F8_E5M2": "float8_e5m2",
    "I64": "int64", "I32": "int32", "I16": "int16", "I8": "int8",
    "U64": "uint64", "U32": "uint32", "U16": "uint16", "U8": "uint8",
    "BOOL": "bool", "C64": "complex64",
}  # fmt: skip


def safetensors_header_length(head: bytes, size: int) -> int | None:
    """Length of the header of a file of `size` bytes that begins with `head`; None if that is no .safetensors file.

    A length beyond the end of the file is given too: such a file is cut off.
    """
    length = int.from_bytes(head[:8], "little")
    return length if size > 8 and head[8:9] == b"{" and 2 <= length <= LONGEST_HEADER else None


def read_safetensors_table(file: BinaryIO, length: int) -> dict[str, TensorEntry]:
    """Read the header of `length` bytes. Damaged; Refused for numbers that torch cannot hold."""
    header, begin, size = _header(file, length), 8 + length, file_size(file)
    header.pop("__metadata__", None)
    table, places = {}, []
    for key, described in header.items():
        if not isinstance(described, dict) or not {"dtype", "shape", "data_offsets"} <= described.keys():
            raise Damaged(f"no description of the tensor {printable(key)}")
        dtype = _dtype(described["dtype"], key)
        shape, offsets = checked_shape(described["shape"]), checked_sizes(described["data_offsets"])
        if len(offsets) != 2 or offsets[1] - offsets[0] != math.prod(shape) * dtype.itemsize:
            raise Damaged(f"the tensor {printable(key)} has another size than its place")
        places.append(offsets)
        table[key] = TensorEntry(dtype, shape, contiguous_strides(shape), begin + offsets[0])
    end = 0
    for first, last in sorted(places):
        if first != end:
            raise Damaged("its tensors overlap or leave gaps")
        end = last
    if begin + end != size:
        raise Damaged(f"its tensors need {begin + end} bytes, and it has {size}")
    return table


def read_safetensors_metadata(file: BinaryIO, length: int) -> object:
    """Return what the header of `length` bytes tells besides tensors: a table of texts, or whatever else stands there."""
    return _header(file, length).get("__metadata__")


def _header(file: BinaryIO, length: int) -> dict:
    if 8 + length > file_size(file):
        raise Damaged("it ends within its header")
    try:
        header = read_json(read_bytes(file, 8, length))
    except ValueError as error:
        raise Damaged(f"its header: {error}") from error
    if not isinstance(header, dict):
        raise Damaged("its header is no table")
    return header


def _dtype(name: object, key: str) -> torch.dtype:
    known = _TYPES.get(name) if isinstance(name, str) else None
    if known is None:
        raise Refused(f"numbers of the unknown type {printable(name, 40)} in the tensor {printable(key)}")
    return getattr(torch, known)
