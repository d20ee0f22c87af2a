"""A child of LiDAR KSampler behind its sampler: tells on the contact sheet what the run did."""

from comfy_api.latest import io

from .host.checked_inputs import checked
from .host.contact_sheet import part_ui
from .host.older_hosts import SHOWN_AGAIN
from .host.run_report import last_report
from .host.socket_types import LookaheadSetSocket
from .values.origins import noise_rows
from .values.run_facts import FROM_OTHER_NOISE, run_facts
from .values.sheet_id import sheet_id


class LiDARRunReport(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="LiDARRunReport",
            display_name="LiDAR Run Report",
            category="LiDAR",
            description="Part of LiDAR KSampler: tells which lookaheads the run started from and what it guided.",
            search_aliases=["lidar"],
            is_dev_only=True,
            **SHOWN_AGAIN,
            inputs=[
                io.Latent.Input("latent", tooltip="What the sampler made."),
                io.Model.Input("model", tooltip="The guided model that it was made with."),
                LookaheadSetSocket.Input("lookaheads", tooltip="The lookaheads that guided it."),
                io.Boolean.Input(
                    "from_best", default=False, tooltip="Whether the latent started from the lookaheads' noise."
                ),
                io.String.Input(
                    "report", default="", tooltip="What the sampler told of the run. Empty: what the model told."
                ),
            ],
            outputs=[io.Latent.Output(display_name="latent", tooltip="The same latent.")],
        )

    @classmethod
    @checked
    def execute(cls, latent, model, lookaheads, from_best, report) -> io.NodeOutput:
        facts = run_facts(report or last_report(model))
        started = []
        if from_best:
            number_of = {row: number for number, row in enumerate(noise_rows(lookaheads), start=1)}
            rows = latent.get("batch_index") or ()
            started = [number_of[row] for row in rows if row in number_of]
            if len(rows) > len(started):
                facts.append((FROM_OTHER_NOISE, str(len(rows) - len(started))))
        part = {"sheet_id": sheet_id(lookaheads), "started": started, "run_facts": facts}
        return io.NodeOutput(latent, ui=part_ui(part, facts))
