"""Several lookahead sets as one: parts that several computers drew, or favourites of several seeds."""

from dataclasses import replace

from comfy_api.latest import io

from ..lidar_core import merge
from .host.checked_inputs import checked
from .host.loaded_lookaheads import loaded, loaded_outputs, summary
from .host.show_on_node import show_on_node
from .host.socket_types import LookaheadSetSocket
from .values.set_name import OF_ONE_SET, merged_metadata

# The names are promises: saved workflows hold them. Eight, for the page takes set_1 for the beginning of set_10.
NAMES = [f"set_{number}" for number in range(1, 9)]


class LiDARMergeLookaheads(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        each = LookaheadSetSocket.Input(
            "set",
            optional=True,
            tooltip="Scored lookaheads, or a merged set again. A new socket appears when this one is connected.",
        )
        return io.Schema(
            node_id="LiDARMergeLookaheads",
            display_name="LiDAR Merge Lookaheads",
            category="LiDAR",
            description=(
                "Makes one set of several: parts that several computers drew, or lookaheads of several seeds. Their order does "
                "not matter, and each keeps its seed and row; what is there twice is kept once."
            ),
            search_aliases=[
                "lidar",
                "merge lookaheads",
                "join lookaheads",
                "combine sets",
                "several gpus",
                "distributed",
            ],
            inputs=[
                io.Autogrow.Input(
                    "sets",
                    template=io.Autogrow.TemplateNames(each, names=NAMES, min=2),
                    tooltip=(
                        "Up to eight sets with the same prompt, rewards and size; a new socket appears when the last one is "
                        "connected."
                    ),
                ),
            ],
            outputs=loaded_outputs(),
            hidden=[io.Hidden.unique_id, io.Hidden.dynprompt],
        )

    @classmethod
    @checked
    def execute(cls, sets: io.Autogrow.Type) -> io.NodeOutput:
        connected = {name: sets[name] for name in NAMES if sets.get(name) is not None}
        if not connected:
            raise ValueError(
                "no set is connected: connect LiDAR Load Lookaheads or LiDAR Score Lookaheads to each socket used"
            )
        merged = merge(connected, apart=OF_ONE_SET)
        merged = replace(merged, metadata={**merged.metadata, **merged_metadata(merged, connected.values())})
        twice = sum(each.count for each in connected.values()) - merged.count
        show_on_node(cls.hidden, summary(merged) + f"\n{twice} were there twice" * bool(twice))
        return io.NodeOutput(*loaded(merged, "LiDAR Merge Lookaheads"))
