"""A person as the judge: favourites and rejects become rewards, alone or on top of a model's."""

from comfy_api.latest import io

from ..lidar_core import standardise
from ..reward_models.printable import printable
from .host.checked_inputs import checked
from .host.older_hosts import SHOWN_AGAIN
from .host.show_on_node import has_a_place, show_on_node
from .host.socket_types import LookaheadSetSocket
from .settings.definitions import picks_input
from .values.picks import parse_picks, split_picks
from .values.set_name import name_of, with_note

ON_TOP, ALONE = "on top of the rewards", "picks alone"
WEIGHT = 3.0


class LiDARPickLookaheads(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="LiDARPickLookaheads",
            display_name="LiDAR Pick Lookaheads",
            category="LiDAR",
            description=(
                "Lets you judge the lookaheads yourself: click them on the contact sheet, or type the numbers of your "
                "favourites. Changing the picks only samples the final image again."
            ),
            search_aliases=[
                "lidar",
                "lookahead",
                "pick images",
                "pick best",
                "choose image",
                "choose lookaheads",
                "favourites",
                "favorites",
                "human feedback",
                "like",
                "dislike",
            ],
            inputs=[
                LookaheadSetSocket.Input(
                    "lookahead_set", tooltip="Scored lookaheads, from LiDAR Score Lookaheads or LiDAR KSampler."
                ),
                picks_input(),
                io.Combo.Input(
                    "mode",
                    options=[ON_TOP, ALONE],
                    default=ON_TOP,
                    tooltip=(
                        f"{ON_TOP}: favourites come before all others and rejects behind them; among themselves the model's rewards "
                        f"count. {ALONE}: the picks replace the rewards."
                    ),
                ),
                io.Float.Input(
                    "weight",
                    default=WEIGHT,
                    min=0.0,
                    max=100.0,
                    step=0.1,
                    tooltip=(
                        "How far favourites stand out before all others, and rejects behind them, in standard deviations of the "
                        "model's rewards. 3 is clear, 0 ignores the picks. Not read with picks alone."
                    ),
                ),
            ],
            outputs=[
                LookaheadSetSocket.Output(
                    display_name="lookahead_set",
                    tooltip="The same lookaheads with the new rewards, for LiDAR Apply Guidance.",
                ),
                io.Int.Output(
                    display_name="favourites",
                    tooltip="How many favourites among picks hold for this set, for Repeat Latent Batch; 0 if none does.",
                ),
            ],
            hidden=[io.Hidden.unique_id, io.Hidden.dynprompt],
            **SHOWN_AGAIN,  # the set's name
        )

    @classmethod
    @checked
    def execute(cls, lookahead_set, picks, mode, weight) -> io.NodeOutput:
        numbers, made_for = split_picks(picks)
        name, told, shown = name_of(lookahead_set), "", printable(" ".join(numbers.split()), limit=60)
        if made_for and made_for != name:
            told = f"picks {shown} are for the set {made_for} and not used: this is {_the_set(name)}"
            numbers = ""
        elif numbers and name:
            told = f"picks {shown} of the set {name}"
            if not made_for:
                told += f": write @{name} behind them to keep them to it"
        picked = parse_picks(numbers, lookahead_set.count)
        if mode == ALONE and not picked.any():
            raise ValueError(f"{told or 'picks is empty'}, and nothing else is rewarded: write a number, such as 3")
        if mode == ALONE:
            result = lookahead_set.with_rewards(picked, "picks")
        elif not picked.any() or weight == 0:
            result, picked = lookahead_set, picked * 0
        else:
            rewards = standardise(lookahead_set.rewards)
            # Favourites before all others, rejects behind them, whatever the model thinks of them
            rewards = rewards + (rewards.max() - rewards.min()) * picked.sign() + weight * picked
            result = lookahead_set.with_rewards(rewards, f"{lookahead_set.reward_name} + picks")
        lines = "\n".join(filter(None, (told, _summary(picked, result))))
        show_on_node(cls.hidden, lines)
        result = with_note(result, told) if told else result
        ui = {"set": [name], "text": [lines]} if has_a_place(cls.hidden) else None
        return io.NodeOutput(result, int((picked > 0).sum()), ui=ui)


def _the_set(name: str) -> str:
    return f"the set {name}" if name else "a set without a name"


def _summary(picked, result) -> str:
    named = ", ".join(f"no. {i + 1} ({picked[i]:+g})" for i in picked.nonzero().flatten().tolist())
    best = ", ".join(str(i + 1) for i in result.order()[:3].tolist())
    return f"picked {named or 'nothing'} of {result.count}; now best: no. {best}"
