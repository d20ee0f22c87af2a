"""Rewards from anywhere: numbers that other nodes or people give become the rewards of the lookaheads."""

import torch
from comfy_api.latest import io

from ..lidar_core import LookaheadSet
from ..reward_models.printable import printable
from .host.checked_inputs import checked
from .host.set_in_prompt import name_in_prompt
from .host.show_on_node import show_on_node
from .host.socket_types import LookaheadSetSocket
from .values.number_list import flat_numbers
from .values.origins import origins_of
from .values.set_name import named_metadata


class LiDARRewardsFromValues(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="LiDARRewardsFromValues",
            display_name="LiDAR Rewards From Values",
            category="LiDAR",
            description=(
                "Makes any list of numbers the rewards of the lookaheads: from a vision language model, a face similarity "
                "node, a script, or typed by hand. One number for each lookahead, in the order of the batch."
            ),
            search_aliases=[
                "lidar",
                "rewards from floats",
                "custom reward",
                "external scores",
                "vlm judge",
                "score list",
            ],
            is_input_list=True,
            inputs=[
                io.Latent.Input("lookaheads", tooltip="The latents of LiDAR Sample Lookaheads."),
                io.MultiType.Input(
                    io.String.Input(
                        "values",
                        multiline=True,
                        default="",
                        tooltip=(
                            "One number for each lookahead, in the order of the batch; more is better. A list of FLOAT or INT "
                            "from another node, or text such as 0.2, 0.9, 0.4."
                        ),
                    ),
                    types=[io.Float, io.Int],
                ),
                io.String.Input(
                    "name",
                    default="values",
                    tooltip="What the numbers are, shown with the lookahead set. May be empty.",
                ),
            ],
            outputs=[
                LookaheadSetSocket.Output(
                    display_name="lookahead_set", tooltip="Lookaheads with these rewards, for LiDAR Apply Guidance."
                )
            ],
            hidden=[io.Hidden.unique_id, io.Hidden.dynprompt],
        )

    @classmethod
    @checked
    def execute(cls, lookaheads, values, name=("values",)) -> io.NodeOutput:
        numbers = flat_numbers(values, what="values")
        shapes = {tuple(each["samples"].shape[1:]) for each in lookaheads}
        if len(shapes) > 1:
            raise ValueError(
                f"lookaheads has latents of {len(shapes)} sizes, {' and '.join(map(str, sorted(shapes)))}: connect those of "
                "one LiDAR Sample Lookaheads"
            )
        latents = torch.cat([each["samples"] for each in lookaheads])
        if len(numbers) != len(latents):
            raise ValueError(
                f"values has {len(numbers)} number{'s' * (len(numbers) != 1)} for {len(latents)} lookaheads: give one "
                "for each, in the order of the batch"
            )
        set_name = name_in_prompt(cls.hidden, "lookaheads", *lookaheads)
        rewards, metadata = torch.tensor(numbers, dtype=torch.float32), named_metadata(set_name)
        scored = LookaheadSet(latents, rewards, printable(name[0] or ""), metadata, origins_of(*lookaheads))
        best = scored.order()[0]
        show_on_node(
            cls.hidden,
            f"{scored.count} values, best {scored.rewards[best]:.4g} for no. {best + 1}"
            + f"\nset {set_name}" * bool(set_name),
        )
        return io.NodeOutput(scored)
