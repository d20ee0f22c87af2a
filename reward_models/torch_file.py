"""The tensors of a file that torch.save wrote, in today's form (a ZIP archive) and in that of before 1.6: what and where.

The pickle in the file is read as data, see pickle_table.py; the numbers are left where they are.
"""

import math
from collections.abc import Callable
from io import BytesIO
from typing import BinaryIO

from .file_faults import Damaged, Refused
from .pickle_names import SavedStorage, SavedTensor
from .pickle_table import read_pickle
from .printable import printable
from .regular_file import file_size, read_bytes
from .state_within import state_within
from .tensor_entry import TensorEntry, checked_shape, checked_sizes
from .zip_members import Member, begin_of_content, read_zip_members

_LONGEST_PICKLE = 16 * 2**20
_OLD_MAGIC = 0x1950A86A20F9469CFC6C


def read_torch_zip(file: BinaryIO, name: str) -> object:
    """Read what torch.save put into a ZIP archive, with `TensorEntry` for tensors. Damaged, Refused; ValueError naming
    the file if the archive holds another thing."""
    members = read_zip_members(file)
    if any(member.endswith("/constants.pkl") for member in members):
        raise ValueError(
            f"{name} is a TorchScript program (the form of OpenAI's own .pt files), which cannot be read without running "
            "it: use the same weights as plain tensors, such as openai/clip-vit-large-patch14's model.safetensors"
        )
    pickles = [member for member in members if member.count("/") == 1 and member.endswith("/data.pkl")]
    if len(pickles) != 1:
        raise ValueError(
            f"{name} is a ZIP archive and no PyTorch checkpoint: choose the model file, perhaps one inside it"
        )
    root = pickles[0].removesuffix("data.pkl")

    def place_of(storage: SavedStorage) -> int:
        member = members.get(f"{root}data/{storage.key}")
        if member is None or storage.count * storage.dtype.itemsize > member.size:
            raise Damaged(f"the numbers {printable(storage.key, 40)} are missing")
        return begin_of_content(file, member)

    order = members.get(f"{root}byteorder")
    if order is not None and _content(file, order) != b"little":
        raise Refused("numbers in the byte order of another kind of computer")
    saved = read_pickle(BytesIO(_content(file, members[pickles[0]])))
    return _with_entries(saved, place_of, file_size(file), name)


def read_torch_legacy(file: BinaryIO, name: str) -> object:
    """As `read_torch_zip`, for the form of before PyTorch 1.6: pickles, then each storage behind its length."""
    size = file_size(file)
    stream = BytesIO(read_bytes(file, 0, min(size, _LONGEST_PICKLE)))
    if read_pickle(stream) != _OLD_MAGIC:
        raise ValueError(f"{name} is a pickle of Python's own and no PyTorch checkpoint: choose the model file")
    version, system, saved, keys = (read_pickle(stream) for _ in range(4))
    if version != 1001 or not isinstance(system, dict) or system.get("little_endian") is not True:
        raise Refused("numbers in the byte order of another kind of computer")
    places = _legacy_places(file, stream.tell(), keys, saved)

    def place_of(storage: SavedStorage) -> int:
        begin, count = places.get(storage.key, (0, None))
        if count != storage.count:
            raise Damaged(f"the numbers {printable(storage.key, 40)} are missing")
        return begin

    return _with_entries(saved, place_of, size, name)


def _legacy_places(file: BinaryIO, begin: int, keys: object, saved: object) -> dict[str, tuple[int, int]]:
    widths = {tensor.storage.key: tensor.storage.dtype.itemsize for tensor in _tensors(saved)}
    if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
        raise Damaged("its table of contents is damaged")
    places, size = {}, file_size(file)
    for key in keys:
        if begin + 8 > size:
            raise Damaged("it ends before its numbers")
        count = int.from_bytes(read_bytes(file, begin, 8), "little", signed=True)
        end = begin + 8 + count * widths.get(key, size)
        if count < 0 or end > size:
            raise Damaged("it ends before its numbers")
        places[key] = begin + 8, count
        begin = end
    return places


def _tensors(saved: object) -> list[SavedTensor]:
    """All tensors in a value, however deep; every container is looked into once."""
    found, seen, waiting = [], set(), [saved]
    while waiting:
        value = waiting.pop()
        if isinstance(value, SavedTensor):
            found.append(value)
        elif isinstance(value, dict | list | tuple) and id(value) not in seen:
            seen.add(id(value))
            waiting.extend(value.values() if isinstance(value, dict) else value)
    return found


def _with_entries(saved: object, place_of: Callable[[SavedStorage], int], size: int, name: str) -> object:
    """Replace the tensors of the state_dict within by where they lie in a file of `size` bytes; name: the file's."""
    if not isinstance(saved, dict):
        return saved
    saved = state_within(saved, SavedTensor, name)
    begins: dict[SavedStorage, int] = {}
    table, total = {}, 0
    for key, value in saved.items():
        if isinstance(value, SavedTensor):
            if value.storage not in begins:
                begins[value.storage] = place_of(value.storage)
            value = _entry(value, begins[value.storage])
            total += value.span_bytes
        table[key] = value
    # Two tensors may share their numbers, but a small file must not become large that way
    if total > 2 * size:
        raise Refused(f"tensors of {total} bytes, spread from {size}")
    return table


def _entry(tensor: SavedTensor, begin: int) -> TensorEntry:
    dtype, shape, strides = tensor.storage.dtype, checked_shape(tensor.shape), checked_sizes(tensor.strides)
    (offset,) = checked_sizes([tensor.offset])
    if len(shape) != len(strides):
        raise Damaged("a tensor without a sound shape")
    entry = TensorEntry(dtype, shape, strides, begin + offset * dtype.itemsize)
    if offset + entry.span > tensor.storage.count:
        raise Damaged("a tensor reaches beyond its numbers")
    if math.prod(shape) > entry.span:
        raise Refused("a tensor that is spread from fewer numbers than it has")
    return entry


def _content(file: BinaryIO, member: Member) -> bytes:
    if member.size > _LONGEST_PICKLE:
        raise Refused(f"a table of {member.size} bytes, more than any model has")
    return read_bytes(file, begin_of_content(file, member), member.size)
