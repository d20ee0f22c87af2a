"""Pickles by hand: instructions that Python's own library would not write, and numbers that no tensor has."""

import os
import pickle
import struct


class Call:
    """Pickles as a call of `function` with `arguments`."""

    def __init__(self, function, *arguments):
        self.parts = function, arguments

    def __reduce__(self):
        return self.parts


def tensor_pickle(
    count=4, offset=0, shape=(4,), strides=(1,), storage="FloatStorage", key="0", rebuild="_rebuild_tensor_v2"
):
    """{'a': tensor} by hand, so that every number in it can be wrong."""

    def number(value):
        return b"\x8a\x09" + value.to_bytes(9, "little", signed=True)

    def numbers(values):
        return b"(" + b"".join(map(number, values)) + b"t"

    def text(value):
        return b"X" + struct.pack("<I", len(value)) + value.encode()

    identity = (
        b"(" + text("storage") + f"ctorch\n{storage}\n".encode() + text(key) + text("cpu") + number(count) + b"tQ"
    )
    arguments = b"(" + identity + number(offset) + numbers(shape) + numbers(strides) + b"\x89}t"
    return b"\x80\x02}" + text("a") + f"ctorch._utils\n{rebuild}\n".encode() + arguments + b"Rs."


def billion_laughs():
    """A key that takes 2 ** 60 steps to hash."""
    return b"\x80\x02})" + b"q\x00h\x00\x86" * 60 + b"K\x01s."


PICKLES = {
    "protocol 0": pickle.dumps({"a": 1}, protocol=0), "protocol 1": pickle.dumps({"a": 1}, protocol=1),
    "protocol 2": pickle.dumps({"a": 1}, protocol=2), "protocol 4": pickle.dumps({"a": 1}, protocol=4),
    "protocol 5": pickle.dumps({"a": [1] * 9}, protocol=5), "no protocol": b"\x80\x09}.", "only the beginning": b"\x80\x02",
    "os.system, bare": pickle.dumps(Call(os.system, "false"), protocol=2), "old magic, then code":
        pickle.dumps(0x1950A86A20F9469CFC6C, protocol=2) + pickle.dumps(Call(os.system, "false"), protocol=2),
}  # fmt: skip
DATA = {
    "empty": b"", "only the end": b".", "stack of nothing": b"\x80\x02a.", "no end": b"\x80\x02}", "memo of 2**31": b"\x80\x02}r\xff\xff\xff\x7f.",
    "memo that is not there": b"\x80\x02h\x05.", "a frame of 2**62": b"\x80\x04\x95" + struct.pack("<Q", 2**62) + b"}.",
    "bytes of 2**60": b"\x80\x04\x8e" + struct.pack("<Q", 2**60), "text of 2**31": b"\x80\x02X\xff\xff\xff\x7fa.",
    "bytearray of 2**60": b"\x80\x05\x96" + struct.pack("<Q", 2**60), "number of 2**31 bytes": b"\x80\x02\x8b\xff\xff\xff\x7f",
    "bytearray of a terabyte": b"\x80\x02c__builtin__\nbytearray\n\x8a\x06\x00\x00\x00\x00\x00\x01\x85R.",
    "too many steps": b"\x80\x02" + b"N0" * 300_000 + b"}.", "deep lists": b"\x80\x02" + b"]" * 190_000 + b"a" * 189_999 + b".",
    "deep tuples": b"\x80\x02N" + b"\x85" * 390_000 + b".", "a key for ever": billion_laughs(), "a list as a key": b"\x80\x02}]K\x01s.",
    "dict in itself": b"\x80\x02}q\x00X\x01\x00\x00\x00ah\x00s.", "INST": b"\x80\x02(S'false'\nios\nsystem\n.",
    "OBJ": b"\x80\x02(cos\nsystem\nS'false'\no.", "EXT1": b"\x80\x02\x82\x01.", "NEWOBJ_EX": b"\x80\x04cos\nsystem\n)}\x92.",
    "BUILD of the module": b"\x80\x02cos\n__dict__\n}b.", "PERSID": b"\x80\x02Pa\n.", "persistent id of a number": b"\x80\x02K\x01Q.",
    "persistent id of a text": b"\x80\x02X\x07\x00\x00\x00storageQ.", "names with dots": b"\x80\x04\x8c\x02os\x8c\x0bpath.os.sys\x93.",
    "name of torch that loads modules": b"\x80\x02ctorch\n_dynamo\n.", "a number called": b"\x80\x02K\x01)R.",
    "a dictionary of itself called": b"\x80\x02})R.", "no pickle": b"hello world", "two megabytes of zeros": bytes(2**21),
    "control characters in a name": b"\x80\x02cos\x1b[31m\nsys\rtem\n.", "no UTF-8 in a name": b"\x80\x02cos\xff\nsystem\n.",
    "a name of a megabyte": b"\x80\x02c" + b"a" * 2**20 + b"\nb\n.", "a key of a megabyte": b"\x80\x02}X\x00\x00\x10\x00" + b"a" * 2**20 + b"K\x01s.",
}  # fmt: skip
TENSORS = {
    "strides of 0": {"shape": (1000, 1000, 1000), "strides": (0, 0, 0)}, "expanded": {"shape": (4, 10**6), "strides": (1, 0)},
    "overlapping": {"shape": (2, 3), "strides": (1, 1)}, "negative strides": {"strides": (-1,)}, "negative offset": {"offset": -4},
    "beyond the storage": {"offset": 3}, "far beyond": {"offset": 2**60}, "long strides": {"shape": (2,), "strides": (2**40,)},
    "huge": {"count": 2**60, "shape": (2**60,)}, "negative count": {"count": -4}, "a count of nothing": {"count": 0},
    "count beyond the file": {"count": 10**9, "shape": (10**9,)}, "more strides": {"strides": (1, 1)},
    "many axes": {"shape": (1,) * 70, "strides": (1,) * 70},
    "storage missing": {"key": "1"}, "storage elsewhere": {"key": "../../etc/passwd"}, "unknown storage": {"storage": "QInt8Storage"},
    "storage of code": {"storage": "load"}, "rebuilt sparse": {"rebuild": "_rebuild_sparse_tensor"},
    "rebuilt by code": {"rebuild": "_import_dotted_name"},
    "rebuilt by a class": {"rebuild": "_rebuild_wrapper_subclass"},
}  # fmt: skip
