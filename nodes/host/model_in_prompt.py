"""The files that a MODEL was loaded from, as far as the queued prompt shows them: for people."""

import folder_paths
from comfy_execution.graph_utils import is_link

from ...reward_models.printable import printable
from .output_kinds import ANYTHING, kind_of_link, output_kinds

_MOST = 100  # nodes that are looked at


def model_in_prompt(hidden, input_name: str) -> str:
    """Return the model file behind an input of a node, and LoRAs and other files on the way; "" where none is found.

    hidden: of a node whose schema asks for unique_id and dynprompt.
    """
    if hidden is None or hidden.dynprompt is None:
        return ""
    link, files, last = hidden.dynprompt.get_node(hidden.unique_id)["inputs"].get(input_name), [], ""
    for _ in range(_MOST):
        if not is_link(link) or not output_kinds(hidden.dynprompt, link[0]):
            break
        node = hidden.dynprompt.get_node(link[0])
        files += [value for value in node["inputs"].values() if _is_model_file(value)]
        last = node["class_type"]
        before = (each for each in node["inputs"].values() if is_link(each))
        link = next((each for each in before if kind_of_link(hidden.dynprompt, each) in ("MODEL", *ANYTHING)), None)
    return printable(", ".join(reversed(files)) or last)


def _is_model_file(value) -> bool:
    return isinstance(value, str) and value.lower().endswith(tuple(folder_paths.supported_pt_extensions))
