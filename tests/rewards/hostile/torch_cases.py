"""Spoilt .pt files: cut, flipped, bombs, tensors that are more than their numbers, and pickles that ask for code."""

import argparse
import collections
import io
import os
import pickle
import random
import struct
import warnings
import zipfile
import zlib

import torch
from sound import Case, tiny_state, write_clip, write_config

ZERO = {"visual.proj": torch.zeros(1)}


class Call:
    """Pickles as a call of `function` with `arguments`."""

    def __init__(self, function, *arguments):
        self.parts = function, arguments

    def __reduce__(self):
        return self.parts


def written(folder, content, legacy=False, protocol=2):
    write_config(folder)
    path = folder / "x.pt"
    torch.save(content, path, _use_new_zipfile_serialization=not legacy, pickle_protocol=protocol)
    return Case(path)


def archive(folder, members, method=zipfile.ZIP_STORED):
    write_config(folder)
    path = folder / "x.pt"
    with warnings.catch_warnings(), zipfile.ZipFile(path, "w", method) as file:
        warnings.simplefilter("ignore", UserWarning)
        for name, content in members:
            file.writestr(name, content)
    return Case(path)


def hand_made(folder, data, **more):
    """An archive with this data.pkl and one storage of 16 bytes."""
    return archive(folder, [("x/data.pkl", data), ("x/data/0", bytes(16)), *more.items()])


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


def cut(folder, share, legacy):
    path = write_clip(folder, "x.pt")
    if legacy:
        torch.save(tiny_state(), path, _use_new_zipfile_serialization=False)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    return Case(path)


def cut_at_member(folder, index):
    path = write_clip(folder, "x.pt")
    with zipfile.ZipFile(path) as file:
        begins = [member.header_offset for member in file.infolist()] + [file.start_dir]
    path.write_bytes(path.read_bytes()[: begins[index % len(begins)] + index // len(begins) * 40])
    return Case(path)


def flip(folder, seed, legacy):
    path, numbers = write_clip(folder, "x.pt"), random.Random(seed)
    if legacy:
        torch.save(tiny_state(), path, _use_new_zipfile_serialization=False)
    content = bytearray(path.read_bytes())
    places = len(content) if seed % 2 else min(4000, len(content))
    for _ in range(4):
        content[numbers.randrange(2, places)] = numbers.randrange(256)
    path.write_bytes(content)
    return Case(path, loads=None, other_weights=True)


def changed(folder, **tensors):
    return Case(
        write_clip(folder, "x.pt", tiny_state() | {key.replace("_", "."): value for key, value in tensors.items()})
    )


def loads(folder, content, **options):
    case = written(folder, content, **options)
    return Case(case.path, loads=True)


def shared_storage():
    """The sound tensors as views of one storage, one of them transposed."""
    state = tiny_state()
    flat = torch.cat([tensor.flatten() for tensor in state.values()])
    views, place = {}, 0
    for key, tensor in state.items():
        views[key] = flat[place : place + tensor.numel()].view(tensor.shape)
        place += tensor.numel()
    views["visual.proj"] = state["visual.proj"].T.contiguous().T
    return views


def quiet(make):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return make()


def quantized():
    return quiet(lambda: torch.quantize_per_tensor(torch.ones(32, 8), 0.1, 0, torch.qint8))


def billion_laughs():
    """A key that takes 2 ** 60 steps to hash."""
    return b"\x80\x02})" + b"q\x00h\x00\x86" * 60 + b"K\x01s."


def table_of_contents(folder, count, length, begin):
    case = hand_made(folder, tensor_pickle())
    content = bytearray(case.path.read_bytes())
    content[-12:-2] = struct.pack("<HII", count, length, begin)
    case.path.write_bytes(content)
    return case


def zip64(folder, count, length, begin):
    case = hand_made(folder, tensor_pickle())
    content = case.path.read_bytes()
    record = b"PK\x06\x06" + struct.pack("<QHHIIQQQQ", 44, 45, 45, 0, 0, count, count, length, begin)
    case.path.write_bytes(
        content[:-22] + record + b"PK\x06\x07" + struct.pack("<IQI", 0, len(content) - 22, 1) + content[-22:]
    )
    return case


def many_members(folder):
    case = hand_made(folder, tensor_pickle())
    entry = b"PK\x01\x02" + bytes(24) + struct.pack("<HHH", 6, 0, 0) + bytes(12) + b"member"
    table = entry * 150_000
    case.path.write_bytes(
        b"PK\x03\x04" + table + b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, 65535, 65535, len(table), 4, 0)
    )
    return case


def legacy_claims(folder, count):
    """The old form with one storage that claims so many numbers."""
    case = written(folder, ZERO, legacy=True)
    content = case.path.read_bytes()
    content = content.replace(b"K\x01N", b"\x8a\x08" + count.to_bytes(8, "little", signed=True) + b"N")
    case.path.write_bytes(content[:-12] + count.to_bytes(8, "little", signed=True) + content[-4:])
    return case


def sparse_file(folder):
    """A terabyte of nothing with a sound header, which takes no room on the disk."""
    path = write_clip(folder)
    header = b'{"a": {"dtype": "F32", "shape": [250000000000], "data_offsets": [0, 1000000000000]}}'
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(header)) + header)
        file.truncate(8 + len(header) + 10**12)
    return Case(path)


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
    "too many steps": b"\x80\x02" + b"N0" * 1_000_000 + b"}.", "deep lists": b"\x80\x02" + b"]" * 400_000 + b"a" * 399_999 + b".",
    "deep tuples": b"\x80\x02N" + b"\x85" * 500_000 + b".", "a key for ever": billion_laughs(), "a list as a key": b"\x80\x02}]K\x01s.",
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
CASES = {
    f"cut to {share:.2f}": lambda folder, share=share: cut(folder, share, False)
    for share in (0.01, 0.1, 0.4, 0.7, 0.95, 0.999)
}
CASES |= {
    f"old form cut to {share:.2f}": lambda folder, share=share: cut(folder, share, True)
    for share in (0.001, 0.01, 0.1, 0.4, 0.7, 0.99)
}
CASES |= {
    f"cut at member {index}": lambda folder, index=index: cut_at_member(folder, index) for index in range(0, 60, 3)
}
CASES |= {f"flipped, seed {seed}": lambda folder, seed=seed: flip(folder, seed, False) for seed in range(20)}
CASES |= {f"old form flipped, seed {seed}": lambda folder, seed=seed: flip(folder, seed, True) for seed in range(20)}
CASES |= {f"pickle: {name}": lambda folder, data=data: _bare(folder, data) for name, data in PICKLES.items()}
CASES |= {f"data.pkl: {name}": lambda folder, data=data: hand_made(folder, data) for name, data in DATA.items()}
CASES |= {
    f"tensor: {name}": lambda folder, wrong=wrong: hand_made(folder, tensor_pickle(**wrong))
    for name, wrong in TENSORS.items()
}
CASES |= {
    f"code: {name}": lambda folder, call=call: written(folder, {"state_dict": ZERO, "extra": call})
    for name, call in {
        "os.system": Call(os.system, "false"), "eval": Call(eval, "1"), "exec": Call(exec, "1"), "open": Call(open, "/dev/null"),
        "getattr": Call(getattr, "x", "upper"), "argparse": argparse.Namespace(a=1),
        "torch.load": Call(torch.load, "x"), "an open file": Call(io.BytesIO, b"x"),
        "numpy scalar": torch.ones(1).numpy()[0], "nested in a list": [[[Call(os.getcwd)]]],
    }.items()
}  # fmt: skip
CASES |= {
    f"whole: {name}": lambda folder, make=make: make(folder)
    for name, make in {
        "sound": lambda folder: loads(folder, tiny_state()), "old form": lambda folder: loads(folder, tiny_state(), legacy=True),
        "protocol 4": lambda folder: loads(folder, tiny_state(), protocol=4),
        "ordered, with metadata": lambda folder: loads(folder, collections.OrderedDict(tiny_state())),
        "parameters": lambda folder: loads(folder, {key: torch.nn.Parameter(value) for key, value in tiny_state().items()}),
        "views of one storage": lambda folder: loads(folder, shared_storage()),
        "training checkpoint": lambda folder: loads(folder,
            {"epoch": 1, "rng": torch.Size((1,)), "device": torch.device("cpu"), "type": torch.float16,
            "set": {1, 2}, "state_dict": {f"module.{key}": value.half() for key, value in tiny_state().items()}}),
        "sparse": lambda folder: changed(folder, visual_proj=torch.eye(32, 8).to_sparse()),
        "quantised": lambda folder: changed(folder, visual_proj=quantized()),
        "meta": lambda folder: changed(folder, visual_proj=torch.empty(32, 8, device="meta")),
        "int8": lambda folder: changed(folder, visual_proj=torch.ones(32, 8, dtype=torch.int8)),
        "int64": lambda folder: changed(folder, visual_proj=torch.ones(32, 8, dtype=torch.int64)),
        "uint8": lambda folder: changed(folder, visual_proj=torch.ones(32, 8, dtype=torch.uint8)),
        "bool": lambda folder: changed(folder, visual_proj=torch.ones(32, 8, dtype=torch.bool)),
        "complex": lambda folder: changed(folder, visual_proj=torch.ones(32, 8, dtype=torch.complex64)),
        "uint16": lambda folder: changed(folder, visual_proj=torch.ones(32, 8, dtype=torch.uint16)),
        "float8": lambda folder: changed(folder, visual_proj=torch.ones(32, 8).to(torch.float8_e4m3fn)),
        "NaN": lambda folder: changed(folder, visual_proj=torch.full((32, 8), float("nan"))),
        "expanded": lambda folder: changed(folder, visual_proj=torch.ones(1, 1).expand(32, 8)),
        "a million views of one tensor": lambda folder: written(folder, dict.fromkeys(map(str, range(3000)), torch.ones(4000))),
        "list": lambda folder: written(folder, [1]), "None": lambda folder: written(folder, None),
        "tensor": lambda folder: written(folder, torch.ones(3)),
        "empty dict": lambda folder: written(folder, {}), "dicts in dicts": lambda folder: written(folder, {"state_dict": {"state_dict": ZERO}}),
        "numbers for names": lambda folder: written(folder, {0: torch.ones(2)}),
        "bytes for names": lambda folder: written(folder, {b"\xff" * 300: torch.ones(2)}),
        "an optimizer": lambda folder: written(folder, {"a": torch.ones(1), "lr": 0.1}),
        "odd names": lambda folder: written(folder, {"\x00\n\u202e" * 500: torch.ones(1)}),
    }.items()
}  # fmt: skip
CASES |= {
    "zip: deflated bomb": lambda folder: archive(folder, [("x/data.pkl", tensor_pickle()), ("x/data/0", bytes(2**28))], zipfile.ZIP_DEFLATED),
    "zip: a pickle that unpacks large": lambda folder: archive(folder, [("x/data.pkl", bytes(2**26))], zipfile.ZIP_DEFLATED),
    "zip: other files": lambda folder: archive(folder, [("readme.txt", b"hello"), ("model.safetensors", b"x")]),
    "zip: nothing in it": lambda folder: archive(folder, []),
    "zip: two pickles": lambda folder: archive(folder, [("x/data.pkl", tensor_pickle()), ("y/data.pkl", tensor_pickle())]),
    "zip: one name twice": lambda folder: archive(folder, [("x/data.pkl", tensor_pickle()), ("x/data.pkl", b"")]),
    "zip: a program": lambda folder: archive(folder, [("x/data.pkl", tensor_pickle()), ("x/constants.pkl", b""), ("x/code/a.py", b"1")]),
    "zip: other byte order": lambda folder: hand_made(folder, tensor_pickle(), **{"x/byteorder": b"big"}),
    "zip: odd byte order": lambda folder: hand_made(folder, tensor_pickle(), **{"x/byteorder": zlib.compress(bytes(99))}),
    "zip: NumPy arrays": lambda folder: archive(folder, [("a.npy", b"\x93NUMPY")]),
    "zip: an absolute name": lambda folder: archive(folder, [("/x/data.pkl", tensor_pickle()), ("../data.pkl", b"")]),
    "zip: many members": many_members,
    "zip: contents elsewhere": lambda folder: table_of_contents(folder, 2, 100, 2**31),
    "zip: contents too long": lambda folder: table_of_contents(folder, 2, 2**31, 0),
    "zip: contents of another place": lambda folder: table_of_contents(folder, 2, 60, 3),
    "zip: more members than there are": lambda folder: table_of_contents(folder, 60000, 60, 3),
    "zip64: 2**60 members": lambda folder: zip64(folder, 2**60, 100, 0),
    "zip64: contents beyond the end": lambda folder: zip64(folder, 2, 100, 2**62),
    "old form: a terabyte claimed": lambda folder: legacy_claims(folder, 2**38),
    "old form: 2**62 claimed": lambda folder: legacy_claims(folder, 2**62),
    "old form: less than nothing": lambda folder: legacy_claims(folder, -1),
    "a terabyte of nothing": sparse_file,
}  # fmt: skip


def _bare(folder, data):
    write_config(folder)
    (folder / "x.pt").write_bytes(data)
    return Case(folder / "x.pt")
