"""Spoilt .pt files: cut, flipped, bombs, tensors that are more than their numbers, and pickles that ask for code."""

import argparse
import collections
import io
import os
import random
import struct
import warnings
import zipfile
import zlib

import torch
from pickles import DATA, PICKLES, TENSORS, Call, tensor_pickle
from sound import Case, tiny_state, write_clip, write_config

ZERO = {"visual.proj": torch.zeros(1)}


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


def in_itself():
    content = {"epoch": 1}
    content["model"] = content
    return content


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
        "wrapped and compiled": lambda folder: loads(folder,
            {"step": torch.tensor(9), "model": {f"_orig_mod.model.{key}": value for key, value in tiny_state().items()}}),
        "two sets of weights": lambda folder: written(folder, {"model": tiny_state(), "\u202e\n" * 99: tiny_state()}),
        "one dict under 50,000 names": lambda folder: written(folder, dict.fromkeys(range(50_000), dict.fromkeys(range(50_000)))),
        "prefixes without end": lambda folder: written(folder, {"model." * 10**6 + name: torch.ones(2) for name in "ab"}),
        "a dict in itself": lambda folder: written(folder, in_itself()),
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
