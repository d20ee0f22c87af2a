"""Reads a pickle as data: the containers, numbers and texts in it, and where its tensors lie. Nothing is ever called.

Python's own unpickler runs what a pickle names. This one has no way to do so: a name is only compared with the few that
a saved state_dict needs, tensors become `SavedTensor`, and everything else that is named is refused.
"""

import pickletools
from io import BytesIO
from typing import NamedTuple

import torch

from .file_faults import Damaged, Refused
from .printable import printable

# A training checkpoint of the largest CLIP has about 100,000
MOST_STEPS = 1_000_000

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
_TENSOR, _PARAMETER = (
    ("torch._utils._rebuild_tensor", "torch._utils._rebuild_tensor_v2"),
    (
        "torch._utils._rebuild_parameter",
        "torch._utils._rebuild_parameter_with_state",
    ),
)
_DICT = ("collections.OrderedDict", "collections.Counter")
# What a checkpoint may hold beside its tensors, and nobody looks at
_UNREAD = (
    "torch.Size",
    "torch.device",
    "torch.nn.parameter.Parameter",
    "builtins.set",
    "__builtin__.set",
    "builtins.complex",
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


class _Unread(NamedTuple):
    name: str


_MARK = object()


def read_pickle(stream: BytesIO) -> object:
    """Read one pickle from the stream, up to its end: dicts, lists, tuples, numbers, texts, `SavedTensor` and what is not
    looked at. Refused; Damaged."""
    reader = _Reader()
    try:
        for steps, (opcode, argument, _) in enumerate(pickletools.genops(stream)):
            if steps > MOST_STEPS:
                raise Refused("more entries than any model has")
            if opcode.name == "STOP":
                return reader.stack.pop()
            reader.step(opcode.name, argument)
    except (IndexError, KeyError, TypeError, AttributeError, ValueError, OverflowError) as error:
        raise Damaged("its pickle is garbled") from error
    raise Damaged("its pickle does not end")


class _Reader:
    def __init__(self) -> None:
        self.stack: list = []
        self.memo: dict[int, object] = {}

    def step(self, name: str, argument: object) -> None:
        stack = self.stack
        match name:
            case "PROTO" | "FRAME":
                pass
            case "MARK":
                stack.append(_MARK)
            case "NONE" | "NEWTRUE" | "NEWFALSE":
                stack.append({"NONE": None, "NEWTRUE": True, "NEWFALSE": False}[name])
            case "BININT" | "BININT1" | "BININT2" | "LONG1" | "BINFLOAT" | "BINUNICODE" | "SHORT_BINUNICODE":
                stack.append(argument)
            case "SHORT_BINSTRING" | "BINSTRING" | "SHORT_BINBYTES" | "BINBYTES":
                stack.append(argument)
            case "EMPTY_DICT":
                stack.append({})
            case "EMPTY_LIST" | "EMPTY_SET":
                stack.append([])
            case "EMPTY_TUPLE":
                stack.append(())
            case "TUPLE1" | "TUPLE2" | "TUPLE3":
                stack.append(tuple(self._pop_many(int(name[-1]))))
            case "TUPLE":
                stack.append(tuple(self._pop_to_mark()))
            case "APPEND":
                value = stack.pop()
                _list(stack[-1]).append(value)
            case "APPENDS" | "ADDITEMS":
                values = self._pop_to_mark()
                _list(stack[-1]).extend(values)
            case "SETITEM":
                self._set_items(self._pop_many(2))
            case "SETITEMS":
                self._set_items(self._pop_to_mark())
            case "BINPUT" | "LONG_BINPUT":
                self.memo[argument] = stack[-1]
            case "MEMOIZE":
                self.memo[len(self.memo)] = stack[-1]
            case "BINGET" | "LONG_BINGET":
                stack.append(self.memo[argument])
            case "GLOBAL":
                stack.append(_named(argument.replace(" ", ".", 1)))
            case "STACK_GLOBAL":
                module, attribute = self._pop_many(2)
                stack.append(_named(f"{module}.{attribute}"))
            case "REDUCE" | "NEWOBJ":
                named, arguments = self._pop_many(2)
                stack.append(_stand_in(named, arguments))
            case "BUILD":  # attributes of a dict or parameter, such as _metadata
                stack.pop()
            case "BINPERSID":
                stack.append(_storage(stack.pop()))
            case _:
                raise Refused(f"the pickle instruction {name}")

    def _pop_many(self, count: int) -> list:
        values = self.stack[-count:]
        if len(values) < count or _MARK in (value for value in values if value is _MARK):
            raise IndexError
        del self.stack[-count:]
        return values

    def _pop_to_mark(self) -> list:
        values = []
        while (value := self.stack.pop()) is not _MARK:
            values.append(value)
        return values[::-1]

    def _set_items(self, items: list) -> None:
        table = self.stack[-1]
        if not isinstance(table, dict) or len(items) % 2:
            raise TypeError
        for key, value in zip(items[::2], items[1::2], strict=True):
            # Other keys could take for ever to hash
            if not isinstance(key, str | int | float | bytes | None):
                raise Refused(f"an entry named by a {type(key).__name__}")
            table[key] = value


def _list(value: object) -> list:
    if not isinstance(value, list):
        raise TypeError
    return value


def _named(name: str) -> _Named:
    module, _, attribute = name.rpartition(".")
    is_storage = module in ("torch", "torch.storage") and attribute in _STORAGES
    is_type = module == "torch" and isinstance(getattr(torch, attribute, None), torch.dtype)
    if name not in _TENSOR + _PARAMETER + _DICT + _UNREAD and not is_storage and not is_type:
        if name.startswith("torch._utils._rebuild_"):
            kind = printable(attribute.removeprefix("_rebuild_").replace("_", " "), 40)
            raise Refused(f"not plain numbers but a {kind}")
        raise Refused(f"the Python object {printable(name)}, and such files can run code when loaded")
    return _Named(name)


def _stand_in(named: object, arguments: object) -> object:
    if not isinstance(named, _Named) or not isinstance(arguments, tuple):
        raise TypeError
    if named.name in _TENSOR:
        storage, offset, shape, strides = arguments[:4]
        if not isinstance(storage, SavedStorage):
            raise TypeError
        return SavedTensor(storage, offset, shape, strides)
    if named.name in _PARAMETER:
        if not isinstance(arguments[0], SavedTensor):
            raise TypeError
        return arguments[0]
    if named.name in _DICT:
        return {}
    return _Unread(named.name)


def _storage(identity: object) -> SavedStorage:
    kind, named, key, _, count = identity[:5]
    if kind != "storage" or not isinstance(key, str) or type(count) is not int or any(identity[5:]):
        raise TypeError
    return SavedStorage(_STORAGES[named.name.rpartition(".")[2]], key, count)
