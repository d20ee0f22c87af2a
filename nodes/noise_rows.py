"""Which row of its seed's noise each lookahead was drawn from: the host's batch_index, kept in a set's metadata."""

from ..lidar_core import LookaheadSet

_KEY = "batch_index"


def noise_rows_metadata(lookaheads: dict) -> dict[str, str]:
    """Return the metadata entry for the LATENT of the lookaheads; {} where they are rows 0, 1, ... in order."""
    rows = lookaheads.get("batch_index")
    return {} if rows is None else {_KEY: " ".join(str(int(row)) for row in rows)}


def noise_rows(lookaheads: LookaheadSet) -> list[int]:
    """Return the row of every lookahead, as the host counts them: the host's noise for batch_index [i] is row i."""
    told = lookaheads.metadata.get(_KEY)
    rows = list(range(lookaheads.count)) if told is None else [int(row) for row in told.split()]
    if len(rows) != lookaheads.count:
        raise ValueError(
            f"the lookahead set has {lookaheads.count} lookaheads but names {len(rows)} rows of noise; score the "
            "lookaheads again, all of one LATENT"
        )
    return rows
