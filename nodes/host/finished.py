"""Finished images of a sampler of this pack: their LATENT, what is told of them, and their pictures."""

from collections.abc import Callable

from torch import Tensor

import nodes as host_nodes

from ...lidar_core import LookaheadSet
from ..values.run_facts import cost
from ..values.set_name import evaluations_of, told_with
from .draw import Drawn
from .guided_run import TELL


def told_in(model, lookaheads: LookaheadSet) -> tuple[object, Callable[[str, Drawn], str]]:
    """Return a clone of the model, and what makes a report after its runs.

    report(what, drawn) -> text: what was drawn, for people, what it took in all, what is told with the lookaheads, and what
    guidance told of the last run.
    """
    model, told = model.clone(), {}
    model.model_options[TELL] = lambda text: told.update(guidance=text)

    def report(what: str, drawn: Drawn) -> str:
        took = cost(drawn.evaluations, evaluations_of(lookaheads))
        return "\n".join(told_with(lookaheads, "\n".join([f"{what}: {took}", *told.values()])))

    return model, report


def finished(latent_image: dict, samples: Tensor) -> dict:
    """Return the LATENT that the host's KSampler gives for latent_image with these samples (n, *S)."""
    kept = {key: each for key, each in latent_image.items() if not key.startswith("downscale_ratio_")}
    return kept | {"samples": samples}


def decoded(vae, latents: dict) -> Tensor:
    """Return the IMAGE (n, height, width, 3) that the host's VAE Decode makes of a LATENT."""
    return host_nodes.VAEDecode().decode(vae, latents)[0]
