"""Real host models at tiny size, so that the nodes meet the host's own samplers in this process within seconds."""

from __future__ import annotations

import sys
from importlib import import_module

import pytest
import torch

UNET = {
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
    "num_head_channels": 16,
    "adm_in_channels": 2816,
    "num_classes": "sequential",
    "use_linear_in_transformer": True,
    "use_spatial_transformer": True,
    "use_temporal_attention": False,
    "legacy": False,
    "dtype": torch.float32,
}

# What the host's SDXL class reads in a checkpoint to tell its parametrisation.
CHECKPOINT_MARKS = {
    "EPS": {},
    "V_PREDICTION": {"v_pred": torch.tensor(1), "ztsnr": torch.tensor(1)},
    "V_PREDICTION_EDM": {"edm_vpred.sigma_max": torch.tensor(120.0), "edm_vpred.sigma_min": torch.tensor(0.002)},
    "EDM": {"edm_mean": torch.zeros(4), "edm_std": torch.ones(4)},
}


VIDEO_UNET = UNET | {
    "in_channels": 8, "adm_in_channels": 768, "use_temporal_attention": True, "use_temporal_resblock": True,
    "extra_ff_mix_layer": True, "use_spatial_context": True, "merge_strategy": "learned_with_images", "merge_factor": 0.0,
    "video_kernel_size": [3, 1, 1],
}  # fmt: skip


@pytest.fixture(scope="session")
def build_model(comfy):
    """build_model(family) -> a ModelPatcher around a tiny random UNet: comfy.model_base.SDXL of that parametrisation, or
    one of the host's classes beside it.
    """
    import comfy.model_patcher
    import comfy.supported_models
    from comfy_extras import nodes_model_advanced

    @torch.no_grad()
    def build(family: str):
        others = {
            "SDXL_instructpix2pix": (comfy.supported_models.SDXL_instructpix2pix, UNET | {"in_channels": 8}),
            "SVD_img2vid": (comfy.supported_models.SVD_img2vid, VIDEO_UNET),
        }
        supported, unet = others.get(family, (comfy.supported_models.SDXL, UNET))
        config = supported(dict(unet))
        model = config.get_model(CHECKPOINT_MARKS.get(family, {}))
        generator = torch.Generator().manual_seed(11)
        for name, parameter in model.named_parameters():
            # The host's layers leave their weights uninitialised, for a checkpoint to fill.
            if parameter.ndim > 1:
                parameter.normal_(std=parameter[0].numel() ** -0.5, generator=generator)
            else:
                parameter.fill_(1.0 if name.endswith("weight") else 0.0)
        device = torch.device("cpu")
        patcher = comfy.model_patcher.ModelPatcher(model, load_device=device, offload_device=device)
        if family.startswith("CONST"):
            patcher = nodes_model_advanced.ModelSamplingSD3().patch(patcher, 3.0)[0]
        if family == "CONST_NOISE_SCALE":
            if not hasattr(nodes_model_advanced, "ModelNoiseScale"):
                pytest.skip("this ComfyUI has no Model Noise Scale")
            patcher = nodes_model_advanced.ModelNoiseScale().patch(patcher, 2.0)[0]
        return patcher

    return build


@pytest.fixture(scope="session")
def conditioning():
    """(positive, negative) as CLIP Text Encode would give them to the tiny model."""
    generator = torch.Generator().manual_seed(5)

    def encode():
        tokens = torch.randn(1, 7, UNET["context_dim"], generator=generator)
        return [[tokens, {"pooled_output": torch.randn(1, 1280, generator=generator)}]]

    return encode(), encode()


@pytest.fixture(scope="session")
def nodes_room(pack, node_classes):
    """nodes_room("host.post_cfg") -> the module nodes/host/post_cfg.py of the pack as the host loaded it."""

    def module(name: str):
        return sys.modules[f"{pack.__name__}.nodes.{name}"]

    return module


@pytest.fixture(scope="session")
def lidar_core(pack, node_classes):
    """The pack's lidar_core as its nodes see it."""
    return sys.modules[f"{pack.__name__}.lidar_core"]


@pytest.fixture(autouse=True)
def no_gradients():
    """As in the host, where every node runs in inference mode."""
    with torch.inference_mode():
        yield


@pytest.fixture(scope="session")
def bench(pack, node_classes):
    """bench("rivals.feynman_kac") -> that module of benchmarks/, which has to wait until the host is importable."""
    return lambda name: import_module(f"benchmarks.{name}")
