"""Between the phases: the final images start from the noise that the best lookaheads started from."""

import itertools

from comfy_api.latest import io

from .host.checked_inputs import checked
from .host.show_on_node import show_on_node
from .host.socket_types import LookaheadSetSocket
from .values.noise_rows import noise_rows


class LiDARStartFromBest(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="LiDARStartFromBest",
            display_name="LiDAR Start From Best",
            category="LiDAR",
            description=(
                "Lets the final sampler start from the noise of the best lookaheads, so that their work is not thrown "
                "away: the first image from the best one, the second from the next. The final sampler must have the seed "
                "of LiDAR Sample Lookaheads."
            ),
            search_aliases=["lidar", "best seed", "seed search", "seed of the best", "best noise", "lookahead seeds"],
            inputs=[
                io.Latent.Input(
                    "latent_image",
                    tooltip=(
                        "The latent of the final sampler; its batch size is the number of final images. Images beyond the "
                        "number of lookaheads start from noise that no lookahead had."
                    ),
                ),
                LookaheadSetSocket.Input(
                    "lookaheads",
                    tooltip="Scored lookaheads, from LiDAR Score Lookaheads or LiDAR Pick Lookaheads.",
                ),
            ],
            outputs=[
                io.Latent.Output(
                    display_name="latent_image",
                    tooltip="The same latent with the best lookaheads' noise chosen, for KSampler with their seed.",
                )
            ],
            hidden=[io.Hidden.unique_id, io.Hidden.dynprompt],
        )

    @classmethod
    @checked
    def execute(cls, latent_image, lookaheads) -> io.NodeOutput:
        samples = latent_image["samples"]
        if samples.ndim > lookaheads.latents.ndim:
            raise ValueError(
                f"latent_image has shape {tuple(samples.shape)}, the lookaheads {tuple(lookaheads.latents.shape)}: connect the "
                "latent_image of LiDAR Sample Lookaheads"
            )
        best = lookaheads.order()[: len(samples)].tolist()
        rows = noise_rows(lookaheads)
        unused = (row for row in itertools.count() if row not in rows)
        surplus = list(itertools.islice(unused, len(samples) - len(best)))
        told = "starts from no. " + ", ".join(str(index + 1) for index in best)
        if surplus:
            told += f"; {len(surplus)} more image{'s' * (len(surplus) > 1)} from noise that no lookahead had"
        show_on_node(cls.hidden, told)
        return io.NodeOutput({**latent_image, "batch_index": [rows[index] for index in best] + surplus})
