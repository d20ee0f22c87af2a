import json

import torch
from safetensors.torch import save_file

from reward_models import load_reward_model
from reward_models.clip_architecture import FOLDER_CONFIG
from reward_models.transformers_clip import to_open_clip

VISION = {"image_size": 32, "patch_size": 8, "hidden_size": 48, "num_hidden_layers": 2, "num_attention_heads": 3}
TEXT = {"hidden_size": 40, "num_hidden_layers": 3, "num_attention_heads": 4, "max_position_embeddings": 20}
TOKENS = {"vocab_size": 49408, "bos_token_id": 49406, "eos_token_id": 49407, "pad_token_id": 0}
OPEN_CLIP = {
    "embed_dim": 24,
    "quick_gelu": True,
    "vision_cfg": {"image_size": 32, "layers": 2, "width": 48, "head_width": 16, "patch_size": 8},
    "text_cfg": {"context_length": 20, "vocab_size": 49408, "width": 40, "heads": 4, "layers": 3},
}


def transformers_clip():
    from transformers import CLIPConfig, CLIPModel

    config = CLIPConfig(
        vision_config={**VISION, "intermediate_size": 192, "hidden_act": "quick_gelu", "projection_dim": 24},
        text_config={**TEXT, **TOKENS, "intermediate_size": 160, "hidden_act": "quick_gelu", "projection_dim": 24},
        projection_dim=24,
    )
    torch.manual_seed(5)
    model = CLIPModel(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return model


@torch.no_grad()
def test_a_transformers_checkpoint_scores_as_in_transformers(tmp_path, pictures, record_figure):
    model = transformers_clip()
    save_file({key: value.contiguous() for key, value in model.state_dict().items()}, tmp_path / "model.safetensors")
    (tmp_path / FOLDER_CONFIG).write_text(json.dumps({"model_cfg": OPEN_CLIP}))
    reward = load_reward_model("CLIP score", str(tmp_path / "model.safetensors"), FOLDER_CONFIG)
    prompts = ["a red cube", "two dogs on a boat", "a red cube"]
    tokens = reward.trunk.tokenizer(prompts)
    out = model(input_ids=tokens, pixel_values=torch.nn.functional.interpolate(pictures, (32, 32)), return_dict=True)
    truth = torch.nn.functional.cosine_similarity(out.image_embeds, out.text_embeds)
    image = reward.trunk.clip.encode_image(torch.nn.functional.interpolate(pictures, (32, 32)))
    ours = torch.nn.functional.cosine_similarity(image, reward.trunk.clip.encode_text(tokens))
    difference = (ours - truth).abs().max().item()
    record_figure("transformers CLIP in open_clip's names: largest difference of the cosine", difference)
    assert truth.std() > 0.01
    assert difference < 2e-6


def test_unknown_names_are_passed_on_for_strict_loading():
    names = ("text_model.adapter.weight", "vision_model.embeddings.position_ids")
    assert list(to_open_clip(dict.fromkeys(names, torch.ones(1)))) == ["text_model.adapter.weight"]
