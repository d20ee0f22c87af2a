"""Between the phases: the final images start from the noise that the best lookaheads started from."""

import itertools

from comfy_api.latest import io
from comfy_execution.graph_utils import ExecutionBlocker

from .host.checked_inputs import checked
from .host.show_on_node import show_on_node
from .host.socket_types import LookaheadSetSocket
from .values.origins import noise_rows


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
                ),
                io.Int.Output(
                    display_name="seed", tooltip="Their seed, for KSampler's: of use where they come from a file."
                ),
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
        noises, first = [(each.seed, each.row) for each in lookaheads.origins], {}
        for index in lookaheads.order().tolist():
            # Lookaheads of two models may have one noise, which gives one image
            first.setdefault(index if noises[index][0] is None else noises[index], index)
        best = list(first.values())[: len(samples)]
        rows, seed = noise_rows(lookaheads, best), lookaheads.origins[best[0]].seed
        unused = (row for row in itertools.count() if (seed, row) not in noises)
        surplus = list(itertools.islice(unused, len(samples) - len(best)))
        told = "starts from no. " + ", ".join(str(index + 1) for index in best)
        told += "" if seed is None else f" of seed {seed}"
        if surplus:
            told += f"; {len(surplus)} more image{'s' * (len(surplus) > 1)} from noise that no lookahead had"
        show_on_node(cls.hidden, told)
        unknown = ExecutionBlocker(
            "LiDAR Start From Best: its output seed is used, and the seed of these lookaheads is not known"
        )
        return io.NodeOutput({**latent_image, "batch_index": rows + surplus}, unknown if seed is None else seed)
