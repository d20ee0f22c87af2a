"""Code that is planted in a folder, and whether anything of it ran; see also the fixture `attempts`."""

from pathlib import Path

import torch

from reward_models import load_reward_model
from reward_models.clip_architecture import FOLDER_CONFIG

TOLD = (ValueError, FileNotFoundError, ModuleNotFoundError)
MARKER = "marker.txt"


def code(folder):
    """Python that leaves a marker in the folder, from wherever it is run: transformers copies it to a cache first."""
    return f"import pathlib\npathlib.Path({str(folder / MARKER)!r}).write_text('ran')\n"


def end_of(folder, file="open_clip_model.safetensors", kind="CLIP score"):
    """Load and score: "" or the one line; everything else fails the test."""
    try:
        model = load_reward_model(kind, str(folder / file), FOLDER_CONFIG)
        model.score(torch.rand(1, 3, 32, 32), ["a red cube"])
    except TOLD as error:
        assert "\n" not in str(error)
        return str(error)
    return ""


def markers(folder):
    """Every marker that planted code has left below the folder."""
    return [str(path) for path in Path(folder).rglob(MARKER)]
