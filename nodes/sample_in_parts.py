"""A child of LiDAR KSampler: the host's KSampler for more images than one batch need hold."""

from comfy_api.latest import io

from .host.checked_inputs import checked
from .host.chunk_size import fitting_chunk
from .host.draw import Task, draw
from .host.finished import finished, told_in
from .host.show_on_node import show_on_node
from .host.socket_types import LookaheadSetSocket
from .host.starting_latent import fitted_to_model
from .settings.definitions import setting_inputs
from .settings.final_sampler import final_sampler_inputs


class LiDARSampleInParts(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="LiDARSampleInParts",
            display_name="LiDAR Sample In Parts",
            category="LiDAR",
            description="Part of LiDAR KSampler: KSampler, a few images at a time.",
            search_aliases=["lidar"],
            is_dev_only=True,
            inputs=[
                io.Model.Input("model", tooltip="As for KSampler."),
                io.Conditioning.Input("positive", tooltip="As for KSampler."),
                io.Conditioning.Input("negative", tooltip="As for KSampler."),
                io.Latent.Input("latent_image", tooltip="As for KSampler."),
                LookaheadSetSocket.Input(
                    "lookaheads", tooltip="Those that guide the model: what is told with them is told here."
                ),
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
                    "at_once",
                    default=1,
                    min=1,
                    max=4096,
                    tooltip="So many images are one batch in any case, as for KSampler. 0 is not possible.",
                ),
            ],
            outputs=[
                io.Latent.Output(display_name="latent", tooltip="The finished images."),
                io.String.Output(display_name="report", tooltip="What was guided and what it took."),
            ],
            hidden=[io.Hidden.unique_id, io.Hidden.dynprompt],
        )

    @classmethod
    @checked
    def execute(
        cls, model, positive, negative, latent_image, lookaheads, batch_size, at_once, **settings
    ) -> io.NodeOutput:
        start = fitted_to_model(model, latent_image)
        prompt, count = {"positive": positive, "negative": negative}, len(start)
        task = Task(start=start, noise_mask=latent_image.get("noise_mask"), **prompt, **settings)
        model, told = told_in(model, lookaheads)
        if count > at_once:
            at_once = fitting_chunk(model, start.shape[1:], max(batch_size, at_once))
        drawn = draw(model, task, task.noise(latent_image.get("batch_index")), at_once=at_once, what="image")
        report = told(f"{count} image{'s' * (count > 1)}", drawn)
        show_on_node(cls.hidden, report)
        return io.NodeOutput(finished(latent_image, drawn.samples), report)
