"""What the nodes of a queued prompt give, as their classes declare it."""

import nodes as host_nodes

ANYTHING = ("*", "COMFY_MATCHTYPE_V3")
"""Kinds of outputs that pass on whatever came, as reroutes and switches do."""


def output_kinds(dynprompt, node_id: str) -> tuple[str, ...]:
    """Return the kinds of a node's outputs, "MODEL" and the like; () for a node or class that is not there."""
    if not dynprompt.has_node(node_id):
        return ()
    source = host_nodes.NODE_CLASS_MAPPINGS.get(dynprompt.get_node(node_id)["class_type"])
    return tuple(getattr(source, "RETURN_TYPES", ()))


def kind_of_link(dynprompt, link: list) -> str:
    """Return the kind of what a link [node id, output] carries; "*" where nothing is declared."""
    kinds = output_kinds(dynprompt, link[0])
    return kinds[link[1]] if link[1] < len(kinds) else "*"
