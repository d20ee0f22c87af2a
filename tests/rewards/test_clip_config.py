"""What a configuration may say: all that open_clip's own say, with towers that work, and nothing beside."""

import json
from pathlib import Path

import open_clip
import pytest
import torch

from reward_models.clip_architecture import ClipArchitecture, architecture_configs
from reward_models.clip_build import _model_class, _try_out
from reward_models.clip_config import check_model_config, check_preprocessing

DEMO = Path(__file__).parents[2] / "demo_model" / "weights" / "demo_clip" / "open_clip_config.json"


def test_all_of_open_clips_configurations_keep_to_it():
    configs = architecture_configs()
    assert len(configs) > 100
    for name, config in configs.items():
        check_model_config(config)
        assert config == open_clip.get_model_config(name)


def test_the_demo_models_configuration_keeps_to_it():
    content = json.loads(DEMO.read_text())
    check_model_config(content["model_cfg"])
    check_preprocessing(content["preprocess_cfg"])


def test_all_published_preprocessings_keep_to_it():
    published = [open_clip.get_pretrained_cfg(*pair) for pair in open_clip.list_pretrained()]
    names = ("mean", "std", "interpolation", "resize_mode", "size", "mode", "fill_color")
    preprocessings = [{key: config[key] for key in names if key in config} for config in published]
    assert any("mean" in each for each in preprocessings)
    for each in preprocessings:
        check_preprocessing(json.loads(json.dumps(each)))


# A ResNet, a CoCa, towers of timm with pooling by attention, by token and none, and one without a projection
@pytest.mark.parametrize("name",
    ["RN50", "coca_ViT-B-32", "ViT-B-16-SigLIP", "EVA02-B-16", "ViTamin-S", "convnext_base", "MobileCLIP-S1", "PE-Core-T-16-384"])  # fmt: skip
def test_towers_are_tried_out_without_weights(name):
    config = architecture_configs()[name]
    architecture = ClipArchitecture(name, config, {}, Path("there"))
    with torch.device("meta"):
        clip = _model_class(architecture)()
    _try_out(clip, architecture)
    assert {parameter.device.type for parameter in clip.parameters()} == {"meta"}


def test_towers_of_two_sizes_are_told(tmp_path):
    config = architecture_configs()["ViT-B-32"] | {"embed_dim": 512}
    architecture = ClipArchitecture(
        "odd",
        config | {"text_cfg": config["text_cfg"] | {"proj_type": "none", "width": 768, "heads": 12}},
        {},
        tmp_path,
    )
    with torch.device("meta"):
        clip = _model_class(architecture)()
    with pytest.raises(
        ValueError, match=r"cannot build the configuration of odd .*\(1, 512\) and \(1, 768\).*take the file"
    ):
        _try_out(clip, architecture)
