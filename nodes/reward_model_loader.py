"""Loads a reward model from the models folder `reward_models`."""

from comfy_api.latest import io

from ..reward_models import REWARD_KINDS, load_reward_model
from ..reward_models.clip_architecture import FOLDER_CONFIG, list_architectures
from ..reward_models.guess_kind import guess_kind
from ..reward_models.printable import printable
from .host.checked_inputs import checked
from .host.hosted_reward_model import HostedRewardModel
from .host.image_layout import channels_first
from .host.reward_model_files import (
    AUTO,
    NO_FILE,
    missing,
    offered_files,
    problem_of,
    resolve_reward_model_file,
    widgets_named,
)
from .host.shared_trunks import file_state, load_clip_once
from .host.show_on_node import show_on_node
from .host.socket_types import RewardModelSocket
from .values.plain_words import plain_words


class LiDARRewardModelLoader(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        files, architectures = offered_files(), list_architectures()
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
                "reward",
                "reward model",
                "load reward",
                "image reward",
                "imagereward",
                "pickscore",
                "hps",
                "aesthetic",
                "aesthetic score",
                "clip score",
                "prompt adherence",
                "preference model",
                "image scorer",
                "image quality",
                "judge",
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
                    optional=True,
                    options=files,
                    default=NO_FILE,
                    tooltip=(
                        "The checkpoint, from models/reward_models: .safetensors, or .pt, .pth, .bin that hold tensors "
                        "only. Press R after adding one. none: for kinds that need no file; those ignore this input."
                    ),
                ),
                io.Combo.Input(
                    "architecture",
                    optional=True,
                    options=architectures,
                    default=architectures[0],
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
    def validate_inputs(cls, file=NO_FILE):
        # Of this input alone, for the host tells one error at each input that is named here; None: it is a link
        problem = None if file in (None, NO_FILE) else missing(file, "file")
        return printable(problem) if problem else True

    @classmethod
    def fingerprint_inputs(cls, kind, file=NO_FILE, clip_file=NO_FILE, **_others):
        states = []
        for name in (file, clip_file):
            path = None if name is None else resolve_reward_model_file(name)
            states.append("" if path is None else str(file_state(path)))
        return " ".join(states)

    @classmethod
    @checked
    def execute(cls, kind, file, architecture, clip_file, negative_prompt, reference=None) -> io.NodeOutput:
        reason, text = "", plain_words(negative_prompt)
        with widgets_named():
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
                text=text,
                load_clip=load_clip_once,
            )
        told = f"{model.name}: {reason}" if reason else model.name
        read, count = model.words_read(text), len(text.split())
        if not model.reads_prompt and read < count:
            told = f"reads the first {read} of {count} words of negative_prompt\n{told}"
        show_on_node(cls.hidden, told)
        return io.NodeOutput(HostedRewardModel(model))


def _check(kind: str, file: str, clip_file: str) -> None:
    problem = problem_of(kind, file, clip_file)
    if problem:
        raise ValueError(problem)
