"""Several reward models as one, each with its weight."""

from comfy_api.latest import io

from .host.checked_inputs import checked
from .host.combined_reward import CombinedReward
from .host.socket_types import RewardModelSocket
from .values.number_list import parse_numbers

# The names are promises: saved workflows hold them. Eight, for the page takes reward_1 for the beginning of reward_10.
NAMES = [f"reward_{number}" for number in range(1, 9)]


class LiDARCombineRewards(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        # Optional, so that the page may show four sockets at once and require none; it copies only those right
        each = RewardModelSocket.Input(
            "reward",
            optional=True,
            tooltip="A reward model, or another combination. A new socket appears when this one is connected.",
        )
        return io.Schema(
            node_id="LiDARCombineRewards",
            display_name="LiDAR Combine Rewards",
            category="LiDAR",
            description=(
                "Mixes reward models. Each one's scores are standardised over the images that are compared before they are "
                "weighted, so equal weights mean an equal say, however far the scores of each spread."
            ),
            search_aliases=[
                "lidar",
                "mix rewards",
                "weighted sum",
                "ensemble",
                "combine scores",
                "average scores",
                "several judges",
            ],
            inputs=[
                io.Autogrow.Input(
                    "rewards",
                    template=io.Autogrow.TemplateNames(each, names=NAMES, min=3),
                    tooltip="Up to eight reward models to mix; a new socket appears when the last one is connected.",
                ),
                io.String.Input(
                    "weights",
                    default="",
                    tooltip=(
                        "One number for each connected reward, in their order: 0.5, 0.3, 0.2. Only their proportions "
                        "matter; 0 leaves a reward out of the sum and still shows it, a negative number turns it round. "
                        "Empty: all equal."
                    ),
                ),
            ],
            outputs=[
                RewardModelSocket.Output(
                    display_name="reward_model", tooltip="For every input that takes a LiDAR reward model."
                )
            ],
        )

    @classmethod
    @checked
    def execute(cls, rewards: io.Autogrow.Type, weights) -> io.NodeOutput:
        connected = [rewards[name] for name in NAMES if rewards.get(name) is not None]
        if not connected:
            raise ValueError("no reward is connected: connect a Load LiDAR Reward Model to each socket that is used")
        numbers = parse_numbers(weights, what="weights") or [1.0] * len(connected)
        return io.NodeOutput(CombinedReward(tuple(zip(connected, _fitting(numbers, len(connected)), strict=True))))


def _fitting(weights: list[float], count: int) -> list[float]:
    if len(weights) != count:
        raise ValueError(
            f"weights has {len(weights)} number{'s' * (len(weights) != 1)} for {count} connected "
            f"reward{'s' * (count != 1)}: write one for each, such as {', '.join(['1'] * count)}, or leave it empty"
        )
    if not any(weights):
        raise ValueError("all weights are 0, so nothing would be rewarded: give one reward another weight")
    return weights
