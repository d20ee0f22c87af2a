"""Phase 1 of LiDAR: draw the lookaheads with the host's own sampler, a few at a time."""

import comfy.model_management
import comfy.sample
import comfy.utils
import latent_preview
import torch
from comfy_api.latest import io

from .checked_inputs import checked
from .chunk_size import fitting_chunk
from .lookahead_settings import LookaheadConfig
from .noise_levels import signal_and_noise
from .setting_inputs import batch_size_input, lookahead_sampler_inputs
from .starting_latent import require_one_for_each_image, starting_latent

# Entries that describe the rows or the format of the latent that came in, not of the lookaheads.
_OF_THE_INPUT_BATCH = ("samples", "noise_mask", "batch_index", "downscale_ratio_spacial", "downscale_ratio_temporal")


class LiDARSampleLookaheads(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="LiDARSampleLookaheads",
            display_name="LiDAR Sample Lookaheads",
            category="LiDAR",
            description=(
                "Draws quick trial images (lookaheads) for a prompt: phase 1 of LiDAR sampling (arXiv 2602.03211). "
                "Decode them with VAE Decode and score them with LiDAR Score Lookaheads."
            ),
            search_aliases=["lidar", "lookahead sampling", "few-step samples", "trial images", "best of n"],
            inputs=[
                io.Model.Input(
                    "model",
                    tooltip=(
                        "Model that draws the lookaheads: the one you guide, or a faster one of the same latent space "
                        "(distilled, or with an LCM / Hyper LoRA)."
                    ),
                ),
                io.Conditioning.Input(
                    "positive", tooltip="What the image should show; the same as for the final sampler."
                ),
                io.Conditioning.Input(
                    "negative", tooltip="What it should not show; the same as for the final sampler."
                ),
                io.Latent.Input(
                    "latent_image",
                    tooltip=(
                        "The latent of the final sampler: its size, its picture and its mask also hold for the "
                        "lookaheads. Of a batch the first entry is used."
                    ),
                ),
                io.Int.Input(
                    "seed",
                    default=0,
                    min=0,
                    max=0xFFFFFFFFFFFFFFFF,
                    control_after_generate=True,
                    tooltip=(
                        "Seed of the lookaheads' noise. With LiDAR Start From Best the seed of the final sampler; without "
                        "it another one, so that no image starts from a lookahead's noise by chance. 0 is a seed like "
                        "any other."
                    ),
                ),
                *lookahead_sampler_inputs(LookaheadConfig),
                io.Float.Input(
                    "denoise",
                    default=1.0,
                    min=0.01,
                    max=1.0,
                    step=0.01,
                    tooltip=(
                        "How much of latent_image is replaced, the same as for the final sampler: 1 draws a new image, "
                        "lower values keep its structure. 0 is not possible, 0.01 is the least."
                    ),
                ),
                batch_size_input(LookaheadConfig),
                # LiDAR KSampler sets it; by hand the nodes that follow say nothing different, only later.
                io.Boolean.Input(
                    "one_for_each_image",
                    default=False,
                    optional=True,
                    socketless=True,
                    extra_dict={"hidden": True},
                    tooltip=(
                        "On: a batch larger than count is refused before anything is drawn, for LiDAR Start From Best "
                        "wants one lookahead for each image. Not shown on the page; LiDAR KSampler sets it."
                    ),
                ),
            ],
            outputs=[
                io.Latent.Output(display_name="lookaheads", tooltip="The lookaheads as one batch of count latents.")
            ],
        )

    @classmethod
    @checked
    def execute(
        cls,
        model,
        positive,
        negative,
        latent_image,
        seed=0,
        count=LookaheadConfig.count,
        steps=LookaheadConfig.steps,
        cfg=LookaheadConfig.cfg,
        sampler_name=LookaheadConfig.sampler_name,
        scheduler=LookaheadConfig.scheduler,
        denoise=1.0,
        batch_size=LookaheadConfig.batch_size,
        one_for_each_image=False,
    ) -> io.NodeOutput:
        sampling = model.get_model_object("model_sampling")
        signal_and_noise(sampling, torch.ones(1))  # refuses a model that cannot be steered
        start, mask = starting_latent(model, latent_image, denoise=denoise)
        if one_for_each_image:
            require_one_for_each_image(count, latent_image)
        start = start.repeat(count, *[1] * (start.ndim - 1))
        # Row by row: lookahead i is the same whatever the batch size, and what KSampler draws for batch_index [i].
        noise = comfy.sample.prepare_noise(start, seed, range(count))
        batch_size = fitting_chunk(model, start.shape[1:], batch_size)
        chunks = range(0, count, batch_size)
        show_step = latent_preview.prepare_callback(model, len(chunks) * steps)
        samples = []
        for index, first in enumerate(chunks):

            def on_step(step, x0, x, total_steps, index=index):
                comfy.model_management.throw_exception_if_processing_interrupted()
                show_step(index * total_steps + step, x0, x, len(chunks) * total_steps)

            samples.append(
                comfy.sample.sample(
                    model,
                    noise[first : first + batch_size],
                    steps,
                    cfg,
                    sampler_name,
                    scheduler,
                    positive,
                    negative,
                    start[first : first + batch_size],
                    denoise=denoise,
                    noise_mask=mask,
                    callback=on_step,
                    disable_pbar=not comfy.utils.PROGRESS_BAR_ENABLED,
                    # Ancestral and SDE samplers draw from this seed in every step: chunks must not repeat each other.
                    seed=(seed + first) % 2**64,
                )
            )
        lookaheads = {name: value for name, value in latent_image.items() if name not in _OF_THE_INPUT_BATCH}
        lookaheads["samples"] = torch.cat(samples)
        bad = (~lookaheads["samples"].isfinite().flatten(1).all(dim=1)).nonzero().flatten().tolist()
        if bad:
            raise ValueError(
                f"lookahead no. {bad[0] + 1} of {count} came out of the sampler as NaN or infinite; change the model, its "
                "precision (start ComfyUI with --force-fp32), cfg or sampler_name"
            )
        if mask is not None:
            lookaheads["noise_mask"] = mask
        return io.NodeOutput(lookaheads)
