"""The node that makes a LookaheadConfig: a widget for each setting."""

from comfy_api.latest import io

from .checked_inputs import checked
from .lookahead_presets import PRESETS
from .lookahead_settings import LookaheadConfig
from .setting_inputs import (
    batch_size_input,
    guidance_inputs,
    lookahead_sampler_inputs,
    start_from_input,
    steady_scores_input,
)
from .show_on_node import show_on_node
from .socket_types import LookaheadConfigSocket


class LiDARLookaheadConfig(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="LiDARLookaheadConfig",
            display_name="LiDAR Lookahead Config",
            category="LiDAR",
            description=(
                "Settings for LiDAR KSampler: how the lookaheads are drawn and how strongly they guide "
                "(arXiv 2602.03211). The preset row writes the values of a known setting into the widgets above it."
            ),
            search_aliases=["lidar", "lidar settings", "lidar preset", "lookahead settings"],
            inputs=[
                *lookahead_sampler_inputs(LookaheadConfig, presets=PRESETS),
                batch_size_input(LookaheadConfig),
                *guidance_inputs(LookaheadConfig),
                start_from_input(LookaheadConfig),
                steady_scores_input(LookaheadConfig),
            ],
            outputs=[LookaheadConfigSocket.Output(display_name="lookahead_config")],
            hidden=[io.Hidden.unique_id, io.Hidden.dynprompt],
        )

    @classmethod
    @checked
    def execute(
        cls,
        count=LookaheadConfig.count,
        steps=LookaheadConfig.steps,
        cfg=LookaheadConfig.cfg,
        sampler_name=LookaheadConfig.sampler_name,
        scheduler=LookaheadConfig.scheduler,
        batch_size=LookaheadConfig.batch_size,
        guidance_scale=LookaheadConfig.guidance_scale,
        reward_strength=LookaheadConfig.reward_strength,
        reward_scale=LookaheadConfig.reward_scale,
        start_percent=LookaheadConfig.start_percent,
        end_percent=LookaheadConfig.end_percent,
        guidance_form=LookaheadConfig.guidance_form,
        effective_dimension=LookaheadConfig.effective_dimension,
        start_from=LookaheadConfig.start_from,
        steady_scores=LookaheadConfig.steady_scores,
    ) -> io.NodeOutput:
        config = LookaheadConfig(
            count=count, steps=steps, cfg=cfg, sampler_name=sampler_name, scheduler=scheduler, batch_size=batch_size,
            guidance_scale=guidance_scale, reward_strength=reward_strength, reward_scale=reward_scale,
            start_percent=start_percent, end_percent=end_percent, guidance_form=guidance_form,
            effective_dimension=effective_dimension, start_from=start_from, steady_scores=steady_scores,
        )  # fmt: skip
        show_on_node(cls.hidden, config.summary())
        return io.NodeOutput(config)
