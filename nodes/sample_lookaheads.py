"""Phase 1 of LiDAR: draw the lookaheads with the host's own sampler."""

from comfy_api.latest import io

from .host.checked_inputs import checked
from .host.chunk_size import fitting_chunk
from .host.draw import Task, draw
from .host.model_in_prompt import model_in_prompt
from .host.noise_levels import require_steerable
from .host.one_for_all import require_one_for_all
from .host.starting_latent import latents_like, starting_latent
from .settings.definitions import SAMPLING, setting_inputs
from .values.origins import rows_of

_MOST_ROWS = 2**16  # for the host draws all rows before the wanted ones too


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
            search_aliases=[
                "lidar",
                "lookahead",
                "lookahead sampling",
                "few-step samples",
                "trial images",
                "draft",
                "seed search",
                "best of n",
                "lightning",
            ],
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
                *setting_inputs(*SAMPLING),
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
                *setting_inputs("batch_size"),
                io.Int.Input(
                    "first_row",
                    optional=True,
                    default=0,
                    min=0,
                    max=_MOST_ROWS,
                    tooltip=(
                        "Where its rows of the seed's noise begin, so that several computers draw parts of one set: with count 8 "
                        "the first has 0, the second 8, the third 16. 0 is the very first row."
                    ),
                ),
                io.Latent.Input(
                    "rows",
                    optional=True,
                    tooltip=(
                        "To draw some lookaheads again: a LATENT whose batch_index names their rows, such as that of LiDAR Score "
                        "Images. Then count and first_row are not read. Not connected: all rows."
                    ),
                ),
            ],
            outputs=[
                io.Latent.Output(display_name="lookaheads", tooltip="The lookaheads as one batch of count latents.")
            ],
            hidden=[io.Hidden.unique_id, io.Hidden.dynprompt],
        )

    @classmethod
    @checked
    def execute(
        cls, model, positive, negative, latent_image, count, denoise, batch_size, first_row, rows=None, **settings
    ) -> io.NodeOutput:
        require_steerable(model)
        start, mask = starting_latent(model, latent_image, denoise=denoise)
        prompt = {"positive": positive, "negative": negative}
        require_one_for_all(prompt, dimensions=start.ndim - 2)
        task = Task(start=start, noise_mask=mask, denoise=denoise, **prompt, **settings)
        at_once = fitting_chunk(model, start.shape[1:], batch_size)
        drawn_rows = range(first_row, first_row + count) if rows is None else rows_of(rows)
        if rows is not None and max(drawn_rows) > _MOST_ROWS:
            raise ValueError(
                f"rows names row {max(drawn_rows)} of the noise, wanted rows up to {_MOST_ROWS}: connect another LATENT"
            )
        drawn = draw(model, task, task.noise(drawn_rows), at_once=at_once, rows=drawn_rows)
        origins = task.origins(drawn_rows, model_in_prompt(cls.hidden, "model"))
        return io.NodeOutput(latents_like(latent_image, drawn, mask, origins))
