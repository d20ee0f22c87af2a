"""Scores in the metadata of saved pictures, through the host's own Save Image."""


def write_to_images(hidden, values: dict) -> None:
    """Add values under "lidar_scores" and the node's id to what the host writes into the PNGs that this run saves.

    hidden: of a node whose schema asks for unique_id, dynprompt and extra_pnginfo. The host hands one dictionary to all
    nodes of a run, and Save Image writes each of its entries as JSON. A run that was queued without one (a bare API call)
    saves no metadata, and a node whose result is cached does not run, so adds nothing.
    """
    if hidden is None or hidden.extra_pnginfo is None or hidden.dynprompt is None:
        return
    node = hidden.dynprompt.get_display_node_id(hidden.unique_id)
    hidden.extra_pnginfo.setdefault("lidar_scores", {})[node] = values
