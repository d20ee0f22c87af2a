"""The CLIP that several rewards share: an open_clip model with its tokenizer and preprocessing, from a file on disk.

A. Radford et al., "Learning transferable visual models from natural language supervision", 2021; G. Ilharco et al.,
open_clip, 2021. Nothing is ever downloaded.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F

from .checkpoint_file import open_checkpoint
from .clip_architecture import FOLDER_CONFIG, ClipArchitecture, read_architecture
from .clip_build import build_clip
from .clip_tokenizer import make_tokenizer
from .image_batch import ImageBatch
from .preprocess import Preprocessing

__all__ = ["FOLDER_CONFIG", "ClipTrunk", "load_clip_trunk"]


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
    with open_checkpoint(checkpoint) as opened:
        clip, logit_scale = build_clip(found, opened, asked=architecture)
    tokenizer = make_tokenizer(found, Path(checkpoint).absolute().parent)
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
