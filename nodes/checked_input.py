"""A child of LiDAR KSampler: checks one value that comes through a link before any lookahead is drawn."""

from comfy_api.latest import io

from .host.checked_inputs import check_value, checked, named
from .host.scoring import require_prompts
from .host.socket_types import RewardModelSocket
from .ksampler import LiDARKSampler
from .lookahead_config import LiDARLookaheadConfig
from .measure_drafts import LiDARMeasureDrafts
from .values.plain_words import plain_words

_WAY_ROUND = "connect one, or build it of LiDAR Sample Lookaheads, Score Lookaheads, Apply Guidance and a KSampler, which take lists"
NODES = {node.define_schema().node_id: node for node in (LiDARKSampler, LiDARLookaheadConfig, LiDARMeasureDrafts)}


class LiDARCheckedInput(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="LiDARCheckedInput",
            display_name="LiDAR Checked Input",
            category="LiDAR",
            description="Part of LiDAR KSampler: hands a linked value on if it fits the input that it is meant for.",
            search_aliases=["lidar"],
            is_dev_only=True,
            is_input_list=True,  # so that a list is seen as one
            inputs=[
                io.AnyType.Input("value", optional=True, tooltip="What came through the link."),
                io.Combo.Input("node", options=list(NODES), tooltip="The node whose input it is meant for."),
                io.String.Input("input", tooltip="The name of that input."),
                io.AnyType.Input(
                    "otherwise", optional=True, tooltip="For lookahead_model: what stands in where None comes."
                ),
                RewardModelSocket.Input(
                    "reward_model", optional=True, tooltip="For prompt: what reads it, and so wants a text or does not."
                ),
                io.AnyType.Input("after", optional=True, tooltip="What is checked before it."),
            ],
            outputs=[io.AnyType.Output(display_name="value", tooltip="The same value, as the input wants it.")],
        )

    # Async, although it awaits nothing: the host runs async nodes before all others that are ready, so a wrong value is
    # told before the sampler of the lookaheads starts.
    @classmethod
    @checked
    async def execute(cls, node, input, value=(None,), otherwise=(None,), reward_model=(), after=()) -> io.NodeOutput:
        schema = NODES[node[0]].define_schema()
        inputs = {each.id: each for each in schema.inputs}
        if input[0] not in inputs:
            raise ValueError(f"input is {input[0]!r}, which {node[0]} has not: write one of {', '.join(inputs)}")
        wanted = inputs[input[0]]
        with named(schema.display_name):
            if len(value) != 1:
                raise ValueError(f"{wanted.id} is a list of {len(value)}, wanted one: {_WAY_ROUND}")
            (one,) = value
            if one is None and wanted.optional:  # not connected, as if the link were not there
                one = wanted.default if isinstance(wanted, io.WidgetInput) else otherwise[0]
            one = check_value(wanted, one)
            for reward in reward_model:
                require_prompts(reward.models, [plain_words(one)])
            return io.NodeOutput(one)
