"""What a lookahead set is drawn from, as the queued prompt shows it: the same prompt gives the same name on every computer.

The numbers of the latents would not do: they differ in their last digits from one computer, or one batch size, to the next.
"""

import json
from collections.abc import Sequence

from comfy_execution.graph_utils import is_link

from ..values.origins import origins_of
from ..values.set_name import set_name

_SEEDS = ("seed", "noise_seed")


def name_in_prompt(hidden, input_name: str, *latents: dict) -> str:
    """Return the name of the set that comes into this input of a node, "" outside of a queued prompt.

    It stands for all nodes before the input with their values, whatever their ids, and for the seeds and rows in the LATENTs,
    which may have come through links.
    hidden: of a node whose schema asks for unique_id and dynprompt.
    """
    link = _link_at(hidden, input_name)
    return set_name(_described(hidden.dynprompt, link) + repr(origins_of(*latents))) if link else ""


def seed_in_prompt(hidden, input_name: str, lookaheads: dict) -> dict[str, str]:
    """Return for the page the seed of a set of lookaheads, and a name of all else that it is drawn from; {} outside of a queued
    prompt.

    The seed is that of the node on the page, if it has one that no link gives; and else of the LATENT. Text, for a page's numbers
    end at 2^53.
    """
    link = _link_at(hidden, input_name)
    if not link:
        return {}
    shown = hidden.dynprompt.get_node(hidden.dynprompt.get_display_node_id(hidden.unique_id))["inputs"].get("seed")
    if shown is None or is_link(shown):
        seeds = {each.seed for each in origins_of(lookaheads)}
        shown = seeds.pop() if len(seeds) == 1 else None
    return {"seed": str(shown), "apart_from_seed": set_name(_described(hidden.dynprompt, link, without=_SEEDS))}


def _link_at(hidden, input_name: str) -> list | None:
    if hidden is None or hidden.dynprompt is None:
        return None
    link = hidden.dynprompt.get_node(hidden.unique_id)["inputs"].get(input_name)
    return link if is_link(link) else None


def _described(dynprompt, link: list, without: Sequence[str] = ()) -> str:
    """The nodes that a link comes from as text: nearest first, and numbered in that order in place of their ids.

    without: names of inputs that do not count, unless a link gives them.
    """
    numbers, waiting, rows = {link[0]: 0}, [link[0]], []
    for node_id in waiting:
        node = dynprompt.get_node(node_id)
        inputs = {}
        for name, value in sorted(node["inputs"].items()):
            if is_link(value):
                if value[0] not in numbers:
                    numbers[value[0]] = len(numbers)
                    waiting.append(value[0])
                value = ["link", numbers[value[0]], value[1]]
            elif name in without:
                continue
            inputs[name] = value
        rows.append([node["class_type"], inputs])
    # Another pack's expansion may hold objects as values
    return json.dumps([link[1], rows], default=lambda value: type(value).__name__, skipkeys=True)
