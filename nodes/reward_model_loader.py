"""Loads a reward model from the models folder `reward_models`."""

import os

import folder_paths
from comfy_api.latest import io

from ..reward_models import REWARD_KINDS, load_reward_model
from ..reward_models.clip_architecture import FOLDER_CONFIG, list_architectures
from .hosted_reward_model import HostedRewardModel
from .socket_types import RewardModelSocket

FOLDER = "reward_models"
NO_FILE = "none"


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


def _problem(kind: str, file: str) -> str | None:
    if kind not in REWARD_KINDS:
        return f"there is no kind of reward model {kind!r}: choose one of {', '.join(REWARD_KINDS)}"
    if not REWARD_KINDS[kind].needs_file:
        return None
    folder = folder_paths.get_folder_paths(FOLDER)[0]
    if file == NO_FILE:
        return f"{kind} needs a model file: put one into {folder}, press R, and choose it in 'file'"
    if resolve_reward_model_file(file) is None:
        return f"{file} is not there: put it into {folder}, press R, and choose it in 'file'"
    return None


class LiDARRewardModelLoader(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="LiDARRewardModelLoader",
            display_name="Load LiDAR Reward Model",
            category="LiDAR",
            description=(
                "Loads what judges the lookaheads of LiDAR: a CLIP score from a file in models/reward_models, or a simple "
                "pixel reward that needs no file. Nothing is downloaded."
            ),
            search_aliases=["lidar", "reward model", "clip score", "preference model", "load reward", "image scorer"],
            inputs=[
                io.Combo.Input(
                    "kind",
                    options=list(REWARD_KINDS),
                    tooltip=(
                        "What is rewarded; more is better. CLIP score: how well the image fits the prompt, as a cosine, "
                        "usually .15 to .35; needs a file. brightness: mean luma, 0 (black) to 1 (white). colourfulness: 0 "
                        "(grey) to about 110 (extremely colourful). The last two need no file, ignore the prompt, and are "
                        "for trying the nodes."
                    ),
                ),
                io.Combo.Input(
                    "file",
                    options=[NO_FILE, *folder_paths.get_filename_list(FOLDER)],
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
                        "Which CLIP the file holds, by open_clip's names; brightness and colourfulness ignore it. OpenAI's "
                        "weights want a name that ends in -quickgelu, most others one without: the file does not tell, and "
                        f"the wrong one lowers the score's quality silently. {FOLDER_CONFIG}: read that file beside the "
                        "checkpoint."
                    ),
                ),
            ],
            outputs=[
                RewardModelSocket.Output(
                    display_name="reward_model", tooltip="For LiDAR KSampler and LiDAR Score Lookaheads."
                )
            ],
        )

    @classmethod
    def validate_inputs(cls, kind, file):
        # None: the input is a link, whose value is known only when the node runs
        if kind is None or file is None:
            return True
        return _problem(kind, file) or True

    @classmethod
    def fingerprint_inputs(cls, kind, file, architecture):
        if kind not in REWARD_KINDS or not REWARD_KINDS[kind].needs_file or file is None:
            return ""
        path = resolve_reward_model_file(file)
        if path is None:
            return ""
        paths = [path, os.path.join(os.path.dirname(path), FOLDER_CONFIG)]
        states = [os.stat(each) for each in paths if os.path.isfile(each)]
        return ",".join(f"{state.st_mtime_ns}:{state.st_size}" for state in states)

    @classmethod
    def execute(cls, kind, file=NO_FILE, architecture=None) -> io.NodeOutput:
        problem = _problem(kind, file)
        if problem:
            raise ValueError(f"Load LiDAR Reward Model: {problem}")
        path = resolve_reward_model_file(file) if REWARD_KINDS[kind].needs_file else None
        try:
            model = load_reward_model(kind, path, architecture)
        except (ValueError, FileNotFoundError, ModuleNotFoundError) as error:
            raise type(error)(f"Load LiDAR Reward Model: {error}") from error
        return io.NodeOutput(HostedRewardModel(model))
