"""A child of LiDAR KSampler: ends a run behind the scored lookaheads where a person should choose first."""

from comfy_api.latest import io
from comfy_execution.graph_utils import ExecutionBlocker

from .host.checked_inputs import checked
from .host.contact_sheet import part_ui
from .host.show_on_node import show_on_node
from .host.socket_types import LookaheadSetSocket
from .settings.definitions import look_first_input
from .values.run_facts import run_facts
from .values.set_name import told_with
from .values.sheet_id import sheet_id

LOOK = "look first: click what you like, then Finish picked"


class LiDARLookFirst(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="LiDARLookFirst",
            display_name="LiDAR Look First",
            category="LiDAR",
            description="Part of LiDAR KSampler: hands the lookaheads on once there is a favourite among them.",
            search_aliases=["lidar"],
            is_dev_only=True,
            inputs=[
                LookaheadSetSocket.Input("lookaheads", tooltip="Scored lookaheads, with the picks."),
                look_first_input(),
                io.Int.Input(
                    "favourites",
                    default=0,
                    min=0,
                    max=1024,
                    tooltip="How many favourites there are; with 0 a person is to look.",
                ),
            ],
            outputs=[
                LookaheadSetSocket.Output(display_name="lookaheads", tooltip="The same, or nothing."),
                io.Int.Output(display_name="favourites", tooltip="The same, or nothing."),
            ],
            hidden=[io.Hidden.unique_id, io.Hidden.dynprompt],
        )

    @classmethod
    @checked
    def execute(cls, lookaheads, look_first, favourites) -> io.NodeOutput:
        if not look_first or favourites:
            return io.NodeOutput(lookaheads, favourites)
        told = told_with(lookaheads, LOOK)
        show_on_node(cls.hidden, "\n".join(told))
        look, *facts = run_facts("\n".join(told))  # the sheet itself says how to look
        part = {"sheet_id": sheet_id(lookaheads), "started": [], "run_facts": facts}
        return io.NodeOutput(ExecutionBlocker(None), ExecutionBlocker(None), ui=part_ui(part, [look, *facts]))
