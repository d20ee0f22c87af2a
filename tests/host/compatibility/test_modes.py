"""Ways to sample, each with SD1.5 and Flux: pictures and masks to start from, sizes, batches, and every sampling node and guider."""

import pytest
import torch

from .checked_run import SETTINGS
from .host_nodes import CFG, SEED

pytestmark = pytest.mark.host


def two_stages(way, model):
    half = way.advanced(model, way.empty(), 0, 3, True, True)
    return way.advanced(model, half, 3, 100, False, False)["samples"]


def sampler_custom(way, model):
    import comfy.samplers
    from comfy_extras.nodes_custom_sampler import SamplerCustom

    sigmas = comfy.samplers.calculate_sigmas(model.get_model_object("model_sampling"), "simple", 4)
    sampler = comfy.samplers.sampler_object("euler")
    task = (way.each.positive, way.each.negative, sampler, sigmas, way.empty())
    return SamplerCustom.execute(model, True, SEED, CFG, *task).result[0]["samples"]


def guided_by(guider, **settings):
    """A way to sample with SamplerCustomAdvanced and this guider node; settings come after the conditioning."""

    def sample(way, model):
        from comfy_extras import nodes_custom_sampler as custom
        from comfy_extras import nodes_perpneg as perpneg

        node = getattr(custom, guider, None) or getattr(perpneg, guider, None)
        if node is None:
            pytest.skip(f"this ComfyUI has no {guider}")
        texts = {
            "BasicGuider": (way.each.positive,),
            "CFGGuider": (way.each.positive, way.each.negative),
            "DualCFGGuider": (way.each.positive, way.each.third, way.each.negative),
            "PerpNegGuider": (way.each.positive, way.each.negative, way.each.third),
        }
        if guider == "DualModelGuider":
            made = node.execute(
                model, way.each.positive, model_negative=way.each.model.clone(), negative=way.each.negative, **settings
            )
        else:
            made = node.execute(model, *texts[guider], **settings)
        return way.custom(model, made.result[0])

    return sample


def inpainting_model(way, model):
    """Conditioning as InpaintModelConditioning makes it of an encoded picture and a mask."""
    pixels = torch.nn.functional.interpolate(way.mask, scale_factor=8)
    more = {"concat_latent_image": way.picture.flip(0), "concat_mask": pixels}
    positive = [[text, options | more] for text, options in way.each.positive]
    return way.ksampler(model, {"samples": way.picture, "noise_mask": way.mask}, positive)


def differential_diffusion(way, model):
    from comfy_extras.nodes_differential_diffusion import DifferentialDiffusion

    ramp = torch.linspace(0, 1, way.shape[-1]).expand(2, 1, *way.shape[1:])
    model = DifferentialDiffusion.execute(model).result[0]
    return way.ksampler(model, {"samples": way.picture, "noise_mask": ramp})


MODES = {
    "text to image": lambda way, model: way.ksampler(model),
    "one image": lambda way, model: way.ksampler(model, way.empty(1)),
    "batch of 5": lambda way, model: way.ksampler(model, way.empty(5)),
    "batch_index 4, 1": lambda way, model: way.ksampler(model, way.empty() | {"batch_index": [4, 1]}),
    **{
        f"img2img, denoise {denoise}": lambda way, model, denoise=denoise: way.ksampler(
            model, {"samples": way.picture}, denoise=denoise, steps=5
        )
        for denoise in (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
    },
    "inpainting, noise mask": lambda way, model: way.ksampler(model, {"samples": way.picture, "noise_mask": way.mask}),
    "inpainting, mask, denoise 0.5": lambda way, model: way.ksampler(
        model, {"samples": way.picture, "noise_mask": way.mask}, denoise=0.5, steps=5
    ),
    "DifferentialDiffusion": differential_diffusion,
    "KSampler (Advanced)": lambda way, model: way.advanced(model, way.empty(), 0, 100, True, False)["samples"],
    "KSampler (Advanced), two stages": two_stages,
    "SamplerCustom": sampler_custom,
    "BasicGuider": guided_by("BasicGuider"),
    "CFGGuider": guided_by("CFGGuider", cfg=CFG),
    "CFGGuider, cfg 1": guided_by("CFGGuider", cfg=1.0),
    "DualCFGGuider, regular": guided_by("DualCFGGuider", cfg_conds=CFG, cfg_cond2_negative=1.5, style="regular"),
    "DualCFGGuider, nested": guided_by("DualCFGGuider", cfg_conds=CFG, cfg_cond2_negative=1.5, style="nested"),
    "PerpNegGuider": guided_by("PerpNegGuider", cfg=CFG, neg_scale=0.7),
    "DualModelGuider": guided_by("DualModelGuider", cfg=CFG),
    "DualModelGuider, cfg 1": guided_by("DualModelGuider", cfg=1.0),
}


@pytest.mark.parametrize("name", ["SD1.5", "Flux"])
@pytest.mark.parametrize("mode", MODES)
def test_every_way_to_sample(way, checked, notes, name, mode):
    this = way(name)
    cell = checked(this.each.model, lambda model: MODES[mode](this, model), this.shape)
    notes.measure(cell)
    notes.add("modes", mode, name, cell)


@pytest.mark.parametrize(("name", "base"), [("SD1.5 inpainting", "SD1.5"), ("Flux inpainting", "Flux")])
def test_inpainting_models(way, checked, notes, name, base):
    this = way(name)
    with_picture = inpainting_model(this, this.each.model)
    without = this.ksampler(this.each.model, {"samples": this.picture, "noise_mask": this.mask})
    assert not torch.equal(with_picture, without), "the picture must reach the network"
    cell = checked(this.each.model, lambda model: inpainting_model(this, model), this.shape)
    notes.measure(cell)
    channels = this.each.model.model.model_config.unet_config["in_channels"]
    notes.add("modes", "inpainting model", base, f"{cell}, {channels} channels")


@pytest.mark.parametrize(
    ("mode", "factor"),
    [
        *((mode, 1.0) for mode in MODES if "Guider" in mode and "cfg 1" not in mode and "nested" not in mode),
        ("DualCFGGuider, nested", 1.5),
    ],
)
def test_what_a_guider_makes_of_the_move(way, apply, lookahead_set, notes, mode, factor):
    """The last of the steps ends in what the guider hands to the sampler: the prediction as LiDAR left it, or more."""
    this, results = way("SD1.5"), []
    lookaheads = lookahead_set(this.shape, this.each.model.model)
    settings = SETTINGS | {"start_percent": 0.75, "end_percent": 1.0}
    for scale in (0.0, 0.3, 0.6):
        model, handed = this.each.model.clone(), []
        guided, _ = apply(model, lookaheads, **settings | {"guidance_scale": scale})
        guided.set_model_sampler_post_cfg_function(
            lambda args, handed=handed: handed.append(args["denoised"]) or args["denoised"]
        )
        results.append((this.each.model.model.process_latent_in(MODES[mode](this, guided)), handed[-1]))
    (plain, before), *moved = results
    for result, after in moved:
        torch.testing.assert_close(result - plain, factor * (after - before), rtol=1e-3, atol=1e-3)
    times = "once" if factor == 1 else f"times its cfg_cond2_negative, here {factor}"
    notes.add("guiders", mode, "the move reaches the sampler", times)


@pytest.mark.parametrize("name", ["SD1.5", "Flux"])
@pytest.mark.parametrize("size", [(9, 7), (5, 11), (1, 3)])
def test_odd_sizes(way, checked, notes, name, size):
    this = way(name)
    this.shape = (this.shape[0], *size)
    cell = checked(this.each.model, this.ksampler, this.shape)
    notes.measure(cell)
    notes.add("modes", f"latent of {size[0]} x {size[1]}", name, cell)


def test_lidar_on_the_negative_model_guides_nothing(way, apply, lookahead_set, notes):
    """The guider asks that model for the negative prompt alone, and the node says what that means."""
    from comfy_extras import nodes_custom_sampler as custom

    if not hasattr(custom, "DualModelGuider"):
        pytest.skip("this ComfyUI has no DualModelGuider")
    this = way("SD1.5")
    model = this.each.model
    lidar, told = apply(model, lookahead_set(this.shape, model.model), **SETTINGS)

    def sample(negative):
        texts = {"positive": this.each.positive, "negative": this.each.negative}
        guider = custom.DualModelGuider.execute(model.clone(), model_negative=negative, cfg=CFG, **texts).result[0]
        return this.custom(model, guider)

    assert torch.equal(sample(lidar), sample(model.clone()))
    assert "negative" in told[-1]
    notes.add("guiders", "DualModelGuider, LiDAR on model_negative", "the move reaches the sampler", "never")
