"""The rewards that are made of a CLIP, each against another implementation of what it computes."""

import numpy as np
import open_clip
import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torchvision.transforms import InterpolationMode
from torchvision.transforms import functional as tv

from reward_models import load_reward_model
from reward_models.aesthetic import LAYERS
from reward_models.clip_architecture import FOLDER_CONFIG
from reward_models.clip_trunk import load_clip_trunk
from reward_models.image_batch import ImageBatch
from reward_models.preprocess import OPENAI_MEAN, OPENAI_STD

PROMPTS = ["a red square left of a blue circle", "fog", "a red square left of a blue circle"]


@pytest.fixture
def clip_file(tiny_folder):
    return str(tiny_folder / "open_clip_model.safetensors")


@pytest.fixture
def square():
    """Pictures of the tower's own size, which nothing resizes."""
    return torch.rand(3, 3, 32, 32, generator=torch.Generator().manual_seed(4))


@torch.no_grad()
def image_embeddings(clip, pixels):
    mean, std = (torch.tensor(each).view(3, 1, 1) for each in (OPENAI_MEAN, OPENAI_STD))
    return F.normalize(clip.encode_image((pixels - mean) / std).double(), dim=-1)


@torch.no_grad()
def text_embeddings(clip, texts):
    return F.normalize(clip.encode_text(open_clip.SimpleTokenizer(context_length=20)(list(texts))).double(), dim=-1)


def cosine(clip, pixels, texts):
    return (image_embeddings(clip, pixels) * text_embeddings(clip, texts)).sum(-1)


def test_pick_score_is_the_cosine_times_the_files_own_scale(tiny_clip, tiny_folder, clip_file, square):
    state = load_file(clip_file)
    state["logit_scale"] = torch.tensor(4.2)
    torch.save(state, tiny_folder / "pick.pt")
    scores = load_reward_model("PickScore", str(tiny_folder / "pick.pt"), FOLDER_CONFIG).score(square, PROMPTS)
    torch.testing.assert_close(scores.double(), np.exp(4.2) * cosine(tiny_clip, square, PROMPTS), rtol=1e-5, atol=1e-4)


def test_pick_score_without_a_scale_is_refused(tiny_folder, clip_file):
    state = load_file(clip_file)
    del state["logit_scale"]
    torch.save(state, tiny_folder / "pick.pt")
    with pytest.raises(ValueError, match="^pick.pt holds no logit_scale, which PickScore multiplies with"):
        load_reward_model("PickScore", str(tiny_folder / "pick.pt"), FOLDER_CONFIG)


def resized_to_the_longest_side(image, size):
    """As hpsv2's ResizeMaxSize: torchvision's resize of a float tensor, then black to fill the square."""
    scale = size / max(image.shape[1:])
    height, width = (round(side * scale) for side in image.shape[1:])
    image = tv.resize(image, [height, width], InterpolationMode.BICUBIC)
    lack_h, lack_w = size - height, size - width
    return tv.pad(image, [lack_w // 2, lack_h // 2, lack_w - lack_w // 2, lack_h - lack_h // 2], fill=0)


@pytest.mark.parametrize("shape", [(40, 56), (57, 33), (20, 90), (16, 16), (301, 200)])
def test_hps_sees_the_whole_picture_on_black(tiny_clip, clip_file, shape, record_figure):
    blocks = (torch.rand(3, 3, 4, 5, generator=torch.Generator().manual_seed(9)) > 0.5).float()
    images = F.interpolate(blocks, shape)
    model = load_reward_model("HPS v2.1", clip_file, FOLDER_CONFIG)
    seen = ImageBatch(images).preprocessed(model.preprocessing)
    mean, std = (torch.tensor(each).view(3, 1, 1) for each in (OPENAI_MEAN, OPENAI_STD))
    truth = torch.stack([resized_to_the_longest_side(image, 32) for image in images])
    difference = (seen * std + mean - truth).abs().max().item()
    record_figure(f"HPS preprocessing of {shape} against torchvision: largest difference", difference)
    assert truth.min() < -0.01 and truth.max() > 1.01, "bicubic overshoot is kept"
    assert difference < 2e-5
    scores = model.score(images, PROMPTS)
    torch.testing.assert_close(scores.double(), cosine(tiny_clip, truth, PROMPTS), rtol=0, atol=2e-5)


def test_both_versions_of_hps_are_one_computation_with_names_of_their_own(clip_file, pictures):
    old, new = (load_reward_model(kind, clip_file, FOLDER_CONFIG) for kind in ("HPS v2", "HPS v2.1"))
    assert (old.name, new.name) == ("HPS v2", "HPS v2.1")
    assert torch.equal(old.score(pictures, PROMPTS), new.score(pictures, PROMPTS))


def head_state(sizes=(24, 10, 8, 6, 4, 1)):
    torch.manual_seed(12)
    state = {}
    for index, given, wanted in zip(LAYERS, sizes, sizes[1:], strict=False):
        state[f"layers.{index}.weight"], state[f"layers.{index}.bias"] = torch.randn(wanted, given), torch.randn(wanted)
    return state


def test_aesthetic_is_the_linear_chain_on_unit_embeddings(tiny_clip, tiny_folder, clip_file, square):
    state = head_state()
    torch.save(state, tiny_folder / "head.pth")
    model = load_reward_model(
        "LAION aesthetic v2", str(tiny_folder / "head.pth"), FOLDER_CONFIG, clip_checkpoint=clip_file
    )
    features = image_embeddings(tiny_clip, square).numpy()
    for index in LAYERS:
        features = (
            features @ state[f"layers.{index}.weight"].double().numpy().T
            + state[f"layers.{index}.bias"].double().numpy()
        )
    np.testing.assert_allclose(model.score(square, [""] * 3).numpy(), features[:, 0], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ({f"layers.{i}.weight": torch.ones(2, 2) for i in (0, 3, 6)}, "wrong.pth is no LAION aesthetic predictor v2"),
        (head_state((24, 10, 8, 6, 4, 2)), "wrong.pth is no LAION aesthetic predictor v2"),
        (head_state((768, 10, 8, 6, 4, 1)), "wrong.pth reads embeddings of 768 numbers, but open_clip_model.safetensors gives 24"),
    ],
)  # fmt: skip
def test_another_head_is_refused_in_one_line(tiny_folder, clip_file, state, message):
    torch.save(state, tiny_folder / "wrong.pth")
    with pytest.raises(ValueError, match=f"^{message}") as raised:
        load_reward_model(
            "LAION aesthetic v2", str(tiny_folder / "wrong.pth"), FOLDER_CONFIG, clip_checkpoint=clip_file
        )
    assert "\n" not in str(raised.value)


def test_image_similarity_is_the_mean_cosine_with_the_references(tiny_clip, clip_file, square):
    reference = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(5))
    model = load_reward_model("CLIP image similarity", clip_file, FOLDER_CONFIG, reference=reference)
    truth = (image_embeddings(tiny_clip, square) @ image_embeddings(tiny_clip, reference).T).mean(dim=1)
    for _ in range(2):
        torch.testing.assert_close(model.score(square, [""] * 3).double(), truth, rtol=0, atol=1e-6)
    alone = load_reward_model("CLIP image similarity", clip_file, FOLDER_CONFIG, reference=square[1:2])
    assert alone.score(square, [""] * 3)[1].item() == pytest.approx(1, abs=1e-6)


def test_negative_prompt_is_the_negated_cosine_of_its_own_text(tiny_clip, clip_file, square):
    model = load_reward_model("CLIP negative prompt", clip_file, FOLDER_CONFIG, text="fog")
    truth = -cosine(tiny_clip, square, ["fog"] * 3)
    torch.testing.assert_close(model.score(square, PROMPTS).double(), truth, rtol=0, atol=1e-6)


def test_what_is_missing_names_the_input(tiny_folder, clip_file):
    torch.save(head_state(), tiny_folder / "head.pth")
    cases = {
        "'text'": ("CLIP negative prompt", clip_file, {"text": " "}),
        "'reference'": ("CLIP image similarity", clip_file, {}),
        "'clip_checkpoint'": ("LAION aesthetic v2", str(tiny_folder / "head.pth"), {}),
        "'checkpoint'": ("HPS v2.1", None, {}),
    }
    for name, (kind, file, others) in cases.items():
        with pytest.raises(ValueError, match=name):
            load_reward_model(kind, file, FOLDER_CONFIG, **others)


def test_models_of_one_trunk_embed_a_batch_once(tiny_folder, clip_file, square):
    torch.save(head_state(), tiny_folder / "head.pth")
    trunk = load_clip_trunk(clip_file, FOLDER_CONFIG)
    shared = {"load_clip": lambda checkpoint, architecture: trunk}
    models = [
        load_reward_model("CLIP score", clip_file, FOLDER_CONFIG, **shared),
        load_reward_model("CLIP negative prompt", clip_file, FOLDER_CONFIG, text="fog", **shared),
        load_reward_model("LAION aesthetic v2", str(tiny_folder / "head.pth"), FOLDER_CONFIG, clip_checkpoint=clip_file, **shared),
        load_reward_model("HPS v2", clip_file, FOLDER_CONFIG, **shared),
    ]  # fmt: skip
    seen = []
    trunk.clip.visual.register_forward_hook(lambda module, given, output: seen.append(len(given[0])))
    batch = ImageBatch(square)
    together = [model.score_batch(batch, PROMPTS) for model in models]
    assert seen == [3, 3], "once for all, and once for HPS, which prepares its pixels in another way"
    for model, scores in zip(models, together, strict=True):
        assert torch.equal(scores, model.score(square, PROMPTS))
