"""A child of LiDAR Measure Drafts: some rows of a seed's noise, sampled with the time that it takes."""

from comfy_api.latest import io

from .host.checked_inputs import checked
from .host.chunk_size import fitting_chunk
from .host.draw import Task
from .host.measured_rows import sample_rows
from .host.one_for_all import require_one_for_all
from .host.socket_types import SampledRowsSocket
from .host.starting_latent import starting_latent
from .settings.definitions import setting_inputs
from .settings.final_sampler import final_sampler_inputs


class LiDARSampleRows(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="LiDARSampleRows",
            display_name="LiDAR Sample Rows",
            category="LiDAR",
            description="Part of LiDAR Measure Drafts: samples some rows of a seed's noise and takes the time.",
            search_aliases=["lidar"],
            is_dev_only=True,
            inputs=[
                io.Model.Input("model", tooltip="As for KSampler."),
                io.Conditioning.Input("positive", tooltip="As for KSampler."),
                io.Conditioning.Input("negative", tooltip="As for KSampler."),
                io.Latent.Input("latent_image", tooltip="As for KSampler."),
                io.Int.Input(
                    "seed",
                    default=0,
                    min=0,
                    max=0xFFFFFFFFFFFFFFFF,
                    tooltip="As for KSampler; 0 is a seed like any other.",
                ),
                *final_sampler_inputs(),
                *setting_inputs("batch_size"),
                io.Int.Input(
                    "first",
                    default=0,
                    min=0,
                    max=4096,
                    tooltip="The first row of the seed's noise; 0 is the very first.",
                ),
                io.Int.Input("count", default=8, min=1, max=4096, tooltip="How many rows; 0 is not possible."),
                io.Boolean.Input(
                    "drafts", default=False, tooltip="Off: also what they are predicted to become on the way."
                ),
            ],
            outputs=[SampledRowsSocket.Output(display_name="rows", tooltip="The latents, and the time.")],
        )

    @classmethod
    @checked
    def execute(
        cls, model, positive, negative, latent_image, batch_size, first, count, drafts, denoise, **settings
    ) -> io.NodeOutput:
        start, mask = starting_latent(model, latent_image, denoise=denoise)
        prompt = {"positive": positive, "negative": negative}
        require_one_for_all(prompt, dimensions=start.ndim - 2)
        task = Task(start=start, noise_mask=mask, denoise=denoise, **prompt, **settings)
        at_once = fitting_chunk(model, start.shape[1:], batch_size)
        return io.NodeOutput(sample_rows(model, task, range(first, first + count), at_once=at_once, drafts=drafts))
