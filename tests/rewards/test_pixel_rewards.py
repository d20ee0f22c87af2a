import numpy as np
import pytest
import torch

from reward_models import load_reward_model


def colourfulness_by_numpy(image):
    """Hasler and Suesstrunk's metric in float64, channel by channel, from an (H, W, 3) image in [0, 1]."""
    red, green, blue = (np.asarray(image, dtype=np.float64)[..., channel] * 255 for channel in range(3))
    rg, yb = red - green, 0.5 * (red + green) - blue
    return np.hypot(np.std(rg), np.std(yb)) + 0.3 * np.hypot(np.mean(rg), np.mean(yb))


def test_colourfulness_follows_the_papers_formula(pictures):
    scores = load_reward_model("colourfulness").score(pictures, ["", "", ""])
    truth = [colourfulness_by_numpy(image.permute(1, 2, 0).numpy()) for image in pictures]
    assert scores.dtype == torch.float32
    np.testing.assert_allclose(scores.numpy(), truth, rtol=1e-5)
    assert len({round(value) for value in truth}) == 3


def test_brightness_is_the_mean_luma(pictures):
    scores = load_reward_model("brightness").score(pictures, ["", "", ""])
    truth = (pictures.double().numpy() * np.array([0.2126, 0.7152, 0.0722])[None, :, None, None]).sum(1).mean((1, 2))
    np.testing.assert_allclose(scores.numpy(), truth, rtol=1e-5)


@pytest.mark.parametrize(("kind", "grey", "white"), [("brightness", 0.5, 1.0), ("colourfulness", 0.0, 0.0)])
def test_pixel_rewards_of_plain_images(kind, grey, white):
    images = torch.ones(2, 3, 8, 8)
    images[0] *= 0.5
    torch.testing.assert_close(load_reward_model(kind).score(images, ["", ""]), torch.tensor([grey, white]))


def test_pixel_rewards_take_half_precision_images(pictures):
    for kind in ("brightness", "colourfulness"):
        scores = load_reward_model(kind).score(pictures.half(), [""] * 3)
        assert scores.dtype == torch.float32
        torch.testing.assert_close(scores, load_reward_model(kind).score(pictures, [""] * 3), rtol=2e-3, atol=0)


def test_wrong_shapes_are_refused(pictures):
    model = load_reward_model("brightness")
    with pytest.raises(ValueError, match=r"\(b, 3, H, W\).*\(3, 40, 56, 3\)"):
        model.score(pictures.permute(0, 2, 3, 1), [""] * 3)
    with pytest.raises(ValueError, match="got 2 prompts for 3 images"):
        model.score(pictures, ["a", "b"])
    with pytest.raises(ValueError, match="got one string for 3 images"):
        model.score(pictures, "abc")
    with pytest.raises(ValueError, match="uint8"):
        model.score((pictures * 255).byte(), [""] * 3)
