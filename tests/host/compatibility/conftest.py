"""What the tests behind docs/compatibility.md share; they note each cell that passed, and the page is compared with the notes."""

from __future__ import annotations

import sys
from functools import cache
from types import SimpleNamespace

import pytest
import torch

from . import tiny_families
from .checked_run import REWARDS, Cell, check
from .host_nodes import Way
from .written_page import Notes


def pytest_addoption(parser):
    parser.addoption("--write-page", action="store_true", help="write docs/compatibility.md anew")


@pytest.fixture(scope="session")
def notes():
    """What passed so far in this session."""
    return Notes()


@pytest.fixture(scope="session")
def family(comfy):
    """family(name) -> the family at tiny size: model, conditioning, its row of FAMILIES, and lookaheads' latents."""

    @cache
    def make(name: str):
        row = tiny_families.FAMILIES[name]
        if not hasattr(comfy.supported_models, row.config):
            pytest.skip(f"this ComfyUI has no {row.config}")
        positive, negative, third = (tiny_families.conditioning(name, seed) for seed in (5, 6, 7))
        return SimpleNamespace(
            name=name, row=row, model=tiny_families.build(name), positive=positive, negative=negative, third=third,
            shape=row.latent,
        )  # fmt: skip

    return make


@pytest.fixture
def way(family):
    """way(family name) -> Way: the host's nodes to sample with."""
    return lambda name: Way(family(name))


@pytest.fixture
def apply(node_classes, pack, monkeypatch):
    """apply(model, lookaheads, **settings) -> (model, told): LiDAR Apply Guidance, and the list of what its node shows."""
    told_now: list[list[str]] = []
    room = sys.modules[f"{pack.__name__}.nodes.apply_guidance"]
    monkeypatch.setattr(room, "writer_on_node", lambda hidden: told_now[-1].append)

    def guide(model, lookaheads, **settings):
        told_now.append([])
        return node_classes["LiDARApplyGuidance"].execute(model, lookaheads, **settings).result[0], told_now[-1]

    return guide


@pytest.fixture
def lookahead_set(pack, node_classes):
    """lookahead_set(shape, model) -> a scored set of random lookaheads in the space of the host's model."""
    lidar_core = sys.modules[f"{pack.__name__}.lidar_core"]
    return lambda shape, model: lidar_core.LookaheadSet(tiny_families.lookaheads(shape, len(REWARDS), model), REWARDS)


@pytest.fixture
def checked(apply, lookahead_set):
    """checked(model, sample, shape, **settings) -> the Cell of this way to sample latents of this shape."""

    def run(model, sample, shape, **settings) -> Cell:
        return check(sample, model, lookahead_set(shape, model.model), apply, **settings)

    return run


@pytest.fixture(autouse=True)
def one_thread_and_no_gradients():
    """Networks as small as these only wait for each other on several threads."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with torch.inference_mode():
        yield
    torch.set_num_threads(threads)
