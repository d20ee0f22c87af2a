"""Folders that try to run code, to reach the network or to leave themselves: none of them does.

Each way plants code that writes a marker, or names something that would be fetched; see planted.py.
"""

import gzip
import json
import os
import sys
from pathlib import Path

import pytest
import torch

from reward_models.clip_architecture import FOLDER_CONFIG

sys.path.insert(0, str(Path(__file__).parent))
from planted import code, end_of, markers  # noqa: E402

WORDS = {
    "version": "1.0", "truncation": None, "padding": None, "added_tokens": [], "normalizer": None,
    "pre_tokenizer": {"type": "Whitespace"}, "post_processor": None, "decoder": None,
    "model": {"type": "WordLevel", "vocab": {"[PAD]": 0, "[UNK]": 1, "red": 2}, "unk_token": "[UNK]"},
}  # fmt: skip


def plant_tokenizer(folder, **text_cfg):
    """A folder with a tokenizer whose settings name a class in a Python file beside them."""
    content = json.loads((folder / FOLDER_CONFIG).read_text())
    content["model_cfg"]["text_cfg"].update(text_cfg)
    (folder / FOLDER_CONFIG).write_text(json.dumps(content))
    (folder / "evil.py").write_text(
        code(folder)
        + "from transformers import PreTrainedTokenizerFast\nclass Evil(PreTrainedTokenizerFast):\n    pass\n"
    )
    (folder / "tokenizer.json").write_text(json.dumps(WORDS))
    settings = {"tokenizer_class": "Evil", "auto_map": {"AutoTokenizer": [None, "evil.Evil"]}, "pad_token": "[PAD]"}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))


def test_a_tokenizer_cannot_bring_its_own_code(attempts):
    """The way that ran: options of the configuration went to transformers, trust_remote_code among them."""
    folder, tried = attempts
    plant_tokenizer(folder, hf_tokenizer_name="nobody/nothing", tokenizer_kwargs={"trust_remote_code": True})
    message = end_of(folder)
    assert not markers(folder) and not tried
    assert (
        "open_clip_config.json: text_cfg.tokenizer_kwargs.trust_remote_code is not known here: take it out" in message
    )


TEXT_CFG = {
    "code that is not asked for": {"hf_tokenizer_name": "nobody/nothing"},
    "trust one level higher": {"hf_tokenizer_name": "nobody/nothing", "trust_remote_code": True},
    "trust as a text": {"hf_tokenizer_name": "nobody/nothing", "tokenizer_kwargs": {"trust_remote_code": "True"}},
    "trust as the tokenizer's own option": {"tokenizer_kwargs": {"trust_remote_code": True}},
    "a tokenizer by its folder": {"hf_tokenizer_name": "."},
    "a text tower by its folder": {"hf_model_name": "."},
    "a text tower of a hub": {"hf_model_name": "nobody/nothing", "hf_model_pretrained": True},
    "a text tower's projection": {"hf_model_name": ".", "hf_proj_type": "evil.Evil", "hf_pooler_type": "evil.Evil"},
    "a class by its option": {"hf_tokenizer_name": ".", "tokenizer_kwargs": {"tokenizer_type": "evil"}},
    "a file by its option": {"hf_tokenizer_name": ".", "tokenizer_kwargs": {"tokenizer_file": "/etc/passwd"}},
    "a revision of a hub": {
        "hf_tokenizer_name": "x",
        "tokenizer_kwargs": {"code_revision": "main", "force_download": True},
    },
    "a cache elsewhere": {"hf_tokenizer_name": ".", "tokenizer_kwargs": {"cache_dir": "../elsewhere"}},
    "a language": {"hf_tokenizer_name": ".", "tokenizer_kwargs": {"language": "__class__"}},
    "words that nltk downloads": {"tokenizer_kwargs": {"reduction_mask": "syntax"}},
    "a pattern for ever": {"tokenizer_kwargs": {"additional_special_tokens": ["(a|a)*$"]}},
    "an absolute vocabulary": {"tokenizer_kwargs": {"bpe_path": "/etc/passwd"}},
    "a vocabulary above": {"tokenizer_kwargs": {"bpe_path": "../secret.gz"}},
    "a vocabulary above, the other way": {"tokenizer_kwargs": {"bpe_path": "..\\secret.gz"}},
    "an endless vocabulary": {"tokenizer_kwargs": {"bpe_path": "/dev/zero"}},
    "a vocabulary by its handle": {"tokenizer_kwargs": {"bpe_path": 0}},
}


@pytest.mark.parametrize("way", TEXT_CFG)
def test_a_text_tower_stays_in_its_folder_and_runs_nothing(attempts, way):
    folder, tried = attempts
    (folder.parent / "secret.gz").write_bytes(gzip.compress(b"#version\nr e\n"))
    plant_tokenizer(folder, **TEXT_CFG[way])
    (folder / "config.json").write_text(
        json.dumps(
            {
                "model_type": "evil",
                "auto_map": {"AutoConfig": "evil.Evil", "AutoModel": "evil.Evil", "AutoTokenizer": "evil.Evil"},
            }
        )
    )
    message = end_of(folder)
    assert not markers(folder.parent) and not tried
    assert not (folder.parent / "elsewhere").exists()
    assert bool(message) is (way not in ("code that is not asked for", "a tokenizer by its folder"))


VISION_CFG = {
    "a hub's model": {"timm_model_name": "hf-hub:nobody/nothing", "timm_model_pretrained": True},
    "a hub's model, the short way": {"timm_model_name": "hf_hub:nobody/nothing"},
    "a folder's model": {"timm_model_name": "local-dir:."},
    "a module's model": {"timm_model_name": "evil"},
    "a path": {"timm_model_name": "../evil"},
    "weights of a hub": {"timm_model_name": "resnet18", "timm_model_pretrained": True},
    "a device": {"norm_kwargs": {"device": "cuda:0"}},
    "a block of its own": {"block_type": "evil.Evil"},
}


@pytest.mark.parametrize("way", VISION_CFG)
def test_an_image_tower_is_one_of_the_packages(attempts, way):
    folder, tried = attempts
    (folder / "evil.py").write_text(code(folder))
    (folder / "config.json").write_text(json.dumps({"architecture": "resnet18", "model_args": {"block": "evil"}}))
    content = json.loads((folder / FOLDER_CONFIG).read_text())
    content["model_cfg"]["vision_cfg"].update(VISION_CFG[way])
    (folder / FOLDER_CONFIG).write_text(json.dumps(content))
    assert end_of(folder)
    assert not markers(folder.parent) and not tried


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_programs_and_plugins_in_the_folder_are_left_alone(attempts):
    folder, tried = attempts
    for name in (
        "open_clip",
        "timm",
        "tokenizers",
        "transformers",
        "torch",
        "json",
        "sitecustomize",
        "conftest",
        "hubconf",
        "__init__",
    ):
        (folder / f"{name}.py").write_text(code(folder))
    (folder / "evil.pth").write_text("import evil")
    (folder / "generation_config.json").write_text('{"trust_remote_code": true}')
    (folder / "chat_template.jinja").write_text("{{ cycler.__init__.__globals__.os.system('touch marker.txt') }}")
    assert end_of(folder) == ""
    torch.jit.script(torch.nn.Linear(2, 2)).save(str(folder / "script.pt"))
    assert "TorchScript program" in end_of(folder, "script.pt")
    assert not markers(folder.parent) and not tried


@pytest.mark.skipif(not hasattr(os, "symlink"), reason="links")
@pytest.mark.parametrize("name", [FOLDER_CONFIG, "open_clip_model.safetensors", "words.txt.gz"])
def test_a_link_out_of_the_folder_reveals_nothing_of_what_it_points_to(attempts, name):
    folder, _ = attempts
    secret = folder.parent / "secret"
    secret.write_text("the secret words of another file")
    content = json.loads((folder / FOLDER_CONFIG).read_text())
    content["model_cfg"]["text_cfg"]["tokenizer_kwargs"] = {"bpe_path": "words.txt.gz"}
    (folder / FOLDER_CONFIG).write_text(json.dumps(content))
    (folder / name).unlink(missing_ok=True)
    (folder / name).symlink_to(secret)
    message = end_of(folder)
    assert message and "secret words" not in message
