"""Every setting of LiDAR besides the final sampler's own: its name, default, range and tooltip, once.

A node shows those of a group below, in this order. Nothing else in the pack states a default of theirs.
"""

from types import MappingProxyType

import comfy.samplers
from comfy_api.latest import io

STANDARDISED, RAW = "standardised", "raw"
DIFFERENCE, BLEND = "difference", "blend"
OWN_NOISE, BEST_LOOKAHEADS, CONTINUE_BEST = "own noise", "best lookaheads", "continue the best"
THIS_RUN, WHOLE_PROCESS = "this run", "whole process"

SAMPLING = ("count", "steps", "cfg", "sampler_name", "scheduler")
"""How lookaheads are drawn: LiDAR Sample Lookaheads."""
GUIDANCE = (
    "guidance_form", "guidance_scale", "reward_strength", "effective_dimension", "reward_scale", "start_percent",
    "end_percent",
)  # fmt: skip
"""How they guide: LiDAR Apply Guidance."""
EVERY = ("start_from", "count", "finish", "cut_percent", *SAMPLING[1:], *GUIDANCE, "steady_scores", "batch_size")
"""LiDAR Lookahead Config."""


def _definitions() -> tuple[io.Input, ...]:
    """One input for each setting. Made anew each time, for other packs add samplers while the host starts."""
    return (
        io.Int.Input(
            "count",
            default=8,
            min=1,
            max=1024,
            tooltip=(
                "How many lookaheads (trial images) are drawn and scored. 8 where the best continue, 16 to 100 with a distilled "
                "model: more find better ones, and the time grows with them. 1 cannot steer; 0 is not possible, use a "
                "guidance_scale of 0 to switch LiDAR off."
            ),
        ),
        io.Int.Input(
            "steps",
            default=6,
            min=1,
            max=1000,
            tooltip=(
                "Sampling steps of each lookahead. 4 to 8 are enough for an ordinary model, 1 to 4 for a distilled one: "
                "a lookahead only has to show what the image will be. 0 is not possible."
            ),
        ),
        io.Float.Input(
            "cfg",
            default=7.5,
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
            default="dpmpp_2m",
            tooltip=(
                "Sampler of the lookaheads. dpmpp_2m is good with few steps, euler for flow models, lcm for LCM and "
                "DMD2 models. It need not be that of the final sampler."
            ),
        ),
        io.Combo.Input(
            "scheduler",
            options=comfy.samplers.KSampler.SCHEDULERS,
            default="karras",
            tooltip=(
                "Noise schedule of the lookaheads. karras suits dpmpp_2m with few steps, simple flow models, "
                "sgm_uniform distilled models."
            ),
        ),
        io.Combo.Input(
            "start_from",
            options=[CONTINUE_BEST, BEST_LOOKAHEADS, OWN_NOISE],
            default=CONTINUE_BEST,
            tooltip=(
                f"{CONTINUE_BEST}: count images begin as the final sampler makes them, are judged at cut_percent by what they will "
                "be, and the best go on from there. Right for every model without further settings. steps, cfg, sampler_name, "
                "scheduler, lookahead_model and the guidance are not read: after the cut guidance gained nothing. "
                f"{BEST_LOOKAHEADS}: the final images start from the noise of the best lookaheads and are guided; for a distilled "
                f"lookahead_model. {OWN_NOISE}: from noise of their own, as in the paper; only guidance brings the lookaheads in."
            ),
        ),
        io.Float.Input(
            "cut_percent",
            default=0.45,
            min=0.05,
            max=0.95,
            step=0.01,
            tooltip=(
                f"For {CONTINUE_BEST} alone: after which share of the final steps all are judged, 0.4 to 0.5 usually. Later "
                "judges better and costs more; 0 is not possible. Samplers with a memory (dpmpp_2m, uni_pc, ...) begin anew at "
                "the cut, with one step of first order; euler, ddim and heun lose nothing."
            ),
        ),
        io.Int.Input(
            "finish",
            default=0,
            min=0,
            max=1024,
            tooltip=(
                "How many of the best are finished for the whole batch. More than the batch holds: the finished "
                "images are scored once more and the best fill the batch; the time of the final images grows with them. 1, or up to "
                "the batch: each image is finished once, and none is scored again. At most count. 0 is automatic: about as many as the "
                "lookaheads cost. With picks it is not read: each of them is finished."
            ),
        ),
        io.Combo.Input(
            "guidance_form",
            options=[DIFFERENCE, BLEND],
            default=BLEND,
            tooltip=(
                f"{BLEND}: each prediction is moved from the model's own towards the mean of the rewarded lookaheads, and "
                f"never past it. {DIFFERENCE}: the paper's rule, which adds rewarded mean minus plain mean of the "
                "lookaheads, guidance_scale times. Each wants its own guidance_scale."
            ),
        ),
        io.Float.Input(
            "guidance_scale",
            default=0.5,
            min=0.0,
            max=100.0,
            step=0.05,
            tooltip=(
                "How strongly the image is pulled towards the rewarded lookaheads: the main knob. With guidance_form "
                f"{BLEND}: the share of the rewarded lookaheads in every prediction, 0.2 to 0.8; 1 follows them alone. With "
                f"{DIFFERENCE}: s of the paper; 1 is the exact rule, 4 to 13 are usual for SD 1.5 and SDXL, 40 for Flux "
                "in a short window. Too high smears or duplicates. 0 guides nothing."
            ),
        ),
        io.Float.Input(
            "reward_strength",
            default=30.0,
            min=0.0,
            max=1_000_000.0,
            step=1.0,
            tooltip=(
                "How much the best of the lookaheads count more than the nearest (lambda in the paper), per standard "
                "deviation of the rewards, or per unit of the reward with reward_scale raw. 10 to 100 are useful with an "
                "effective_dimension of 256; 1000 to 10000 for full-size latents without. Higher gives the best "
                "lookahead alone more say; tune guidance_scale first. 0 ignores the rewards and guides nothing."
            ),
        ),
        io.Float.Input(
            "effective_dimension",
            default=256.0,
            min=0.0,
            max=1e9,
            step=1.0,
            advanced=True,
            tooltip=(
                "How many independent numbers a latent is taken to hold when nearness is judged. The fewer, the more "
                "lookaheads have a say at once, and the same reward_strength fits latents of every size: 64 to 1024 are "
                "useful. 0 counts every number, as does more than the latent has: the paper's rule, where the nearest "
                "lookahead alone has nearly all the weight."
            ),
        ),
        io.Combo.Input(
            "reward_scale",
            options=[STANDARDISED, RAW],
            default=STANDARDISED,
            advanced=True,
            tooltip=(
                "standardised: the rewards of this prompt are brought to mean 0 and standard deviation 1 first, so that "
                "one reward_strength suits every reward model. raw: the scores as they are, as in the paper; then "
                "reward_strength must fit the reward model (5000 for ImageReward)."
            ),
        ),
        io.Float.Input(
            "start_percent",
            default=0.0,
            min=0.0,
            max=1.0,
            step=0.001,
            advanced=True,
            tooltip="Where guidance begins, as a share of the steps. 0 is the first step and the usual value.",
        ),
        io.Float.Input(
            "end_percent",
            default=0.3,
            min=0.0,
            max=1.0,
            step=0.001,
            advanced=True,
            tooltip=(
                f"Where guidance ends, as a share of the steps; the steps after it only refine. With {BLEND} "
                f"0.3 was best on the demo model, and was not measured at full size; with {DIFFERENCE} 0.8 is usual, "
                "and 0.05 for Flux with guidance_scale 40. 1 guides to the very end. 0 guides nothing."
            ),
        ),
        io.Boolean.Input(
            "steady_scores",
            default=False,
            tooltip=(
                "On: every image is scored five times, as it is and moved by 1/32 of its size in four directions, and the mean "
                "counts. For reward models that a slight move upsets; with the demo model's nothing was gained. Scoring takes "
                "five times as long. Off: one score."
            ),
        ),
        io.Int.Input(
            "batch_size",
            default=16,
            min=1,
            max=1024,
            advanced=True,
            tooltip=(
                "How many images at most are worked on at the same time; fewer where memory does not suffice by the host's "
                "estimate. Lower it if memory runs out all the same. The starting noise does not depend on it, but what "
                "lcm, ancestral and SDE samplers draw on the way does. 0 is not possible."
            ),
        ),
    )


DEFAULTS = MappingProxyType({each.id: each.default for each in _definitions()})
"""The value of every setting that nobody has changed."""


def setting_inputs(*names: str, optional: bool = False, **extra_dict) -> list[io.Input]:
    """Return the inputs of these settings in this order; optional: what is left out, or None through a link, has its default.

    extra_dict: for the page, on the first of them.
    """
    definitions = {each.id: each for each in _definitions()}
    inputs = [definitions[name] for name in names]
    for each in inputs:
        each.optional = optional
    inputs[0].extra_dict = extra_dict
    return inputs


def percent_of_input(**options) -> io.Input:
    """Return percent_of: of what start_percent and end_percent are shares; options: of io.Combo.Input."""
    return io.Combo.Input(
        "percent_of",
        options=[WHOLE_PROCESS, THIS_RUN],
        default=WHOLE_PROCESS,
        advanced=True,
        tooltip=(
            f"{WHOLE_PROCESS}: start and end are places in the whole process, as for ControlNet; with a denoise of 0.5 its first "
            f"half does not exist. {THIS_RUN}: shares of the steps that are sampled, whatever denoise is, as in LiDAR KSampler."
        ),
        **options,
    )


def reward_prompt_input(*, when_empty: str = "", raw_link: bool | None = None, lazy: bool | None = None) -> io.Input:
    """Return prompt, the text that the reward model reads; when_empty: what a node does without one."""
    return io.String.Input(
        "prompt",
        multiline=True,
        default="",
        raw_link=raw_link,
        lazy=lazy,
        tooltip=(
            "What the reward model compares the images with, usually the positive prompt; weights, embeddings and the like are "
            "left out. Rewards that read no text (brightness, colourfulness) ignore it." + when_empty
        ),
    )


def picks_input(**options) -> io.Input:
    """Return picks, the numbers of the favourites and rejects; options: of io.String.Input."""
    return io.String.Input(
        "picks",
        default="",
        tooltip=(
            "Numbers of the lookaheads that you like, as on the contact sheet, separated by commas: 3, 7. They come first. A "
            "minus rejects one: -2. An own value: 3=5, 7=4, 1=-2; without one a favourite counts 1 and a reject -1. With the "
            "name of a set behind them they hold for that set alone; the page adds the one that was looked at. "
            "Empty: no picks."
        ),
        **options,
    )


def look_first_input(**options) -> io.Input:
    """Return look_first, whether a run ends where a person should choose; options: of io.Boolean.Input."""
    return io.Boolean.Input(
        "look_first",
        default=False,
        tooltip=(
            "On: a run ends when the lookaheads are scored, until picks has a favourite among them. Click what you like on the "
            "contact sheet, then Finish picked: only the final images are made then, the rest comes out of the cache. With "
            "another seed you look again. Off: every run is finished."
        ),
        **options,
    )


def budget_input(**options) -> io.Input:
    """Return budget, the time that an advice is for; options: of io.Float.Input."""
    return io.Float.Input(
        "budget",
        default=4.0,
        min=1.0,
        max=64.0,
        step=0.25,
        tooltip=(
            "For which time lookahead_config is made: so many times as long as the plain picture, or the batch of latent_image, "
            "takes with decode and score. 1 leaves no time to choose, 0 is not possible; the report shows 2, 4, 8 and 16 too."
        ),
        **options,
    )


def largest(name: str) -> float:
    """Return the largest value that a setting may have."""
    (found,) = (each.max for each in _definitions() if each.id == name)
    return found
