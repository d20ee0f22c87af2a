"""What a newer host knows and an older one that is still served does not: it is passed where it is known."""

from inspect import signature

import comfy.sample
from comfy_api.latest import io

# The host tells a page that was reloaded what a cached node had shown (from 0.19 on).
SHOWN_AGAIN = {"has_intermediate_output": True} if "has_intermediate_output" in signature(io.Schema).parameters else {}


def fix_empty_latent_channels(model, samples, *downscale_ratios):
    """The host's own. downscale_ratios: the latent's spacial and temporal one, of which hosts below 0.22 know the first."""
    known = len(signature(comfy.sample.fix_empty_latent_channels).parameters) - 2
    return comfy.sample.fix_empty_latent_channels(model, samples, *downscale_ratios[:known])
