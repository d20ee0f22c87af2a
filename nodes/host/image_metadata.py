"""Scores in the metadata of saved pictures, through the host's own Save Image."""

import logging

logger = logging.getLogger(__name__)

_ENTRY = "lidar_scores"


def write_to_images(hidden, values: dict) -> None:
    """Add values under "lidar_scores" and the node's id to what the host writes into the PNGs that this run saves.

    hidden: of a node whose schema asks for unique_id, dynprompt and extra_pnginfo. The host hands one dictionary to all
    nodes of a run, and Save Image writes each of its entries as JSON. A run that was queued without one (a bare API call)
    saves no metadata, and a node whose result is cached does not run, so adds nothing.
    """
    if hidden is None or hidden.extra_pnginfo is None or hidden.dynprompt is None:
        return
    if not isinstance(hidden.extra_pnginfo, dict):
        kind = type(hidden.extra_pnginfo).__name__
        logger.warning("LiDAR: no scores are written into pictures, for extra_pnginfo of this prompt is a %s", kind)
        return
    node = hidden.dynprompt.get_display_node_id(hidden.unique_id)
    entries = _dict(hidden.extra_pnginfo.get(_ENTRY))
    # Several that LiDAR KSampler expands into stand at one node
    hidden.extra_pnginfo[_ENTRY] = {**entries, node: {**_dict(entries.get(node)), **values}}


def _dict(entry) -> dict:
    return entry if isinstance(entry, dict) else {}
