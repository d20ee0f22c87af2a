"""What people see when the file and the architecture do not belong together: one line, with the way out."""

import gzip
import json

import open_clip
import pytest
import torch
from safetensors.torch import load_file, save_file

from reward_models import load_reward_model
from reward_models.clip_architecture import FOLDER_CONFIG, architecture_configs
from reward_models.clip_shape import mismatch, shape_of_config, shape_of_state


def failure(checkpoint, architecture, error=ValueError):
    with pytest.raises(error) as raised:
        load_reward_model("CLIP score", str(checkpoint), architecture)
    assert "\n" not in str(raised.value)
    return str(raised.value)


def edit_config(folder, edit):
    content = json.loads((folder / FOLDER_CONFIG).read_text())
    edit(content["model_cfg"])
    (folder / FOLDER_CONFIG).write_text(json.dumps(content))


def on_meta(name):
    config = open_clip.get_model_config(name)
    config.pop("custom_text", None)
    with torch.device("meta"):
        return open_clip.CLIP(**config).state_dict()


def test_a_checkpoint_of_another_architecture_names_both_and_the_way_out():
    message = mismatch(on_meta("ViT-B-32"), on_meta("ViT-L-14"), file="b32.safetensors", asked="ViT-L-14")
    assert message == (
        "b32.safetensors holds a ViT of width 768, patch 32, 12 layers, 224 px and a text tower of width 512, "
        "12 layers, 49408 tokens, but ViT-L-14 has a ViT of width 1024, patch 14, 24 layers, 224 px and a text tower "
        "of width 768, 12 layers, 49408 tokens: choose ViT-B-32 or ViT-B-32-quickgelu in 'architecture'"
    )


def test_a_resnet_and_a_vit_are_told_apart():
    to_vit = mismatch(on_meta("RN50"), on_meta("ViT-B-32"), file="rn.pt", asked="ViT-B-32")
    assert "rn.pt does not fit ViT-B-32" in to_vit and "tensors missing" in to_vit
    to_resnet = mismatch(on_meta("ViT-B-32"), on_meta("RN50"), file="vit.pt", asked="RN50")
    assert "RN50 is built otherwise: choose ViT-B-32" in to_resnet


@pytest.mark.parametrize("name", ["ViT-B-16", "ViT-L-14-336", "ViT-S-32-alt", "ViT-H-14"])
def test_the_shape_of_a_configuration_is_the_shape_of_its_model(name):
    assert shape_of_config(architecture_configs()[name]) == shape_of_state(on_meta(name))


def test_the_wrong_name_for_a_tiny_file_is_refused(tiny_folder):
    message = failure(tiny_folder / "open_clip_model.safetensors", "ViT-S-32")
    assert "width 48, patch 8, 2 layers, 32 px" in message and "ViT-S-32 has a ViT of width 384" in message


def test_files_that_hold_one_tower_or_no_clip_are_named(tiny_folder):
    state = load_file(tiny_folder / "open_clip_model.safetensors")
    only_text = {key: value for key, value in state.items() if not key.startswith("visual.")}
    save_file(only_text, tiny_folder / "text.safetensors")
    save_file({"down.0.lora_A.weight": torch.ones(2)}, tiny_folder / "lora.safetensors")
    transformers_text = {"text_model.embeddings.token_embedding.weight": torch.ones(49408, 4)}
    save_file(transformers_text, tiny_folder / "clip_l.safetensors")
    assert "holds no image tower and a text tower" in failure(tiny_folder / "text.safetensors", FOLDER_CONFIG)
    assert "holds no image tower" in failure(tiny_folder / "clip_l.safetensors", FOLDER_CONFIG)
    message = failure(tiny_folder / "lora.safetensors", FOLDER_CONFIG)
    assert "lora.safetensors holds no CLIP (its first tensors: down.0.lora_A.weight)" in message


def test_a_file_that_lacks_one_tensor_is_counted(tiny_folder):
    state = load_file(tiny_folder / "open_clip_model.safetensors")
    del state["visual.ln_post.bias"]
    save_file(state, tiny_folder / "holed.safetensors")
    message = failure(tiny_folder / "holed.safetensors", FOLDER_CONFIG)
    assert "1 tensors missing, 0 unknown, 0 of another size; for example visual.ln_post.bias" in message


def test_an_unknown_architecture_is_named(tiny_folder):
    assert "no architecture 'ViT-Z-99'" in failure(tiny_folder / "open_clip_model.safetensors", "ViT-Z-99")


def test_nothing_is_fetched_from_a_hub(tiny_folder):
    file = tiny_folder / "open_clip_model.safetensors"
    assert "text tower from the hub (xlm-roberta-base)" in failure(file, "xlm-roberta-base-ViT-B-32")
    edit_config(tiny_folder, lambda cfg: cfg["text_cfg"].update(hf_tokenizer_name="bert-base-uncased"))
    message = failure(file, FOLDER_CONFIG, FileNotFoundError)
    assert "needs the tokenizer of bert-base-uncased" in message and "tokenizer_config.json" in message


def test_bad_configuration_files_are_named(tiny_folder):
    file, config = tiny_folder / "open_clip_model.safetensors", tiny_folder / FOLDER_CONFIG
    edit_config(tiny_folder, lambda cfg: cfg["vision_cfg"].update(colour="red"))
    assert "cannot build the configuration of tiny" in failure(file, FOLDER_CONFIG)
    config.write_text('{"model_cfg": {"embed_dim": 4}}')
    assert "needs the entry 'model_cfg' with" in failure(file, FOLDER_CONFIG)
    config.write_text("{")
    assert "is no JSON file" in failure(file, FOLDER_CONFIG)
    config.unlink()
    assert "open_clip_config.json is missing in" in failure(file, FOLDER_CONFIG, FileNotFoundError)


def test_a_small_vocabulary_beside_the_checkpoint_is_used(tiny_clip, tiny_folder, pictures):
    merges = ["#version", "r e", "re d</w>", "c u", "b e</w>", "cu be</w>"]
    (tiny_folder / "words.txt.gz").write_bytes(gzip.compress("\n".join(merges).encode()))
    size = 512 + len(merges) - 1 + 2
    state = load_file(tiny_folder / "open_clip_model.safetensors")
    state["token_embedding.weight"] = state["token_embedding.weight"][:size].contiguous()
    save_file(state, tiny_folder / "open_clip_model.safetensors")
    tokenizer = {"bpe_path": "words.txt.gz"}
    edit_config(tiny_folder, lambda cfg: cfg["text_cfg"].update(vocab_size=size, tokenizer_kwargs=tokenizer))
    model = load_reward_model("CLIP score", str(tiny_folder / "open_clip_model.safetensors"), FOLDER_CONFIG)
    tokens = model.trunk.tokenizer(["red cube"])[0]
    assert tokens[:5].tolist() == [size - 2, 513, 516, size - 1, 0]
    assert model.score(pictures, ["red cube", "cube", "red"]).isfinite().all()
    edit_config(tiny_folder, lambda cfg: cfg["text_cfg"]["tokenizer_kwargs"].update(bpe_path="gone.gz"))
    assert "names a vocabulary that is missing" in failure(tiny_folder / "x.pt", FOLDER_CONFIG, FileNotFoundError)


def test_a_vocabulary_too_large_for_the_text_tower_is_refused(tiny_folder):
    state = load_file(tiny_folder / "open_clip_model.safetensors")
    state["token_embedding.weight"] = state["token_embedding.weight"][:600].contiguous()
    save_file(state, tiny_folder / "open_clip_model.safetensors")
    edit_config(tiny_folder, lambda cfg: cfg["text_cfg"].update(vocab_size=600))
    assert "49408 tokens" in failure(tiny_folder / "open_clip_model.safetensors", FOLDER_CONFIG)


def test_what_is_missing_is_named():
    with pytest.raises(ValueError, match="there is no kind of reward model 'beauty'"):
        load_reward_model("beauty")
    with pytest.raises(ValueError, match="CLIP score needs a model file: choose one in 'checkpoint'"):
        load_reward_model("CLIP score", None, "ViT-H-14")
    with pytest.raises(ValueError, match="CLIP score needs an architecture"):
        load_reward_model("CLIP score", "x.pt", None)


def test_a_tokenizer_of_the_transformers_library_is_read_from_the_folder_of_the_checkpoint(tiny_folder, pictures):
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    words = Tokenizer(models.WordLevel({"[PAD]": 0, "[UNK]": 1, "red": 2, "cube": 3}, unk_token="[UNK]"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    PreTrainedTokenizerFast(tokenizer_object=words, pad_token="[PAD]", unk_token="[UNK]").save_pretrained(tiny_folder)
    edit_config(tiny_folder, lambda cfg: cfg["text_cfg"].update(hf_tokenizer_name="nobody/not-on-any-hub"))
    model = load_reward_model("CLIP score", str(tiny_folder / "open_clip_model.safetensors"), FOLDER_CONFIG)
    assert model.trunk.tokenizer(["cube red thing"])[0].tolist() == [3, 2, 1] + [0] * 17
    assert model.score(pictures, ["red", "cube", "red cube"]).isfinite().all()
