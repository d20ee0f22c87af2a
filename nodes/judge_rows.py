"""A child of LiDAR Measure Drafts: sampled rows, decoded and scored with the time that it takes."""

from comfy_api.latest import io

from .host.checked_inputs import checked
from .host.measured_rows import judge_rows
from .host.prompt_as_read import prompts_as_read
from .host.scoring import models_of
from .host.socket_types import JudgedRowsSocket, RewardModelSocket, SampledRowsSocket
from .settings.definitions import reward_prompt_input, setting_inputs


class LiDARJudgeRows(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="LiDARJudgeRows",
            display_name="LiDAR Judge Rows",
            category="LiDAR",
            description="Part of LiDAR Measure Drafts: decodes and scores sampled rows and takes the time.",
            search_aliases=["lidar"],
            is_dev_only=True,
            inputs=[
                SampledRowsSocket.Input("rows", tooltip="From LiDAR Sample Rows."),
                io.Vae.Input("vae", tooltip="Decodes them."),
                RewardModelSocket.Input("reward_model", tooltip="Judges them."),
                reward_prompt_input(),
                *setting_inputs("batch_size", "steady_scores"),
                JudgedRowsSocket.Input("before", optional=True, tooltip="What was judged before, to go on from."),
            ],
            outputs=[JudgedRowsSocket.Output(display_name="judged", tooltip="All that was judged so far.")],
        )

    @classmethod
    @checked
    def execute(cls, rows, vae, reward_model, prompt, batch_size, steady_scores, before=()) -> io.NodeOutput:
        models = models_of([reward_model])
        (prompt,), _ = prompts_as_read(models, [prompt])
        judged = judge_rows(rows, vae, models, prompt, batch_size, steady=steady_scores)
        return io.NodeOutput((*before, judged))
