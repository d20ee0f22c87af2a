"""The names that a saved state_dict may hold in its pickle, and what stands for them: descriptions, never objects of theirs."""

from typing import NamedTuple

import torch

from .file_faults import Refused
from .printable import printable

_STORAGES = {
    "FloatStorage": torch.float32,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "DoubleStorage": torch.float64,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "ShortStorage": torch.int16,
    "CharStorage": torch.int8,
    "ByteStorage": torch.uint8,
    "BoolStorage": torch.bool,
    "ComplexFloatStorage": torch.complex64,
    "ComplexDoubleStorage": torch.complex128,
}
_TENSOR = ("torch._utils._rebuild_tensor", "torch._utils._rebuild_tensor_v2")
_PARAMETER = ("torch._utils._rebuild_parameter", "torch._utils._rebuild_parameter_with_state")
_DICT = ("collections.OrderedDict", "collections.Counter")
# What a checkpoint may hold beside its tensors, and nobody looks at
_UNREAD = (
    "torch.Size",
    "torch.device",
    "torch.nn.parameter.Parameter",
    "builtins.set",
    "__builtin__.set",
    "builtins.complex",
    *(f"torch.{name}" for name, value in vars(torch).items() if isinstance(value, torch.dtype)),
)


class SavedStorage(NamedTuple):
    """`count` numbers of one type; key: their name in the file."""

    dtype: torch.dtype
    key: str
    count: int


class SavedTensor(NamedTuple):
    """A tensor within a storage; nothing is checked but the types. offset, strides: in numbers."""

    storage: SavedStorage
    offset: object
    shape: object
    strides: object


class _Named(NamedTuple):
    name: str


class Unread(NamedTuple):
    """Something harmless that nobody looks at, by its name."""

    name: str


def named(name: str) -> _Named:
    """Return the description of a name, as "module.attribute". Refused for all that a state_dict does not need."""
    module, _, attribute = name.rpartition(".")
    is_storage = module in ("torch", "torch.storage") and attribute in _STORAGES
    if name not in _TENSOR + _PARAMETER + _DICT + _UNREAD and not is_storage:
        if name.startswith("torch._utils._rebuild_"):
            kind = printable(attribute.removeprefix("_rebuild_").replace("_", " "), 40)
            raise Refused(f"not plain numbers but a {kind}")
        raise Refused(f"the Python object {printable(name)}, and such files can run code when loaded")
    return _Named(name)


def stand_in(function: object, arguments: object) -> object:
    """Return what stands for the result of a call. TypeError and the like if the pickle is garbled."""
    if not isinstance(function, _Named) or not isinstance(arguments, tuple):
        raise TypeError
    if function.name in _TENSOR:
        storage, offset, shape, strides = arguments[:4]
        if not isinstance(storage, SavedStorage):
            raise TypeError
        return SavedTensor(storage, offset, shape, strides)
    if function.name in _PARAMETER:
        if not isinstance(arguments[0], SavedTensor):
            raise TypeError
        return arguments[0]
    if function.name in _DICT:
        return {}
    return Unread(function.name)


def storage_of(identity: object) -> SavedStorage:
    """Return the storage that torch.save writes down as this tuple. TypeError and the like if it is garbled."""
    kind, storage, key, _, count = identity[:5]
    if kind != "storage" or not isinstance(key, str) or type(count) is not int or any(identity[5:]):
        raise TypeError
    return SavedStorage(_STORAGES[storage.name.rpartition(".")[2]], key, count)
