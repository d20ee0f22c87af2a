"""The host's own nodes, called for one family at tiny size."""

from __future__ import annotations

import torch

SEED, CFG = 3, 2.0


class Way:
    """The host's sampling nodes for one family, with its conditioning."""

    def __init__(self, each):
        self.each, self.shape = each, each.shape
        generator = torch.Generator().manual_seed(8)
        self.picture = each.model.model.process_latent_out(torch.randn(2, *self.shape, generator=generator))
        self.mask = torch.zeros(2, 1, *self.shape[1:])
        self.mask[..., self.shape[-1] // 2 :] = 1

    def empty(self, count=2):
        return {"samples": torch.zeros(count, *self.shape)}

    def ksampler(self, model, latent=None, positive=None, **settings):
        import nodes

        settings = {"steps": 4, "denoise": 1.0} | settings
        return nodes.common_ksampler(
            model, SEED, settings["steps"], CFG, "euler", "simple", positive or self.each.positive, self.each.negative,
            latent or self.empty(), denoise=settings["denoise"],
        )[0]["samples"]  # fmt: skip

    def advanced(self, model, latent, first, last, noise, leftover):
        import nodes

        return nodes.KSamplerAdvanced().sample(
            model, "enable" if noise else "disable", SEED, 6, CFG, "euler", "simple", self.each.positive,
            self.each.negative, latent, first, last, "enable" if leftover else "disable",
        )[0]  # fmt: skip

    def custom(self, model, guider):
        import comfy.samplers
        from comfy_extras import nodes_custom_sampler as custom

        sigmas = comfy.samplers.calculate_sigmas(model.get_model_object("model_sampling"), "simple", 4)
        noise, sampler = custom.Noise_RandomNoise(SEED), comfy.samplers.sampler_object("euler")
        return custom.SamplerCustomAdvanced.execute(noise, guider, sampler, sigmas, self.empty()).result[0]["samples"]
