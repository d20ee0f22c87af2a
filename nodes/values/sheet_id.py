"""What tells one contact sheet from another, so that the page lays only parts of the same one together."""

import hashlib

from ...lidar_core import LookaheadSet


def sheet_id(lookaheads: LookaheadSet) -> str:
    """Return a text that follows from the latents alone: other rewards of the same lookaheads keep it."""
    return hashlib.sha256(lookaheads.latents.numpy().tobytes()).hexdigest()[:16]
