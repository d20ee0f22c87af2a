"""How many lookaheads are sampled at once: what memory takes by the host's estimate, 1 at least, `most` at most."""

import pytest
import torch

SHAPE = torch.Size((4, 8, 8))
MEBI = 2**20


@pytest.fixture(scope="module")
def model(build_model):
    return build_model("EPS")


@pytest.fixture
def chunk(nodes_room, comfy, monkeypatch):
    """chunk(model, most, free=..., unloadable=..., reserve=...) -> fitting_chunk on a machine with that memory, in bytes."""
    import comfy.model_management as mm

    class Loaded:
        def __init__(self, size, device):
            self.size, self.device, self.model = size, device, "a model"

        def model_loaded_memory(self):
            return self.size

    class Gone(Loaded):
        """As the host's list has it until the next load: the model that it names is there no more."""

        def __init__(self, device):
            self.device, self.model = device, None

        def model_loaded_memory(self):
            raise AttributeError("'NoneType' object has no attribute 'loaded_size'")

    def run(model, most, *, free, unloadable=0, elsewhere=0, reserve=0):
        monkeypatch.setattr(mm, "get_free_memory", lambda device: free)
        monkeypatch.setattr(mm, "minimum_inference_memory", lambda: reserve)
        loaded = [
            Loaded(unloadable, model.load_device),
            Loaded(elsewhere, torch.device("meta")),
            Gone(model.load_device),
        ]
        monkeypatch.setattr(mm, "current_loaded_models", loaded)
        return nodes_room("host.chunk_size").fitting_chunk(model, SHAPE, most)

    return run


def image_cost(model):
    """Two rows, as classifier-free guidance has them, by the host's own estimate."""
    return model.model.memory_required([2, *SHAPE])


def test_as_many_as_fit_and_never_more_than_most(chunk, model):
    size, cost = model.model_size(), image_cost(model)
    assert cost > 0
    for most, images, expected in ((16, 3.5, 3), (16, 15.9, 15), (16, 400, 16), (5, 400, 5), (1, 400, 1)):
        assert chunk(model, most, free=size + images * cost) == expected


@pytest.mark.parametrize("free", [0, 1, 10 * MEBI])
def test_a_model_that_does_not_fit_still_gets_one(chunk, model, free, monkeypatch):
    monkeypatch.setattr(type(model.model), "memory_required", lambda self, shape, *a, **k: 2.0**60)
    assert chunk(model, 16, free=free) == 1


def test_a_model_that_the_host_must_page_in_shares_the_memory_with_the_images(chunk, model, monkeypatch):
    cost = 3 * MEBI
    monkeypatch.setattr(type(model.model), "memory_required", lambda self, shape, *a, **k: cost)
    monkeypatch.setattr(type(model), "model_size", lambda self: 1000 * MEBI)
    assert chunk(model, 16, free=40 * MEBI, reserve=4 * MEBI) == 6


def test_what_the_host_can_unload_there_counts_and_its_reserve_does_not(chunk, model):
    size, cost = model.model_size(), image_cost(model)
    needed = size + 4.5 * cost
    assert chunk(model, 16, free=needed) == 4
    assert chunk(model, 16, free=needed, unloadable=2 * cost) == 6
    assert chunk(model, 16, free=needed, elsewhere=100 * cost) == 4, "another device's models leave no room here"
    assert chunk(model, 16, free=needed, reserve=3 * cost) == 1
    assert chunk(model, 16, free=0, unloadable=needed) == 4, "the model itself may be among the loaded ones"


def test_lookaheads_come_in_chunks_that_fit_and_are_the_same(
    node_classes, conditioning, model, nodes_room, monkeypatch
):
    import comfy.samplers

    sizes, original = [], comfy.samplers.sample
    monkeypatch.setattr(
        comfy.samplers,
        "sample",
        lambda model, noise, *a, **k: sizes.append(len(noise)) or original(model, noise, *a, **k),
    )

    def draw():
        sizes.clear()
        node = node_classes["LiDARSampleLookaheads"]
        settings = {"seed": 9, "count": 7, "steps": 3, "cfg": 3.0, "batch_size": 16}
        latents = node.execute(model, *conditioning, {"samples": torch.zeros(1, *SHAPE)}, **settings).result[0][
            "samples"
        ]
        return latents, list(sizes)

    whole, chunks = draw()
    assert chunks == [7]
    monkeypatch.setattr(nodes_room("sample_lookaheads"), "fitting_chunk", lambda model, shape, most: min(most, 3))
    parts, chunks = draw()
    assert chunks == [3, 3, 1]
    torch.testing.assert_close(parts, whole, atol=2e-3, rtol=1e-4)
