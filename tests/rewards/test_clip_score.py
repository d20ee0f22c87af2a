import json
import sys

import open_clip
import pytest
import torch
import torch.nn.functional as F
from open_clip.transform import image_transform
from PIL import Image
from safetensors.torch import load_file, save_file

from reward_models import load_reward_model
from reward_models.clip_architecture import FOLDER_CONFIG, list_architectures

PROMPTS = ["a red square left of a blue circle", "fog", "a red square left of a blue circle"]


def write_config(folder, **changes):
    content = json.loads((folder / FOLDER_CONFIG).read_text())
    for part, entries in changes.items():
        target = content["preprocess_cfg"] if part == "preprocess_cfg" else content["model_cfg"].setdefault(part, {})
        target.update(entries)
    (folder / FOLDER_CONFIG).write_text(json.dumps(content))


def cosine_by_open_clip(clip, images, prompts, **transform):
    """The cosine by open_clip's own encoders and PIL transform, image by image, in float64."""
    to_input = image_transform(32, is_train=False, **transform)
    pixels = torch.stack([to_input(Image.fromarray((image.permute(1, 2, 0) * 255).byte().numpy())) for image in images])
    tokens = open_clip.SimpleTokenizer(context_length=20)(list(prompts))
    with torch.no_grad():
        image_features, text_features = clip.encode_image(pixels).double(), clip.encode_text(tokens).double()
    return F.cosine_similarity(image_features, text_features)


def test_score_is_the_cosine_of_open_clips_embeddings(tiny_clip, tiny_folder, pictures, record_figure):
    images = (pictures * 255).byte().float() / 255
    model = load_reward_model("CLIP score", str(tiny_folder / "open_clip_model.safetensors"), FOLDER_CONFIG)
    scores = model.score(images, PROMPTS)
    truth = cosine_by_open_clip(tiny_clip, images, PROMPTS)
    difference = (scores - truth).abs().max().item()
    record_figure("CLIP score against open_clip with its PIL transform: largest difference of the cosine", difference)
    assert scores.shape == (3,) and scores.dtype == torch.float32 and not scores.requires_grad
    assert truth.std() > 0.01
    assert difference < 2e-3


def test_score_without_resizing_equals_open_clip_exactly(tiny_clip, tiny_folder):
    torch.manual_seed(11)
    images = (torch.rand(3, 3, 32, 32) * 255).byte().float() / 255
    scores = load_reward_model("CLIP score", str(tiny_folder / "open_clip_model.safetensors"), FOLDER_CONFIG).score(
        images, PROMPTS
    )
    torch.testing.assert_close(scores.double(), cosine_by_open_clip(tiny_clip, images, PROMPTS), rtol=0, atol=1e-6)


def test_preprocess_cfg_of_the_folder_is_used(tiny_clip, tiny_folder, pictures):
    transform = {"mean": (0.5, 0.4, 0.3), "std": (0.2, 0.3, 0.4), "resize_mode": "squash", "interpolation": "bilinear"}
    write_config(tiny_folder, preprocess_cfg=transform)
    images = (pictures * 255).byte().float() / 255
    scores = load_reward_model("CLIP score", str(tiny_folder / "open_clip_model.safetensors"), FOLDER_CONFIG).score(
        images, PROMPTS
    )
    truth = cosine_by_open_clip(tiny_clip, images, PROMPTS, **transform)
    default = cosine_by_open_clip(tiny_clip, images, PROMPTS)
    assert (truth - default).abs().max() > 5e-3
    assert (scores - truth).abs().max() < 2e-3


def test_each_distinct_prompt_is_embedded_once(tiny_folder, pictures):
    model = load_reward_model("CLIP score", str(tiny_folder / "open_clip_model.safetensors"), FOLDER_CONFIG)
    rows = []
    model.trunk.clip.token_embedding.register_forward_hook(lambda module, inputs, output: rows.append(len(output)))
    model.score(pictures, PROMPTS)
    assert rows == [2]


def test_half_precision_weights_keep_the_score(tiny_folder, pictures, record_figure):
    model = load_reward_model("CLIP score", str(tiny_folder / "open_clip_model.safetensors"), FOLDER_CONFIG)
    full, half = model.score(pictures, PROMPTS), model.half().score(pictures, PROMPTS)
    difference = (full - half).abs().max().item()
    record_figure("CLIP score in fp16: largest difference of the cosine", difference)
    assert half.dtype == torch.float32
    assert difference < 3e-3


@pytest.mark.parametrize("form", ["pt", "wrapped", "half", "openai extras", "no logit_scale", "vector logit_scale"])
def test_checkpoint_forms_load_alike(tiny_folder, pictures, form):
    state = load_file(tiny_folder / "open_clip_model.safetensors")
    truth = load_reward_model("CLIP score", str(tiny_folder / "open_clip_model.safetensors"), FOLDER_CONFIG).score(
        pictures, PROMPTS
    )
    match form:
        case "wrapped":
            state = {"epoch": 1, "state_dict": {f"module.{key}": value for key, value in state.items()}}
        case "half":
            state = {key: value.half() for key, value in state.items()}
        case "openai extras":
            numbers = {"input_resolution": 32, "context_length": 20, "vocab_size": 49408}
            state |= {key: torch.tensor(value) for key, value in numbers.items()}
        case "no logit_scale":
            del state["logit_scale"]
        case "vector logit_scale":
            state["logit_scale"] = state["logit_scale"].reshape(1)
    torch.save(state, tiny_folder / "form.pt")
    model = load_reward_model("CLIP score", str(tiny_folder / "form.pt"), FOLDER_CONFIG)
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}
    torch.testing.assert_close(model.score(pictures, PROMPTS), truth, rtol=0, atol=2e-3 if form == "half" else 0)


@pytest.mark.parametrize("custom", ["custom_text", "coca"])
def test_other_model_classes_of_open_clip_load(tiny_folder, pictures, custom):
    config = json.loads((tiny_folder / FOLDER_CONFIG).read_text())["model_cfg"]
    torch.manual_seed(2)
    if custom == "coca":
        config["multimodal_cfg"] = {"context_length": 20, "vocab_size": 49408, "width": 40, "heads": 4, "layers": 1}
        config["vision_cfg"] |= {"attentional_pool": True, "attn_pooler_heads": 4, "output_tokens": True}
        config["text_cfg"] |= {"embed_cls": True, "output_tokens": True}
        clip = open_clip.CoCa(**config)
    else:
        clip = open_clip.CustomTextCLIP(**config)
        config["custom_text"] = True
    save_file(clip.state_dict(), tiny_folder / "other.safetensors")
    (tiny_folder / FOLDER_CONFIG).write_text(json.dumps({"model_cfg": config}))
    images = (torch.rand(3, 3, 32, 32) * 255).byte().float() / 255
    scores = load_reward_model("CLIP score", str(tiny_folder / "other.safetensors"), FOLDER_CONFIG).score(
        images, PROMPTS
    )
    truth = cosine_by_open_clip(clip.eval(), images, PROMPTS)
    torch.testing.assert_close(scores.double(), truth, rtol=0, atol=1e-6)


def test_architecture_list_begins_with_the_common_ones_and_needs_no_hub():
    names = list_architectures()
    assert names[:3] == ["ViT-L-14-quickgelu", "ViT-H-14", FOLDER_CONFIG]
    assert len(names) == len(set(names)) and set(names[3:]) <= set(open_clip.list_models())
    left_out = set(open_clip.list_models()) - set(names)
    assert left_out and all("hf_model_name" in open_clip.get_model_config(name)["text_cfg"] for name in left_out)


def test_without_open_clip_the_pip_line_is_named(monkeypatch, tiny_folder):
    monkeypatch.setitem(sys.modules, "open_clip", None)
    assert list_architectures() == ["ViT-L-14-quickgelu", "ViT-H-14", FOLDER_CONFIG]
    with pytest.raises(ModuleNotFoundError, match="python -m pip install open-clip-torch"):
        load_reward_model("CLIP score", str(tiny_folder / "open_clip_model.safetensors"), FOLDER_CONFIG)


def test_a_gradient_reaches_the_pixels(tiny_folder, pictures):
    model = load_reward_model("CLIP score", str(tiny_folder / "open_clip_model.safetensors"), FOLDER_CONFIG)
    images = pictures.clone().requires_grad_()
    model.score(images, PROMPTS).sum().backward()
    assert images.grad.abs().sum() > 0
