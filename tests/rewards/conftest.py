"""Tiny CLIPs of open_clip's own classes, written to disk as people would have them."""

import builtins
import json
import os
import socket
import sys

import open_clip
import pytest
import torch
from safetensors.torch import save_file

TINY = {
    "embed_dim": 24,
    "vision_cfg": {"image_size": 32, "layers": 2, "width": 48, "head_width": 16, "patch_size": 8},
    "text_cfg": {"context_length": 20, "vocab_size": 49408, "width": 40, "heads": 4, "layers": 3},
}


@pytest.fixture(scope="session")
def tiny_clip():
    """An open_clip model with random weights, far from its initial values so that no part of it is a no-op."""
    torch.manual_seed(7)
    clip = open_clip.CLIP(**TINY).eval()
    with torch.no_grad():
        for parameter in clip.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    return clip


@pytest.fixture
def tiny_folder(tiny_clip, tmp_path):
    """A folder with open_clip_model.safetensors and open_clip_config.json, in the form of open_clip's model hub."""
    folder = tmp_path / "tiny"
    folder.mkdir()
    save_file(tiny_clip.state_dict(), folder / "open_clip_model.safetensors")
    (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": TINY, "preprocess_cfg": {}}))
    return folder


@pytest.fixture
def pictures():
    """Three unequal images (3, 3, 40, 56) in [0, 1]: two gradients with a block, and noise."""
    torch.manual_seed(3)
    rows, columns = torch.meshgrid(torch.linspace(0, 1, 40), torch.linspace(0, 1, 56), indexing="ij")
    first = torch.stack((rows, columns**2, 0.3 * rows))
    second = torch.stack((1 - columns, 0.2 + 0 * rows, rows * columns))
    second[:, 5:20, 30:] = 0.9
    return torch.stack((first, second, torch.rand(3, 40, 56)))


@pytest.fixture
def attempts(tiny_folder, monkeypatch):
    """(folder, list): the list gets every attempt to connect or to start a process; an import from the folder fails."""
    tried = []

    def refuse(name):
        def act(*given, **_):
            tried.append(f"{name} {given[:2]}")
            raise OSError(f"{name} was tried")

        return act

    monkeypatch.setattr(socket.socket, "connect", refuse("connect"))
    monkeypatch.setattr(socket, "getaddrinfo", refuse("getaddrinfo"))
    for name in ("system", "popen", "execv", "posix_spawn"):
        monkeypatch.setattr(os, name, refuse(name), raising=False)
    monkeypatch.setattr(builtins, "input", lambda *_: "y")  # transformers asks whether to trust, and people say yes
    monkeypatch.chdir(tiny_folder)
    before = set(sys.modules)
    yield tiny_folder, tried
    new = (sys.modules[name] for name in set(sys.modules) - before)
    assert not [module for module in new if str(tiny_folder) in str(getattr(module, "__file__", ""))]
