"""LiDAR Score Images ranks any images, keeps the best with what belongs to them, and shows what other rewards say."""

import json

import pytest
import torch

# Brightness of five grey pictures with a red bar, whose width is their colourfulness
LEVELS = torch.tensor([0.2, 0.6, 0.1, 0.9, 0.4])
BEST_FIRST = [3, 1, 4, 0, 2]


def pictures(levels=LEVELS, red=(5, 1, 4, 0, 3)):
    images = levels.view(-1, 1, 1, 1).repeat(1, 16, 24, 3)
    for image, width in zip(images, red, strict=True):
        image[:, :width] = torch.tensor([0.8, 0.0, 0.0])
    return images


@pytest.fixture(scope="module")
def load(node_classes):
    return lambda kind: node_classes["LiDARRewardModelLoader"].execute(kind).result[0]


@pytest.fixture(scope="module")
def listener(pack, nodes_room):
    """A hosted reward that reads the prompt: the length of the prompt, minus the mean of the image."""
    import sys

    class Listener(sys.modules[f"{pack.__name__}.reward_models"].RewardModel):
        name, reads_prompt = "listener", True

        def score_batch(self, batch, prompts):
            return torch.tensor([float(len(prompt)) for prompt in prompts]) - batch.images.mean(dim=(1, 2, 3))

    return nodes_room("host.hosted_reward_model").HostedRewardModel(Listener())


@pytest.fixture
def score(node_classes, load, monkeypatch, tmp_path):
    import folder_paths

    monkeypatch.setattr(folder_paths, "temp_directory", str(tmp_path))
    outputs = ("images", "latents", "masks", "scores", "table", "ranked_images")

    def run(images, reward_model=None, **settings):
        node = node_classes["LiDARScoreImages"]
        if "held_out" in settings:
            settings["held_out"] = {f"held_out_{i}": each for i, each in enumerate(settings["held_out"], start=1)}
        result = node.execute(images, reward_model or load("brightness"), **settings).result
        return dict(zip(outputs, result, strict=True))

    return run


def test_the_best_come_first_and_scores_keep_the_order_of_the_batch(score, load, nodes_room):
    images = pictures()
    out = score(images, top_k=3)
    (truth,) = nodes_room("host.scoring").score_images([load("brightness")], images, "", 2)
    assert torch.argsort(truth.rewards, descending=True).tolist() == BEST_FIRST
    assert torch.equal(out["images"], images[BEST_FIRST[:3]])
    assert out["scores"] == truth.rewards.tolist()
    assert out["ranked_images"].shape[0] == 5
    assert [line.split()[1] for line in out["table"].splitlines()[1:]] == ["4", "2", "5", "1", "3"]


def test_steady_scores_rank_images_and_baseline_by_the_mean_of_five_views(score, load, nodes_room):
    images, plain = pictures(), pictures(LEVELS * 0.7, (2, 3, 1, 1, 4))
    reward = load("colourfulness")  # the red bar at the left edge grows where a view is moved right
    truth = [
        nodes_room("host.scoring").score_images([reward], batch, "", 2, steady=True)[0] for batch in (images, plain)
    ]
    out = score(images, reward, steady_scores=True, baseline_images=plain, top_k=5)
    assert out["scores"] == truth[0].rewards.tolist()
    assert out["scores"] != score(images, reward)["scores"]
    change = next(line for line in out["table"].splitlines() if line.split()[:1] == ["colourfulness"])
    assert f"{truth[1].rewards.mean():.4g}" in change and f"{truth[0].rewards.mean():.4g}" in change


def test_more_than_there_are_is_all(score):
    assert len(score(pictures(), top_k=50)["images"]) == 5


def test_latents_and_masks_follow_their_images(score):
    latents = {
        "samples": torch.randn(5, 4, 2, 3),
        "noise_mask": torch.rand(5, 1, 16, 24),
        "batch_index": [10, 11, 12, 13, 14],
        "type": "audio",
    }
    masks = torch.rand(5, 16, 24)
    out = score(pictures(), top_k=2, latents=latents, masks=masks)
    best = BEST_FIRST[:2]
    assert torch.equal(out["latents"]["samples"], latents["samples"][best])
    assert torch.equal(out["latents"]["noise_mask"], latents["noise_mask"][best])
    assert out["latents"]["batch_index"] == [13, 11] and out["latents"]["type"] == "audio"
    assert torch.equal(out["masks"], masks[best])
    assert torch.equal(score(pictures(), top_k=2, masks=masks[0])["masks"], masks[:1].expand(2, -1, -1))


def test_latents_without_batch_index_are_rows_from_0_and_keep_theirs(score):
    """As the host's Latent From Batch has it, so that a sampler behind draws the noise that they came from."""
    out = score(pictures(), top_k=3, latents={"samples": torch.randn(5, 4, 2, 3)})
    assert out["latents"]["batch_index"] == BEST_FIRST[:3]


def test_an_output_without_its_input_blocks_whoever_uses_it(score):
    from comfy_execution.graph_utils import ExecutionBlocker

    for name in ("latents", "masks"):
        blocked = score(pictures())[name]
        assert isinstance(blocked, ExecutionBlocker)
        assert f"its input {name} is not connected" in blocked.message


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"latents": {"samples": torch.zeros(4, 4, 2, 3)}}, "latents has 4 samples for 5 images"),
        ({"masks": torch.zeros(3, 16, 24)}, "masks has 3 masks for 5 images"),
        ({"prompt": "a\nb", "prompt_per_line": True}, "prompt has 2 lines for 5 images: write one line"),
    ],
)
def test_counts_that_do_not_fit_are_told_in_one_line(score, settings, message):
    with pytest.raises(ValueError, match=f"^LiDAR Score Images: {message}") as raised:
        score(pictures(), **settings)
    assert "\n" not in str(raised.value)


def test_a_threshold_keeps_what_reaches_it_and_else_the_best_with_a_notice(score):
    out = score(pictures(), top_k=4, use_threshold=True, threshold=0.35)
    assert torch.equal(out["images"], pictures()[BEST_FIRST[:3]])
    assert "threshold" not in out["table"]
    none = score(pictures(), top_k=4, use_threshold=True, threshold=2)
    assert torch.equal(none["images"], pictures()[[3]])
    assert "no image reaches the threshold 2: the best one, no. 4, is handed on" in none["table"]
    assert len(score(pictures(), top_k=4, threshold=2)["images"]) == 4


def test_a_line_of_the_prompt_for_each_image(score, listener):
    images = pictures()
    out = score(images, listener, prompt="abc\na\n\nab\nabcd\na", prompt_per_line=True)
    means = images.double().mean(dim=(1, 2, 3))
    truth = torch.tensor([3, 1, 2, 4, 1]) - means
    torch.testing.assert_close(torch.tensor(out["scores"]).double(), truth, atol=1e-5, rtol=0)
    one = score(images, listener, prompt="ab\nc")["scores"]
    torch.testing.assert_close(torch.tensor(one).double(), 4 - means, atol=1e-5, rtol=0)


def test_held_out_rewards_have_a_column_and_do_not_rank(score, load):
    out = score(pictures(), held_out=[load("colourfulness"), load("brightness")], top_k=5)
    head, *rows = (line.split() for line in out["table"].splitlines())
    assert head == ["rank", "no.", "brightness", "colourfulness", "brightness", "(2)"]
    assert [row[1] for row in rows] == ["4", "2", "5", "1", "3"]
    assert float(rows[0][3]) == 0.0 and float(rows[3][3]) > 50


def test_a_guided_reward_that_rises_while_two_others_fall_is_flagged(score, load, listener):
    plain = pictures(LEVELS, (9, 8, 9, 10, 8))
    brighter = pictures(LEVELS + 0.1, (0, 0, 0, 0, 0))
    held_out = [load("colourfulness"), listener]
    table = score(brighter, held_out=held_out, prompt="x", baseline_images=plain)["table"]
    assert "looks like reward hacking: brightness rises while colourfulness, listener fall" in table
    for images, baseline, others in (
        (plain, brighter, held_out),  # the guided one falls
        (brighter, plain, held_out[:1]),  # only one held-out reward falls
        (plain, plain, held_out),  # nothing changes
    ):
        assert "hacking" not in score(images, held_out=others, prompt="x", baseline_images=baseline)["table"]


def test_members_of_the_guided_reward_are_no_held_out_ones(score, load, node_classes):
    rewards = {"reward_1": load("brightness"), "reward_2": load("colourfulness"), "reward_3": load("colourfulness")}
    combined = node_classes["LiDARCombineRewards"].execute(rewards, "1, 0.1, 0.1").result[0]
    plain, brighter = pictures(LEVELS, (3, 3, 3, 3, 2)), pictures(LEVELS * 0.1 + 0.9, (0, 0, 0, 0, 0))
    table = score(brighter, combined, baseline_images=plain)["table"]
    assert "hacking" not in table
    change = next(line for line in table.splitlines() if line.strip().startswith("1 brightness + 0.1 colourfulness"))
    assert float(change.split()[-2]) > 1, "a combination is standardised over both batches together"


def test_the_change_and_its_standard_error_are_those_of_the_textbook(nodes_room):
    from scipy import stats

    change = nodes_room("values.held_out").change
    before, after = torch.tensor([1.0, 2.5, -1.0, 4.0]), torch.tensor([2.0, 2.0, 0.5, 4.25])
    paired = change(before, after)
    truth = stats.ttest_rel(after.numpy(), before.numpy()).statistic
    assert paired.change / paired.standard_error == pytest.approx(truth)
    unequal = change(before, after[:3])
    truth = stats.ttest_ind(after[:3].numpy(), before.numpy(), equal_var=False).statistic
    assert unequal.change / unequal.standard_error == pytest.approx(truth, rel=1e-5)
    single = change(before[:1], after[:1])
    assert (single.change, single.standard_error, single.rises) == (1.0, 0.0, True)


@pytest.mark.parametrize("shape", [(3, 16, 24, 1), (2, 8, 20000, 3), (2, 20000, 8, 3), (2, 1, 1, 4)])
def test_one_channel_and_extreme_sizes_are_shown_too(score, load, shape):
    generator = torch.Generator().manual_seed(shape[1])
    images = torch.rand(shape, generator=generator) * torch.linspace(0.3, 0.9, shape[0]).view(-1, 1, 1, 1)
    out = score(images, held_out=[load("contrast")])
    brightness = torch.tensor(out["scores"])
    colour = images.expand(-1, -1, -1, 3) if shape[3] == 1 else images[..., :3]
    luma = (colour.double() * torch.tensor([0.2126, 0.7152, 0.0722]).double()).sum(3).mean(dim=(1, 2))
    torch.testing.assert_close(brightness.double(), luma, atol=1e-5, rtol=0)
    assert out["ranked_images"].shape[0] == shape[0] and out["ranked_images"].shape[3] == 3


@pytest.mark.parametrize("extra", ["a text", ["a", "list"], {"lidar_scores": 3}, {"": 1}, {"k" * 80: 1}, {"\u0436": 1}])
def test_pictures_are_shown_whatever_a_prompt_sends_for_the_metadata(node_classes, load, monkeypatch, tmp_path, extra):
    import folder_paths
    from comfy_api.latest import io
    from comfy_execution.graph import DynamicPrompt

    monkeypatch.setattr(folder_paths, "temp_directory", str(tmp_path))
    prompt = DynamicPrompt({"score": {"class_type": "LiDARScoreImages", "inputs": {}}})
    hidden = {io.Hidden.unique_id: "score", io.Hidden.dynprompt: prompt, io.Hidden.extra_pnginfo: extra}
    node = node_classes["LiDARScoreImages"].PREPARE_CLASS_CLONE({"hidden_inputs": hidden})
    sheet = json.loads(node.execute(pictures(), load("brightness")).ui["lidar_sheet"][0])
    assert len(list((tmp_path / sheet["folder"]).iterdir())) == 5
    assert sheet["kept"] == [4]
    if isinstance(extra, dict):
        assert extra["lidar_scores"]["score"]["kept"] == [4]
