"""Several finished and the best kept, and the best candidates continued: LiDAR KSampler against the host's own nodes."""

from __future__ import annotations

import pytest
import torch

SCORING = {
    "reward_model": ["demo", 3], "prompt": "three red circles", "prompt_per_line": False, "use_threshold": False,
    "threshold": 0.0, "batch_size": 16, "steady_scores": False,
}  # fmt: skip
OFF = {"guidance_scale": 0.0, "guidance_form": "blend"}


@pytest.fixture
def host_pictures(graph, run, latent_of):
    """host_pictures(best=None) -> KSampler's pictures of rows 0 to 3 of the seed; the best so many, best first, by their scores."""

    def queue(best: int | None = None):
        prompt = graph({"latent": {"batch_size": 4}})
        names = (
            "model",
            "positive",
            "negative",
            "latent_image",
            "seed",
            "steps",
            "cfg",
            "sampler_name",
            "scheduler",
            "denoise",
        )
        inputs = {name: prompt["lidar"]["inputs"][name] for name in names}
        prompt["lidar"] = {"class_type": "KSampler", "inputs": inputs}
        if best:
            prompt["decode"] = {"class_type": "VAEDecode", "inputs": {"samples": ["lidar", 0], "vae": ["demo", 2]}}
            judged = {"images": ["decode", 0], "latents": ["lidar", 0], "top_k": best}
            prompt["judge"] = {"class_type": "LiDARScoreImages", "inputs": SCORING | judged}
            prompt["save"]["inputs"]["samples"] = ["judge", 1]
        return latent_of(run(prompt))

    return queue


@pytest.fixture
def shown(graph):
    """shown(*changes) -> the prompt, with its finished images scored and shown beside it."""

    def prompt(*changes):
        score = {"class_type": "LiDARScoreImages", "inputs": SCORING | {"images": ["lidar", 3], "top_k": 1}}
        return graph(*changes) | {"all": score, "table": {"class_type": "PreviewAny", "inputs": {"source": ["all", 4]}}}

    return prompt


def numbers(result) -> list[int]:
    """The numbers of the finished images in the order of their scores, as LiDAR Score Images counts what it is given."""
    (table,) = result.outputs["table"]["text"]
    return [int(line.split()[1]) for line in table.splitlines()[1:]]


@pytest.mark.parametrize("start_from", ["own noise", "best lookaheads"])
def test_the_best_of_all_finished_images_come_out(shown, run, latent_of, host_pictures, start_from):
    result = run(shown({"config": OFF | {"start_from": start_from, "finish": 4}}))
    torch.testing.assert_close(latent_of(result), host_pictures(best=2), atol=2e-3, rtol=1e-4)
    assert numbers(result) == [1, 2, 3, 4], "shown best first"
    assert any("4 finished, 2 kept: about 2 times the time of finishing 2" in text for _, text in result.texts)
    assert any("4 images: 40 model evaluations, 16 of them for the lookaheads" in text for _, text in result.texts)


def test_without_more_to_finish_than_are_wanted_nothing_changes(shown, run, latent_of):
    results = [run(shown({"config": {"start_from": "best lookaheads", "finish": finish}})) for finish in (1, 2)]
    for result in results:
        assert "table" not in result.outputs, "nothing was compared"
        assert result.executed_classes.count("VAEDecode") == result.executed_classes.count("LiDARScoreLookaheads") <= 1
    assert "LiDARKeepBest" in results[1].executed_classes
    assert torch.equal(*map(latent_of, results))


def test_automatic_counts_what_the_lookaheads_cost(graph, run):
    """Four lookaheads of 2 steps at cfg 3 cost 2.7 images of 3 steps; of 3 steps, 4."""
    result = run(graph({"config": {"finish": 0, "start_from": "best lookaheads"}}))
    assert any("cost as much as 2.67 images" in text and "2 are finished, 2 wanted" in text for _, text in result.texts)
    result = run(graph({"config": {"finish": 0, "start_from": "best lookaheads", "steps": 3}}))
    assert any("4 finished, 2 kept" in text for _, text in result.texts)


def test_the_best_continue_and_end_as_the_hosts_pictures(graph, run, latent_of, host_pictures, best_numbers):
    changes = {"start_from": "continue the best", "cut_percent": 0.6, "batch_size": 4}
    result = run(graph({"config": OFF | changes}))
    best = best_numbers(result)
    expected = host_pictures()[[number - 1 for number in best]]
    torch.testing.assert_close(latent_of(result), expected, atol=2e-3, rtol=1e-4)
    assert {"LiDARSampleCandidates", "LiDARContinueBest"} <= set(result.executed_classes)
    unguided = run(graph({"config": OFF | changes | {"guidance_scale": 0.5, "effective_dimension": 256.0}}))
    assert torch.equal(latent_of(unguided), latent_of(result)), "after a cut nothing is guided"


def test_a_picked_candidate_continues_and_several_may(graph, run, best_numbers):
    changes = {"start_from": "continue the best", "finish": 3}
    first = run(graph({"config": changes}))
    assert any("3 finished, 2 kept" in text for _, text in first.texts)
    numbers = best_numbers(first)
    worst = next(number for number in range(1, 5) if number not in numbers)
    result = run(graph({"config": changes}, {"lidar": {"picks": f"{worst}=9"}}))
    assert best_numbers(result) == [worst, numbers[0]], "picks are finished as they are, and nothing else is tried"
    assert not {"LiDARSampleCandidates", "LiDARScoreLookaheads"} & set(result.executed_classes)


def test_a_masked_picture_keeps_what_is_not_masked(graph, run, latent_of):
    """The finished picture is what came in wherever the mask is 0; also where several are finished, or the best continue."""
    masked = {
        "colour": {
            "class_type": "EmptyImage",
            "inputs": {"width": 64, "height": 64, "batch_size": 1, "color": 0x8040C0},
        },
        "mask": {"class_type": "SolidMask", "inputs": {"value": 1.0, "width": 32, "height": 64}},
        "base": {"class_type": "SolidMask", "inputs": {"value": 0.0, "width": 64, "height": 64}},
        "half": {
            "class_type": "MaskComposite",
            "inputs": {"destination": ["base", 0], "source": ["mask", 0], "x": 32, "y": 0, "operation": "add"},
        },
        "picture": {"class_type": "VAEEncode", "inputs": {"pixels": ["colour", 0], "vae": ["demo", 2]}},
        "masked": {"class_type": "SetLatentNoiseMask", "inputs": {"samples": ["picture", 0], "mask": ["half", 0]}},
        "copies": {"class_type": "RepeatLatentBatch", "inputs": {"samples": ["masked", 0], "amount": 2}},
    }
    picture = run(graph({"save": {"samples": ["picture", 0]}}) | masked)
    given = {"latent_image": ["copies", 0], "denoise": 0.7}
    for changes in ({"start_from": "best lookaheads", "finish": 4}, {"start_from": "continue the best", "finish": 3}):
        result = run(graph({"config": changes}, {"lidar": given}) | masked)
        drawn = latent_of(result)
        assert drawn.shape == (2, 4, 8, 8)
        torch.testing.assert_close(
            drawn[..., :4], latent_of(picture)[..., :4].expand(2, -1, -1, -1), atol=1e-4, rtol=1e-4
        )
        assert not torch.allclose(drawn[0, ..., 4:], drawn[1, ..., 4:], atol=1e-2)
