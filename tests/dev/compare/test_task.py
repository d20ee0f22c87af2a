"""What a workflow asks for is found behind its LiDAR KSampler, and the methods' graphs are made of it."""

import pytest

from devtools.cache import SetupError
from devtools.compare import methods
from devtools.compare.task import task_of

SCORING = {"top_k": 1, "batch_size": 16}


def test_task_holds_what_feeds_lidar_ksampler_and_nothing_else(graph, object_info):
    task = task_of(graph, object_info)
    assert sorted(task.nodes) == ["1", "2", "3", "4", "5", "6", "7", "8"]
    assert task.reward_name == "PickScore"
    assert task.shares_noise


def test_prompt_replaces_the_positive_words_through_controlnet_and_flux_guidance(graph, object_info):
    asked = task_of(graph, object_info).asking_for("a dog")
    assert asked["2"]["inputs"] == {"clip": ["1", 1], "text": "a dog"}
    assert asked["3"]["inputs"]["text"] == "blurry"
    assert graph["2"]["inputs"]["text"] == "a cat"


def test_own_noise_is_told(graph, object_info):
    graph["8"]["inputs"]["start_from"] = "own noise"
    assert not task_of(graph, object_info).shares_noise


def test_images_sets_the_batch(graph, object_info):
    assert task_of(graph, object_info, 5).nodes["6"]["inputs"]["batch_size"] == 5
    assert task_of(graph, object_info).nodes["6"]["inputs"]["batch_size"] == 2


def test_vanilla_is_ksampler_with_lidar_ksamplers_values(graph, object_info):
    task = task_of(graph, object_info)
    drawn = methods.vanilla(task, "a dog", 99).graph
    assert drawn["compare_sampler"] == {
        "class_type": "KSampler",
        "inputs": {
            "model": ["1", 0], "positive": ["5", 0], "negative": ["5", 1], "latent_image": ["6", 0], "seed": 99,
            "steps": 11, "cfg": 3.5, "sampler_name": "euler", "scheduler": "simple", "denoise": 0.9,
        },
    }  # fmt: skip
    assert drawn["2"]["inputs"]["text"] == "a dog"
    assert not any(node["class_type"] == "LiDARKSampler" for node in drawn.values())


def test_guided_is_the_workflows_node_with_prompt_and_seed(graph, object_info):
    drawn = methods.guided(task_of(graph, object_info), "a dog", 99).graph
    changed = {"prompt": "a dog", "seed": 99}
    assert drawn["compare_sampler"]["inputs"] == graph["9"]["inputs"] | changed


def test_best_of_draws_each_row_once_in_small_batches_and_keeps_what_is_wanted(graph, object_info):
    task = task_of(graph, object_info)
    drawn = methods.best_of(task, "a dog", 99, count=7, wanted=2, batch=3, scoring=SCORING).graph
    rows = []
    for node in drawn.values():
        if node["class_type"] == "LatentFromBatch":
            first = node["inputs"]["batch_index"]
            rows += range(first, first + node["inputs"]["length"])
    assert rows == list(range(7))
    assert drawn["compare_rows"]["inputs"] == {"samples": ["6", 0], "amount": 4}  # 4 x 2 hold 7
    assert sum(node["class_type"] == "KSampler" for node in drawn.values()) == 3
    assert drawn["compare_chosen"]["inputs"]["top_k"] == 2
    assert drawn["compare_chosen"]["inputs"]["reward_model"] == ["7", 0]
    joined, order = drawn["compare_chosen"]["inputs"]["images"], []
    while drawn[joined[0]]["class_type"] == "ImageBatch":
        order.insert(0, drawn[joined[0]]["inputs"]["image2"][0])
        joined = drawn[joined[0]]["inputs"]["image1"]
    assert [joined[0], *order] == ["compare_images_0", "compare_images_3", "compare_images_6"]


def test_judging_adds_a_score_for_each_reward_and_changes_nothing_that_was_drawn(graph, object_info):
    task = task_of(graph, object_info)
    drawing = methods.vanilla(task, "a dog", 99)
    both, told = methods.judged(drawing, task, "a dog", {"contrast": {"kind": "contrast"}}, SCORING)
    assert list(told) == ["PickScore", "contrast"]
    assert drawing.graph.items() <= both.items()
    for name, reward in (("PickScore", "LiDARRewardModelLoader"), ("contrast", "LiDARRewardModelLoader")):
        score = both[both[told[name]]["inputs"]["source"][0]]["inputs"]
        assert score["images"] == drawing.pictures and score["prompt"] == "a dog"
        assert both[score["reward_model"][0]]["class_type"] == reward
        assert both[score["reward_model"][0]]["inputs"]["kind"] == name


def test_workflow_that_cannot_be_compared_is_told(graph, object_info):
    with pytest.raises(SetupError, match="needs one LiDAR KSampler, and this one has 0"):
        task_of({name: node for name, node in graph.items() if name != "9"}, object_info)
    with pytest.raises(SetupError, match="needs one LiDAR KSampler, and this one has 2"):
        task_of(graph | {"12": graph["9"]}, object_info)
    del graph["6"]["inputs"]["batch_size"]
    with pytest.raises(SetupError, match="--images: the node behind"):
        task_of(graph, object_info, 3)
    graph["2"]["inputs"] = {"clip": ["1", 1]}
    with pytest.raises(SetupError, match="no text encoder is found"):
        task_of(graph, object_info)
