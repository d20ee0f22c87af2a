"""5,000 mutations of the two dictionaries that from_tensors reads: each gives a valid set or one line that says what was
wanted. Each kind of mutation alone, where its verdict is known beforehand, and several at once.

Those of whole files are in tests/host/in_process/test_lookahead_file_mutations.py.
"""

import contextlib
import json
import math
import random
import string
import warnings
from collections import Counter

import numpy as np
import torch

from lidar_core import LookaheadSet, Origin, from_tensors, to_tensors
from lidar_core.number_range import LARGEST

LATENTS = torch.randn(3, 2, 4, 5, generator=torch.Generator().manual_seed(51))
REWARDS = torch.tensor([0.25, -1.5, 3e-9])
ACCEPTED, REFUSED = "accepted", "refused"


def base():
    return to_tensors(
        LookaheadSet(
            LATENTS, REWARDS, "both", {"prompt": "zwei rote Würfel"}, [Origin(4, 9), Origin(0), Origin(2, 2**64 - 1, "a", "b")],
            {"CLIP score": REWARDS, "sharpness": REWARDS.flip(0)}, [("CLIP score", 1), ([("sharpness", -2)], 0.5)],
            [b"\xff\xd8one", b"\xff\xd8another", b"\xff\xd8"],
        )
    )  # fmt: skip


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
    assert len(made.origins) == made.count and len(made.pictures) in (0, made.count)
    assert all(isinstance(each, Origin) for each in made.origins)
    for tensor in (made.latents, made.rewards, *made.scores.values()):
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


def bad_entries():
    """entry of the metadata -> JSON or none that may stand there, all refused."""
    deep, huge = "[" * 100_000, "9" * 5000
    lookahead = [{"row": 4, "seed": 9, "picture": 5}, {"row": 0, "picture": 9}, {"row": 2, "picture": 2}]
    bad = [
        {"row": -1}, {"row": 1.5}, {"row": "1"}, {"row": True}, {"row": None}, {"row": 2**31}, {"row": [1]}, {"seed": -1},
        {"seed": 2**64}, {"seed": 1.0}, {"seed": "1"}, {"seed": False}, {"model": 5}, {"sampler": None}, {"picture": 0},
        {"picture": -5}, {"picture": 6}, {"picture": "5"}, {"picture": 2**70}, {"picture": True}, {"picture": 5.0},
    ]  # fmt: skip
    whole = json.dumps(lookahead)
    return {
        "judges": ['["a"]', '["a", "a"]', '["a", 1]', '["x", "y"]', "{}", "null", "[]", deep, f"[{huge}]", '"ab"', "[["],
        "combination": [
            '[["CLIP score"]]', '[["CLIP score", NaN]]', '[["CLIP score", 1e400]]', '[["CLIP score", true]]', '[["other", 1]]',
            '[["CLIP score", "1"]]', '[[[], 1]]', '[[5, 1]]', '{"CLIP score": 1}', "1", "null", deep, json.dumps([["sharpness", 1]] * 65),
            '[[' * 70 + '["sharpness", 1]' + ', 1]]' * 70, f'[["sharpness", {huge}]]',
        ],
        "lookaheads": [
            "[]", "{}", "[1, 2, 3]", "null", deep, whole[:-1], json.dumps(lookahead[:2]), json.dumps(lookahead * 2), f"[{huge}]",
            *(json.dumps([lookahead[0], lookahead[1] | each, lookahead[2]]) for each in bad),
        ],
    }  # fmt: skip


BAD_ENTRIES = bad_entries()


def dictionary_mutations(rng):
    """name -> (what it does to (tensors, metadata), the verdict when alone)."""
    number = rng.choice(odd_numbers())
    text, none = rng.choice(odd_texts(rng)), rng.choice(no_texts())
    tensor = rng.choice(["latents", "rewards", "scores"])
    field = rng.choice(["format", "format_version"])
    entry = rng.choice(sorted(BAD_ENTRIES))
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
        f"{entry} other JSON": (lambda t, m: m.update({entry: rng.choice(BAD_ENTRIES[entry])}), REFUSED),
        f"{entry} other text": (lambda t, m: m.update({entry: text}), REFUSED),
        "judges or lookaheads missing": (lambda t, m: m.pop(rng.choice(["judges", "lookaheads"])), REFUSED),
        "combination missing": (lambda t, m: m.pop("combination"), ACCEPTED),
        "more told of lookaheads": (
            lambda t, m: m.update(lookaheads=m["lookaheads"].replace('"row"', '"why": [{}], "row"')), ACCEPTED
        ),
        "pictures missing": (lambda t, m: t.pop("pictures"), ACCEPTED),
        "pictures other bytes": (set_to("pictures", lambda t: t.flip(0)), ACCEPTED),
        "pictures of another size": (set_to("pictures", lambda t: t[: rng.randrange(16)]), REFUSED),
        "pictures no bytes": (
            lambda t, m: t.update(pictures=rng.choice([t["pictures"].float(), t["pictures"][None], b"", REWARDS > 0])), REFUSED
        ),
        "version 1": (lambda t, m: m.update(format_version="1"), ACCEPTED),
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
