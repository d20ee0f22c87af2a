"""The node that gives all settings of LiDAR besides the final sampler's own."""

from comfy_api.latest import io

from .host.checked_inputs import checked
from .host.show_on_node import show_on_node
from .host.socket_types import LookaheadConfigSocket
from .settings.config import LookaheadConfig
from .settings.definitions import EVERY, setting_inputs
from .settings.presets import PRESETS


class LiDARLookaheadConfig(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="LiDARLookaheadConfig",
            display_name="LiDAR Lookahead Config",
            category="LiDAR",
            description=(
                "Settings for LiDAR KSampler: how the lookaheads are drawn and how strongly they guide "
                "(arXiv 2602.03211). On the page its last row fills in a preset."
            ),
            search_aliases=[
                "lidar",
                "lidar settings",
                "lidar preset",
                "lookahead settings",
                "draft settings",
                "distilled",
                "lightning",
                "hyper",
                "dmd2",
                "lcm",
                "turbo",
            ],
            inputs=setting_inputs(
                *EVERY, optional=True, presets=PRESETS
            ),  # the presets are for web/lookahead_presets.js
            outputs=[
                LookaheadConfigSocket.Output(
                    display_name="lookahead_config",
                    tooltip="All these settings as one, for LiDAR KSampler and LiDAR Measure Drafts.",
                )
            ],
            hidden=[io.Hidden.unique_id, io.Hidden.dynprompt],
        )

    @classmethod
    @checked
    def execute(cls, **settings) -> io.NodeOutput:
        config = LookaheadConfig(**settings)
        show_on_node(cls.hidden, config.summary())
        return io.NodeOutput(config)
