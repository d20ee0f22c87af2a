"""Reads a pickle as data: the containers, numbers and texts in it, and where its tensors lie. Nothing is ever called.

Python's own unpickler runs what a pickle names. This one has no way to do so: pickle_names.py compares a name with the few
that a saved state_dict needs, and refuses all others.
"""

import pickletools
from io import BytesIO

from .file_faults import Damaged, Refused
from .pickle_names import named, stand_in, storage_of

# A training checkpoint of the largest CLIP has about 100,000
MOST_STEPS = 400_000

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
                stack.append(named(argument.replace(" ", ".", 1)))
            case "STACK_GLOBAL":
                module, attribute = self._pop_many(2)
                stack.append(named(f"{module}.{attribute}"))
            case "REDUCE" | "NEWOBJ":
                function, arguments = self._pop_many(2)
                stack.append(stand_in(function, arguments))
            case "BUILD":  # attributes of a dict or parameter, such as _metadata
                stack.pop()
            case "BINPERSID":
                stack.append(storage_of(stack.pop()))
            case _:
                raise Refused(f"the pickle instruction {name}")

    def _pop_many(self, count: int) -> list:
        values = self.stack[-count:]
        if len(values) < count or any(value is _MARK for value in values):
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
