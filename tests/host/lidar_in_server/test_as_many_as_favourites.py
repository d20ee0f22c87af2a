"""Finishing favourites gives an image of each, or the batch if it holds more: the truth is the host's KSampler at their rows."""

from __future__ import annotations

import pytest
import torch

STARTS = ["best lookaheads", "continue the best"]


@pytest.fixture(params=STARTS)
def picked(request, graph, run):
    """picked(picks, batch, finish) -> the result with these picks, of images that nothing guides."""

    def finish_picks(picks, batch=1, finish=0):
        config = {"start_from": request.param, "guidance_scale": 0.0, "finish": finish}
        return run(graph({"config": config, "latent": {"batch_size": batch}, "lidar": {"picks": picks}}))

    finish_picks.continues = request.param == "continue the best"
    return finish_picks


@pytest.fixture
def host_rows(graph, run, latent_of):
    """host_rows(first, count) -> what the host's KSampler makes of so many rows of a batch, from this number on."""

    def sample(first, count):
        prompt = graph({"latent": {"batch_size": 8}})
        given = {
            name: prompt["lidar"]["inputs"][name]
            for name in ("positive", "negative", "seed", "steps", "cfg", "sampler_name", "scheduler", "denoise")
        }
        prompt["rows"] = {
            "class_type": "LatentFromBatch",
            "inputs": {"samples": ["latent", 0], "batch_index": first - 1, "length": count},
        }
        prompt["lidar"] = {
            "class_type": "KSampler",
            "inputs": given | {"model": ["demo", 0], "latent_image": ["rows", 0]},
        }
        return latent_of(run(prompt))

    return sample


def assert_same(images, truth, *, continued):
    """Bit for bit; but candidates began three at a time, and other batches differ in their last digits."""
    torch.testing.assert_close(images, truth, **({"atol": 2e-3, "rtol": 1e-4} if continued else {"atol": 0, "rtol": 0}))


@pytest.mark.parametrize("finish", [0, 1, 4])
def test_each_favourite_gives_its_image_whatever_finish_says(picked, host_rows, latent_of, best_numbers, finish):
    result = picked("3=2, 4", finish=finish)
    assert best_numbers(result) == [3, 4]
    assert_same(latent_of(result), host_rows(3, 2), continued=picked.continues)
    one = picked("3", finish=finish)
    assert best_numbers(one) == [3]
    assert_same(latent_of(one), host_rows(3, 1), continued=picked.continues)


def test_a_larger_batch_is_filled_with_the_next_best(picked, latent_of, best_numbers):
    best = [number for number in best_numbers(picked("", batch=4, finish=1)) if number not in (2, 4)]
    result = picked("4=2, 2", batch=3)
    assert best_numbers(result) == [4, 2, best[0]]
    assert latent_of(result).shape[0] == 3


def test_rejects_and_picks_of_another_set_leave_the_batch(picked, latent_of, best_numbers):
    rejected = picked("-3", batch=3, finish=1)
    assert latent_of(rejected).shape[0] == 3 and 3 not in best_numbers(rejected)
    assert latent_of(picked("1, 2, 3 @zzzz", finish=1)).shape[0] == 1


def test_the_node_says_so(picked):
    texts = [text for node, text in picked("1, 3, 4").texts if node == "lidar"]
    assert "3 picks, a batch of 1: 3 images" in texts


def test_with_noise_of_their_own_the_batch_stays(graph, run, latent_of):
    """No image belongs to a lookahead there."""
    changes = {"config": {"start_from": "own noise"}, "latent": {"batch_size": 1}, "lidar": {"picks": "1, 2, 3"}}
    assert latent_of(run(graph(changes))).shape[0] == 1
