"""Where the lookaheads of a LATENT and of a set came from: the seed, the row of its noise, and what drew them."""

import itertools
from collections.abc import Sequence

from ...lidar_core import LookaheadSet, Origin

ORIGINS = "lidar_origins"
"""The entry of a LATENT of lookaheads that holds an Origin for each."""
EVALUATIONS = "lidar_evaluations"
"""The entry that holds how many evaluations of the model they took."""


def rows_of(latent: dict) -> list[int]:
    """Return the rows of noise that a LATENT names, as the host counts them."""
    return list(latent.get("batch_index") or range(len(latent["samples"])))


def origins_of(*latents: dict) -> tuple[Origin, ...]:
    """Return the Origins of the LATENTs in order; only their rows where another node has taken or added samples."""
    return tuple(itertools.chain.from_iterable(map(_origins_of, latents)))


def _origins_of(latents: dict) -> tuple[Origin, ...]:
    rows, told = rows_of(latents), latents.get(ORIGINS, ())
    return told if [each.row for each in told] == rows else tuple(map(Origin, rows))


def noise_rows(lookaheads: LookaheadSet, indices: Sequence[int] | None = None) -> list[int]:
    """Return the rows of these lookaheads, all by default, as the host counts them: its noise for batch_index [i] is row i.

    ValueError where no sampler can draw them with one seed.
    """
    origins = [lookaheads.origins[i] for i in (range(lookaheads.count) if indices is None else indices)]
    seeds = sorted({str(each.seed) for each in origins if each.seed is not None})
    if len(seeds) > 1:
        raise ValueError(
            f"the lookaheads are of the seeds {', '.join(seeds[:3])}{', ...' * (len(seeds) > 3)}, and a sampler draws with one "
            "of them: ask for fewer images, or give it lookaheads of one seed"
        )
    rows = [each.row for each in origins if each.seed is None]
    twice = [row for row in rows if rows.count(row) > 1]
    if twice:
        raise ValueError(
            f"{rows.count(twice[0])} lookaheads are row {twice[0]} of a seed's noise, so they are not all of one seed, and "
            "no sampler can draw them with one; give it the lookaheads of one LiDAR Sample Lookaheads"
        )
    return [each.row for each in origins]
