"""Every sampler with every scheduler of the host: the guided steps are those of the formula, whatever the sampler asks for.

The network is a stand-in of one line, for samplers see its predictions only; all else is the host's SD1.5 and Flux.
"""

from collections import Counter

import pytest
import torch

pytestmark = [
    pytest.mark.host,
    # The host's own, in dpmpp_sde, dpm_fast, dpm_adaptive and deis
    pytest.mark.filterwarnings("ignore:Should have t[ab]", "ignore:To copy construct", "ignore:__array_wrap__"),
]


def short_network(apply_model, args):
    x, sigma = args["input"], args["timestep"].view(-1, 1, 1, 1)
    return 0.5 * x / (1 + sigma) + 0.1 * torch.sin(3 * x)


@pytest.mark.parametrize("name", ["SD1.5", "Flux"])
def test_every_sampler_with_every_scheduler(family, checked, notes, name):
    """With SD1.5 every pair; with Flux every sampler with simple, and euler with every scheduler."""
    import comfy.samplers

    import nodes

    each = family(name)
    model = each.model.clone()
    model.set_model_unet_function_wrapper(short_network)
    for sampler_name in comfy.samplers.KSampler.SAMPLERS:
        counts = Counter()
        schedulers = ["simple"] if name == "Flux" and sampler_name != "euler" else comfy.samplers.KSampler.SCHEDULERS
        for scheduler in schedulers:
            print(f"{sampler_name}, {scheduler}")  # shown where it fails

            def sample(model, sampler_name=sampler_name, scheduler=scheduler):
                latent = {"samples": torch.zeros(1, *each.shape)}
                task = (each.positive, each.negative, latent)
                return nodes.common_ksampler(model, 3, 4, 2.0, sampler_name, scheduler, *task)[0]["samples"]

            cell = checked(model, sample, each.shape)
            assert cell.guided, cell
            counts[str(cell)] += 1
            notes.measure(cell)
        text = ", ".join(f"{cell} with {count}" for cell, count in sorted(counts.items()))
        notes.add("samplers", sampler_name, f"{name}, schedulers", text)
