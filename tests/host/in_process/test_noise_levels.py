"""signal_and_noise agrees with the host's own noise_scaling for every family, and refuses the rest."""

import pytest
import torch


@pytest.fixture
def make_sampling(comfy):
    """make_sampling(schedule, family, **settings): the host's classes paired as its model_base pairs them."""
    import comfy.model_sampling as host

    def make(schedule: str, family: str, **settings):
        if not hasattr(host, family):
            pytest.skip(f"this ComfyUI has no {family}")
        config = type("Config", (), {"sampling_settings": settings})()
        return type("ModelSampling", (getattr(host, schedule), getattr(host, family)), {})(config)

    return make


@pytest.mark.parametrize(
    ("schedule", "family", "settings"),
    [
        ("ModelSamplingDiscrete", "EPS", {}),
        ("ModelSamplingDiscrete", "X0", {}),
        ("ModelSamplingDiscrete", "V_PREDICTION", {"zsnr": True}),
        ("ModelSamplingContinuousEDM", "V_PREDICTION", {"sigma_max": 120.0}),
        ("ModelSamplingContinuousV", "V_PREDICTION", {"sigma_max": 500.0, "sigma_min": 0.03}),
        ("ModelSamplingContinuousEDM", "EDM", {"sigma_data": 0.5, "sigma_max": 80.0}),
        ("StableCascadeSampling", "EPS", {"shift": 2.0}),
        ("ModelSamplingDiscreteFlow", "CONST", {"shift": 3.0}),
        ("ModelSamplingDiscreteFlow", "CONST", {"shift": 3.0, "noise_scale": 7.5}),
        ("ModelSamplingFlux", "CONST", {"shift": 1.15}),
        ("ModelSamplingCosmosRFlow", "COSMOS_RFLOW", {"sigma_max": 80.0, "sigma_data": 1.0}),
    ],
)
def test_alpha_and_std_are_those_of_the_hosts_noise_scaling(make_sampling, nodes_room, schedule, family, settings):
    sampling = make_sampling(schedule, family, **settings)
    generator = torch.Generator().manual_seed(3)
    for percent in (0.02, 0.31, 0.77, 0.98):
        sigma = torch.full((2,), float(sampling.percent_to_sigma(percent)))
        z, noise = (torch.randn(2, 4, 3, 5, generator=generator) for _ in range(2))
        expected = sampling.noise_scaling(sigma.view(-1, 1, 1, 1), noise.clone(), z)
        alpha, std = nodes_room("host.noise_levels").signal_and_noise(sampling, sigma)
        assert alpha.shape == std.shape == (2,)
        torch.testing.assert_close(alpha.view(-1, 1, 1, 1) * z + std.view(-1, 1, 1, 1) * noise, expected)


def test_lcm_sampling_counts_as_its_base_class(comfy, nodes_room):
    from comfy_extras.nodes_model_advanced import LCM, ModelSamplingDiscreteDistilled

    sampling = type("ModelSampling", (ModelSamplingDiscreteDistilled, LCM), {})()
    alpha, std = nodes_room("host.noise_levels").signal_and_noise(sampling, torch.tensor([4.0]))
    assert (alpha.item(), std.item()) == (1.0, 4.0)


def test_flow_at_its_first_step_has_no_signal(make_sampling, nodes_room):
    alpha, std = nodes_room("host.noise_levels").signal_and_noise(
        make_sampling("ModelSamplingFlux", "CONST"), torch.ones(1)
    )
    assert (alpha.item(), std.item()) == (0.0, 1.0)


@pytest.mark.parametrize("family", ["IMG_TO_IMG", "IMG_TO_IMG_FLOW", "V_PREDICTION_DDPM"])
def test_sampling_that_is_no_noise_model_is_refused_by_name(make_sampling, nodes_room, family):
    with pytest.raises(ValueError, match=rf"cannot be steered: .*{family}.*connect a .*MODEL") as error:
        nodes_room("host.noise_levels").signal_and_noise(make_sampling("ModelSamplingDiscrete", family), torch.ones(1))
    assert "\n" not in str(error.value)


def test_sampling_of_an_unknown_class_is_refused(comfy, nodes_room):
    import comfy.model_sampling as host

    class Mystery:
        pass

    class AddsNoNoise(host.CONST):  # as newer hosts have some
        def noise_scaling(self, sigma, noise, latent_image, max_denoise=False):
            return latent_image

    for sampling in (Mystery(), AddsNoNoise()):
        with pytest.raises(ValueError, match="this model cannot be steered: its sampling"):
            nodes_room("host.noise_levels").signal_and_noise(sampling, torch.ones(1))


def test_every_family_of_the_host_is_either_right_or_refused(comfy, nodes_room):
    """Whatever families a host has: for those that are not refused, x has the mean and spread that alpha and std say."""
    import comfy.model_sampling as host

    families = [value for value in vars(host).values() if isinstance(value, type) and hasattr(value, "noise_scaling")]
    accepted = set()
    for family in families:
        sampling = type("ModelSampling", (host.ModelSamplingDiscreteFlow, family), {})()
        try:
            alpha, std = nodes_room("host.noise_levels").signal_and_noise(sampling, torch.tensor([0.3]))
        except ValueError:
            continue
        accepted.add(family.__name__)
        z, noise = torch.full((1, 1, 2, 2), 7.0), torch.full((1, 1, 2, 2), -3.0)
        x = sampling.noise_scaling(torch.tensor([0.3]), noise.clone(), z)
        torch.testing.assert_close(x, alpha.view(-1, 1, 1, 1) * z + std.view(-1, 1, 1, 1) * noise)
    assert accepted == {"EPS", "V_PREDICTION", "EDM", "CONST", "X0", "COSMOS_RFLOW"}
