"""10,000 mutated lookahead files through LiDAR Load Lookaheads: each gives right data, or one line that says what is wrong.

Right: what the bytes are by the format's own description, and pictures that are images.
"""

import io
import json
import math
import random
from collections import Counter

import pytest
import safetensors.torch
import torch

LARGEST = 1e12
EACH = 2000


@pytest.fixture(scope="module")
def sound(lidar_core, nodes_room):
    """The bytes of a file that LiDAR Save Lookaheads would write."""
    draws = torch.Generator().manual_seed(51)
    images = torch.rand(3, 16, 24, 3, generator=draws)
    rewards = torch.tensor([0.25, -1.5, 3e-9])
    lookaheads = lidar_core.LookaheadSet(
        torch.randn(3, 2, 4, 5, generator=draws), rewards, "both", {"prompt": "zwei rote Würfel"},
        [lidar_core.Origin(row, 9, "model.safetensors", "euler") for row in (4, 0, 2)],
        {"CLIP score": rewards, "sharpness": rewards.flip(0)}, [("CLIP score", 1), ("sharpness", -0.5)],
        nodes_room("values.thumbnails").thumbnails_of(images),
    )  # fmt: skip
    return safetensors.torch.save(*lidar_core.to_tensors(lookaheads))


def header_of(data):
    end = 8 + int.from_bytes(data[:8], "little")
    return json.loads(data[8:end]), data[end:]


def file_of(header, body):
    text = json.dumps(header, sort_keys=True).encode()  # safetensors' own order is another one each time
    return len(text).to_bytes(8, "little") + text + body


def odd_texts(rng):
    letters = "".join(rng.choice('ab1[]{}",:\\\n٣\ud800\u2028\u202e\x00é') for _ in range(rng.randrange(9)))
    return [
        letters + "?",
        "1.0",
        " 1",
        "1\n",
        "٣",
        "01",
        "\ud800",
        "x" * 100_000,
        "[" * 9999,
        "",
        "[]",
        "{}",
        "null",
        "1",
        "2",
    ]


def mutate_entry(rng, header, body):
    """Another dtype of the same size, shape, place or name in the header."""
    name = rng.choice(["latents", "rewards", "scores", "pictures"])
    entry = header[name]
    sizes = {"F64": 8, "I64": 8, "C64": 8, "U64": 8, "F32": 4, "I32": 4, "U32": 4, "F16": 2, "BF16": 2, "I16": 2}
    sizes |= {"U8": 1, "I8": 1, "BOOL": 1, "F8_E4M3": 1, "F8_E5M2": 1, "F8_E8M0": 1, "F4": 0.5, "X\n": 4}
    kind = rng.choice(["dtype", "shape", "offsets", "rename", "copy", "drop"])
    if kind == "dtype":
        before = sizes[entry["dtype"]]
        entry["dtype"] = rng.choice(sorted(sizes))
        entry["shape"][-1] = int(entry["shape"][-1] * before / sizes[entry["dtype"]])
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
    elif rng.random() < 0.4:  # within the JSON of an entry
        name = rng.choice(["judges", "combination", "lookaheads"])
        place = rng.randrange(len(told[name]))
        told[name] = told[name][:place] + rng.choice('0123456789-.eE,:[]{}" x') + told[name][place + rng.randrange(2) :]
    else:
        told[rng.choice([*sorted(told), *odd_texts(rng), "metadata.", "metadata.x"])] = value
    return file_of(header, body)


def mutate_numbers(rng, header, body):
    changed = bytearray(body)
    begin, end = header["latents"]["data_offsets"]
    for _ in range(rng.randrange(1, 4)):
        place = rng.randrange(begin, end, 4)
        number = rng.choice([math.nan, math.inf, -math.inf, 1.1e12, rng.uniform(-9, 9), 1e12, 1e-45])
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
    return rng.choice([cut, more, longer, b"", data[:8], data[::-1], b"\x89PNG" + data, b"\x80\x04cos\nsystem\n."])


@pytest.mark.parametrize("mutate", [mutate_entry, mutate_metadata, mutate_numbers, mutate_bytes, mutate_length])
def test_mutations_of_a_file_end_well(mutate, sound, node_classes, monkeypatch, tmp_path, record_figure):
    import folder_paths

    monkeypatch.setattr(folder_paths, "input_directory", str(tmp_path))
    node, rng = node_classes["LiDARLoadLookaheads"], random.Random(mutate.__name__)
    path, verdicts = tmp_path / "mutated.safetensors", Counter()
    path.write_bytes(sound)
    assert node.execute("mutated.safetensors").result[2].count == 3
    for _ in range(EACH):
        data = mutate(rng, *header_of(sound))
        path.write_bytes(data)
        try:
            latent, images, lookaheads = node.execute("mutated.safetensors").result
        except ValueError as error:
            told = str(error)
            assert (
                told.startswith("LiDAR Load Lookaheads: ")
                and "\n" not in told
                and told.isprintable()
                and len(told) < 700
            )
            verdicts["refused"] += 1
            if mutate is mutate_numbers:
                assert not in_range(data)
            continue
        verdicts["loaded"] += 1
        assert torch.equal(lookaheads.latents, numbers(data, "latents")) and latent["samples"] is lookaheads.latents
        assert torch.equal(lookaheads.rewards, numbers(data, "rewards")) and in_range(data)
        assert latent["batch_index"] == [each.row for each in lookaheads.origins]
        if lookaheads.pictures:
            assert images.shape[0] == 3 and 0 <= images.min() and images.max() <= 1
            header, body = header_of(data)
            begin, end = header["pictures"]["data_offsets"]
            assert b"".join(lookaheads.pictures) == body[begin:end]
    record_figure(f"{mutate.__name__} of a lookahead file ({EACH:,})", dict(verdicts))
    assert verdicts["refused"] > EACH // 20


def numbers(data, name):
    """What the format's own description says that these bytes are."""
    header, body = header_of(data)
    entry, kinds = (
        header[name],
        {"F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16},
    )
    begin, end = entry["data_offsets"]
    return torch.frombuffer(bytearray(body[begin:end]), dtype=kinds[entry["dtype"]]).view(entry["shape"]).float()


def in_range(data):
    return bool((numbers(data, "latents").abs() <= LARGEST).all())


def test_a_picture_is_small_a_jpeg_and_like_the_others(sound, lidar_core, nodes_room):
    from PIL import Image

    thumbnails = nodes_room("values.thumbnails")

    def file(size, kind="JPEG"):
        made = io.BytesIO()
        Image.new("RGB", size, (9, 200, 40)).save(made, kind)
        return made.getvalue()

    assert thumbnails.images_of([file((24, 16))]).shape == (1, 16, 24, 3)
    for bad in ([file((8, 8), "PNG")], [file((6000, 6000))], [b""], [file((64, 64))[:200]]):
        with pytest.raises(ValueError, match="^the picture of lookahead no. 1 cannot be read, wanted a JPEG"):
            thumbnails.images_of(bad)
    with pytest.raises(ValueError, match="pictures of the lookaheads are of several sizes"):
        thumbnails.images_of([file((8, 8)), file((8, 9))])
