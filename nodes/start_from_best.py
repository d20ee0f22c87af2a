"""Between the phases: the final images start from the noise that the best lookaheads started from."""

from comfy_api.latest import io

from .checked_inputs import checked
from .noise_rows import noise_rows
from .show_on_node import show_on_node
from .socket_types import LookaheadSetSocket
from .starting_latent import require_one_for_each_image


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
            search_aliases=["lidar", "best seed", "seed of the best", "best noise", "lookahead seeds"],
            inputs=[
                io.Latent.Input(
                    "latent_image",
                    tooltip="The latent of the final sampler; its batch size is the number of final images.",
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
        if samples.is_nested:
            raise ValueError(
                "latent_image is a latent of several parts, which LiDAR does not support; connect "
                "a single image latent."
            )
        if samples.ndim > lookaheads.latents.ndim:
            raise ValueError(
                f"latent_image has shape {tuple(samples.shape)}, the lookaheads {tuple(lookaheads.latents.shape)}: connect the "
                "latent_image of LiDAR Sample Lookaheads"
            )
        require_one_for_each_image(lookaheads.count, latent_image)
        best = lookaheads.order()[: samples.shape[0]].tolist()
        rows = noise_rows(lookaheads)
        show_on_node(cls.hidden, "starts from no. " + ", ".join(str(index + 1) for index in best))
        return io.NodeOutput({**latent_image, "batch_index": [rows[index] for index in best]})
