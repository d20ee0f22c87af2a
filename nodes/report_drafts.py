"""A child of LiDAR Measure Drafts: what the measured rows say, as a chart, a text and a config."""

from comfy_api.latest import io

from .host.checked_inputs import checked
from .host.measures_of_rows import measures_of_rows
from .host.show_on_node import show_on_node
from .host.socket_types import JudgedRowsSocket, LookaheadConfigSocket, RewardModelSocket
from .settings.advised import advised
from .settings.config import LookaheadConfig
from .settings.definitions import EVERY, budget_input, setting_inputs
from .shown.draft_chart import draft_chart
from .shown.draft_report import draft_report
from .values.draft_advice import BUDGETS, best, choices


class LiDARReportDrafts(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="LiDARReportDrafts",
            display_name="LiDAR Report Drafts",
            category="LiDAR",
            description="Part of LiDAR Measure Drafts: says what was measured and what to choose.",
            search_aliases=["lidar"],
            is_dev_only=True,
            inputs=[
                JudgedRowsSocket.Input(
                    "judged", tooltip="From LiDAR Judge Rows: drafts and final images of the same rows."
                ),
                RewardModelSocket.Input("reward_model", tooltip="What judged them."),
                io.Latent.Input("latent_image", tooltip="Its batch says how many images are wanted."),
                budget_input(),
                *setting_inputs(*EVERY),
            ],
            outputs=[
                io.Image.Output(display_name="chart", tooltip="As of LiDAR Measure Drafts."),
                io.String.Output(display_name="report", tooltip="As of LiDAR Measure Drafts."),
                LookaheadConfigSocket.Output(display_name="lookahead_config", tooltip="As of LiDAR Measure Drafts."),
            ],
            hidden=[io.Hidden.unique_id, io.Hidden.dynprompt],
        )

    @classmethod
    @checked
    def execute(cls, judged, reward_model, latent_image, budget, **settings) -> io.NodeOutput:
        measures, wanted = measures_of_rows(judged, reward_model), len(latent_image["samples"])
        table = {each: choices(each, wanted, measures.ways, measures.costs) for each in sorted({*BUDGETS, budget})}
        chosen = best(table[budget])
        config = advised(LookaheadConfig(**settings), chosen.share, chosen.plan, wanted)
        brief, report = draft_report(measures, table, budget, wanted, config.summary())
        show_on_node(cls.hidden, brief)
        return io.NodeOutput(draft_chart(measures, table), report, config)
