"""Widgets that more than one LiDAR node shows: one meaning, one range and one tooltip for each setting.

Each function returns new inputs; `defaults` is the LookaheadConfig class, whose field defaults they show.
"""

import comfy.samplers
from comfy_api.latest import io

STANDARDISED, RAW = "standardised", "raw"


def lookahead_sampler_inputs(defaults) -> list[io.Input]:
    """Return count, steps, cfg, sampler_name and scheduler of the lookahead phase."""
    return [
        io.Int.Input(
            "count",
            default=defaults.count,
            min=1,
            max=1024,
            tooltip=(
                "How many lookaheads (quick trial images) are drawn and scored. 8 to 100 are useful: more steer better, "
                "and the time of the lookahead phase grows with them. 1 cannot steer; 0 is not possible, use a "
                "guidance_scale of 0 to switch LiDAR off."
            ),
        ),
        io.Int.Input(
            "steps",
            default=defaults.steps,
            min=1,
            max=1000,
            tooltip=(
                "Sampling steps of each lookahead. 4 to 8 are enough for an ordinary model, 1 to 4 for a distilled one: "
                "a lookahead only has to show what the image will be. 0 is not possible."
            ),
        ),
        io.Float.Input(
            "cfg",
            default=defaults.cfg,
            min=0.0,
            max=100.0,
            step=0.1,
            round=0.01,
            tooltip=(
                "Classifier-free guidance scale of the lookaheads, usually that of the final sampler; 1 for distilled "
                "models and for Flux. 0 ignores the prompt."
            ),
        ),
        io.Combo.Input(
            "sampler_name",
            options=comfy.samplers.KSampler.SAMPLERS,
            default=defaults.sampler_name,
            tooltip=(
                "Sampler of the lookaheads. dpmpp_2m is good with few steps, euler for flow models, lcm for LCM and "
                "DMD2 models. It need not be that of the final sampler."
            ),
        ),
        io.Combo.Input(
            "scheduler",
            options=comfy.samplers.KSampler.SCHEDULERS,
            default=defaults.scheduler,
            tooltip=(
                "Noise schedule of the lookaheads. karras suits dpmpp_2m with few steps, simple flow models, "
                "sgm_uniform distilled models."
            ),
        ),
    ]


def batch_size_input(defaults) -> io.Input:
    """Return batch_size, the number of lookaheads sampled at once."""
    return io.Int.Input(
        "batch_size",
        default=defaults.batch_size,
        min=1,
        max=1024,
        advanced=True,
        tooltip=(
            "How many images are worked on at the same time. Larger is faster on a GPU and needs more memory; lower it "
            "if memory runs out. The starting noise does not depend on it. 0 is not possible."
        ),
    )


def reward_prompt_input(*, raw_link: bool | None = None, lazy: bool | None = None) -> io.Input:
    """Return prompt, the text that the reward model reads."""
    return io.String.Input(
        "prompt",
        multiline=True,
        default="",
        raw_link=raw_link,
        lazy=lazy,
        tooltip=(
            "What the reward model compares the images with, usually the positive prompt in plain words. Rewards that "
            "read no text (brightness, colourfulness) ignore it."
        ),
    )


def guidance_inputs(defaults) -> list[io.Input]:
    """Return guidance_scale, reward_strength, reward_scale, start_percent and end_percent of the guided phase."""
    return [
        io.Float.Input(
            "guidance_scale",
            default=defaults.guidance_scale,
            min=0.0,
            max=100.0,
            step=0.1,
            tooltip=(
                "How strongly the image is pulled towards the rewarded lookaheads (s in the paper): the main knob. 1 is "
                "the exact rule, 4 to 13 are usual for SD 1.5 and SDXL, 40 for Flux in a short window. Too high smears "
                "or duplicates. 0 switches LiDAR off and gives exactly the ordinary result."
            ),
        ),
        io.Float.Input(
            "reward_strength",
            default=defaults.reward_strength,
            min=0.0,
            max=1_000_000.0,
            step=1.0,
            tooltip=(
                "How much the best lookaheads are preferred over the nearest (lambda in the paper), per standard "
                "deviation of the rewards, or per unit of the reward with reward_scale raw. 1000 to 10000 are useful "
                "for full-size latents, less for small ones; tune guidance_scale first. 0 ignores the rewards and "
                "switches LiDAR off."
            ),
        ),
        io.Combo.Input(
            "reward_scale",
            options=[STANDARDISED, RAW],
            default=defaults.reward_scale,
            advanced=True,
            tooltip=(
                "standardised: the rewards of this prompt are brought to mean 0 and standard deviation 1 first, so that "
                "one reward_strength suits every reward model. raw: the scores as they are, as in the paper; then "
                "reward_strength must fit the reward model (5000 for ImageReward)."
            ),
        ),
        io.Float.Input(
            "start_percent",
            default=defaults.start_percent,
            min=0.0,
            max=1.0,
            step=0.001,
            advanced=True,
            tooltip="Where guidance begins, as a fraction of the sampling process. 0 is the first step and the usual value.",
        ),
        io.Float.Input(
            "end_percent",
            default=defaults.end_percent,
            min=0.0,
            max=1.0,
            step=0.001,
            advanced=True,
            tooltip=(
                "Where guidance ends, as a fraction of the sampling process; the steps after it only refine. 0.8 is "
                "usual, 0.05 for Flux with guidance_scale 40, 1 guides to the very end. 0 switches LiDAR off."
            ),
        ),
    ]
