"""Finished images of a sampler of this pack: their LATENT, what is told of them, and their pictures."""

from collections.abc import Callable

from torch import Tensor

import nodes as host_nodes

from .draw import Drawn
from .guided_run import TELL


def told_in(model) -> tuple[object, Callable[[str, Drawn], str]]:
    """Return a clone of the model, and what makes a report after its runs: the cost, and what guidance told of the last one.

    report(what, drawn) -> text; what: which images were drawn, for people.
    """
    model, told = model.clone(), {}
    model.model_options[TELL] = lambda text: told.update(guidance=text)

    def report(what: str, drawn: Drawn) -> str:
        return "\n".join([f"{what}: {drawn.evaluations} model evaluations", *told.values()])

    return model, report


def finished(latent_image: dict, samples: Tensor) -> dict:
    """Return the LATENT that the host's KSampler gives for latent_image with these samples (n, *S)."""
    kept = {key: each for key, each in latent_image.items() if not key.startswith("downscale_ratio_")}
    return kept | {"samples": samples}


def decoded(vae, latents: dict) -> Tensor:
    """Return the IMAGE (n, height, width, 3) that the host's VAE Decode makes of a LATENT."""
    return host_nodes.VAEDecode().decode(vae, latents)[0]
