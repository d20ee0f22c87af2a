"""What a lookahead set is drawn from, as the queued prompt shows it: the same prompt gives the same name on every computer.

The numbers of the latents would not do: they differ in their last digits from one computer, or one batch size, to the next.
"""

import json

from comfy_execution.graph_utils import is_link

from ..values.origins import origins_of
from ..values.set_name import set_name


def name_in_prompt(hidden, input_name: str, *latents: dict) -> str:
    """Return the name of the set that comes into this input of a node, "" outside of a queued prompt.

    It stands for all nodes before the input with their values, whatever their ids, and for the seeds and rows in the LATENTs,
    which may have come through links.
    hidden: of a node whose schema asks for unique_id and dynprompt.
    """
    if hidden is None or hidden.dynprompt is None:
        return ""
    link = hidden.dynprompt.get_node(hidden.unique_id)["inputs"].get(input_name)
    if not is_link(link):
        return ""
    return set_name(_described(hidden.dynprompt, link) + repr(origins_of(*latents)))


def _described(dynprompt, link: list) -> str:
    """The nodes that a link comes from as text: nearest first, and numbered in that order in place of their ids."""
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
            inputs[name] = value
        rows.append([node["class_type"], inputs])
    # Another pack's expansion may hold objects as values
    return json.dumps([link[1], rows], default=lambda value: type(value).__name__, skipkeys=True)
