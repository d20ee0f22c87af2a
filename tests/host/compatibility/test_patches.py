"""What else changes a model or its conditioning: each beside LiDAR, put on the model before it and after it."""

from importlib import import_module

import pytest
import torch

from .tiny_families import FAMILIES

pytestmark = pytest.mark.host
UNET, BOTH, DIT = ("SD1.5",), ("SD1.5", "Flux"), ("Flux",)


def patch(module: str, node: str, **settings):
    """A function (way, model) -> model that calls this node of the host."""

    def apply(way, model):
        cls = getattr(import_module(f"comfy_extras.{module}"), node, None)
        if cls is None:
            pytest.skip(f"this ComfyUI has no {node}")
        function = cls.execute if hasattr(cls, "execute") else getattr(cls(), cls.FUNCTION)
        result = function(model=model, **settings)
        return getattr(result, "result", result)[0]

    return apply


def lora_weights(model, rank=2):
    """A LoRA on every attention projection, in the common format of trainers."""
    generator, weights = torch.Generator().manual_seed(9), {}
    for name, parameter in model.model.diffusion_model.named_parameters():
        if parameter.ndim == 2 and ("attn" in name or "linear" in name):
            key = "lora_unet_" + name.removesuffix(".weight").replace(".", "_")
            weights[f"{key}.lora_down.weight"] = torch.randn(rank, parameter.shape[1], generator=generator) * 0.1
            weights[f"{key}.lora_up.weight"] = torch.randn(parameter.shape[0], rank, generator=generator) * 0.1
    assert weights
    return weights


def lora(way, model):
    import comfy.sd

    patched = comfy.sd.load_lora_for_models(model, None, lora_weights(model), 1.0, 0)[0]
    assert patched.patches
    return patched


def hooked(way):
    """The positive conditioning with a LoRA hook for half of the run."""
    import comfy.hooks

    hooks = comfy.hooks.create_hook_lora(lora_weights(way.each.model), 1.0, 0.0)
    return comfy.hooks.set_conds_props(
        [way.each.positive], strength=1.0, set_cond_area="default", hooks=hooks, timesteps_range=(0.0, 0.5)
    )[0]


def controlled(way):
    """The positive conditioning with a ControlNet of tiny size."""
    import comfy.cldm.cldm
    import comfy.controlnet

    import nodes

    unet = {name: value for name, value in FAMILIES["SD1.5"].unet.items() if name not in ("out_channels", "image_size")}
    unet |= {"num_heads": 8, "hint_channels": 3, "image_size": 32, "dtype": torch.float32}
    network = comfy.cldm.cldm.ControlNet(**unet, operations=comfy.ops.disable_weight_init)
    generator = torch.Generator().manual_seed(12)
    for parameter in network.parameters():
        parameter.requires_grad_(False)
        parameter.normal_(std=0.1, generator=generator)
    control = comfy.controlnet.ControlNet(network, load_device=torch.device("cpu"))
    picture = torch.rand(1, way.shape[1] * 8, way.shape[2] * 8, 3, generator=generator)
    return nodes.ControlNetApplyAdvanced().apply_controlnet(
        way.each.positive, way.each.negative, control, picture, 1.0, 0.0, 0.8
    )[0]


def masked(way):
    """Two texts, one in the left half and one in the whole picture."""
    import nodes

    mask = torch.zeros(1, way.shape[1] * 8, way.shape[2] * 8)
    mask[..., : way.shape[2] * 4] = 1
    left = nodes.ConditioningSetMask().append(way.each.third, mask, "default", 1.0)[0]
    return nodes.ConditioningCombine().combine(way.each.positive, left)[0]


def timed(way):
    """One text for the first half of the process and another for the rest."""
    import nodes

    ranged = nodes.ConditioningSetTimestepRange().set_range
    return ranged(way.each.positive, 0.0, 0.5)[0] + ranged(way.each.third, 0.5, 1.0)[0]


ALPHA = {"scale": 2.0, "start_percent": 0.0, "end_percent": 0.8}
CACHE = {"reuse_threshold": 3.0, "start_percent": 0.0, "end_percent": 1.0, "verbose": False}
ONE_IMAGE = ("RenormCFG", "TemporalScoreRescaling")  # the nodes themselves fail with a batch
MODELS = {
    "LoRA": (BOTH, lora),
    "PerturbedAttentionGuidance": (UNET, patch("nodes_pag", "PerturbedAttentionGuidance", scale=2.0)),
    "SelfAttentionGuidance": (UNET, patch("nodes_sag", "SelfAttentionGuidance", scale=0.5, blur_sigma=2.0)),
    "SkipLayerGuidanceDiT": (DIT, patch("nodes_slg", "SkipLayerGuidanceDiT", double_layers="0", single_layers="0", **ALPHA)),
    "NAGuidance": (DIT, patch("nodes_nag", "NAGuidance", nag_scale=3.0, nag_alpha=0.5, nag_tau=1.5)),
    "FreeU": (UNET, patch("nodes_freelunch", "FreeU", b1=1.1, b2=1.2, s1=0.9, s2=0.2)),
    "FreeU_V2": (UNET, patch("nodes_freelunch", "FreeU_V2", b1=1.3, b2=1.4, s1=0.9, s2=0.2)),
    "FreSca": (BOTH, patch("nodes_fresca", "FreSca", scale_low=1.0, scale_high=1.25, freq_cutoff=2)),
    "TomePatchModel": (UNET, patch("nodes_tomesd", "TomePatchModel", ratio=0.3)),
    "PatchModelAddDownscale": (
        UNET,
        patch(
            "nodes_model_downscale", "PatchModelAddDownscale", block_number=2, downscale_factor=2.0, start_percent=0.0,
            end_percent=0.35, downscale_after_skip=True, downscale_method="bicubic", upscale_method="bicubic",
        ),
    ),
    "RescaleCFG": (BOTH, patch("nodes_model_advanced", "RescaleCFG", multiplier=0.7)),
    "APG": (BOTH, patch("nodes_apg", "APG", eta=1.0, norm_threshold=5.0, momentum=-0.5)),
    "TCFG": (BOTH, patch("nodes_tcfg", "TCFG")),
    "CFGZeroStar": (BOTH, patch("nodes_cfg", "CFGZeroStar")),
    "CFGNorm": (BOTH, patch("nodes_cfg", "CFGNorm", strength=1.0)),
    "Mahiro": (BOTH, patch("nodes_mahiro", "Mahiro")),
    "RenormCFG": (DIT, patch("nodes_lumina2", "RenormCFG", cfg_trunc=100.0, renorm_cfg=1.0)),
    "EpsilonScaling": (BOTH, patch("nodes_eps", "EpsilonScaling", scaling_factor=1.005)),
    "TemporalScoreRescaling": (BOTH, patch("nodes_eps", "TemporalScoreRescaling", tsr_k=0.95, tsr_sigma=1.0)),
    "EasyCache": (DIT, patch("nodes_easycache", "EasyCacheNode", **CACHE)),
    "LazyCache": (BOTH, patch("nodes_easycache", "LazyCacheNode", **CACHE)),
    "ModelSamplingDiscrete, v": (UNET, patch("nodes_model_advanced", "ModelSamplingDiscrete", sampling="v_prediction", zsnr=True)),
    "ModelSamplingDiscrete, lcm": (UNET, patch("nodes_model_advanced", "ModelSamplingDiscrete", sampling="lcm", zsnr=False)),
    "ModelSamplingDiscrete, x0": (UNET, patch("nodes_model_advanced", "ModelSamplingDiscrete", sampling="x0", zsnr=False)),
    "ModelSamplingContinuousEDM": (
        UNET, patch("nodes_model_advanced", "ModelSamplingContinuousEDM", sampling="edm", sigma_max=80.0, sigma_min=0.002),
    ),
    "ModelSamplingFlux": (
        DIT, patch("nodes_model_advanced", "ModelSamplingFlux", max_shift=1.15, base_shift=0.5, width=64, height=48),
    ),
}  # fmt: skip
CONDITIONINGS = {
    "LoRA hook, half of the run": (BOTH, hooked),
    "ControlNet": (UNET, controlled),
    "two texts, one masked": (BOTH, masked),
    "two texts, by time": (BOTH, timed),
}


def pairs(table):
    return [(name, family) for name, (families, _) in table.items() for family in families]


@pytest.mark.parametrize(("patch", "name"), pairs(MODELS))
def test_every_patch_of_the_model(way, checked, notes, patch, name):
    this, apply = way(name), MODELS[patch][1]
    latent = this.empty(1 if patch in ONE_IMAGE else 2)
    patched, row = apply(this, this.each.model), f"{patch}, one image" if patch in ONE_IMAGE else patch

    def sample(model):
        return this.ksampler(model, latent)

    assert not torch.equal(sample(patched), sample(this.each.model)), "the patch must change something"
    first = checked(patched, sample, this.shape)
    notes.measure(first)
    notes.add("patches", row, f"{name}, before LiDAR", first)
    if not patch.startswith("ModelSampling"):  # after it they would change what was checked
        last = checked(this.each.model, lambda model: sample(apply(this, model)), this.shape)
        notes.measure(last)
        notes.add("patches", row, f"{name}, after LiDAR", last)


@pytest.mark.parametrize(("condition", "name"), pairs(CONDITIONINGS))
def test_every_conditioning(way, checked, notes, condition, name):
    this = way(name)
    positive = CONDITIONINGS[condition][1](this)
    changed = this.ksampler(this.each.model, positive=positive)
    assert not torch.equal(changed, this.ksampler(this.each.model)), "the conditioning must change something"
    cell = checked(this.each.model, lambda model: this.ksampler(model, positive=positive), this.shape)
    notes.measure(cell)
    notes.add("modes", condition, name, cell)
