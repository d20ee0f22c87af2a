"""The host's models folder `reward_models`: its files, and what is wrong with a choice of them."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager

import folder_paths

from ...reward_models import REWARD_KINDS

FOLDER = "reward_models"
AUTO, NO_FILE = "auto", "none"
_WIDGETS = {"checkpoint": "file", "clip_checkpoint": "clip_file", "text": "negative_prompt"}


def register_reward_models_folder() -> None:
    """Tell the host of models/reward_models; paths of extra_model_paths.yaml stay, and before this one.

    A folder that is only named in that file would list every file of any kind, so the extensions are set here.
    """
    folder_paths.add_model_folder_path(FOLDER, os.path.join(folder_paths.models_dir, FOLDER))
    paths, extensions = folder_paths.folder_names_and_paths[FOLDER]
    folder_paths.folder_names_and_paths[FOLDER] = (paths, {*extensions, *folder_paths.supported_pt_extensions})


# At import, which the host does after it has read extra_model_paths.yaml and before it asks for the list of files
register_reward_models_folder()


def resolve_reward_model_file(file: str) -> str | None:
    """Return the full path of a file of the folder, or None; either path separator will do, as workflows travel."""
    for name in (file, file.replace("\\", "/")):
        path = folder_paths.get_full_path(FOLDER, name)
        if path is not None:
            return path
    return None


def offered_files() -> list[str]:
    """Return what can be chosen as a file: none, and every file of the folder."""
    return [NO_FILE, *folder_paths.get_filename_list(FOLDER)]


def problem_of(kind: str, file: str, clip_file: str) -> str | None:
    """Say in one line why these three cannot be loaded, and what to choose; None if the files are there."""
    if kind != AUTO and kind not in REWARD_KINDS:
        return f"there is no kind of reward model {kind!r}: choose one of {', '.join([AUTO, *REWARD_KINDS])}"
    needs = ("checkpoint",) if kind == AUTO else REWARD_KINDS[kind].needs
    if "checkpoint" in needs and file == NO_FILE:
        return f"{kind} needs a model file: {_put('file')}, or choose a kind that needs none, such as colourfulness"
    if "clip_checkpoint" in needs and clip_file == NO_FILE:
        return f"{kind} reads the embeddings of a CLIP, OpenAI's ViT-L/14: {_put('clip_file')}"
    return (
        ("checkpoint" in needs and missing(file, "file"))
        or ("clip_checkpoint" in needs and missing(clip_file, "clip_file"))
        or None
    )


def missing(file: str, widget: str) -> str | None:
    """Say in one line that the folder has no such file, and what to do; None if it has."""
    return None if resolve_reward_model_file(file) else f"{file} is not there: {_put(widget)}"


def _put(widget: str) -> str:
    return f"put one into {folder_paths.get_folder_paths(FOLDER)[0]}, press R, and choose it in '{widget}'"


@contextmanager
def widgets_named() -> Iterator[None]:
    """Let messages of reward_models, which put its parameters into quotes, name the node's widgets instead."""
    try:
        yield
    except (ValueError, FileNotFoundError) as error:
        told = re.sub(r"'(checkpoint|clip_checkpoint|text)'", lambda found: f"'{_WIDGETS[found[1]]}'", str(error))
        raise ValueError(told) from error
