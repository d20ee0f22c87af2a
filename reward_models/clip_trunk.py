"""The CLIP that several rewards share: an open_clip model with its tokenizer and preprocessing, from a file on disk.

A. Radford et al., "Learning transferable visual models from natural language supervision", 2021; G. Ilharco et al.,
open_clip, 2021. Nothing is ever downloaded.
"""

import os
from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch.overrides import TorchFunctionMode

from .checkpoint_file import read_checkpoint
from .clip_architecture import FOLDER_CONFIG, ClipArchitecture, read_architecture
from .clip_shape import mismatch
from .image_batch import ImageBatch
from .preprocess import Preprocessing
from .transformers_clip import is_transformers_clip, to_open_clip

__all__ = ["FOLDER_CONFIG", "ClipTrunk", "load_clip_trunk"]

# Written into OpenAI's own files beside the weights
_NOT_WEIGHTS = ("input_resolution", "context_length", "vocab_size", "text.transformer.embeddings.position_ids")
# Not read by a cosine, so a file may lack them
_NOT_NEEDED = ("logit_scale", "logit_bias")


class ClipTrunk(torch.nn.Module):
    """Image and text embeddings of a CLIP; the towers run in the dtype of their weights, all else in float32.

    clip: an open_clip model. tokenizer: texts -> (t, context) token ids. label: the architecture, for people.
    embedding_size: d. logit_scale: the log of the temperature that the file holds, None if it holds none.
    """

    def __init__(
        self,
        clip: torch.nn.Module,
        tokenizer: Callable[[list[str]], torch.Tensor],
        preprocessing: Preprocessing,
        *,
        label: str,
        embedding_size: int,
        logit_scale: float | None = None,
    ):
        super().__init__()
        self.clip = clip
        self.tokenizer = tokenizer
        self.preprocessing = preprocessing
        self.label = label
        self.embedding_size = embedding_size
        self.logit_scale = logit_scale

    def embed_images(self, batch: ImageBatch, preprocessing: Preprocessing | None = None) -> torch.Tensor:
        """Return the embeddings of the batch, (b, d) float32 of length 1; once for each batch and preprocessing.

        preprocessing: another than that of the CLIP itself, for models that were trained so.
        """
        preprocessing = preprocessing or self.preprocessing

        def embed() -> torch.Tensor:
            pixels = batch.preprocessed(preprocessing).to(next(self.clip.visual.parameters()).dtype)
            return F.normalize(self.clip.encode_image(pixels).float(), dim=-1)

        return batch.once((self, preprocessing), embed)

    def embed_texts(self, texts: Sequence[str], device: torch.device) -> torch.Tensor:
        """Return the embeddings of the texts, (b, d) float32 of length 1, each distinct text embedded once.

        A text longer than the tower reads is cut at its end.
        """
        distinct = list(dict.fromkeys(texts))
        embeddings = F.normalize(self.clip.encode_text(self.tokenizer(distinct).to(device)).float(), dim=-1)
        return embeddings[torch.tensor([distinct.index(text) for text in texts], device=device)]


def load_clip_trunk(checkpoint: str, architecture: str) -> ClipTrunk:
    """Load a CLIP from a local checkpoint, on the CPU in float32.

    checkpoint: a .safetensors, .pt, .pth or .bin file in the names of open_clip or of transformers' CLIPModel.
    architecture: a name of `open_clip.list_models()`, or FOLDER_CONFIG to read that file beside the checkpoint.
    ValueError, FileNotFoundError, ModuleNotFoundError: one line that names the file and what to change.
    """
    try:
        import open_clip
    except ModuleNotFoundError as error:
        if error.name != "open_clip":
            raise
        raise ModuleNotFoundError(
            "this reward needs the package open_clip, which is not installed: run 'python -m pip install "
            "open-clip-torch' with ComfyUI's Python and restart ComfyUI",
            name="open_clip",
        ) from error
    found = read_architecture(architecture, checkpoint)
    state = read_checkpoint(checkpoint)
    logit_scale = float(state["logit_scale"]) if "logit_scale" in state else None
    clip = _build(open_clip, found)
    _fill(clip, state, file=os.path.basename(checkpoint), asked=architecture)
    tokenizer = _tokenizer(open_clip, found, os.path.dirname(os.path.abspath(checkpoint)))
    preprocessing = _preprocessing(open_clip, found, clip.visual.image_size)
    trunk = ClipTrunk(
        clip,
        tokenizer,
        preprocessing,
        label=found.label,
        embedding_size=found.model_cfg["embed_dim"],
        logit_scale=logit_scale,
    )
    return trunk.float().eval().requires_grad_(False)


class _SkipRandomWeights(TorchFunctionMode):
    """Leaves new weights unfilled: strict loading overwrites them, and drawing them takes 12 s for ViT-H/14."""

    def __torch_function__(self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        if func in (torch.Tensor.normal_, torch.Tensor.uniform_) or getattr(func, "__module__", "") == "torch.nn.init":
            return args[0] if args else kwargs["tensor"]
        return func(*args, **(kwargs or {}))


def _build(open_clip: Any, architecture: ClipArchitecture) -> torch.nn.Module:
    """Build the model without weights, by open_clip's own classes; its factory would warn of random weights."""
    model_cfg = dict(architecture.model_cfg)
    custom_text = model_cfg.pop("custom_text", False)
    vision_cfg = model_cfg["vision_cfg"]
    if vision_cfg.get("timm_model_name"):
        model_cfg["vision_cfg"] = {**vision_cfg, "timm_model_pretrained": False}
    if "multimodal_cfg" in model_cfg:
        model_class = open_clip.CoCa
    else:
        model_class = open_clip.CustomTextCLIP if custom_text else open_clip.CLIP
    try:
        with _SkipRandomWeights():
            return model_class(**model_cfg)
    except (TypeError, KeyError, AssertionError) as error:
        raise ValueError(f"open_clip cannot build the configuration of {architecture.label}: {error}") from error


def _fill(clip: torch.nn.Module, state: dict[str, torch.Tensor], *, file: str, asked: str) -> None:
    from open_clip.model import CustomTextCLIP, convert_to_custom_text_state_dict

    if is_transformers_clip(state):
        state = to_open_clip(state)
    weights = {key: tensor for key, tensor in state.items() if key not in _NOT_WEIGHTS + _NOT_NEEDED}
    if isinstance(clip, CustomTextCLIP) and "positional_embedding" in weights:
        weights = convert_to_custom_text_state_dict(weights)
    model = clip.state_dict()
    needed = {key: tensor for key, tensor in model.items() if key not in _NOT_NEEDED}
    problem = mismatch(weights, needed, file=file, asked=asked)
    if problem:
        raise ValueError(problem)
    for key in model.keys() - needed.keys():  # a scalar in some files, a vector of one in others
        weights[key] = state.get(key, model[key]).reshape(model[key].shape)
    clip.load_state_dict(weights)


def _preprocessing(open_clip: Any, architecture: ClipArchitecture, image_size: int | Sequence[int]) -> Preprocessing:
    size = (image_size, image_size) if isinstance(image_size, int) else tuple(image_size)
    defaults = open_clip.transform.PreprocessCfg()
    chosen = open_clip.transform.merge_preprocess_dict(defaults, architecture.preprocess_cfg)
    return Preprocessing(
        size=size,
        mean=tuple(chosen["mean"]),
        std=tuple(chosen["std"]),
        interpolation=chosen["interpolation"],
        resize_mode=chosen["resize_mode"],
        fill_color=chosen["fill_color"],
    )


def _tokenizer(open_clip: Any, architecture: ClipArchitecture, folder: str) -> Callable:
    text_cfg = architecture.model_cfg["text_cfg"]
    options = text_cfg.get("tokenizer_kwargs") or {}
    context_length = text_cfg.get("context_length", 77)
    vocabulary = text_cfg.get("vocab_size", 49408)
    hub_name = text_cfg.get("hf_tokenizer_name")
    if not hub_name:
        tokenizer = open_clip.SimpleTokenizer(context_length=context_length, **options)
        if tokenizer.vocab_size > vocabulary:
            raise ValueError(
                f"{architecture.label} has a vocabulary of {tokenizer.vocab_size} tokens, but a text tower for "
                f"{vocabulary}: set 'tokenizer_kwargs.bpe_path' in {FOLDER_CONFIG} to the vocabulary it was trained with"
            )
        return tokenizer
    if not os.path.isfile(os.path.join(folder, "tokenizer_config.json")):
        raise FileNotFoundError(
            f"{architecture.label} needs the tokenizer of {hub_name}, and nothing is downloaded here: put its files "
            "(tokenizer.json, tokenizer_config.json) into the folder of the checkpoint"
        )
    return open_clip.tokenizer.HFTokenizer(
        folder,
        context_length=context_length,
        tokenizer_mode=text_cfg.get("tokenizer_mode"),
        local_files_only=True,
        **options,
    )
