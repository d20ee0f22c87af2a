"""Reads the tensors of a checkpoint file, and says in one line why a file cannot be read.

What a file is, is told from its first bytes rather than its name. Pickles are read with `weights_only`: a file
whose pickle asks for anything but tensors and plain containers is refused, for such a file can run code.
"""

import os
import pickle
import re
import zipfile

import torch

_DOWNLOAD_AGAIN = "download it again and compare its size with the source"


def read_checkpoint(path: str) -> dict[str, torch.Tensor]:
    """Return the tensors of a .safetensors, .pt, .pth or .bin file by name, on the CPU.

    A wrapping {"state_dict": ...} and the "module." prefix of distributed training are taken off.
    ValueError, FileNotFoundError: the message names the file, what it is instead, and what to do.
    """
    if not os.path.isfile(path):
        raise FileNotFoundError(f"reward model file not found: {path}")
    name = os.path.basename(path)
    with open(path, "rb") as file:
        head = file.read(512)
    if not head:
        raise ValueError(f"{name} is empty (0 bytes): {_DOWNLOAD_AGAIN}")
    if head.lstrip()[:1] == b"<":
        raise ValueError(f"{name} is a web page that was saved instead of the model: {_DOWNLOAD_AGAIN}")
    if head.startswith(b"version https://git-lfs"):
        raise ValueError(f"{name} is a Git LFS pointer, not the model itself: fetch the real file (git lfs pull)")
    if head[8:9] == b"{":
        tensors = _read_safetensors(path, name)
    elif head.startswith((b"PK\x03\x04", b"\x80")):
        tensors = _read_pickle(path, name)
    else:
        raise ValueError(f"{name} is no model file: it begins neither like .safetensors nor like a PyTorch file")
    return _unwrap(tensors, name)


def _read_safetensors(path: str, name: str) -> dict[str, torch.Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except SafetensorError as error:
        raise ValueError(f"{name} is damaged or cut off ({error}): {_DOWNLOAD_AGAIN}") from error


def _read_pickle(path: str, name: str) -> object:
    try:
        is_zip = zipfile.is_zipfile(path)
        is_cut_off = not is_zip and _starts_like_zip(path)
        is_torchscript = is_zip and _is_torchscript(path)
        if not is_cut_off and not is_torchscript:
            return torch.load(path, map_location="cpu", weights_only=True, mmap=is_zip)
    except pickle.UnpicklingError as error:
        foreign = re.search(r"GLOBAL (\S+)", str(error))
        if "Unsupported operand" in str(error):
            raise ValueError(
                f"{name} is refused: it is a pickle of more than tensors, and such files can run code when loaded. Use a "
                ".safetensors file, or save the state_dict alone"
            ) from error
        if foreign is None:
            raise ValueError(f"{name} is damaged, or no PyTorch checkpoint: {_DOWNLOAD_AGAIN}") from error
        raise ValueError(
            f"{name} is refused: besides tensors it holds the Python object {foreign[1]}, and such files can run code "
            "when loaded. Use a .safetensors file, or save the state_dict alone"
        ) from error
    except MemoryError:
        raise
    except Exception as error:  # flipped bytes make zipfile, struct, pickle and torch fail each in its own way
        raise ValueError(f"{name} is damaged or cut off ({_first_line(error)}): {_DOWNLOAD_AGAIN}") from error
    if is_cut_off:
        raise ValueError(f"{name} is cut off (its table of contents is missing): {_DOWNLOAD_AGAIN}")
    raise ValueError(
        f"{name} is a TorchScript program (the form of OpenAI's own .pt files), which cannot be read without "
        "running it: use the same weights as plain tensors, such as openai/clip-vit-large-patch14's model.safetensors"
    )


def _starts_like_zip(path: str) -> bool:
    with open(path, "rb") as file:
        return file.read(4) == b"PK\x03\x04"


def _is_torchscript(path: str) -> bool:
    with zipfile.ZipFile(path) as archive:
        return any(member.endswith("/constants.pkl") for member in archive.namelist())


def _unwrap(content: object, name: str) -> dict[str, torch.Tensor]:
    if isinstance(content, dict) and isinstance(content.get("state_dict"), dict):
        content = content["state_dict"]
    if not isinstance(content, dict) or not content:
        raise ValueError(f"{name} holds no table of named tensors but {type(content).__name__}: a state_dict is wanted")
    for key, value in content.items():
        if not isinstance(key, str):
            raise ValueError(f"{name} is no plain state_dict: {key!r}, the name of an entry, is no text")
        if not isinstance(value, torch.Tensor):
            raise ValueError(
                f"{name} is no plain state_dict: its entry {key!r} is {type(value).__name__}, not a tensor"
            )
    if all(key.startswith("module.") for key in content):
        content = {key.removeprefix("module."): value for key, value in content.items()}
    return content


def _first_line(error: BaseException) -> str:
    return str(error).strip().split("\n")[0].rstrip(". ") or type(error).__name__
