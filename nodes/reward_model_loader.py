"""Loads a reward model from the models folder `reward_models`."""

import os

import folder_paths
from comfy_api.latest import io

from ..reward_models import REWARD_KINDS, load_reward_model
from ..reward_models.clip_architecture import FOLDER_CONFIG, list_architectures
from ..reward_models.guess_kind import guess_kind
from ..reward_models.printable import printable
from .checked_inputs import checked
from .hosted_reward_model import HostedRewardModel
from .image_layout import channels_first
from .shared_trunks import file_state, load_clip_once
from .show_on_node import show_on_node
from .socket_types import RewardModelSocket

FOLDER = "reward_models"
AUTO, NO_FILE = "auto", "none"


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


def _problem(kind: str, file: str, clip_file: str) -> str | None:
    if kind != AUTO and kind not in REWARD_KINDS:
        return f"there is no kind of reward model {kind!r}: choose one of {', '.join([AUTO, *REWARD_KINDS])}"
    if kind == AUTO or REWARD_KINDS[kind].needs_file:
        problem = _missing(file, f"{kind} needs a model file", "file")
        if problem:
            return problem
    if kind != AUTO and REWARD_KINDS[kind].needs_clip_file:
        return _missing(clip_file, f"{kind} reads the embeddings of a CLIP, OpenAI's ViT-L/14", "clip_file")
    return None


def _missing(file: str, wanted: str, widget: str) -> str | None:
    folder = folder_paths.get_folder_paths(FOLDER)[0]
    if file == NO_FILE:
        return f"{wanted}: put one into {folder}, press R, and choose it in '{widget}'"
    if resolve_reward_model_file(file) is None:
        return f"{file} is not there: put it into {folder}, press R, and choose it in '{widget}'"
    return None


class LiDARRewardModelLoader(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        files = [NO_FILE, *folder_paths.get_filename_list(FOLDER)]
        return io.Schema(
            node_id="LiDARRewardModelLoader",
            display_name="Load LiDAR Reward Model",
            category="LiDAR",
            description=(
                "Loads what judges images: ImageReward, PickScore, HPS, LAION aesthetic or any CLIP from a file in "
                "models/reward_models, or a pixel reward that needs no file. Nothing is downloaded."
            ),
            search_aliases=[
                "lidar",
                "reward model",
                "clip score",
                "preference model",
                "load reward",
                "image scorer",
                "imagereward",
                "pickscore",
                "hps",
                "aesthetic score",
            ],
            inputs=[
                io.Combo.Input(
                    "kind",
                    options=[AUTO, *REWARD_KINDS],
                    default=AUTO,
                    tooltip=(
                        "What is rewarded; more is better. auto tells it from the file and shows it on the node. ImageReward, "
                        "PickScore, HPS: what people prefer for the prompt. LAION aesthetic: how good it looks. CLIP score: "
                        "how well it fits the prompt. CLIP image similarity: like the reference. CLIP negative prompt: "
                        "unlike a text. The rest judge pixels and need no file."
                    ),
                ),
                io.Combo.Input(
                    "file",
                    options=files,
                    default=NO_FILE,
                    tooltip=(
                        "The checkpoint, from models/reward_models: .safetensors, or .pt, .pth, .bin that hold tensors "
                        "only. Press R after adding one. none: for kinds that need no file; those ignore this input."
                    ),
                ),
                io.Combo.Input(
                    "architecture",
                    options=list_architectures(),
                    tooltip=(
                        "Which CLIP the file holds, by open_clip's names; only the kinds CLIP ... read it. OpenAI's "
                        "weights want a name that ends in -quickgelu, most others one without: the file does not tell, and "
                        f"the wrong one lowers the score's quality silently. {FOLDER_CONFIG}: read that file beside the "
                        "checkpoint."
                    ),
                ),
                io.Combo.Input(
                    "clip_file",
                    optional=True,
                    options=files,
                    default=NO_FILE,
                    tooltip=(
                        "The CLIP whose embeddings LAION aesthetic reads, whose own file is only its last part: OpenAI's "
                        "ViT-L/14. none for all other kinds. A CLIP that another reward model has loaded is shared."
                    ),
                ),
                io.String.Input(
                    "negative_prompt",
                    optional=True,
                    default="",
                    tooltip="What images should not show, for the kind CLIP negative prompt; all others ignore it.",
                ),
                io.Image.Input(
                    "reference",
                    optional=True,
                    tooltip=(
                        "The picture or pictures to resemble, for CLIP image similarity (style, subject) and palette match "
                        "(colours); all others ignore it."
                    ),
                ),
            ],
            outputs=[
                RewardModelSocket.Output(
                    display_name="reward_model",
                    tooltip="For LiDAR KSampler, LiDAR Score Lookaheads, LiDAR Score Images and LiDAR Combine Rewards.",
                )
            ],
            hidden=[io.Hidden.unique_id, io.Hidden.dynprompt],
        )

    @classmethod
    def validate_inputs(cls, kind, file, clip_file=NO_FILE):
        # None: the input is a link, whose value is known only when the node runs
        if kind is None or file is None or clip_file is None:
            return True
        problem = _problem(kind, file, clip_file)
        return printable(problem) if problem else True

    @classmethod
    def fingerprint_inputs(cls, kind, file, clip_file=NO_FILE, **_others):
        states = []
        for name in (file, clip_file):
            path = None if name is None else resolve_reward_model_file(name)
            states.append("" if path is None else str(file_state(path)))
        return " ".join(states)

    @classmethod
    @checked
    def execute(
        cls, kind, file=NO_FILE, architecture=None, clip_file=NO_FILE, negative_prompt="", reference=None
    ) -> io.NodeOutput:
        reason = ""
        if kind == AUTO:
            _check(kind, file, clip_file)
            kind, reason = guess_kind(resolve_reward_model_file(file))
        _check(kind, file, clip_file)
        model = load_reward_model(
            kind,
            resolve_reward_model_file(file),
            architecture,
            clip_checkpoint=resolve_reward_model_file(clip_file),
            reference=None if reference is None else channels_first(reference),
            text=negative_prompt,
            load_clip=load_clip_once,
        )
        show_on_node(cls.hidden, f"{model.name}: {reason}" if reason else model.name)
        return io.NodeOutput(HostedRewardModel(model))


def _check(kind: str, file: str, clip_file: str) -> None:
    problem = _problem(kind, file, clip_file)
    if problem:
        raise ValueError(problem)
