"""Which CLIP to build: open_clip's list of architectures, or an open_clip_config.json beside the checkpoint.

Reads open_clip's configuration files without importing the package, which takes seconds.
"""

import importlib.util
import json
import os
import re
from pathlib import Path
from typing import Any, NamedTuple

from .clip_config import check_model_config, check_preprocessing
from .printable import printable
from .regular_file import read_small_file
from .strict_json import read_json

FOLDER_CONFIG = "open_clip_config.json"
"""As architecture: read this file in the folder of the checkpoint, the format of open_clip's own model folders."""

# A hundred times the longest that there is
_LONGEST_CONFIG = 2**18

_OWN_CONFIG = "take the file that came with the checkpoint"

_FIRST = ("ViT-L-14-quickgelu", "ViT-H-14", FOLDER_CONFIG)


class ClipArchitecture(NamedTuple):
    """label: for people. model_cfg, preprocess_cfg: open_clip's dictionaries, the second may be empty.

    file: where a file beside the checkpoint says so, None for open_clip's own.
    """

    label: str
    model_cfg: dict[str, Any]
    preprocess_cfg: dict[str, Any]
    file: Path | None = None


def list_architectures() -> list[str]:
    """Names that `read_architecture` takes: the common ones first, then all of open_clip's in natural order.

    Left out are those whose text tower is defined by a file on a model hub. Without open_clip only the first names.
    """
    configs = _open_clip_configs()
    names = sorted(configs.keys() - set(_FIRST), key=_natural_order)
    return [*_FIRST, *(name for name in names if not _text_tower_from_hub(_read_json(configs[name])))]


def architecture_configs() -> dict[str, dict[str, Any]]:
    """open_clip's model configurations by architecture name, in the order of `list_architectures`."""
    configs = _open_clip_configs()
    return {name: _read_json(configs[name]) for name in list_architectures() if name in configs}


def read_architecture(architecture: str, checkpoint: str) -> ClipArchitecture:
    """Find the configuration of `architecture`, which is an open_clip name or FOLDER_CONFIG, for this checkpoint path.

    ValueError, FileNotFoundError: an unknown name, an unusable configuration file, or one that needs a download.
    """
    configs = _open_clip_configs()
    if architecture == FOLDER_CONFIG:
        found = _read_folder(Path(checkpoint).parent)
    elif architecture in configs:
        found = ClipArchitecture(architecture, _read_json(configs[architecture]), _builtin_preprocessing(architecture))
    else:
        raise ValueError(
            f"open_clip has no architecture {printable(repr(architecture), 80)}: choose one of the list in 'architecture'"
        )
    if _text_tower_from_hub(found.model_cfg):
        hub_name = printable(found.model_cfg["text_cfg"]["hf_model_name"], 80)
        raise ValueError(
            f"{architecture} takes its text tower from the hub ({hub_name}), and nothing is downloaded here: choose "
            "an architecture with a text tower of its own"
        )
    return found


def _read_folder(folder: Path) -> ClipArchitecture:
    path = folder / FOLDER_CONFIG
    shown = printable(path, 400)
    if not os.path.lexists(path):
        raise FileNotFoundError(
            f"{FOLDER_CONFIG} is missing in {printable(folder, 400)}: put it beside the checkpoint, or choose an architecture by name"
        )
    written = read_small_file(path, _LONGEST_CONFIG)
    try:
        content = read_json(written)
    except ValueError as error:
        raise ValueError(f"{shown} is no JSON file ({error}): download it again, or write it anew") from error
    model_cfg = content.get("model_cfg") if isinstance(content, dict) else None
    if not isinstance(model_cfg, dict) or not {"embed_dim", "vision_cfg", "text_cfg"} <= model_cfg.keys():
        raise ValueError(
            f"{shown} needs the entry 'model_cfg' with 'embed_dim', 'vision_cfg' and 'text_cfg': {_OWN_CONFIG}"
        )
    preprocess_cfg = content.get("preprocess_cfg")
    preprocess_cfg = {} if preprocess_cfg is None else preprocess_cfg
    if not isinstance(preprocess_cfg, dict) or not isinstance(model_cfg["text_cfg"], dict):
        raise ValueError(
            f"{shown} needs an object in 'text_cfg' and, if there is one, in 'preprocess_cfg': {_OWN_CONFIG}"
        )
    label = printable(folder.name, 60)
    found = ClipArchitecture(label, model_cfg, preprocess_cfg, path)
    if _text_tower_from_hub(model_cfg):
        return found
    try:
        check_model_config(model_cfg)
        check_preprocessing(preprocess_cfg)
    except ValueError as error:
        raise ValueError(f"cannot build the configuration of {label} from {shown}: {error}") from error
    vocabulary = (model_cfg["text_cfg"].get("tokenizer_kwargs") or {}).get("bpe_path")
    if vocabulary is not None:
        parts = vocabulary.replace("\\", "/").split("/")
        if ":" in vocabulary or any(part in ("", ".", "..") for part in parts):
            raise ValueError(
                f"{shown} names a vocabulary outside its folder ({printable(vocabulary, 80)}): put the vocabulary beside it and "
                "name it without a folder"
            )
        if not os.path.lexists(folder / vocabulary):
            raise FileNotFoundError(
                f"{shown} names a vocabulary that is missing: put {printable(vocabulary)} beside it, or take 'bpe_path' out"
            )
    return found


def _open_clip_configs() -> dict[str, Path]:
    package = importlib.util.find_spec("open_clip")
    if package is None or not package.submodule_search_locations:
        return {}
    folder = Path(package.submodule_search_locations[0]) / "model_configs"
    return {path.stem: path for path in folder.glob("*.json")}


def _read_json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _builtin_preprocessing(name: str) -> dict[str, Any]:
    """The preprocessing that all of open_clip's published weights of this architecture share; empty if they differ."""
    from open_clip.pretrained import get_pretrained_cfg, list_pretrained_tags_by_model

    keys = ("mean", "std", "interpolation", "resize_mode")
    published = [get_pretrained_cfg(name, tag) for tag in list_pretrained_tags_by_model(name)]
    choices = [{key: weights[key] for key in keys if weights.get(key) is not None} for weights in published]
    return choices[0] if choices and all(choice == choices[0] for choice in choices) else {}


def _text_tower_from_hub(model_cfg: dict[str, Any]) -> bool:
    return bool(model_cfg["text_cfg"].get("hf_model_name"))


def _natural_order(name: str) -> list[int | str]:
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", name.lower())]
