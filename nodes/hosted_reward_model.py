"""Adapter: a RewardModel under ComfyUI's memory management, scoring the host's IMAGE batches."""

import comfy.model_management as mm
import comfy.model_patcher
import comfy.utils
import torch

from ..reward_models import RewardModel

# Working memory an image: measured 12 to 34 MiB in float32 for ViT-L/14, ViT-H/14 and bigG at 224 px and L/14 at 336 px
_ACTIVATION_BYTES = 64 * 2**20
# Working memory in copies of the image: measured 2.4 besides the image itself
_IMAGE_COPIES = 5


class HostedRewardModel:
    """A reward model whose weights ComfyUI loads, offloads and frees; this is what LIDAR_REWARD_MODEL carries.

    It takes the model over: moves it to the offload device, and to fp16 where the host prefers that (never on CPU).
    """

    def __init__(self, model: RewardModel):
        load_device, offload_device = mm.get_torch_device(), mm.unet_offload_device()
        dtype = torch.float16 if mm.should_use_fp16(load_device) else torch.float32
        model = model.eval().to(device=offload_device, dtype=dtype)
        self.model = model
        # Looked up at call time: the host rebinds it when dynamic VRAM is on
        self.patcher = comfy.model_patcher.CoreModelPatcher(
            model, load_device=load_device, offload_device=offload_device
        )

    @property
    def name(self) -> str:
        """The reward model's name for people."""
        return self.model.name

    @property
    def reads_prompt(self) -> bool:
        """True if the prompt changes the score."""
        return self.model.reads_prompt

    def is_dynamic(self) -> bool:
        """Whether the host pages the weights itself; its RAM cache asks."""
        return self.patcher.is_dynamic()

    def score(self, images: torch.Tensor, prompt: str, batch_size: int) -> torch.Tensor:
        """Score every image against one prompt, `batch_size` at a time, obeying cancel between batches.

        images: IMAGE (n, H, W, C) in [0, 1]; C = 3, or 4 with an alpha channel, which is dropped, or 1, which is grey.
        Returns (n,) float32 on the CPU, higher is better. ValueError for an empty prompt if the model reads it, for
        what is no IMAGE, for batch_size below 1 and for a score that is not finite.
        """
        if self.reads_prompt and not prompt.strip():
            raise ValueError(
                f"{self.name} compares images with a text, and 'prompt' is empty: write into the node's input 'prompt' "
                "what the image should show, usually the positive prompt"
            )
        if batch_size < 1:
            raise ValueError(f"batch_size must be 1 or more, got {batch_size}")
        images = _rgb(images)
        batch_size = min(batch_size, len(images))
        image_bytes = images[0].numel() * 4
        working_memory = batch_size * (_IMAGE_COPIES * image_bytes + _ACTIVATION_BYTES)
        # Fully: layers of plain torch cannot be paged in one by one as the host's own can
        mm.load_models_gpu([self.patcher], memory_required=working_memory, force_full_load=True)
        device = _device_of(self.model, default=self.patcher.load_device)
        progress = comfy.utils.ProgressBar(len(images))
        scores = torch.empty(len(images))
        for start in range(0, len(images), batch_size):
            mm.throw_exception_if_processing_interrupted()
            batch = images[start : start + batch_size].to(device=device, dtype=torch.float32).movedim(-1, 1)
            scores[start : start + len(batch)] = self.model.score(batch, [prompt] * len(batch)).float().cpu()
            progress.update_absolute(start + len(batch))
        _check_finite(scores, images, self.name)
        return scores


def _rgb(images: torch.Tensor) -> torch.Tensor:
    if images.ndim != 4 or images.shape[-1] not in (1, 3, 4) or len(images) == 0:
        raise ValueError(
            f"images must be an IMAGE (n, height, width, 3) with n of 1 or more, got {tuple(images.shape)}"
        )
    return images.expand(-1, -1, -1, 3) if images.shape[-1] == 1 else images[..., :3]


def _device_of(model: torch.nn.Module, *, default: torch.device) -> torch.device:
    weight = next(model.parameters(), None)  # with --novram the host leaves plain layers on the CPU
    return default if weight is None else weight.device


def _check_finite(scores: torch.Tensor, images: torch.Tensor, name: str) -> None:
    bad = (~scores.isfinite()).nonzero().flatten().tolist()
    if not bad:
        return
    if images[bad[0]].isfinite().all():
        advice = "the image is sound, so the checkpoint of the reward model is damaged or unfit: choose another 'file'"
    else:
        advice = "the image itself is not finite: start ComfyUI with --fp32-vae, or use another VAE"
    raise ValueError(f"{name} gave {scores[bad[0]]:g} for image {bad[0] + 1} of {len(scores)}: {advice}")
