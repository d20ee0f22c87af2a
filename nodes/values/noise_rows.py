"""Which row of its seed's noise each lookahead was drawn from: the host's batch_index, kept in a set's metadata."""

from ...lidar_core import LookaheadSet

_KEY = "batch_index"


def noise_rows_metadata(*lookaheads: dict) -> dict[str, str]:
    """Return the metadata entry for the LATENTs of the lookaheads; {} where they are rows 0, 1, ... in order."""
    if len(lookaheads) == 1 and lookaheads[0].get("batch_index") is None:
        return {}
    rows = [row for each in lookaheads for row in each.get("batch_index") or range(len(each["samples"]))]
    return {_KEY: " ".join(str(int(row)) for row in rows)}


def noise_rows(lookaheads: LookaheadSet) -> list[int]:
    """Return the row of every lookahead, as the host counts them: the host's noise for batch_index [i] is row i.

    ValueError where there is not one row of its own for each lookahead, as for batches of several seeds joined into one.
    """
    told = lookaheads.metadata.get(_KEY)
    rows = list(range(lookaheads.count)) if told is None else [int(row) for row in told.split()]
    if len(rows) != lookaheads.count:
        raise ValueError(
            f"the lookahead set has {lookaheads.count} lookaheads but names {len(rows)} rows of noise; score the "
            "lookaheads again, all of one LATENT"
        )
    twice = [row for row in rows if rows.count(row) > 1]
    if twice:
        raise ValueError(
            f"{rows.count(twice[0])} lookaheads are row {twice[0]} of a seed's noise, so they are not all of one seed, and "
            "no sampler can draw them with one; give it the lookaheads of one LiDAR Sample Lookaheads"
        )
    return rows
