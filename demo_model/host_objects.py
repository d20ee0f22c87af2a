"""The demo model as ComfyUI's own objects: an SDXL model of small size, a CLIP text encoder, a VAE.

This is the only file outside nodes/ that imports comfy at import time; training and evaluation reach the host through it.
"""

from pathlib import Path

import comfy.latent_formats
import comfy.model_base
import comfy.model_management
import comfy.model_patcher
import comfy.model_sampling
import comfy.sample
import comfy.sd
import comfy.sd1_clip
import comfy.supported_models
import comfy.supported_models_base
import comfy.utils
import torch
from torch import Tensor

from .autoencoder import Autoencoder

WEIGHTS = Path(__file__).parent / "weights"
DENOISER_FILE, STUDENT_FILE, TEXT_ENCODER_FILE, AUTOENCODER_FILE = (
    "denoiser.safetensors",
    "student.safetensors",
    "text_encoder.safetensors",
    "autoencoder.safetensors",
)
REWARD_FILE = "demo_clip/open_clip_model.safetensors"

TEXT_WIDTH = 128
MAX_TOKENS = 24
TEXT_CONFIG = {
    "num_hidden_layers": 3,
    "hidden_size": TEXT_WIDTH,
    "num_attention_heads": 4,
    "intermediate_size": 4 * TEXT_WIDTH,
    "hidden_act": "gelu",
    "max_position_embeddings": MAX_TOKENS,
    "eos_token_id": 49407,
}
SIZE_EMBEDDING_WIDTH = 6 * 256
DENOISER_CONFIG = {
    "image_size": 8,
    "in_channels": 4,
    "out_channels": 4,
    "model_channels": 64,
    "channel_mult": [1, 2],
    "num_res_blocks": [2, 2],
    "transformer_depth": [1, 1, 1, 1],
    "transformer_depth_middle": 1,
    "transformer_depth_output": [1, 1, 1, 1, 1, 1],
    "context_dim": TEXT_WIDTH,
    "num_head_channels": 32,
    "adm_in_channels": TEXT_WIDTH + SIZE_EMBEDDING_WIDTH,
    "num_classes": "sequential",
    "use_linear_in_transformer": True,
    "use_spatial_transformer": True,
    "legacy": False,
}


def _weights(name: str, folder: Path = WEIGHTS) -> dict[str, Tensor]:
    path = folder / name
    if not path.is_file():
        raise FileNotFoundError(
            f"The demo model's weights are missing: {path}. Fetch the whole repository, or make them with: python3 dev.py train-demo"
        )
    return {key: tensor.float() for key, tensor in comfy.utils.load_torch_file(str(path), safe_load=True).items()}


class _LatentFormat(comfy.latent_formats.SDXL):
    """SDXL's scale, with the demo model's own colours for step previews."""

    def __init__(self):
        super().__init__()
        self.taesd_decoder_name = None

    def set_preview_colours(self, factors: Tensor) -> None:
        self.latent_rgb_factors = factors[:-1].tolist()
        self.latent_rgb_factors_bias = factors[-1].tolist()


class _SmallSDXL(comfy.supported_models.SDXL):
    latent_format = _LatentFormat
    unet_extra_config = {"num_heads": -1, "num_head_channels": 32}


class _TextEncoder(comfy.sd1_clip.SDClipModel):
    def __init__(self, device="cpu", dtype=None, model_options=None):
        super().__init__(
            device=device,
            dtype=dtype,
            max_length=MAX_TOKENS,
            textmodel_json_config=dict(TEXT_CONFIG),
            model_options=model_options or {},
        )


class _TextModel(comfy.sd1_clip.SD1ClipModel):
    def __init__(self, device="cpu", dtype=None, model_options=None):
        super().__init__(
            device=device, dtype=dtype, model_options=model_options or {}, clip_name="l", clip_model=_TextEncoder
        )


class _WordTokenizer(comfy.sd1_clip.SDTokenizer):
    def __init__(self, embedding_directory=None, tokenizer_data=None):
        super().__init__(
            max_length=MAX_TOKENS,
            embedding_directory=embedding_directory,
            embedding_size=TEXT_WIDTH,
            tokenizer_data=tokenizer_data or {},
        )


class _Tokenizer(comfy.sd1_clip.SD1Tokenizer):
    def __init__(self, embedding_directory=None, tokenizer_data=None):
        super().__init__(
            embedding_directory=embedding_directory,
            tokenizer_data=tokenizer_data or {},
            clip_name="l",
            tokenizer=_WordTokenizer,
        )


def new_denoiser(
    dtype: torch.dtype = torch.float32, manual_cast_dtype: torch.dtype | None = None, device=None
) -> comfy.model_base.SDXL:
    """An SDXL model object of the demo model's size, its weights not yet set."""
    config = _SmallSDXL(DENOISER_CONFIG)
    config.set_inference_dtype(dtype, manual_cast_dtype)
    return config.get_model({}, "", device=device)


class _PredictsClean(comfy.model_sampling.X0, comfy.model_sampling.ModelSamplingDiscrete):
    """The network's output is the clean latent itself, on SDXL's noise levels."""


def new_student(*args, **options) -> comfy.model_base.SDXL:
    """As new_denoiser, of the model that predicts the clean latent."""
    model = new_denoiser(*args, **options)
    model.model_sampling = _PredictsClean(model.model_config)
    return model


def denoiser_weights(folder: Path = WEIGHTS) -> dict[str, Tensor]:
    """The diffusion model's state dict, float32."""
    return _weights(DENOISER_FILE, folder)


def load_model(folder: Path = WEIGHTS) -> comfy.model_patcher.ModelPatcher:
    """The diffusion model as the host's MODEL."""
    return _patcher(new_denoiser, denoiser_weights(folder))


def load_student() -> comfy.model_patcher.ModelPatcher:
    """The distilled model as the host's MODEL: 1 to 4 steps of euler with sgm_uniform, cfg 1."""
    return _patcher(new_student, _weights(STUDENT_FILE))


@torch.inference_mode()
def draw_finished(model, noise: Tensor, positive: list, negative: list, *, steps: int, cfg: float) -> Tensor:
    """Standard noise (N,4,8,8) -> what the host's dpmpp_2m with karras makes of it, in the diffusion model's space."""
    drawn = comfy.sample.sample(
        model, noise, steps, cfg, "dpmpp_2m", "karras", positive, negative, torch.zeros_like(noise), disable_pbar=True
    )
    return model.model.process_latent_in(drawn)


def _patcher(new_model, weights: dict[str, Tensor]) -> comfy.model_patcher.ModelPatcher:
    management = comfy.model_management
    load_device, offload_device = management.get_torch_device(), management.unet_offload_device()
    supported = _SmallSDXL.supported_inference_dtypes
    dtype = management.unet_dtype(model_params=comfy.utils.calculate_parameters(weights), supported_dtypes=supported)
    model = new_model(dtype, management.unet_manual_cast(dtype, load_device, supported), device=offload_device)
    model.diffusion_model.load_state_dict(weights)
    model.latent_format.set_preview_colours(_weights(AUTOENCODER_FILE)["preview_colours"])
    return comfy.model_patcher.CoreModelPatcher(model, load_device=load_device, offload_device=offload_device)


def load_clip(folder: Path = WEIGHTS) -> comfy.sd.CLIP:
    """The text encoder as the host's CLIP. Words outside the grammar have an all-zero embedding: the file leaves their rows out."""
    weights = _weights(TEXT_ENCODER_FILE, folder)
    token_ids, rows = weights.pop("token_ids").long(), weights.pop("token_rows")
    table = torch.zeros(TEXT_CONFIG["eos_token_id"] + 1, TEXT_WIDTH)
    table[token_ids] = rows
    weights["text_model.embeddings.token_embedding.weight"] = table
    target = comfy.supported_models_base.ClipTarget(_Tokenizer, _TextModel)
    clip = comfy.sd.CLIP(target, parameters=comfy.utils.calculate_parameters(weights))
    clip.cond_stage_model.clip_l.transformer.load_state_dict(weights)
    return clip


def load_vae() -> comfy.sd.VAE:
    """The autoencoder as the host's VAE.

    The host has no way of its own for that: by a state dict's names, as by `config`, it makes only the networks that it knows.
    So its plainest VAE is made, for pixels as latents, and given this network.
    """
    vae = comfy.sd.VAE(sd={"pixel_space_vae": torch.tensor(1.0)})
    network = Autoencoder().eval()
    network.load_state_dict(_weights(AUTOENCODER_FILE))
    vae.first_stage_model = network.to(vae.vae_dtype)
    comfy.model_management.archive_model_dtypes(network)
    vae.disable_offload = True
    vae.patcher = comfy.model_patcher.ModelPatcher(
        network, load_device=vae.device, offload_device=comfy.model_management.vae_offload_device()
    )
    vae.downscale_ratio = vae.upscale_ratio = 8
    vae.latent_channels = 4
    vae.size = None
    vae.memory_used_encode = lambda shape, dtype: 300 * shape[2] * shape[3] * comfy.model_management.dtype_size(dtype)
    vae.memory_used_decode = lambda shape, dtype: (
        300 * 64 * shape[2] * shape[3] * comfy.model_management.dtype_size(dtype)
    )
    return vae
