"""A short name for a lookahead set, by which people and picks tell it from another."""

import base64
import hashlib

from ...lidar_core import LookaheadSet


def set_name(lookaheads: LookaheadSet) -> str:
    """Return four letters and digits that follow from the latents alone, so that other rewards keep the name."""
    digest = hashlib.sha256(lookaheads.latents.numpy().tobytes()).digest()
    return base64.b32encode(digest)[:4].decode().lower()
