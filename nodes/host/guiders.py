"""What the host's guiders make of guidance: where it is multiplied, and where a guided model is not the one it acts on."""

from collections.abc import Iterator

from comfy_execution.graph_utils import is_link

from .output_kinds import ANYTHING, output_kinds

# (How a node's class type begins, its input, why guidance does not act there)
_LOST = [
    ("DualModelGuider", "model_negative", "is for the negative prompt alone; guide the model beside it instead"),
    *((merge, "model2", "reads the weights alone; guide the merged model instead")
      for merge in ("ModelMerge", "ModelAdd", "ModelSubtract")),
]  # fmt: skip


def multiplied_by(guider) -> float:
    """Return by what a guider multiplies all that a post-CFG function adds; guider: of the run, its cfg set."""
    # By name, for the host loads its class under the path of the file, not as comfy_extras
    dual = any(kind.__name__ == "Guider_DualCFG" for kind in type(guider).__mro__)
    return guider.cfg2 if dual and getattr(guider, "nested", False) else 1.0


def lost_guidance(hidden) -> list[str]:
    """Say in one line each where the MODEL that a node gives goes to an input at which guidance does not act.

    hidden: of the node. Follows the MODEL through all nodes of the queued prompt that take and give one. Of a model that
    is merged nothing is run, so nothing but the prompt can tell.
    """
    if hidden is None or hidden.dynprompt is None:
        return []
    return sorted(set(_lost(hidden.dynprompt, [(hidden.unique_id, 0)])))


def _lost(prompt, sources: list[tuple[str, int]]) -> Iterator[str]:
    seen = set()
    while sources:
        source = sources.pop()
        if source in seen:
            continue
        seen.add(source)
        for node_id, kind, name in _fed_by(prompt, source):
            why = [told for begin, lost, told in _LOST if name == lost and kind.startswith(begin)]
            if why:
                yield f"not guided: {name} of {kind} {why[0]}"
                continue
            kinds = output_kinds(prompt, node_id)
            sources += [(node_id, slot) for slot, given in enumerate(kinds) if given in ("MODEL", *ANYTHING)]


def _fed_by(prompt, source: tuple[str, int]) -> Iterator[tuple[str, str, str]]:
    """(id, class type, input) of all that an output is linked to."""
    for node_id in prompt.all_node_ids():
        node = prompt.get_node(node_id)
        for name, value in node["inputs"].items():
            if is_link(value) and tuple(value) == source:
                yield node_id, node["class_type"], name
