"""Files of other kinds under a model's name, and spoilt heads and ImageRewards."""

import io
import json
import math
import random
import struct
import tarfile

import torch
from safetensors.torch import save_file
from sound import IMAGE_REWARD, Case, aesthetic_state, image_reward_state, write_clip, write_config

BEGINNINGS = {
    "page": b"<!DOCTYPE html><html>", "page with a mark": b"\xef\xbb\xbf\r\n <HTML lang='en'>", "XML": b"<?xml version='1.0'?>",
    "comment": b"<!-- x --><html>",
    "script": b"<script>x</script>", "SVG": b"<svg xmlns=''>", "less than": b"<" * 20,
    "pointer": b"version https://git-lfs.github.com/spec/v1\noid sha256:00\n",
    "GGUF": b"GGUF\x03\x00\x00\x00", "GGML": b"ggml", "HDF5": b"\x89HDF\r\n\x1a\n", "NumPy": b"\x93NUMPY\x01\x00", "gzip": b"\x1f\x8b\x08",
    "bzip2": b"BZh9", "xz": b"\xfd7zXZ\x00",
    "zstd": b"\x28\xb5\x2f\xfd", "7z": b"7z\xbc\xaf\x27\x1c", "RAR": b"Rar!\x1a\x07", "PNG": b"\x89PNG\r\n\x1a\n", "JPEG": b"\xff\xd8\xff\xe0",
    "GIF": b"GIF89a", "WebP": b"RIFF\x00\x00\x00\x00WEBP",
    "PDF": b"%PDF-1.7", "ELF": b"\x7fELF", "Windows program": b"MZ\x90", "JSON": b'{"a": 1}', "JSON list": b"[1, 2]",
    "text": b"This is the readme of a model.",
    "UTF-16": "<html>".encode("utf-16"), "zeros": bytes(300), "seven bytes": b"\x80\x02}q\x00.a", "seven zeros": bytes(7), "one byte": b"\x80",
    "half a magic": b"PK\x03", "empty ZIP": b"PK\x05\x06" + bytes(18),
    "ones": b"\xff" * 300, "line ends": b"\r\n" * 200, "terminal codes": b"\x1b]0;x\x07" * 30, "ONNX": b"\x08\x07\x12\x07pytorch",
    "TFLite": b"\x1c\x00\x00\x00TFL3",
}  # fmt: skip


def file_of(folder, content, name="x.safetensors"):
    write_config(folder)
    (folder / name).write_bytes(content)
    return Case(folder / name)


def tar(folder):
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("x" * 20))
    return file_of(folder, content.getvalue())


def noise(folder, seed):
    return file_of(folder, random.Random(seed).randbytes(600))


def short_header(folder, length):
    """A sound file whose header has this many bytes, so that its first byte is white space or '<'."""
    header = json.dumps({"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}, separators=(",", ":")).encode()
    return file_of(folder, struct.pack("<Q", length) + header.ljust(length) + bytes(4))


def head(folder, edit, loads=False):
    state = aesthetic_state()
    edit(state)
    write_clip(folder)
    torch.save(state, folder / "head.pth")
    return Case(
        folder / "head.pth",
        "LAION aesthetic v2",
        loads=loads,
        options={"clip_checkpoint": str(folder / "tiny.safetensors")},
    )


def image_reward(folder, edit, loads=False):
    state = image_reward_state()
    edit(state)
    (folder / "vocab.txt").write_text("\n".join(IMAGE_REWARD["words"]) + "\n")
    save_file({key: tensor.clone() for key, tensor in state.items()}, folder / "ImageReward.safetensors")
    return Case(folder / "ImageReward.safetensors", "ImageReward", loads=loads)


def vocabulary(folder, content):
    case = image_reward(folder, lambda state: None)
    (folder / "vocab.txt").write_bytes(content)
    return Case(case.path, case.kind, blamed="vocab.txt")


def put(key, tensor):
    return lambda state: state.update({key: tensor})


def drop(key):
    return lambda state: state.pop(key)


def as_type(dtype):
    return lambda state: state.update({key: tensor.to(dtype) for key, tensor in state.items()})


def chain(*sizes):
    return lambda state: (state.clear(), state.update(aesthetic_state(sizes)))


VISION, TEXT = "blip.visual_encoder", "blip.text_encoder"
ODD = {
    "scalar": torch.tensor(1.0),
    "vector": torch.ones(3),
    "cube": torch.ones(2, 2, 2),
    "six axes": torch.ones(1, 1, 1, 1, 1, 1),
    "empty": torch.ones(0, 4),
    "none": torch.ones(0),
}
CASES = {
    f"kind: {name}": lambda folder, content=content: file_of(folder, content) for name, content in BEGINNINGS.items()
}
CASES |= {f"kind: noise {seed}": lambda folder, seed=seed: noise(folder, seed) for seed in range(10)}
CASES |= {
    f"a header of {length} bytes": lambda folder, length=length: short_header(folder, length)
    for length in (0x3A, 0x3C, 0x3C00, 0x0A3C)
}
CASES |= {"kind: tar": tar, "kind: text named pt": lambda folder: file_of(folder, b"hello", "x.pt")}
CASES |= {
    f"head: first matrix {name}": lambda folder, tensor=tensor: head(folder, put("layers.0.weight", tensor))
    for name, tensor in ODD.items()
}
CASES |= {
    f"head: last bias {name}": lambda folder, tensor=tensor: head(folder, put("layers.7.bias", tensor))
    for name, tensor in ODD.items()
}
CASES |= {
    "head: sound": lambda folder: head(folder, lambda state: None, True), "head: half": lambda folder: head(folder, as_type(torch.float16), True),
    "head: int8": lambda folder: head(folder, as_type(torch.int8)), "head: bool": lambda folder: head(folder, as_type(torch.bool)),
    "head: NaN": lambda folder: head(folder, put("layers.2.bias", torch.full((5,), math.nan))),
    "head: infinite": lambda folder: head(folder, put("layers.2.bias", torch.full((5,), math.inf))),
    "head: broken chain": lambda folder: head(folder, put("layers.4.weight", torch.ones(4, 6))),
    "head: two numbers": lambda folder: head(folder, chain(8, 6, 5, 4, 3, 2)),
    "head: nothing between": lambda folder: head(folder, chain(8, 0, 0, 0, 0, 1)),
    "head: another embedding": lambda folder: head(folder, chain(9, 6, 5, 4, 3, 1)),
    "head: too wide": lambda folder: head(folder, chain(8, 20000, 2, 2, 2, 1)),
    "head: a layer too many": lambda folder: head(folder, put("layers.9.bias", torch.ones(1))),
    "head: a layer missing": lambda folder: head(folder, drop("layers.4.bias")),
    "head: as ImageReward": lambda folder: Case(head(folder, lambda state: None).path, "ImageReward"),
}  # fmt: skip
CASES |= {
    f"ImageReward: {part} {name}": lambda folder, key=key, tensor=tensor: image_reward(folder, put(key, tensor))
    for part, key in {
        "patches": f"{VISION}.patch_embed.proj.weight", "places": f"{VISION}.pos_embed", "words": f"{TEXT}.embeddings.word_embeddings.weight",
        "head": "mlp.layers.7.weight",
    }.items()
    for name, tensor in ODD.items()
}  # fmt: skip
CASES |= {
    "ImageReward: sound": lambda folder: image_reward(folder, lambda state: None, True),
    "ImageReward: half": lambda folder: image_reward(folder, as_type(torch.float16), True),
    "ImageReward: int64": lambda folder: image_reward(folder, as_type(torch.int64)),
    "ImageReward: NaN": lambda folder: image_reward(folder, put("mlp.layers.7.bias", torch.tensor([math.nan]))),
    "ImageReward: many places": lambda folder: image_reward(folder, put(f"{VISION}.pos_embed", torch.ones(1, 100_001, 64))),
    "ImageReward: large patches": lambda folder: image_reward(folder, put(f"{VISION}.patch_embed.proj.weight", torch.ones(64, 3, 400, 400))),
    "ImageReward: few positions": lambda folder: image_reward(folder, put(f"{TEXT}.embeddings.position_embeddings.weight", torch.ones(5, 64))),
    "ImageReward: no text tower": lambda folder: image_reward(folder, lambda state: [state.pop(key) for key in list(state) if key.startswith(TEXT)]),
    "ImageReward: no vision tower": lambda folder: image_reward(folder,
        lambda state: [state.pop(key) for key in list(state) if key.startswith(VISION)]),
    "ImageReward: a tensor too many": lambda folder: image_reward(folder, put("blip.\n\x00", torch.ones(1))),
    "ImageReward: as aesthetic": lambda folder: _as_head(folder),
    "ImageReward: the vocabulary is large": lambda folder: vocabulary(folder, b"a\n" * 2**24),
    "ImageReward: the vocabulary is a pickle": lambda folder: vocabulary(folder, b"\x80\x02cos\nsystem\n."),
    "ImageReward: the vocabulary is empty": lambda folder: vocabulary(folder, b""),
    "ImageReward: the vocabulary repeats": lambda folder: vocabulary(folder, b"[PAD]\n" * len(IMAGE_REWARD["words"])),
}  # fmt: skip


def _as_head(folder):
    case = image_reward(folder, lambda state: None)
    return Case(case.path, "LAION aesthetic v2", options={"clip_checkpoint": str(case.path)})
