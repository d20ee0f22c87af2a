"""What other people's code makes of a CLIP: transformers for PickScore, hpsv2 1.2.0 for HPS, transformers and numpy for LAION aesthetic,
open_clip for plain cosines.

Each oracle keeps to what its authors publish: their image processor, their tokenizer, their model class, their last steps.
"""

import importlib.util
import json
import shutil
import sys
import types
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import open_clip
import torch
import torch.nn.functional as F
from PIL import Image

OPENAI_MEAN, OPENAI_STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
HEAD_LAYERS = (0, 2, 4, 6, 7)


def transformers_clip(vision: dict, text: dict, embedding: int, activation: str):
    from transformers import CLIPConfig, CLIPModel

    ends = {"bos_token_id": 49406, "eos_token_id": 49407, "pad_token_id": 1}
    shared = {"hidden_act": activation, "projection_dim": embedding}
    config = CLIPConfig(vision_config=vision | shared, text_config=text | shared | ends, projection_dim=embedding)
    return CLIPModel(config).eval()


class PickScoreOracle:
    """The steps of the model card of PickScore_v1. processor: that of PIL, which its authors used, or of torchvision."""

    def __init__(self, model, *, size: int = 224, context: int = 77, on_tensors: bool = False):
        from transformers.models.clip import CLIPImageProcessor, CLIPImageProcessorPil, CLIPTokenizer

        self.model, self.context = model, context
        kind = CLIPImageProcessor if on_tensors else CLIPImageProcessorPil
        self.processor = kind(size={"shortest_edge": size}, crop_size={"height": size, "width": size})
        shipped = open_clip.SimpleTokenizer()  # the same vocabulary, with other names for its two ends
        ends = {"<start_of_text>": "<|startoftext|>", "<end_of_text>": "<|endoftext|>"}
        vocabulary = {ends.get(word, word): number for word, number in shipped.encoder.items()}
        self.tokenizer = CLIPTokenizer(vocab=vocabulary, merges=list(shipped.bpe_ranks))

    def pixels(self, image: Image.Image) -> torch.Tensor:
        return self.processor(images=image.convert("RGB"), return_tensors="pt").pixel_values

    def tokens(self, prompts: Sequence[str]) -> torch.Tensor:
        options = {"padding": "max_length", "truncation": True, "max_length": self.context}
        return self.tokenizer(list(prompts), return_tensors="pt", **options).input_ids

    def scores(self, pixels: torch.Tensor, prompts: Sequence[str]) -> torch.Tensor:
        """(b, 3, H, W) and p prompts -> (b, p) float64."""
        images = self.model.get_image_features(pixel_values=pixels).pooler_output.double()
        words = self.model.get_text_features(input_ids=self.tokens(prompts)).pooler_output.double()
        scale = self.model.logit_scale.double().exp()
        return scale * F.normalize(images, dim=-1) @ F.normalize(words, dim=-1).T


class HpsOracle:
    """The steps of hpsv2/img_score.py, without its downloads and without autocast. folder: the unpacked wheel."""

    def __init__(self, folder: Path, config: dict | None = None, *, size: int = 224):
        source = folder / "hpsv2" / "src" / "open_clip"
        vocabulary = source / "bpe_simple_vocab_16e6.txt.gz"
        if not vocabulary.exists():  # the wheel lacks it
            shutil.copyfile(open_clip.tokenizer.default_bpe(), vocabulary)
        self.package = _import_folder("hpsv2_open_clip", source)
        config = config or json.loads((source / "model_configs" / "ViT-H-14.json").read_text())
        self.context = config["text_cfg"]["context_length"]
        self.model = self.package.model.CLIP(**config, output_dict=True).eval()
        self.transform = self.package.transform.image_transform(size, is_train=False, resize_longest_max=True)

    def pixels(self, image: Image.Image) -> torch.Tensor:
        return self.transform(image.convert("RGB"))[None]

    def tokens(self, prompts: Sequence[str]) -> torch.Tensor:
        return self.package.tokenizer.tokenize(list(prompts), context_length=self.context)

    def scores(self, pixels: torch.Tensor, prompts: Sequence[str]) -> torch.Tensor:
        """(b, 3, H, W) and p prompts -> (b, p) float64."""
        out = self.model(pixels, self.tokens(prompts))
        return (out["image_features"] @ out["text_features"].T).double()


class AestheticOracle:
    """The steps of improved-aesthetic-predictor's simple_inference.py: OpenAI's transform, unit features, the chain of layers."""

    def __init__(self, model, head: dict[str, torch.Tensor], *, size: int = 224):
        from torchvision import transforms

        self.model = model
        self.head = {name: tensor.double().numpy() for name, tensor in head.items()}
        self.transform = transforms.Compose(
            [
                transforms.Resize(size, interpolation=transforms.InterpolationMode.BICUBIC),
                transforms.CenterCrop(size),
                transforms.ToTensor(),
                transforms.Normalize(OPENAI_MEAN, OPENAI_STD),
            ]
        )

    def pixels(self, image: Image.Image) -> torch.Tensor:
        return self.transform(image.convert("RGB"))[None]

    def scores(self, pixels: torch.Tensor, prompts: Sequence[str]) -> torch.Tensor:
        """(b, 3, H, W) and p prompts, which it does not read -> (b, p) float64."""
        found = self.model.get_image_features(pixel_values=pixels).pooler_output.double().numpy()
        found /= np.linalg.norm(found, axis=-1, keepdims=True)
        for index in HEAD_LAYERS:
            found = found @ self.head[f"layers.{index}.weight"].T + self.head[f"layers.{index}.bias"]
        return torch.from_numpy(np.repeat(found, len(prompts), axis=1))


class OpenClipOracle:
    """The steps of open_clip's README: its model, its transform for evaluation, its tokenizer."""

    def __init__(self, architecture: str):
        self.model, _, self.transform = open_clip.create_model_and_transforms(architecture)
        self.model.eval()
        self.tokenizer = open_clip.get_tokenizer(architecture)

    def pixels(self, image: Image.Image) -> torch.Tensor:
        return self.transform(image.convert("RGB"))[None]

    def embed_images(self, pixels: torch.Tensor) -> torch.Tensor:
        """(b, 3, H, W) -> (b, d) float64 of length 1."""
        return torch.cat([F.normalize(self.model.encode_image(each[None]).double(), dim=-1) for each in pixels])

    def embed_texts(self, texts: Sequence[str]) -> torch.Tensor:
        """t texts -> (t, d) float64 of length 1."""
        return F.normalize(self.model.encode_text(self.tokenizer(list(texts))).double(), dim=-1)


def _import_folder(name: str, folder: Path) -> types.ModuleType:
    """Import the package in `folder` under another name, as `open_clip` is taken by the real one."""
    sys.modules.setdefault("turtle", types.SimpleNamespace(forward=None))  # imported there by mistake; needs a display
    spec = importlib.util.spec_from_file_location(
        name, folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
