"""What the host's guiders make of guidance: where it is multiplied, and where a guided model is not the one it acts on."""

from collections.abc import Iterator

from comfy_execution.graph_utils import is_link

from .output_kinds import ANYTHING, output_kinds

# Inputs that read the weights of a MODEL, or run it without the patches that act after classifier-free guidance.
_LOST = {
    "model2": "reads the weights alone; guide the merged model instead",
    "model_negative": "is for the negative prompt alone; guide the model beside it instead",
}


def multiplied_by(guider) -> float:
    """Return by what a guider multiplies all that a post-CFG function adds; guider: of the run, its cfg set."""
    # By name, for the host loads its class under the path of the file, not as comfy_extras
    nested = any(kind.__name__ == "Guider_DualCFG" for kind in type(guider).__mro__) and getattr(
        guider, "nested", False
    )
    return guider.cfg2 if nested else 1.0


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
        for node_id in prompt.all_node_ids():
            node = prompt.get_node(node_id)
            for name, value in node["inputs"].items():
                if not is_link(value) or tuple(value) != source:
                    continue
                if name in _LOST:
                    yield f"not guided: {name} of {node['class_type']} {_LOST[name]}"
                else:
                    kinds = output_kinds(prompt, node_id)
                    sources += [(node_id, slot) for slot, kind in enumerate(kinds) if kind in ("MODEL", *ANYTHING)]
