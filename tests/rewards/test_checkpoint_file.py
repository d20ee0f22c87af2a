import argparse
import json
import os
import pickle
import random
import struct

import pytest
import torch
from safetensors.torch import save_file

from reward_models.checkpoint_file import read_checkpoint

TENSORS = {"a.weight": torch.arange(6.0).reshape(2, 3), "b": torch.tensor(3.5)}


class RunsCode:
    def __reduce__(self):
        return os.getcwd, ()


def same(found):
    return found.keys() == TENSORS.keys() and all(torch.equal(found[key], TENSORS[key]) for key in TENSORS)


def test_plain_files_are_read_whatever_their_name(tmp_path):
    save_file(TENSORS, tmp_path / "x.safetensors")
    save_file(TENSORS, tmp_path / "renamed.bin")
    torch.save(TENSORS, tmp_path / "x.pt")
    torch.save(TENSORS, tmp_path / "legacy.pth", _use_new_zipfile_serialization=False)
    for name in ("x.safetensors", "renamed.bin", "x.pt", "legacy.pth"):
        assert same(read_checkpoint(str(tmp_path / name))), name


WRAPPERS = {
    "state_dict": {"epoch": 3, "optimizer": {"lr": 0.1}},
    "model": {"optimizer": {"state": {0: {"exp_avg": torch.ones(2)}}, "param_groups": []}, "step": torch.tensor(7)},
    "ema": {},
    "model_state_dict": {"scaler": {"scale": torch.tensor(65536.0)}},
    "params": {"args": {"lr": 0.1}, "names": ["a", "b"]},
}
PREFIXES = ("", "module.", "_orig_mod.", "model.", "module._orig_mod.model.")


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_training_checkpoints_are_unwrapped(tmp_path, wrapper, prefix, zipped):
    state = {f"{prefix}{key}": value for key, value in TENSORS.items()}
    content = WRAPPERS[wrapper] | {wrapper: state}
    torch.save(content, tmp_path / "epoch_3.pt", _use_new_zipfile_serialization=zipped)
    assert same(read_checkpoint(str(tmp_path / "epoch_3.pt")))


@pytest.mark.parametrize("prefix", PREFIXES)
def test_prefixes_are_taken_off_a_safetensors_file_too(tmp_path, prefix):
    save_file({f"{prefix}{key}": value for key, value in TENSORS.items()}, tmp_path / "x.safetensors")
    assert same(read_checkpoint(str(tmp_path / "x.safetensors")))


def test_a_prefix_of_some_names_belongs_to_them(tmp_path):
    state = {"model.a": torch.ones(2), "models.b": torch.ones(1), "model_c": torch.ones(3)}
    save_file(state, tmp_path / "x.safetensors")
    assert read_checkpoint(str(tmp_path / "x.safetensors")).keys() == state.keys()


def test_one_dict_under_two_names_is_one(tmp_path):
    torch.save({"model": TENSORS, "ema": TENSORS}, tmp_path / "x.pt")
    assert same(read_checkpoint(str(tmp_path / "x.pt")))


def write_wrong_file(path, kind):
    big = {"a": torch.zeros(20000)}
    match kind:
        case "empty":
            path.write_bytes(b"")
        case "text":
            path.write_text("This is the readme of a model.")
        case "page":
            path.write_text("\n<!DOCTYPE html><html>Please log in</html>")
        case "pointer":
            path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:00\n")
        case "cut safetensors":
            save_file(big, path)
            path.write_bytes(path.read_bytes()[:40000])
        case "cut header":
            save_file(big, path)
            path.write_bytes(path.read_bytes()[:30])
        case "cut pt":
            torch.save(big, path)
            path.write_bytes(path.read_bytes()[:40000])
        case "cut legacy pt":
            torch.save(big, path, _use_new_zipfile_serialization=False)
            path.write_bytes(path.read_bytes()[:400])
        case "code":
            torch.save({"state_dict": big, "extra": RunsCode()}, path)
        case "options":
            torch.save({"state_dict": big, "args": argparse.Namespace(lr=1)}, path)
        case "plain pickle":
            path.write_bytes(pickle.dumps({"a": 1}, protocol=2))
        case "whole list":
            torch.save([1, 2], path)
        case "numbers for names":
            torch.save({0: torch.ones(2)}, path)
        case "two sets":
            torch.save({"model": big, "ema": {"a": torch.ones(3)}, "epoch": 3}, path)
        case "two prefixes":
            save_file({"model.a": torch.ones(2), "model_ema.a": torch.ones(2)}, path)
        case "two wraps":
            torch.save({"checkpoint": {"model": big}}, path)
        case "weights beside weights":
            torch.save({"a": torch.ones(2), "ema": big}, path)
        case "optimizer":
            torch.save({"a": torch.ones(2), "step": 3}, path)


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("empty", "is empty"),
        ("text", "is no model file"),
        ("page", "is a web page"),
        ("pointer", "Git LFS pointer"),
        ("cut safetensors", "damaged or cut off"),
        ("cut header", "damaged or cut off"),
        ("cut pt", "cut off"),
        ("cut legacy pt", "damaged"),
        ("code", r"refused.*Python object \S*getcwd"),
        ("options", r"refused.*argparse\.Namespace"),
        ("plain pickle", "damaged or cut off|no PyTorch checkpoint"),
        ("whole list", "no table of named tensors but list"),
        ("numbers for names", "0, the name of an entry, is no text"),
        ("two sets", "holds 2 sets of weights, 'ema', 'model': save the one to use alone"),
        ("two prefixes", "holds 2 sets of weights, 'model', 'model_ema': save the one to use alone"),
        ("two wraps", "its entry 'checkpoint' is dict, not a tensor: save the state_dict alone"),
        ("weights beside weights", "its entry 'ema' is dict, not a tensor"),
        ("optimizer", "its entry 'step' is int"),
    ],
)
def test_a_wrong_file_is_named_in_one_line(tmp_path, kind, message):
    path = tmp_path / "wrong.pt"
    write_wrong_file(path, kind)
    with pytest.raises(ValueError, match=message) as raised:
        read_checkpoint(str(path))
    assert "wrong.pt" in str(raised.value) and "\n" not in str(raised.value)


@pytest.mark.parametrize("zipped", [True, False])
def test_flipped_bytes_are_told_in_one_line_wherever_they_are(tmp_path, zipped):
    path, numbers = tmp_path / "flipped.pt", random.Random(5)
    torch.save(TENSORS, path, _use_new_zipfile_serialization=zipped)
    content, refused = path.read_bytes(), 0
    for _ in range(300):
        flipped = bytearray(content)
        for _ in range(4):
            flipped[numbers.randrange(2, len(flipped))] = numbers.randrange(256)
        path.write_bytes(flipped)
        try:
            read_checkpoint(str(path))
        except ValueError as error:
            refused += 1
            assert str(error).startswith("flipped.pt ") and "\n" not in str(error)
    assert refused > 30, "bytes among the numbers are no damage that one can see, the others are"


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_torchscript_archive_is_named(tmp_path):
    torch.jit.script(torch.nn.Linear(2, 2)).save(str(tmp_path / "ViT-L-14.pt"))
    with pytest.raises(ValueError, match=r"ViT-L-14\.pt is a TorchScript program.*plain tensors"):
        read_checkpoint(str(tmp_path / "ViT-L-14.pt"))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nowhere\.pt"):
        read_checkpoint(str(tmp_path / "nowhere.pt"))


@pytest.mark.parametrize("length", [0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x20, 0x3C, 0x50, 0x80])
def test_a_header_may_have_any_length(tmp_path, length):
    """The first byte of the file is then white space, '<', or that of a ZIP archive or a pickle."""
    description = json.dumps(
        {"b": {"dtype": "F32", "shape": [], "data_offsets": [0, 4]}}, separators=(",", ":")
    ).encode()
    length += 256
    header = description.ljust(length)
    (tmp_path / "x.safetensors").write_bytes(length.to_bytes(8, "little") + header + struct.pack("<f", 3.5))
    assert torch.equal(read_checkpoint(str(tmp_path / "x.safetensors"))["b"], TENSORS["b"])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\x80\x02}q\x00.a", "no PyTorch checkpoint"),
        (bytes(7), "is no model file"),
        (b"GGUF\x03\x00\x00\x00" + bytes(300), "it is a GGUF model"),
        (b"\x1f\x8b\x08" + bytes(300), "it is a gzip archive"),
        (b"\x89PNG\r\n\x1a\n" + bytes(300), "it is a PNG picture"),
        (b'{"a": 1}', "it is a JSON text"),
        (b"<" * 40, "is no model file"),
    ],
)
def test_other_kinds_are_told_by_their_whole_beginning(tmp_path, content, message):
    (tmp_path / "x.safetensors").write_bytes(content)
    with pytest.raises(ValueError, match=rf"^x\.safetensors .*{message}.*choose"):
        read_checkpoint(str(tmp_path / "x.safetensors"))
