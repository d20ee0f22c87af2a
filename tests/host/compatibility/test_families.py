"""Every family of models with three samplers: a one-step method, a multistep one, and one that draws noise on the way."""

import pytest
import torch

from .tiny_families import FAMILIES

pytestmark = pytest.mark.host
SAMPLERS = {
    "euler, simple": {"guidance_form": "blend"},
    "dpmpp_2m, karras": {"guidance_form": "difference"},
    "euler_ancestral, normal": {"guidance_form": "blend"},
}


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize("name", FAMILIES)
def test_every_family_is_guided_by_the_formula(family, checked, notes, name, sampler):
    import nodes

    each = family(name)
    sampler_name, scheduler = sampler.split(", ")

    def sample(model):
        latent = {"samples": torch.zeros(2, *each.shape)}
        task = (each.positive, each.negative, latent)
        return nodes.common_ksampler(model, 3, 4, 2.0, sampler_name, scheduler, *task)[0]["samples"]

    cell = checked(each.model, sample, each.shape, **SAMPLERS[sampler])
    assert cell.guided == 3
    notes.add("families", name, "latent", " x ".join(map(str, each.shape)))
    sampling = type(each.model.get_model_object("model_sampling")).__bases__
    notes.add("families", name, "sampling", ", ".join(base.__name__ for base in sampling))
    notes.add("families", name, sampler, cell)
    notes.measure(cell)
