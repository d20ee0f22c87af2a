"""What saved workflows and people rely on: ids, names and order of inputs, one default for a setting, what presets write."""

import pytest

FINAL = (
    "LiDARKSampler", "LiDARSampleCandidates", "LiDARSampleInParts", "LiDARMeasureDrafts", "LiDARSampleRows",
)  # fmt: skip  # whose steps, cfg, ... are the final sampler's


def test_every_setting_has_one_default_on_every_node(node_classes, nodes_room):
    defaults = nodes_room("settings.definitions").DEFAULTS
    shown = [
        each
        for node in node_classes.values()
        for each in node.GET_SCHEMA().inputs
        if each.id in defaults
        and (node.__name__ not in FINAL or each.id not in ("steps", "cfg", "sampler_name", "scheduler"))
    ]
    assert len(shown) > len(defaults) == 17
    for each in shown:
        assert each.default == defaults[each.id] and type(each.default) is type(defaults[each.id]), each.id


@pytest.mark.parametrize(
    ("preset", "expected"),
    [
        ("SD1.5 (paper)", {"count": 50, "steps": 5, "cfg": 7.5, "guidance_scale": 12.5, "end_percent": 0.8}),
        ("SDXL (paper)", {"count": 50, "steps": 8, "cfg": 7.5, "guidance_scale": 8.0, "end_percent": 0.8}),
        ("SDXL one-step (paper)", {"count": 100, "steps": 1, "cfg": 1.0, "guidance_scale": 8.0}),
        ("Flux (paper)", {"count": 50, "steps": 8, "cfg": 1.0, "guidance_scale": 40.0, "end_percent": 0.05}),
    ],
)
def test_presets_write_the_papers_values(nodes_room, preset, expected):
    written = nodes_room("settings.presets").PRESETS[preset]
    expected |= {
        "reward_strength": 5000, "guidance_form": "difference", "effective_dimension": 0, "start_from": "own noise",
        "steady_scores": False,
    }  # fmt: skip
    assert {name: written[name] for name in expected} == expected
    assert "batch_size" not in written, "memory is the user's own"


def test_recommended_writes_the_defaults_but_for_what_the_model_family_decides(nodes_room):
    defaults = nodes_room("settings.definitions").DEFAULTS
    recommended = nodes_room("settings.presets").PRESETS["recommended"]
    family = ("cfg", "sampler_name", "scheduler", "batch_size")
    assert recommended == {name: value for name, value in defaults.items() if name not in family}
    assert 0 < recommended["guidance_scale"] <= 1 and recommended["guidance_form"] == "blend", "a share"


def test_ids_names_and_order_of_inputs_are_as_promised(node_classes):
    """Workflows store widget values by position: from the first release on add at the end, never rename or reorder."""
    guidance = "guidance_form guidance_scale reward_strength effective_dimension reward_scale start_percent end_percent"
    promised = {
        "LiDARKSampler": "LiDAR KSampler: model positive negative latent_image vae reward_model prompt seed steps cfg "
        "sampler_name scheduler denoise lookahead_config lookahead_model look_first picks",
        "LiDARLookaheadConfig": "LiDAR Lookahead Config: start_from count finish cut_percent steps cfg sampler_name scheduler "
        f"{guidance} steady_scores batch_size",
        "LiDARSampleLookaheads": "LiDAR Sample Lookaheads: model positive negative latent_image seed count steps cfg "
        "sampler_name scheduler denoise batch_size first_row rows",
        "LiDARSaveLookaheads": "LiDAR Save Lookaheads: lookahead_set filename_prefix overwrite images",
        "LiDARLoadLookaheads": "LiDAR Load Lookaheads: file",
        "LiDARMergeLookaheads": "LiDAR Merge Lookaheads: sets",
        "LiDARScoreLookaheads": "LiDAR Score Lookaheads: lookaheads images reward_model prompt batch_size steady_scores",
        "LiDARApplyGuidance": f"LiDAR Apply Guidance: model lookaheads {guidance} percent_of",
        "LiDARStartFromBest": "LiDAR Start From Best: latent_image lookaheads",
        "LiDARSampleCandidates": "LiDAR Sample Candidates: model positive negative latent_image seed steps cfg sampler_name "
        "scheduler denoise count cut_percent batch_size",
        "LiDARContinueBest": "LiDAR Continue Best: model candidates lookaheads latent_image batch_size lookahead_model_idle",
        "LiDARCombineRewards": "LiDAR Combine Rewards: rewards weights",
        "LiDARPickLookaheads": "LiDAR Pick Lookaheads: lookahead_set picks mode weight",
        "LiDARRewardsFromValues": "LiDAR Rewards From Values: lookaheads values name",
        "LiDARScoreImages": "LiDAR Score Images: images reward_model prompt prompt_per_line top_k use_threshold threshold "
        "batch_size steady_scores latents masks baseline_images held_out",
    }
    for node_id, line in promised.items():
        schema = node_classes[node_id].GET_SCHEMA()
        assert f"{schema.display_name}: {' '.join(each.id for each in schema.inputs)}" == line


def test_every_socket_says_what_it_means_and_every_number_what_0_does(node_classes):
    for node_id, node in node_classes.items():
        schema = node.GET_SCHEMA()
        assert schema.category == "LiDAR" and schema.search_aliases and schema.description
        for each in schema.inputs:
            assert each.tooltip, f"{node_id}.{each.id} has no tooltip"
            if each.io_type in ("INT", "FLOAT"):
                assert " 0 " in f" {each.tooltip}", f"the tooltip of {node_id}.{each.id} does not say what 0 does"
        for each in schema.outputs:
            assert each.tooltip, f"{node_id} has an output {each.display_name} without a tooltip"
