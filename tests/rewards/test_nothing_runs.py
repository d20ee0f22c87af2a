"""Files and folders that try to run code, to reach the network or to leave their folder: none of them does.

Each way plants code that writes a marker, or names something that would be fetched; the marker must not appear.
"""

import builtins
import gzip
import json
import os
import pickle
import socket
import sys
import zipfile
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from reward_models import load_reward_model
from reward_models.clip_architecture import FOLDER_CONFIG

TOLD = (ValueError, FileNotFoundError, ModuleNotFoundError)
MARKER = "marker.txt"
SYSTEM = os.system  # the tests replace it
CODE = f"import pathlib\npathlib.Path(__file__).with_name('{MARKER}').write_text('ran')\n"
WORDS = {
    "version": "1.0", "truncation": None, "padding": None, "added_tokens": [], "normalizer": None,
    "pre_tokenizer": {"type": "Whitespace"}, "post_processor": None, "decoder": None,
    "model": {"type": "WordLevel", "vocab": {"[PAD]": 0, "[UNK]": 1, "red": 2}, "unk_token": "[UNK]"},
}  # fmt: skip


@pytest.fixture
def attempts(tiny_folder, monkeypatch):
    """(folder, list): the list gets every attempt to connect, to start a process or to import from the folder."""
    tried = []

    def refuse(name):
        def act(*given, **_):
            tried.append(f"{name} {given[:2]}")
            raise OSError(f"{name} was tried")

        return act

    monkeypatch.setattr(socket.socket, "connect", refuse("connect"))
    monkeypatch.setattr(socket, "getaddrinfo", refuse("getaddrinfo"))
    for name in ("system", "popen", "execv", "posix_spawn"):
        monkeypatch.setattr(os, name, refuse(name), raising=False)
    monkeypatch.setattr(builtins, "input", lambda *_: "y")  # transformers asks whether to trust, and people say yes
    monkeypatch.setenv("HF_MODULES_CACHE", str(tiny_folder / "modules"))
    monkeypatch.chdir(tiny_folder)
    before = set(sys.modules)
    yield tiny_folder, tried
    planted = [
        name
        for name in set(sys.modules) - before
        if str(tiny_folder) in str(getattr(sys.modules[name], "__file__", ""))
    ]
    assert not planted, "a module of the folder was imported"


def end_of(folder, file="open_clip_model.safetensors", kind="CLIP score"):
    """Load and score: "" or the one line; everything else fails the test."""
    try:
        model = load_reward_model(kind, str(folder / file), FOLDER_CONFIG, clip_checkpoint=str(folder / file))
        model.score(torch.rand(1, 3, 32, 32), ["a red cube"])
    except TOLD as error:
        assert "\n" not in str(error)
        return str(error)
    return ""


def plant_tokenizer(folder, **text_cfg):
    """A folder with a tokenizer whose settings name a class in a Python file beside them."""
    content = json.loads((folder / FOLDER_CONFIG).read_text())
    content["model_cfg"]["text_cfg"].update(text_cfg)
    (folder / FOLDER_CONFIG).write_text(json.dumps(content))
    (folder / "evil.py").write_text(
        CODE + "from transformers import PreTrainedTokenizerFast\nclass Evil(PreTrainedTokenizerFast):\n    pass\n"
    )
    (folder / "tokenizer.json").write_text(json.dumps(WORDS))
    settings = {"tokenizer_class": "Evil", "auto_map": {"AutoTokenizer": [None, "evil.Evil"]}, "pad_token": "[PAD]"}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))


def markers(folder):
    return [str(path) for path in Path(folder).rglob(MARKER)]


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
    assert not (folder.parent / "elsewhere").exists() and not (folder / "modules").exists()
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
    (folder / "evil.py").write_text(CODE)
    (folder / "config.json").write_text(json.dumps({"architecture": "resnet18", "model_args": {"block": "evil"}}))
    content = json.loads((folder / FOLDER_CONFIG).read_text())
    content["model_cfg"]["vision_cfg"].update(VISION_CFG[way])
    (folder / FOLDER_CONFIG).write_text(json.dumps(content))
    assert end_of(folder)
    assert not markers(folder.parent) and not tried


class Reduced:
    """Pickles as whatever `parts` says, which unpickling would run."""

    def __init__(self, *parts):
        self.parts = parts

    def __reduce__(self):
        return self.parts


def write_marker(folder):
    return f"open({str(folder / MARKER)!r}, 'w').write('ran')"


PICKLES = {
    "eval": lambda folder: Reduced(eval, (write_marker(folder),)),
    "exec": lambda folder: Reduced(exec, (write_marker(folder),)),
    "os.system": lambda folder: Reduced(SYSTEM, (f"touch {folder / MARKER}",)),
    "open": lambda folder: Reduced(open, (str(folder / MARKER), "w")),
    "a setter of state": lambda folder: Reduced(list, (), write_marker(folder), None, None, eval),
    "items": lambda folder: Reduced(list, (), None, iter([Reduced(eval, (write_marker(folder),))])),
    "torch.load": lambda folder: Reduced(torch.load, (str(folder / "inner.pt"),)),
    "torch.hub": lambda folder: Reduced(torch.hub.load, (str(folder), "evil")),
    "an attribute": lambda folder: Reduced(getattr, ("x", "__class__")),
    "as a key": lambda folder: {Reduced(eval, (write_marker(folder),)): 1},
}  # fmt: skip


@pytest.mark.parametrize("form", ["zip", "protocol 4", "old", "bare", "wrapped in safetensors' name"])
@pytest.mark.parametrize("way", PICKLES)
def test_a_pickle_is_read_and_never_run(attempts, way, form):
    folder, tried = attempts
    state = load_file(folder / "open_clip_model.safetensors")
    path = folder / ("x.safetensors" if "safetensors" in form else "x.pt")
    content = {"state_dict": state, "extra": PICKLES[way](folder)}
    if form == "bare":
        path.write_bytes(pickle.dumps({"extra": content["extra"]}, protocol=2))
    else:
        torch.save(content, path, _use_new_zipfile_serialization=form != "old", pickle_protocol=4 if "4" in form else 2)
    assert end_of(folder, path.name)
    assert not markers(folder.parent) and not tried


def raw_pickles(folder):
    """Pickles that Python's own library would not write."""
    run = write_marker(folder).encode()
    return {
        "text": b"c__builtin__\neval\n(V" + run + b"\ntR.",
        "instance": b"\x80\x02(V" + run + b"\ni__builtin__\neval\n.",
        "object": b"\x80\x02(c__builtin__\neval\nV" + run + b"\no.",
        "stack names": b"\x80\x04\x8c\x08builtins\x8c\x04eval\x93\x8c" + bytes([len(run)]) + run + b"\x85R.",
        "dotted names": b"\x80\x04\x8c\x02os\x8c\x0bpath.os.sys\x93.",
        "new object": b"\x80\x04\x8c\x08builtins\x8c\x04eval\x93\x8c" + bytes([len(run)]) + run + b"\x85}\x92.",
        "persistent": b"\x80\x02(X\x07\x00\x00\x00storagec__builtin__\neval\nX\x01\x00\x00\x00aX\x01\x00\x00\x00bK\x01tQ.",
        "extension": b"\x80\x02\x82\x01.",
    }


@pytest.mark.parametrize("form", ["bare", "zip", "after the magic number"])
@pytest.mark.parametrize("way", raw_pickles(Path("/")))
def test_no_instruction_of_a_pickle_runs(attempts, way, form):
    folder, tried = attempts
    content = raw_pickles(folder)[way]
    if form == "zip":
        with zipfile.ZipFile(folder / "x.pt", "w") as archive:
            archive.writestr("x/data.pkl", content)
    else:
        magic = pickle.dumps(0x1950A86A20F9469CFC6C, protocol=2) if "magic" in form else b""
        (folder / "x.pt").write_bytes(magic + content)
    assert end_of(folder, "x.pt")
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
        (folder / f"{name}.py").write_text(CODE)
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


def test_the_memory_of_a_file_is_not_shared_with_the_file(tiny_folder, tiny_clip):
    """A model that is loaded does not change, and does not die, when its file is overwritten."""
    torch.save(tiny_clip.state_dict(), tiny_folder / "x.pt")
    save_file(tiny_clip.state_dict(), tiny_folder / "x.safetensors")
    picture = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(3))
    for name in ("x.pt", "x.safetensors"):
        model = load_reward_model("CLIP score", str(tiny_folder / name), FOLDER_CONFIG)
        before = model.score(picture, ["fog"])
        with open(tiny_folder / name, "r+b") as file:
            file.write(bytes(os.path.getsize(tiny_folder / name) // 2))
            file.truncate()
        assert torch.equal(model.score(picture, ["fog"]), before)
