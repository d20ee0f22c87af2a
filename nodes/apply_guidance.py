"""Phase 2 of LiDAR: a MODEL that any sampler steers towards the rewarded lookaheads."""

import logging

from comfy_api.latest import io

from ..lidar_core import standardise
from .host.checked_inputs import checked
from .host.guiders import lost_guidance
from .host.noise_levels import require_steerable
from .host.post_cfg import Guidance, tell_after_runs
from .host.run_report import RunReport
from .host.show_on_node import writer_on_node
from .host.socket_types import LookaheadSetSocket
from .settings.definitions import GUIDANCE, STANDARDISED, percent_of_input, setting_inputs

logger = logging.getLogger(__name__)


class LiDARApplyGuidance(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="LiDARApplyGuidance",
            display_name="LiDAR Apply Guidance",
            category="LiDAR",
            description=(
                "Steers a model towards the best of the lookaheads at every step, as a post-CFG patch that works with "
                "every sampler: phase 2 of LiDAR sampling (arXiv 2602.03211)."
            ),
            search_aliases=[
                "lidar",
                "lookahead guidance",
                "reward guidance",
                "steer",
                "test-time alignment",
            ],
            inputs=[
                io.Model.Input("model", tooltip="The model to steer. It is not changed; a patched copy comes out."),
                LookaheadSetSocket.Input(
                    "lookaheads",
                    tooltip=(
                        "Scored lookaheads for the same prompt, latent size and mask, from LiDAR Score Lookaheads. One "
                        "lookahead, or all of equal score, cannot steer."
                    ),
                ),
                *setting_inputs(*GUIDANCE, optional=True),
                percent_of_input(optional=True),
            ],
            outputs=[io.Model.Output(display_name="model", tooltip="Connect to any sampler.")],
            hidden=[io.Hidden.unique_id, io.Hidden.dynprompt],
        )

    @classmethod
    @checked
    def execute(
        cls,
        model,
        lookaheads,
        guidance_scale,
        reward_strength,
        reward_scale,
        start_percent,
        end_percent,
        guidance_form,
        effective_dimension,
        percent_of,
    ) -> io.NodeOutput:
        patched, write = model.clone(), writer_on_node(cls.hidden)
        tell = RunReport(lookaheads, write)
        tell.attach(patched)
        off = _off(start_percent, end_percent, guidance_scale=guidance_scale, reward_strength=reward_strength)
        if off:
            tell_after_runs(patched, tell, f"nothing is guided: {off}")
            return io.NodeOutput(patched)
        if start_percent > end_percent:
            raise ValueError(
                f"start_percent {start_percent:g} is above end_percent {end_percent:g}, so no step would be guided; set "
                "start_percent below end_percent."
            )
        require_steerable(model)
        rewards = lookaheads.rewards
        if bool((rewards == rewards[0]).all()):
            warning = _cannot_steer(lookaheads)
            logger.warning("LiDAR Apply Guidance: %s", warning)
            tell_after_runs(patched, tell, warning)
            return io.NodeOutput(patched)
        lost = lost_guidance(cls.hidden)
        for each in lost:
            logger.warning("LiDAR Apply Guidance: %s", each)
        write("\n".join(["waits for a sampler, which says here what was guided", *lost]))
        Guidance(
            lookaheads.latents,
            standardise(rewards) if reward_scale == STANDARDISED else rewards,
            guidance_scale=guidance_scale,
            reward_strength=reward_strength,
            start_percent=start_percent,
            end_percent=end_percent,
            guidance_form=guidance_form,
            effective_dimension=effective_dimension,
            percent_of=percent_of,
            tell=tell,
        ).attach(patched)
        return io.NodeOutput(patched)


def _off(start_percent: float, end_percent: float, **factors: float) -> str:
    zero = [f"{name} is 0" for name, value in factors.items() if value == 0]
    both = [f"start_percent and end_percent are both {start_percent:g}"] if start_percent == end_percent else []
    return (zero + both + [""])[0]


def _cannot_steer(lookaheads) -> str:
    if lookaheads.count == 1:
        return "one lookahead cannot steer, there is nothing to compare it with; set count to 8 or more."
    return (
        f"all {lookaheads.count} lookaheads have the same reward {lookaheads.rewards[0]:.4g}, so nothing is steered; "
        "choose another reward model or prompt, or draw more lookaheads."
    )
