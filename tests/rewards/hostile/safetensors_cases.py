"""Spoilt .safetensors files: cut anywhere, with flipped bytes, and with headers that claim what is not so."""

import json
import math
import random
import struct

import torch
from safetensors.torch import save_file
from sound import Case, tiny_state, write_clip, write_config

SIZES = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U8": 1, "BOOL": 1, "U16": 2,
         "U32": 4, "U64": 8, "F8_E4M3": 1, "F8_E5M2": 1, "C64": 8, "F4": 1, "F8_E8M0": 1, "X": 4}  # fmt: skip


def with_header(path, header, data=b""):
    """Write a file with this header (bytes, or an object for JSON) and these numbers."""
    written = header if isinstance(header, bytes) else json.dumps(header).encode()
    write_config(path.parent)
    path.write_bytes(struct.pack("<Q", len(written)) + written + data)
    return Case(path)


def parts(content):
    (length,) = struct.unpack("<Q", content[:8])
    return json.loads(content[8 : 8 + length]), content[8 + length :]


def cut(folder, place):
    path = write_clip(folder)
    content = path.read_bytes()
    header, _ = parts(content)
    begin = 8 + struct.unpack("<Q", content[:8])[0]
    ends = sorted({offset for entry in header.values() if "data_offsets" in entry for offset in entry["data_offsets"]})
    places = [
        0,
        1,
        7,
        8,
        9,
        begin // 2,
        begin - 1,
        begin,
        begin + 1,
        *(begin + end for end in ends[1:-1]),
        len(content) - 1,
    ]
    path.write_bytes(content[: places[place]])
    return Case(path)


def flip(folder, seed, only_header):
    path, numbers = write_clip(folder), random.Random(seed)
    content = bytearray(path.read_bytes())
    end = 8 + struct.unpack("<Q", content[:8])[0] if only_header else len(content)
    for _ in range(3):
        content[numbers.randrange(end)] ^= 1 << numbers.randrange(8)
    path.write_bytes(content)
    return Case(path, loads=None, other_weights=True)


def typed(folder, name):
    """A whole CLIP whose projection is claimed to be of another type."""
    path = write_clip(folder)
    header, data = parts(path.read_bytes())
    entry, header = header["visual.proj"], {key: value for key, value in header.items() if key != "visual.proj"}
    begin, end = entry["data_offsets"]
    length = math.prod(entry["shape"]) * SIZES[name]
    for other in header.values():
        if other["data_offsets"][0] >= end:
            other["data_offsets"] = [offset - (end - begin) + length for offset in other["data_offsets"]]
    header["visual.proj"] = {"dtype": name, "shape": entry["shape"], "data_offsets": [begin, begin + length]}
    return with_header(path, header, data[:begin] + bytes(length) + data[end:])


def changed(folder, edit, loads=False):
    state = tiny_state()
    edit(state)
    return Case(write_clip(folder, state=state), loads=loads)


def put(key, tensor):
    return lambda state: state.update({key: tensor})


def number(value, dtype=torch.float32):
    def edit(state):
        for key in state:
            state[key] = state[key].to(dtype)
        state["visual.proj"][3, 2] = value

    return edit


def all_as(dtype):
    return lambda state: state.update({key: tensor.to(dtype) for key, tensor in state.items()})


F32 = {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}
HEADERS = {
    "empty": b"{}", "no JSON": b"{]", "a list": b"[1, 2]", "a text": b'"x"', "only metadata": b'{"__metadata__": {"a": "b"}}',
    "deep": b'{"a":' * 5000 + b"1" + b"}" * 5000, "deep list": b"{" + b'"a":' + b"[" * 100000 + b"]" * 100000 + b"}",
    "no UTF-8": b'{"\xff\xfe": 1}', "NaN": b'{"a": NaN}', "Infinity": b'{"a": {"dtype": "F32", "shape": [Infinity], "data_offsets": [0, 0]}}',
    "twice": b'{"a": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}, "a": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}}',
    "long number": b'{"a": {"dtype": "F32", "shape": [' + b"9" * 5000 + b'], "data_offsets": [0, 16]}}',
    "no description": {"a": 3}, "no dtype": {"a": {"shape": [4], "data_offsets": [0, 16]}},
    "no shape": {"a": {"dtype": "F32", "data_offsets": [0, 16]}}, "no place": {"a": {"dtype": "F32", "shape": [4]}},
    "unknown type": {"a": F32 | {"dtype": "F31"}}, "type is a list": {"a": F32 | {"dtype": ["F32"]}},
    "type is a number": {"a": F32 | {"dtype": 3}}, "negative size": {"a": F32 | {"shape": [-4]}},
    "size is a fraction": {"a": F32 | {"shape": [4.0]}}, "size is true": {"a": F32 | {"shape": [True]}},
    "shape is a text": {"a": F32 | {"shape": "4"}}, "shape is a number": {"a": F32 | {"shape": 4}},
    "shape is null": {"a": F32 | {"shape": None}}, "nine axes": {"a": F32 | {"shape": [1] * 8 + [4]}},
    "a thousand axes": {"a": F32 | {"shape": [1] * 1000}}, "huge": {"a": F32 | {"shape": [10**18]}},
    "huge and empty": {"a": {"dtype": "F32", "shape": [0, 2**40, 2**40], "data_offsets": [0, 0]}},
    "product overflows": {"a": F32 | {"shape": [2**32, 2**32]}}, "too long a place": {"a": F32 | {"data_offsets": [0, 10**15]}},
    "place beyond 64 bits": {"a": F32 | {"data_offsets": [0, 2**70]}}, "negative place": {"a": F32 | {"data_offsets": [-16, 0]}},
    "backward place": {"a": F32 | {"data_offsets": [16, 0]}}, "one offset": {"a": F32 | {"data_offsets": [0]}},
    "three offsets": {"a": F32 | {"data_offsets": [0, 8, 16]}}, "offsets are texts": {"a": F32 | {"data_offsets": ["0", "16"]}},
    "overlap": {"a": F32, "b": F32}, "gap": {"a": F32 | {"shape": [2], "data_offsets": [8, 16]}},
    "rest": {"a": F32 | {"shape": [2], "data_offsets": [0, 8]}}, "shared by ten thousand": {f"t{i}": F32 for i in range(10000)},
    "control characters in a name": {"a\n\x1b[31m\u202e": F32},
    "half a character in a name": b'{"\\ud800": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}}',
    "a name of a megabyte": {"a" * 2**20: F32}, "scalar for a matrix": {"visual.class_embedding": F32 | {"shape": [], "data_offsets": [0, 4]},
        "visual.conv1.weight": F32 | {"shape": [3], "data_offsets": [4, 16]}},
    "metadata is a number": {"__metadata__": 3, "a": F32}, "entry named state_dict": {"state_dict": F32},
    "four million bytes": b'{"a": [' + b"[]," * 1_390_000 + b"[]]}",
}  # fmt: skip
CASES = {f"cut at boundary {place}": lambda folder, place=place: cut(folder, place) for place in range(28)}
CASES |= {
    f"flipped in the header, seed {seed}": lambda folder, seed=seed: flip(folder, seed, True) for seed in range(25)
}
CASES |= {f"flipped anywhere, seed {seed}": lambda folder, seed=seed: flip(folder, seed, False) for seed in range(15)}
CASES |= {
    f"header: {name}": lambda folder, header=header: with_header(folder / "x.safetensors", header, bytes(16))
    for name, header in HEADERS.items()
}
CASES |= {
    f"weights of type {name}": lambda folder, name=name: typed(folder, name)
    for name in SIZES if name not in ("F64", "F32", "F16", "BF16")
}  # fmt: skip
CASES |= {
    f"a header of {length} bytes claimed": lambda folder, length=length: _claimed(folder, length)
    for length in (0, 1, 2, 0x0A, 0x3C, 2**23, 2**31, 2**63, 2**64 - 1)
}
CASES |= {
    "sound": lambda folder: Case(write_clip(folder), loads=True),
    "float16": lambda folder: changed(folder, all_as(torch.float16), True),
    "bfloat16": lambda folder: changed(folder, all_as(torch.bfloat16), True),
    "float64": lambda folder: changed(folder, all_as(torch.float64), True),
    "NaN": lambda folder: changed(folder, number(math.nan)),
    "infinite": lambda folder: changed(folder, number(math.inf)),
    "minus infinite in float16": lambda folder: changed(folder, number(-math.inf, torch.float16)),
    "NaN in bfloat16": lambda folder: changed(folder, number(math.nan, torch.bfloat16)),
    "too large for float32": lambda folder: changed(folder, number(1e300, torch.float64)),
    "position_ids as integers": lambda folder: changed(folder, put("input_resolution", torch.tensor(16)), True),
    "scale is NaN": lambda folder: changed(folder, put("logit_scale", torch.tensor(math.nan))),
    "scale is huge": lambda folder: changed(folder, put("logit_scale", torch.tensor(1000.0))),
    "three scales": lambda folder: changed(folder, put("logit_scale", torch.ones(3))),
    "no number in the scale": lambda folder: changed(folder, put("logit_scale", torch.ones(0))),
    "scale is an integer": lambda folder: changed(folder, put("logit_scale", torch.tensor(3))),
    "bias is complex": lambda folder: changed(folder, put("logit_bias", torch.tensor(3j))),
    "a matrix too many": lambda folder: changed(folder, put("visual.extra", torch.ones(2, 2))),
    "empty matrix": lambda folder: changed(folder, put("visual.proj", torch.ones(0, 8))),
    "transposed matrix": lambda folder: changed(folder, put("visual.proj", torch.ones(8, 32))),
    "vector for a matrix": lambda folder: changed(folder, put("visual.conv1.weight", torch.ones(32))),
    "transformers: scalar": lambda folder: _transformers(folder, torch.tensor(1.0)),
    "transformers: cube": lambda folder: _transformers(folder, torch.ones(2, 2, 2)),
    "transformers: odd parts": lambda folder: _transformers(folder, torch.ones(2, 3), torch.ones(3, 2)),
}


def _claimed(folder, length):
    write_config(folder)
    path = folder / "x.safetensors"
    path.write_bytes(
        struct.pack("<Q", length) + b'{"a": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}}'[: max(length, 1)]
    )
    return Case(path)


def _transformers(folder, tensor, other=None):
    stem = "vision_model.encoder.layers.0.self_attn"
    state = {f"{stem}.{name}_proj.weight": tensor for name in "qk"} | {
        f"{stem}.v_proj.weight": tensor if other is None else other
    }
    state |= {"visual_projection.weight": tensor, "vision_model.embeddings.class_embedding": tensor}
    state = {key: value.clone() for key, value in state.items()}
    path = write_clip(folder)
    save_file(state, path)
    return Case(path)
