"""What a node gives that hands out a lookahead set which was not scored in this run, and what it says of it."""

from comfy_api.latest import io
from comfy_execution.graph_utils import ExecutionBlocker

from ...lidar_core import LookaheadSet
from ..values.origins import ORIGINS
from ..values.set_name import told_with
from ..values.thumbnails import images_of
from .socket_types import LookaheadSetSocket


def loaded_outputs() -> list[io.Output]:
    """Return the outputs that `loaded` fills."""
    return [
        io.Latent.Output(
            display_name="lookaheads", tooltip="Their latents, to decode and to score again with other rewards."
        ),
        io.Image.Output(
            display_name="images",
            tooltip=(
                "Their small pictures: JPEGs of at most 512 pixels a side. Scores of larger images differ a little; for exact "
                "ones decode lookaheads."
            ),
        ),
        LookaheadSetSocket.Output(
            display_name="lookahead_set",
            tooltip="The lookaheads with their rewards, for LiDAR Apply Guidance, Start From Best and Pick Lookaheads.",
        ),
    ]


def loaded(lookaheads: LookaheadSet, node: str) -> tuple:
    """Return LATENT, IMAGE and the set; in place of pictures that are not there what stops who asks for them."""
    rows = [each.row for each in lookaheads.origins]
    latent = {"samples": lookaheads.latents, "batch_index": rows, ORIGINS: lookaheads.origins}
    if lookaheads.pictures:
        return latent, images_of(lookaheads.pictures), lookaheads
    missing = f"{node}: its output images is used, but these lookaheads have no pictures: decode its output lookaheads"
    return latent, ExecutionBlocker(missing), lookaheads


def summary(lookaheads: LookaheadSet) -> str:
    """Return lines for people: how many, how good, of which seeds, and what drew them."""
    rewards, origins = lookaheads.rewards, lookaheads.origins
    seeds = sorted({each.seed for each in origins if each.seed is not None})
    rows = sorted(each.row for each in origins)
    told = [
        f"{lookaheads.count} lookaheads, {lookaheads.reward_name or 'rewards'} {rewards.min():.4g} to {rewards.max():.4g}",
        (f"seed {seeds[0]}" if len(seeds) == 1 else f"{len(seeds) or 'unknown'} seeds")
        + f", rows {rows[0]} to {rows[-1]}",
        *sorted({", ".join(filter(None, (each.model, each.sampler))) for each in origins} - {""})[:2],
    ]
    return "\n".join(told_with(lookaheads, "\n".join(told)))
