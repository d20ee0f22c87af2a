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
        return nodes_room("host.hosted_reward_model").HostedRewardModel(model)

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

    def run(latents, images, reward_model, prompt="a lamp", batch_size=2, **settings):
        return node_classes["LiDARScoreLookaheads"].execute(
            {"samples": latents}, images, reward_model, prompt, batch_size, **settings
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
    ranked = nodes_room("shown.ranked_preview").ranked_preview(
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
    with pytest.raises(
        ValueError, match="^LiDAR Score Lookaheads: lookaheads is a LATENT with NaN or infinite numbers"
    ):
        score(latents, grey(LEVELS), brightness)


def uneven():
    """Five pictures of 40 x 72 whose pixels are all different, so that a move by a pixel shows."""
    return torch.rand(5, 40, 72, 3, generator=torch.Generator().manual_seed(8)) * torch.linspace(0.3, 1, 72).view(72, 1)


def moved(images, down, right):
    """IMAGE (n, H, W, 3) moved down and right by so many pixels; the edge that is uncovered repeats."""
    rows = (torch.arange(images.shape[1]) - down).clamp(0, images.shape[1] - 1)
    columns = (torch.arange(images.shape[2]) - right).clamp(0, images.shape[2] - 1)
    return images[:, rows][:, :, columns]


def test_steady_score_is_the_mean_of_five_single_scores(score, hosted, base_class):
    class Corner(base_class):
        """Weighs every pixel by where it is, so that each view has a score of its own."""

        name, reads_prompt = "corner", False

        def score_batch(self, batch, prompts):
            height, width = batch.images.shape[-2:]
            weights = torch.linspace(1, 3, height).view(-1, 1) ** 2 * torch.linspace(-1, 2, width)
            return (batch.images * weights).mean(dim=(1, 2, 3)).exp()

    images, latents = uneven(), torch.zeros(5, 4, 8, 8)
    single = [
        score(latents, moved(images, down, right), hosted(Corner())).result[0].rewards
        for down, right in ((0, 0), (0, 2), (0, -2), (1, 0), (-1, 0))  # 1/32 of 72 is 2 pixels, of 40 is 1
    ]
    assert len({rewards[0].item() for rewards in single}) == 5
    steady = score(latents, images, hosted(Corner()), steady_scores=True).result[0].rewards
    torch.testing.assert_close(steady, torch.stack(single).double().mean(dim=0).float(), rtol=1e-5, atol=1e-6)
    assert torch.equal(score(latents, images, hosted(Corner()), steady_scores=False).result[0].rewards, single[0])
    for batch_size in (1, 5):
        other = score(latents, images, hosted(Corner()), batch_size=batch_size, steady_scores=True).result[0].rewards
        torch.testing.assert_close(other, steady, rtol=1e-5, atol=1e-6)


def test_steady_scores_show_five_times_the_progress_and_the_picture_itself(score, brightness, monkeypatch):
    import comfy.utils

    seen = []
    monkeypatch.setattr(
        comfy.utils, "PROGRESS_BAR_HOOK", lambda value, total, preview, node_id: seen.append((value, total))
    )
    output = score(torch.zeros(5, 4, 8, 8), grey(LEVELS), brightness, steady_scores=True)
    assert seen[-1] == (25, 25) and [value for value, _ in seen] == sorted(value for value, _ in seen)
    torch.testing.assert_close(output.result[0].rewards, LEVELS)
    assert output.result[1].shape[0] == 5
