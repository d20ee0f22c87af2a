"""10,000 mutations of what from_tensors reads: each gives a valid set or one line that says what was wanted.

Half are of the two dictionaries: each kind of mutation alone, where its verdict is known beforehand, and several at
once. Half are of the bytes of a safetensors file: its header, rewritten as JSON or byte by byte, and its numbers.
"""

import contextlib
import json
import math
import random
import string
import struct
import warnings
from collections import Counter

import numpy as np
import pytest
import safetensors.torch
import torch
from safetensors import SafetensorError

from lidar_core import LookaheadSet, from_tensors, to_tensors
from lidar_core.number_range import LARGEST

LATENTS = torch.randn(3, 2, 4, 5, generator=torch.Generator().manual_seed(51))
REWARDS = torch.tensor([0.25, -1.5, 3e-9])
ACCEPTED, REFUSED = "accepted", "refused"


def base():
    own = {"prompt": "zwei rote Würfel", "batch_index": "4 0 2"}
    return to_tensors(LookaheadSet(LATENTS, REWARDS, "CLIP score", own))


def outcome(tensors, metadata):
    """ACCEPTED or REFUSED; fails on any other error, on a message of more than one line, and on a bad set."""
    try:
        made = from_tensors(tensors, metadata)
    except (ValueError, TypeError) as error:
        assert type(error) in (ValueError, TypeError), repr(error)
        message = str(error)
        assert "wanted" in message and message.isascii() and message.isprintable() and len(message) < 500, message
        return REFUSED
    assert made.latents.ndim >= 2 and made.latents.numel() and made.rewards.shape == made.latents.shape[:1]
    for tensor in (made.latents, made.rewards):
        assert tensor.dtype == torch.float32 and tensor.device.type == "cpu" and not tensor.requires_grad
        numbers = tensor.flatten().tolist()
        assert all(math.isfinite(number) and abs(number) <= LARGEST for number in numbers)
    assert all(isinstance(text, str) for pair in made.metadata.items() for text in (*pair, made.reward_name))
    return ACCEPTED


def odd_tensors():
    """kind -> what may stand in place of a float tensor, all refused."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch says of some kinds that they are not finished
        quantised = torch.quantize_per_tensor(REWARDS, 0.1, 3, torch.quint8)
        nested = torch.nested.nested_tensor([LATENTS[0], LATENTS[1, :1]])
        compressed, blocked = LATENTS[0, 0].to_sparse_csr(), LATENTS.to_mkldnn()
    return {
        "integers": lambda t: t.to(torch.int64),
        "bytes": lambda t: t.to(torch.uint8),
        "booleans": lambda t: t > 0,
        "complex": lambda t: t.to(torch.complex64),
        "float8": lambda t: t.to(torch.float8_e4m3fn),
        "sparse": lambda t: t.to_sparse(),
        "meta": lambda t: t.to("meta"),
        "quantised": lambda t: quantised,
        "nested": lambda t: nested,
        "compressed": lambda t: compressed,
        "blocked": lambda t: blocked,
        "list": lambda t: t.tolist(),
        "array": lambda t: t.numpy(),
        "None": lambda t: None,
        "text": lambda t: "latents\n",
        "0-d": lambda t: t.sum(),
        "empty": lambda t: t[:0],
        "one fewer": lambda t: t[1:],
        "one dimension more": lambda t: t[None],
        "1000 dimensions": lambda t: t.view(1, *[1] * 999, *t.shape),
        "flat": lambda t: t.flatten()[:2],
    }


ODD_TENSORS = odd_tensors()


def odd_numbers():
    """What may stand in place of one number, all refused."""
    return [math.nan, math.inf, -math.inf, 1.1e12, -3e38, 1e39, 1e300]


def odd_texts(rng):
    """Texts that are no format name, version or name of a tensor."""
    letters = "".join(rng.choice(string.printable + "٣\ud800\u2028\u202e\x00é") for _ in range(rng.randrange(9)))
    return [letters + "?", "1.0", " 1", "1\n", "٣", "१", "01", "+1", "\ud800", "\u2028", "x" * 100_000, "\n" * 999, ""]


def no_texts():
    return [None, 1, 1.0, b"1", ["1"], torch.ones(3), np.ones((9, 9)), 10**5000, object(), float("nan"), True]


def dictionary_mutations(rng):
    """name -> (what it does to (tensors, metadata), the verdict when alone)."""
    number = rng.choice(odd_numbers())
    text, none = rng.choice(odd_texts(rng)), rng.choice(no_texts())
    tensor = rng.choice(["latents", "rewards"])
    field = rng.choice(["format", "format_version"])
    harmless = rng.choice(["reward_name", "metadata.prompt", "metadata." + text, "modelspec." + text])
    place = rng.randrange(3)

    def put_number(tensors, metadata):
        changed = torch.as_tensor(tensors[tensor]).double().flatten()
        changed[place] = number
        tensors[tensor] = changed.view(tensors[tensor].shape)

    def rename(dictionary, key, name):
        dictionary[name] = dictionary.pop(key)

    def set_to(name, make):
        return lambda t, m: t.update({name: make(t[name])})

    mutations = {
        "number out of range": (put_number, REFUSED),
        "tensor missing": (lambda t, m: t.pop(tensor), REFUSED),
        "tensor renamed": (lambda t, m: rename(t, tensor, text), REFUSED),
        "tensor under no text": (lambda t, m: rename(t, tensor, 7), REFUSED),
        "other tensor": (lambda t, m: t.update({text: LATENTS > 0}), ACCEPTED),
        "many other tensors and one missing": (
            lambda t, m: (t.pop(tensor), t.update({f"{text}{i}": 0 for i in range(50)})), REFUSED
        ),
        f"{field} missing": (lambda t, m: m.pop(field), REFUSED),
        f"{field} other text": (lambda t, m: m.update({field: text}), REFUSED),
        f"{field} no text": (lambda t, m: m.update({field: none}), REFUSED),
        "entry other text": (lambda t, m: m.update({harmless: text}), ACCEPTED),
        "entry no text": (lambda t, m: m.update({harmless: none}), REFUSED),
        "key no text": (lambda t, m: m.update({rng.choice([None, 7, b"metadata.x", ("a",)]): "x"}), REFUSED),
        "entry missing": (lambda t, m: m.pop("reward_name"), ACCEPTED),
        "gradient": (set_to(tensor, lambda t: t.double().requires_grad_()), ACCEPTED),
        "half": (set_to(tensor, lambda t: t.to(rng.choice([torch.float16, torch.bfloat16]))), ACCEPTED),
        "strides": (set_to("latents", lambda t: t.transpose(1, 3)), ACCEPTED),
        "expanded": (set_to("rewards", lambda t: t[:1].expand(3)), ACCEPTED),
        "parameter": (set_to(tensor, lambda t: torch.nn.Parameter(t)), ACCEPTED),
        "large but in range": (set_to(tensor, lambda t: t * 1e11), ACCEPTED),
        "denormal": (set_to(tensor, lambda t: t * 1e-42), ACCEPTED),
        "1000 dimensions, rightly": (set_to("latents", lambda t: t.view(3, *[1] * 996, *t.shape[1:])), ACCEPTED),
    }  # fmt: skip
    for kind, make in ODD_TENSORS.items():
        mutations[f"{tensor} {kind}"] = set_to(tensor, make), REFUSED
    return mutations


def test_mutations_of_the_dictionaries_end_well(record_figure):
    rng = random.Random(52)
    verdicts = Counter()
    for number in range(2500):
        tensors, metadata = base()
        mutations = dictionary_mutations(rng)
        name = sorted(mutations)[number % len(mutations)]
        mutate, expected = mutations[name]
        mutate(tensors, metadata)
        assert (name, outcome(tensors, metadata)) == (name, expected)
        verdicts[expected] += 1
    record_figure("mutations of the dictionaries, one at a time (2,500)", dict(verdicts))

    verdicts.clear()
    for _ in range(2400):
        tensors, metadata = base()
        for _ in range(rng.randrange(2, 5)):
            mutations = dictionary_mutations(rng)
            with contextlib.suppress(Exception):  # the mutation may not fit what an earlier one left
                mutations[rng.choice(sorted(mutations))][0](tensors, metadata)
        verdicts[outcome(tensors, metadata)] += 1
    record_figure("mutations of the dictionaries, two to four at a time (2,400)", dict(verdicts))

    verdicts.clear()
    for number in range(100):
        tensors, metadata = base()
        value = (no_texts() + [[], (), 0, "", "format", [("format", "lidar_lookahead_set")]])[number % 17]
        verdicts[outcome(*((value, metadata) if number % 2 else (tensors, value)))] += 1
    assert verdicts[REFUSED] == 100
    record_figure("something else in place of a dictionary (100)", dict(verdicts))


def header_of(data):
    end = 8 + int.from_bytes(data[:8], "little")
    return json.loads(data[8:end]), data[end:]


def file_of(header, body):
    text = json.dumps(header, sort_keys=True).encode()  # safetensors' own order is another one each time
    return len(text).to_bytes(8, "little") + text + body


def mutate_entry(rng, header, body):
    """Another dtype of the same size, shape, place or name in the header."""
    name = rng.choice(["latents", "rewards"])
    entry = header[name]
    sizes = {"F64": 8, "I64": 8, "C64": 8, "U64": 8, "F32": 4, "I32": 4, "U32": 4, "F16": 2, "BF16": 2, "I16": 2}
    sizes |= {"U8": 1, "I8": 1, "BOOL": 1, "F8_E4M3": 1, "F8_E5M2": 1, "F8_E8M0": 1, "F4": 0.5, "X\n": 4}
    kind = rng.choice(["dtype", "shape", "offsets", "rename", "copy", "drop"])
    if kind == "dtype":
        entry["dtype"] = rng.choice(sorted(sizes))
        entry["shape"][-1] = int(entry["shape"][-1] * 4 / sizes[entry["dtype"]])
    elif kind == "shape":
        total = math.prod(entry["shape"])
        entry["shape"] = rng.choice(
            [[], [total], [1] * 300 + [total], [total, 1], [3, total // 3], [0], [-1], [2**63], [2**64], [1.5], None]
        )
    elif kind == "offsets":
        entry["data_offsets"][rng.randrange(2)] += rng.choice([-4, 4, 1, 2**40])
    elif kind == "rename":
        header[rng.choice(odd_texts(rng))] = header.pop(name)
    elif kind == "copy":
        header[rng.choice(["x", "\n", "latents", "rewards"])] = json.loads(json.dumps(entry))
    else:
        del header[name]
    return file_of(header, body)


def mutate_metadata(rng, header, body):
    told = header["__metadata__"]
    value = rng.choice([*odd_texts(rng), None, 1, 1.0, ["1"], {}])
    if rng.random() < 0.1:
        header["__metadata__"] = value
    elif rng.random() < 0.2:
        del told[rng.choice(sorted(told))]
    else:
        told[rng.choice([*sorted(told), *odd_texts(rng), "metadata.", "metadata.x"])] = value
    return file_of(header, body)


def mutate_numbers(rng, header, body):
    changed = bytearray(body)
    for _ in range(rng.randrange(1, 4)):
        place = rng.randrange(0, len(changed), 4)
        number = rng.choice([*odd_numbers()[:4], rng.uniform(-9, 9), 1e12, 1e-45])
        changed[place : place + 4] = torch.tensor([number]).numpy().tobytes()
    return file_of(header, bytes(changed))


def mutate_bytes(rng, header, body):
    data = bytearray(file_of(header, body))
    for _ in range(rng.randrange(1, 6)):
        data[rng.randrange(len(data))] = rng.randrange(256)
    return bytes(data)


def mutate_length(rng, header, body):
    data = file_of(header, body)
    cut, more = data[: rng.randrange(len(data))], data + bytes(rng.randrange(9))
    longer = (int.from_bytes(data[:8], "little") + rng.choice([-3, 1, 5, 2**33])).to_bytes(8, "little") + data[8:]
    return rng.choice([cut, more, longer, b"", data[:8], data[::-1]])


@pytest.mark.parametrize("mutate", [mutate_entry, mutate_metadata, mutate_numbers, mutate_bytes, mutate_length])
def test_mutations_of_a_file_end_well(mutate, record_figure):
    rng = random.Random(mutate.__name__)
    tensors, metadata = base()
    file = safetensors.torch.save(tensors, metadata)
    assert outcome(safetensors.torch.load(file), header_of(file)[0]["__metadata__"]) == ACCEPTED
    verdicts = Counter()
    for _ in range(1000):
        data = mutate(rng, *header_of(file))
        try:
            read = safetensors.torch.load(data)
        except (SafetensorError, KeyError, RuntimeError, ValueError, TypeError, OverflowError) as error:
            verdicts[f"unread, {type(error).__name__}"] += 1
            continue
        verdict = outcome(read, header_of(data)[0].get("__metadata__"))
        if mutate is mutate_numbers:
            in_range = all(abs(number) <= LARGEST for (number,) in struct.iter_unpack("<f", header_of(data)[1]))
            assert verdict == (ACCEPTED if in_range else REFUSED)
        verdicts[verdict] += 1
    record_figure(f"{mutate.__name__} of a file (1,000)", dict(verdicts))
    assert verdicts[REFUSED] or mutate is mutate_length
