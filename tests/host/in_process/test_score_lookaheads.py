"""LiDAR Score Lookaheads keeps latents, scores and pictures together, and shows them best first."""

import sys

import numpy as np
import pytest
import torch

LEVELS = torch.tensor([0.25, 0.75, 0.0, 1.0, 0.5])
BEST_FIRST = [3, 1, 4, 0, 2]


@pytest.fixture(scope="module")
def hosted(pack, nodes_room):
    """hosted(reward model) as the loader node would give it."""

    def wrap(model):
        return nodes_room("hosted_reward_model").HostedRewardModel(model)

    return wrap


@pytest.fixture(scope="module")
def brightness(pack, hosted, node_classes):
    return node_classes["LiDARRewardModelLoader"].execute("brightness").result[0]


@pytest.fixture(scope="module")
def base_class(pack, node_classes):
    return sys.modules[f"{pack.__name__}.reward_models"].RewardModel


@pytest.fixture
def score(node_classes, monkeypatch, tmp_path):
    import folder_paths

    monkeypatch.setattr(folder_paths, "temp_directory", str(tmp_path))

    def run(latents, images, reward_model, prompt="a lamp", batch_size=2):
        return node_classes["LiDARScoreLookaheads"].execute(
            {"samples": latents}, images, reward_model, prompt, batch_size
        )

    return run


def grey(levels, height=64, width=64):
    return levels.view(-1, 1, 1, 1).expand(-1, height, width, 3)


def test_set_holds_latents_scores_and_where_they_come_from(score, brightness):
    latents = torch.randn(5, 4, 8, 8, generator=torch.Generator().manual_seed(1))
    scored = score(latents, grey(LEVELS), brightness).result[0]
    assert torch.equal(scored.latents, latents)
    torch.testing.assert_close(scored.rewards, LEVELS)
    assert scored.reward_name == brightness.name
    assert dict(scored.metadata) == {"prompt": "a lamp"}


def test_preview_shows_the_best_first_with_labels_below(score, brightness):
    output = score(torch.zeros(5, 4, 8, 8), grey(LEVELS), brightness)
    ranked = output.result[1]
    assert ranked.shape[0] == 5 and ranked.shape[2] == 192 and ranked.shape[1] > 192
    assert ranked.dtype == torch.float32 and 0 <= ranked.min() and ranked.max() <= 1
    torch.testing.assert_close(ranked[:, 96, 96, 0], LEVELS[BEST_FIRST], atol=0.01, rtol=0)
    strips = ranked[:, 192:]
    assert (strips.amax(dim=(1, 2, 3)) > 0.8).all(), "each strip has ink"
    assert len({strip.numpy().tobytes() for strip in strips}) == 5, "each label is another"
    assert len(output.ui["images"]) == 5


@pytest.mark.parametrize(
    ("height", "width", "shown"),
    [
        (64, 64, (192, 192)),
        (32, 64, (192, 384)),
        (30, 120, (128, 512)),
        (300, 400, (300, 400)),
        (1024, 768, (512, 384)),
    ],
)
def test_pictures_are_shown_at_a_readable_size(nodes_room, height, width, shown):
    ranked = nodes_room("ranked_preview").ranked_preview(
        grey(LEVELS[:2], height, width), torch.tensor([-12.3456, 21.5]), torch.tensor([1, 0])
    )
    assert (ranked.shape[1] > shown[0], ranked.shape[2]) == (True, shown[1])
    picture = ranked[0, : shown[0]].numpy()
    np.testing.assert_allclose(picture, 0.75, atol=0.01)
    assert ranked[0, shown[0], 0, 0] < 0.2, "the strip begins below the picture"


def test_missing_image_is_an_error_with_both_counts(score, brightness):
    with pytest.raises(ValueError, match="there are 5 lookaheads but 4 images; connect lookaheads to VAE Decode"):
        score(torch.zeros(5, 4, 8, 8), grey(LEVELS[:4]), brightness)


def test_empty_prompt_for_a_reward_that_reads_it_names_the_node(score, hosted, base_class):
    class ReadsPrompt(base_class):
        name, reads_prompt = "listener", True

        def score_batch(self, batch, prompts):
            return batch.images.mean(dim=(1, 2, 3))

    with pytest.raises(ValueError, match="^LiDAR Score Lookaheads: listener .*'prompt' is empty: write"):
        score(torch.zeros(5, 4, 8, 8), grey(LEVELS), hosted(ReadsPrompt()), prompt="  \n")


def test_score_that_is_no_number_names_node_reward_and_image(score, hosted, base_class):
    class Broken(base_class):
        name, reads_prompt = "broken reward", False

        def score_batch(self, batch, prompts):
            return batch.images.mean(dim=(1, 2, 3)).log().log()

    with pytest.raises(ValueError, match="^LiDAR Score Lookaheads: broken reward gave nan for image 1 of 5") as error:
        score(torch.zeros(5, 4, 8, 8), grey(LEVELS), hosted(Broken()))
    assert "\n" not in str(error.value)


def test_latents_that_are_no_numbers_name_the_node(score, brightness):
    latents = torch.zeros(5, 4, 8, 8)
    latents[2, 0, 0, 0] = torch.nan
    with pytest.raises(ValueError, match="^LiDAR Score Lookaheads: latents are not finite in float32 at lookahead 2"):
        score(latents, grey(LEVELS), brightness)
