"""Every model family that docs/compatibility.md names, built from the host's own classes at tiny size with random weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch

_UNET = {
    "image_size": 32,
    "in_channels": 4,
    "out_channels": 4,
    "model_channels": 32,
    "num_res_blocks": [1, 1, 1],
    "channel_mult": [1, 2, 2],
    "transformer_depth": [0, 1, 1],
    "transformer_depth_middle": 1,
    "transformer_depth_output": [0, 0, 1, 1, 1, 1],
    "context_dim": 64,
    "use_spatial_transformer": True,
    "use_temporal_attention": False,
    "legacy": False,
}
_SD15 = _UNET | {
    "use_linear_in_transformer": False,
    "transformer_depth": [1, 1, 1],
    "transformer_depth_output": [1, 1, 1, 1, 1, 1],
}
_SDXL = _UNET | {
    "num_head_channels": 16,
    "adm_in_channels": 2816,
    "num_classes": "sequential",
    "use_linear_in_transformer": True,
}
_REFINER = _SDXL | {"adm_in_channels": 2560}
_SD2 = _UNET | {"use_linear_in_transformer": True}
_FLUX = {
    "image_model": "flux", "in_channels": 16, "out_channels": 16, "vec_in_dim": 32, "context_in_dim": 48, "hidden_size": 64,
    "mlp_ratio": 2.0, "num_heads": 2, "depth": 1, "depth_single_blocks": 1, "axes_dim": [8, 12, 12], "theta": 10000,
    "patch_size": 2, "qkv_bias": True, "guidance_embed": True, "txt_ids_dims": [],
}  # fmt: skip
_FLUX2 = _FLUX | {
    "image_model": "flux2", "in_channels": 128, "out_channels": 128, "vec_in_dim": None, "axes_dim": [8, 8, 8, 8],
    "theta": 2000, "patch_size": 1, "qkv_bias": False, "txt_ids_dims": [3], "global_modulation": True, "mlp_silu_act": True,
    "ops_bias": False, "default_ref_method": "index",
}  # fmt: skip
_CHROMA = {
    "image_model": "chroma", "in_channels": 64, "out_channels": 64, "context_in_dim": 48, "hidden_size": 64, "mlp_ratio": 2.0,
    "num_heads": 2, "depth": 1, "depth_single_blocks": 1, "axes_dim": [8, 12, 12], "theta": 10000, "patch_size": 2,
    "qkv_bias": True, "in_dim": 64, "out_dim": 64, "hidden_dim": 48, "n_layers": 2, "txt_ids_dims": [], "vec_in_dim": None,
}  # fmt: skip
_LUMINA = {
    "image_model": "lumina2", "patch_size": 2, "in_channels": 16, "dim": 48, "cap_feat_dim": 48, "n_layers": 1,
    "n_refiner_layers": 1, "qk_norm": True, "n_heads": 2, "n_kv_heads": 2, "axes_dims": [8, 8, 8],
    "axes_lens": [300, 512, 512], "multiple_of": 16,
}  # fmt: skip
_ZIMAGE = _LUMINA | {
    "dim": 256, "n_heads": 8, "n_kv_heads": 8, "axes_dims": [8, 12, 12], "z_image_modulation": True, "time_scale": 1000.0,
    "pad_tokens_multiple": 32,
}  # fmt: skip
_HIDREAM = {
    "image_model": "hidream", "attention_head_dim": 32, "axes_dims_rope": [16, 8, 8], "caption_channels": [48, 40],
    "max_resolution": [16, 16], "in_channels": 16, "out_channels": 16, "llama_layers": [0, 1], "num_attention_heads": 2,
    "num_layers": 1, "num_single_layers": 1, "patch_size": 2, "text_emb_dim": 32,
}  # fmt: skip
_PREDICT2 = {
    "image_model": "cosmos_predict2", "max_img_h": 240, "max_img_w": 240, "max_frames": 128, "in_channels": 16,
    "out_channels": 16, "patch_spatial": 2, "patch_temporal": 1, "model_channels": 64, "num_blocks": 1, "num_heads": 2,
    "crossattn_emb_channels": 48, "pos_emb_cls": "rope3d", "pos_emb_learnable": True, "use_adaln_lora": True,
    "adaln_lora_dim": 16, "rope_enable_fps_modulation": False,
}  # fmt: skip
_STAGE = {"c_cond": 64, "c_hidden": [32, 64], "nhead": [2, 2], "blocks": [[1, 1], [1, 1]]}


@dataclass(frozen=True)
class Family:
    """One row of the page. config: a class of comfy.supported_models; latent: the shape of one latent; width: of the text
    embedding; pooled: of the pooled one; more: shapes of further conditioning; marks: what the host reads in a checkpoint."""

    config: str
    unet: Mapping
    latent: tuple[int, ...] = (16, 6, 8)
    width: int = 48
    pooled: int = 32
    masked: bool = False
    more: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    marks: Mapping[str, torch.Tensor] = field(default_factory=dict)


_SMALL = (4, 8, 6)
FAMILIES = {
    "SD1.5": Family("SD15", _SD15, _SMALL, 64),
    "SD1.5 inpainting": Family("SD15", _SD15 | {"in_channels": 9}, _SMALL, 64),
    "SD2 eps": Family("SD20", _SD2, _SMALL, 64),
    "SD2 v": Family(
        "SD20",
        _SD2,
        _SMALL,
        64,
        marks={"output_blocks.11.1.transformer_blocks.0.norm1.bias": torch.tensor([-1.0, 1.0])},
    ),
    "SDXL eps": Family("SDXL", _SDXL, _SMALL, 64, 1280),
    "SDXL v": Family("SDXL", _SDXL, _SMALL, 64, 1280, marks={"v_pred": torch.tensor(1)}),
    "SDXL v, zsnr": Family(
        "SDXL", _SDXL, _SMALL, 64, 1280, marks={"v_pred": torch.tensor(1), "ztsnr": torch.tensor(1)}
    ),
    "SDXL EDM v": Family("SDXL", _SDXL, _SMALL, 64, 1280, marks={"edm_vpred.sigma_max": torch.tensor(120.0)}),
    "SDXL EDM": Family(
        "SDXL", _SDXL, _SMALL, 64, 1280, marks={"edm_mean": torch.zeros(4), "edm_std": torch.ones(4)}
    ),
    "SDXL refiner": Family("SDXLRefiner", _REFINER, _SMALL, 64, 1280),
    "SD3": Family(
        "SD3",
        {
            "in_channels": 16, "patch_size": 2, "out_channels": 16, "depth": 1, "input_size": None, "adm_in_channels": 32,
            "context_embedder_config": {"target": "torch.nn.Linear", "params": {"in_features": 48, "out_features": 64}},
            "num_patches": 64, "pos_embed_max_size": 8, "pos_embed_scaling_factor": None,
        },
    ),  # fmt: skip
    "Flux": Family("Flux", _FLUX),
    "Flux inpainting": Family("FluxInpaint", _FLUX | {"in_channels": 96}),
    "Flux2": Family("Flux2", _FLUX2, (128, 4, 3)),
    "Chroma": Family("Chroma", _CHROMA),
    "AuraFlow": Family(
        "AuraFlow",
        {
            "max_seq": 64, "cond_seq_dim": 48, "dim": 64, "n_layers": 2, "n_double_layers": 1, "n_heads": 2,
            "global_conddim": 64,
        },
        _SMALL,
    ),  # fmt: skip
    "Lumina2": Family("Lumina2", _LUMINA, pooled=0),
    "Z-Image": Family("ZImage", _ZIMAGE, pooled=0),
    "HiDream": Family("HiDream", _HIDREAM, more={"conditioning_llama3": (1, 2, 5, 40)}),
    "Qwen-Image": Family(
        "QwenImage",
        {
            "image_model": "qwen_image", "in_channels": 64, "num_layers": 1, "attention_head_dim": 32,
            "num_attention_heads": 2, "joint_attention_dim": 48, "axes_dims_rope": (8, 12, 12),
        },
        (16, 1, 6, 8),
    ),  # fmt: skip
    "Wan 2.1": Family(
        "WAN21_T2V",
        {
            "image_model": "wan2.1", "model_type": "t2v", "dim": 64, "ffn_dim": 64, "num_heads": 2, "num_layers": 1,
            "text_dim": 48, "freq_dim": 32, "in_dim": 16, "out_dim": 16, "text_len": 16,
        },
        (16, 3, 6, 8),
    ),  # fmt: skip
    "LTXV": Family(
        "LTXV",
        {
            "image_model": "ltxv", "in_channels": 128, "cross_attention_dim": 64, "attention_head_dim": 32,
            "num_attention_heads": 2, "caption_channels": 48, "num_layers": 1,
        },
        (128, 3, 2, 3),
        masked=True,
    ),  # fmt: skip
    "Cosmos Predict2": Family("CosmosT2IPredict2", _PREDICT2, (16, 1, 6, 8)),
    "Cascade C": Family(
        "Stable_Cascade_C", _STAGE | {"c_clip_text": 48, "c_clip_text_pooled": 32, "stable_cascade_stage": "c"}
    ),
    "Cascade B": Family(
        "Stable_Cascade_B",
        _STAGE
        | {"c_clip": 32, "level_config": ["CT", "CTA"], "block_repeat": [[1, 1], [1, 1]], "stable_cascade_stage": "b"},
        (4, 8, 6), more={"stable_cascade_prior": (1, 16, 2, 2)},
    ),
}  # fmt: skip


@torch.no_grad()
def build(family: str):
    """Return a ModelPatcher around the host's own model of the family, with random weights, on the CPU."""
    import comfy.model_patcher
    import comfy.supported_models

    row = FAMILIES[family]
    config = getattr(comfy.supported_models, row.config)({**row.unet, "dtype": torch.float32})
    model = config.get_model(dict(row.marks))
    generator = torch.Generator().manual_seed(11)
    for name, parameter in model.named_parameters():
        # The host's layers leave their weights uninitialised, for a checkpoint to fill.
        if parameter.ndim > 1:
            parameter.normal_(std=parameter[0].numel() ** -0.5, generator=generator)
        else:
            parameter.fill_(1.0 if name.endswith(("weight", "scale")) else 0.0)
    for name, buffer in model.named_buffers():
        if name.endswith("pos_embed"):  # read from a checkpoint too
            buffer.normal_(generator=generator)
    device = torch.device("cpu")
    return comfy.model_patcher.ModelPatcher(model, load_device=device, offload_device=device)


def conditioning(family: str, seed: int) -> list:
    """Return what the family's text encoder would give: random numbers of the right shapes."""
    row, generator = FAMILIES[family], torch.Generator().manual_seed(seed)
    options = {name: torch.randn(shape, generator=generator) for name, shape in row.more.items()}
    if row.pooled:
        options["pooled_output"] = torch.randn(1, row.pooled, generator=generator)
    if row.masked:
        options["attention_mask"] = torch.ones(1, 5, dtype=torch.long)
    return [[torch.randn(1, 5, row.width, generator=generator), options]]


def lookaheads(shape: tuple[int, ...], count: int, model) -> torch.Tensor:
    """Return (count, *shape) latents in VAE space; in the space of the model they have a spread of about 1."""
    generator = torch.Generator().manual_seed(31)
    return model.process_latent_out(torch.randn(count, *shape, generator=generator))
