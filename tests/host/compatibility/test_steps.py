"""How many of 20 steps each preset guides, with every scheduler and five values of denoise; where it is none, a word says so."""

import sys

import pytest
import torch

from .test_samplers import short_network

pytestmark = pytest.mark.host
STEPS, DENOISE = 20, (1.0, 0.9, 0.7, 0.5, 0.3)
KIND = {"SD1.5": "EPS", "Flux": "flow"}


@pytest.fixture(scope="module")
def groups(pack, node_classes):
    """By the share of the steps that presets guide: the guidance of the first of them, and the names of all."""
    definitions, presets = (
        sys.modules[f"{pack.__name__}.nodes.settings.{name}"] for name in ("definitions", "presets")
    )
    guidance, names = {}, {}
    for name, values in presets.PRESETS.items():
        values = {**definitions.DEFAULTS, **values}
        if values["start_from"] == definitions.CONTINUE_BEST:  # LiDAR KSampler does not guide then
            continue
        share = f"{values['start_percent']:g} to {values['end_percent']:g}"
        guidance.setdefault(share, {each: values[each] for each in definitions.GUIDANCE})
        names.setdefault(share, []).append(name)
    return {share: (guidance[share], ", ".join(names[share])) for share in guidance}


def changed_levels(model, apply, lookaheads, settings):
    """Put LiDAR on the model; return it, the levels at which it changed something, and what it tells."""
    before, levels, watched = [], [], model.clone()
    watched.set_model_sampler_post_cfg_function(lambda args: before.append(args["denoised"]) or args["denoised"])
    guided, told = apply(watched, lookaheads, **settings)
    del told[:]

    def compare(args):
        if not torch.equal(args["denoised"], before[-1]):
            levels.append(args["sigma"].max().item())
        return args["denoised"]

    guided.set_model_sampler_post_cfg_function(compare)
    return guided, levels, told


def levels_of(model) -> list[float]:
    """Have the noise levels of the model's next run written into the list that is returned."""
    levels = []

    def note(run, model_wrap, sigmas, *args, **kwargs):
        levels.extend(sigmas.tolist())
        return run(model_wrap, sigmas, *args, **kwargs)

    model.add_wrapper_with_key("sampler_sample", "levels", note)
    return levels


def compared(told, changed, wanted, steps, exactly) -> str:
    """Compare what was told and what changed with the levels that are to be guided; return the cell."""
    assert changed == wanted if exactly else set(changed) <= set(wanted)
    if not wanted:
        assert told[0].startswith(f"no step of {steps} was guided: end_percent"), told
        return "0, told"
    assert told[0].startswith(f"guided {len(wanted)} of {steps} steps\n"), told
    return str(len(wanted))


@pytest.mark.parametrize("name", KIND)
def test_no_preset_guides_nothing_without_a_word(family, apply, lookahead_set, groups, notes, name):
    import comfy.samplers

    import nodes

    each, shape = family(name), (family(name).shape[0], 2, 2)
    model, latent = each.model.clone(), {"samples": torch.ones(1, *shape)}
    model.set_model_unet_function_wrapper(short_network)
    lookaheads, sampling = lookahead_set(shape, model.model), model.get_model_object("model_sampling")
    for group, (values, names) in groups.items():
        notes.add("this run", group, "presets", names)
        for scheduler in comfy.samplers.KSampler.SCHEDULERS:
            for denoise in DENOISE:
                print(group, scheduler, denoise)  # shown where it fails
                once, of_run, told_of_run = changed_levels(
                    model, apply, lookaheads, values | {"percent_of": "this run"}
                )
                twice, of_all, told_of_all = changed_levels(
                    once, apply, lookaheads, values | {"percent_of": "whole process"}
                )
                levels = levels_of(twice)
                task = (each.positive, each.negative, latent)
                nodes.common_ksampler(twice, 3, STEPS, 1.0, "euler", scheduler, *task, denoise=denoise)
                share = -(-round(values["end_percent"] * 1000) * (len(levels) - 1) // 1000)
                edge = float(sampling.percent_to_sigma(values["end_percent"]))
                exactly = (
                    values["guidance_form"] == "blend"
                )  # the other form may move nothing where the best is the nearest
                cells = [
                    compared(told, changed, wanted, len(levels) - 1, exactly)
                    for told, changed, wanted in (
                        (told_of_run, of_run, levels[:share]),
                        (told_of_all, of_all, [level for level in levels[:-1] if level > edge]),
                    )
                ]
                notes.add("this run", group, f"denoise {denoise:g}", f"{cells[0]} of {len(levels) - 1}")
                notes.add("whole process", f"{group}: {scheduler}", f"{KIND[name]}, {denoise:g}", cells[1])
