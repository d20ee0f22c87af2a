"""The settings of the final images, as KSampler has them."""

import comfy.samplers
from comfy_api.latest import io


def final_sampler_inputs(**options) -> list[io.Input]:
    """Return steps, cfg, sampler_name, scheduler and denoise; options: of every input."""
    return [
        io.Int.Input(
            "steps",
            default=20,
            min=1,
            max=10000,
            tooltip="Steps of the final image, 20 to 50 usually. Those of the lookaheads are in lookahead_config. 0 is not possible.",
            **options,
        ),
        io.Float.Input(
            "cfg",
            default=8.0,
            min=0.0,
            max=100.0,
            step=0.1,
            round=0.01,
            tooltip=(
                "Classifier-free guidance scale of the final image: higher follows the prompt more closely, 1 for Flux and "
                "distilled models. In LiDAR KSampler without lookahead_config also that of the lookaheads. 0 ignores the prompt."
            ),
            **options,
        ),
        io.Combo.Input(
            "sampler_name",
            options=comfy.samplers.KSampler.SAMPLERS,
            tooltip="Sampler of the final image. LiDAR works with every sampler.",
            **options,
        ),
        io.Combo.Input(
            "scheduler",
            options=comfy.samplers.KSampler.SCHEDULERS,
            tooltip=(
                "Noise schedule of the final image. In LiDAR KSampler without lookahead_config also that of the lookaheads."
            ),
            **options,
        ),
        io.Float.Input(
            "denoise",
            default=1.0,
            min=0.01,
            max=1.0,
            step=0.01,
            tooltip=(
                "How much of latent_image is replaced, for lookaheads and final image: 1 makes a new image, lower values "
                "keep its structure. 0 is not possible, 0.01 is the least."
            ),
            **options,
        ),
    ]
