"""LiDAR KSampler expands into plain nodes with plain values, and its config node gives those values."""

import asyncio

import pytest

CHECK = "LiDARCheckedInput"
LINKS = {name: [name, 0] for name in ("model", "positive", "negative", "latent_image", "vae", "reward_model")}
SETTINGS = {
    "prompt": "a red cross", "seed": 12, "steps": 25, "cfg": 3.5, "sampler_name": "heun", "scheduler": "simple",
    "denoise": 0.8,
}  # fmt: skip
CONFIG = {
    "count": 12, "steps": 4, "cfg": 2.0, "sampler_name": "euler", "scheduler": "karras",
    "batch_size": 6, "guidance_scale": 3.0, "reward_strength": 70.0, "reward_scale": "raw", "start_percent": 0.1,
    "end_percent": 0.7, "guidance_form": "blend", "effective_dimension": 90.0, "start_from": "own noise",
    "steady_scores": True, "cut_percent": 0.6, "finish": 1,
}  # fmt: skip
DRAWING = ("count", "steps", "cfg", "sampler_name", "scheduler", "batch_size")
GUIDANCE = (
    "guidance_scale", "reward_strength", "reward_scale", "start_percent", "end_percent", "guidance_form",
    "effective_dimension",
)  # fmt: skip


@pytest.fixture(scope="module")
def hidden_class(node_classes):
    """hidden_class(prompt) -> the node class as the host calls it for the node "lidar" of that prompt."""
    from comfy_api.latest import io
    from comfy_execution.graph import DynamicPrompt

    def prepare(prompt: dict):
        hidden = {io.Hidden.unique_id: "lidar", io.Hidden.dynprompt: DynamicPrompt(prompt)}
        return node_classes["LiDARKSampler"].PREPARE_CLASS_CLONE({"hidden_inputs": hidden})

    return prepare


@pytest.fixture(scope="module")
def expand(hidden_class):
    """expand(config, evaluated, **changes) -> the children's inputs by class type; config: the node connected as config.

    A link is checked by a child of its own: shown here is what that child checks, and for which input is asserted.
    """

    def run(config: dict | None = None, evaluated=None, **changes):
        inputs = LINKS | SETTINGS | changes
        prompt = {"lidar": {"class_type": "LiDARKSampler", "inputs": dict(inputs)}}
        if config is not None:
            prompt["lidar"]["inputs"]["lookahead_config"] = ["config", 0]
            prompt["config"] = config
        output = asyncio.run(hidden_class(prompt).execute(**inputs, lookahead_config=evaluated))
        assert all(node_id.split(".")[-1].startswith(node["class_type"]) for node_id, node in output.expand.items())
        checks = {key: node["inputs"] for key, node in output.expand.items() if node["class_type"] == CHECK}
        children = {
            node["class_type"]: node["inputs"] for node in output.expand.values() if node["class_type"] != CHECK
        }
        for child in children.values():
            for name, value in child.items():
                if isinstance(value, list) and value[0] in checks:
                    check = checks[value[0]]
                    assert check["input"] in (name, "lookahead_model") and value[1] == 0
                    child[name] = check["value"]
        return children

    return run


def config_node(**widgets) -> dict:
    return {"class_type": "LiDARLookaheadConfig", "inputs": CONFIG | widgets}


@pytest.fixture(scope="module")
def make_config(node_classes):
    def run(**widgets):
        return node_classes["LiDARLookaheadConfig"].execute(**widgets).result[0]

    return run


def test_final_sampler_gets_the_users_settings_and_the_guided_model(expand):
    children = expand(config_node())
    final = children["KSampler"]
    assert {name: final[name] for name in SETTINGS if name != "prompt"} == {
        name: value for name, value in SETTINGS.items() if name != "prompt"
    }
    assert final["latent_image"] == LINKS["latent_image"]
    assert final["model"][0].endswith("LiDARApplyGuidance")
    assert children["LiDARApplyGuidance"]["model"] == LINKS["model"]


def test_lookaheads_share_the_task_and_have_noise_of_their_own(expand):
    drawn = expand(config_node())["LiDARSampleLookaheads"]
    for name in ("model", "positive", "negative", "latent_image"):
        assert drawn[name] == LINKS[name]
    assert drawn["denoise"] == SETTINGS["denoise"]
    # The CPU generator reads the low 32 bits of a seed only.
    assert drawn["seed"] % 2**32 != SETTINGS["seed"] % 2**32


def test_largest_seed_gives_the_lookaheads_a_valid_one(expand):
    assert 0 <= expand(config_node(), seed=2**64 - 1)["LiDARSampleLookaheads"]["seed"] < 2**64
    assert (
        expand(config_node(start_from="best lookaheads"), seed=2**64 - 1)["LiDARSampleLookaheads"]["seed"] == 2**64 - 1
    )


def test_from_the_best_lookaheads_both_phases_have_one_seed_and_the_final_noise_is_chosen(expand):
    children = expand(config_node(start_from="best lookaheads"))
    final, chosen = children["KSampler"], children["LiDARStartFromBest"]
    assert final["seed"] == children["LiDARSampleLookaheads"]["seed"] == SETTINGS["seed"]
    assert final["latent_image"][0].endswith("LiDARStartFromBest") and final["latent_image"][1] == 0
    assert chosen["latent_image"] == children["LiDARSampleLookaheads"]["latent_image"] == LINKS["latent_image"]
    assert chosen["lookaheads"][0].endswith("LiDARScoreLookaheads") and chosen["lookaheads"][1] == 0
    picked = expand(config_node(start_from="best lookaheads"), picks="3")
    assert picked["LiDARStartFromBest"]["lookaheads"][0].endswith("LiDARPickLookaheads")
    assert "LiDARStartFromBest" not in expand(config_node())


def test_to_continue_the_best_the_final_sampler_draws_the_candidates_too(expand):
    children = expand(config_node(start_from="continue the best"), lookahead_model=["fast", 0])
    drawn, final = children["LiDARSampleCandidates"], children["LiDARContinueBest"]
    assert {name: drawn[name] for name in SETTINGS if name != "prompt"} == {
        name: value for name, value in SETTINGS.items() if name != "prompt"
    }
    assert {name: drawn[name] for name in ("count", "cut_percent", "batch_size")} == {
        name: CONFIG[name] for name in ("count", "cut_percent", "batch_size")
    }
    assert drawn["model"] == LINKS["model"] and drawn["latent_image"] == LINKS["latent_image"]
    assert final["candidates"][0].endswith("LiDARSampleCandidates") and final["candidates"][1] == 1
    assert final["lookaheads"][0].endswith("LiDARScoreLookaheads")
    assert final["latent_image"] == LINKS["latent_image"] and final["model"] == LINKS["model"], "not guided"
    assert final["lookahead_model_idle"] is True and expand()["LiDARContinueBest"]["lookahead_model_idle"] is False
    others = {
        "LiDARSampleLookaheads",
        "LiDARStartFromBest",
        "LiDARApplyGuidance",
        "KSampler",
        "LiDARFinishSeveral",
        "LiDARKeepBest",
    }
    assert not others & children.keys()


@pytest.mark.parametrize("finish", [0, 5, ["number", 0]])
def test_where_several_are_finished_the_best_are_kept(expand, finish):
    children = expand(config_node(start_from="best lookaheads", finish=finish))
    longer, final, best = (children[f"LiDAR{name}"] for name in ("FinishSeveral", "SampleInParts", "KeepBest"))
    assert longer["finish"] == finish and longer["latent_image"] == LINKS["latent_image"]
    assert [longer[name] for name in ("count", "lookahead_steps", "lookahead_cfg", "share")] == [12, 4, 2.0, 1.0]
    assert [longer[name] for name in ("image_steps", "image_cfg")] == [SETTINGS["steps"], SETTINGS["cfg"]]
    assert children["LiDARStartFromBest"]["latent_image"][0].endswith("LiDARFinishSeveral")
    assert children["LiDARSampleLookaheads"]["latent_image"] == LINKS["latent_image"], "or they would be drawn again"
    assert {name: final[name] for name in SETTINGS if name != "prompt"} == {
        name: value for name, value in SETTINGS.items() if name != "prompt"
    }
    assert final["latent_image"][0].endswith("LiDARStartFromBest") and final["batch_size"] == CONFIG["batch_size"]
    assert best["latent"][0].endswith("LiDARSampleInParts") and best["steady_scores"] is True
    assert best["wanted"][0] == final["at_once"][0] and best["wanted"][0].endswith("LiDARFinishSeveral")
    assert (best["wanted"][1], final["at_once"][1], longer["favourites"]) == (1, 2, 0)
    assert "KSampler" not in children


def test_where_several_continue_they_cost_what_is_done_of_their_steps(expand):
    children = expand(config_node(start_from="continue the best", finish=0))
    longer = children["LiDARFinishSeveral"]
    assert [longer[name] for name in ("lookahead_steps", "lookahead_cfg", "share")] == [25, 3.5, CONFIG["cut_percent"]]
    assert children["LiDARKeepBest"]["latent"][0].endswith("LiDARContinueBest")
    own = expand(config_node(finish=3))
    assert own["LiDARSampleInParts"]["latent_image"][0].endswith("LiDARFinishSeveral"), "from noise of their own"


def test_a_summary_says_how_images_start_and_how_many_are_finished(make_config):
    text = make_config(start_from="best lookaheads", finish=1, steps=5).summary()
    assert "lookaheads of 5 steps" in text and text.endswith("\n0 to 0.3, from best lookaheads")
    text = make_config(start_from="continue the best", finish=0, cut_percent=0.5, steady_scores=True, count=9).summary()
    assert text == "9 candidates, continue the best\njudged at 0.5 of the final steps, finish auto, steady scores"
    assert make_config(finish=6, start_from="own noise").summary().endswith(", from own noise, finish 6")


def test_what_a_config_in_the_prompt_leaves_out_has_its_default(expand, make_config, nodes_room):
    defaults = nodes_room("settings.definitions").DEFAULTS
    children = expand({"class_type": "LiDARLookaheadConfig", "inputs": {"count": 3, "start_from": "own noise"}})
    assert children["LiDARSampleLookaheads"]["count"] == 3
    assert {name: children["LiDARApplyGuidance"][name] for name in GUIDANCE} == {
        name: defaults[name] for name in GUIDANCE
    }
    assert make_config(count=3) == nodes_room("settings.config").LookaheadConfig(**defaults | {"count": 3})


def test_lookahead_model_draws_the_lookaheads_only(expand):
    children = expand(lookahead_model=["fast", 0])
    drawn = children["LiDARSampleLookaheads"]
    assert drawn["model"] == ["fast", 0]
    assert {name: drawn[name] for name in DRAWING[:5]} == {
        "count": 16, "steps": 4, "cfg": 1.0, "sampler_name": "euler", "scheduler": "sgm_uniform",
    }, "without a config the preset of distilled models"  # fmt: skip
    assert children["LiDARApplyGuidance"]["model"] == LINKS["model"]


@pytest.mark.parametrize(
    ("source", "otherwise"), [("CheckpointLoaderSimple", False), ("LoraLoaderModelOnly", False), ("Switch", True)]
)
def test_model_stands_in_for_a_lookahead_model_only_where_a_link_may_hand_on_none(hidden_class, source, otherwise):
    inputs = LINKS | SETTINGS | {"lookahead_model": ["fast", 0]}
    prompt = {"lidar": {"class_type": "LiDARKSampler", "inputs": inputs}, "fast": {"class_type": source, "inputs": {}}}
    graph = asyncio.run(hidden_class(prompt).execute(**inputs)).expand
    checks = {node["inputs"]["input"]: node["inputs"] for node in graph.values() if node["class_type"] == CHECK}
    assert "otherwise" not in checks["lookahead_model"], "settings of a distilled model do not suit another"
    inputs["lookahead_config"], prompt["config"] = ["config", 0], config_node()
    graph = asyncio.run(hidden_class(prompt).execute(**inputs | {"lookahead_config": None})).expand
    checks = {node["inputs"]["input"]: node["inputs"] for node in graph.values() if node["class_type"] == CHECK}
    stands_in = checks["lookahead_model"].get("otherwise")
    # Without it the host keeps the lookaheads when only model changes
    assert (stands_in is not None) == otherwise
    assert not otherwise or graph[stands_in[0]]["inputs"]["value"] == LINKS["model"]


def test_look_first_stands_between_the_scores_and_all_that_uses_them(expand):
    for start_from, users in (
        ("best lookaheads", ("LiDARStartFromBest", "LiDARApplyGuidance", "LiDARSampleInParts", "LiDARRunReport")),
        ("continue the best", ("LiDARContinueBest", "LiDARRunReport")),
    ):
        children = expand(config_node(start_from=start_from, finish=0), look_first=True, picks="3")
        assert children["LiDARLookFirst"]["lookaheads"][0].endswith("LiDARPickLookaheads")
        for user in users:
            assert children[user]["lookaheads"][0].endswith("LiDARLookFirst"), user
        assert children["LiDARFinishSeveral"]["favourites"][0].endswith("LiDARLookFirst")
    assert "LiDARLookFirst" not in expand(config_node(), picks="3")
    assert expand(config_node(), look_first=["switch", 0])["LiDARLookFirst"]["look_first"] == ["switch", 0]


def test_picks_judge_between_scores_and_guidance(expand):
    config = config_node(start_from="best lookaheads")
    children = expand(config, picks="3, -2")
    assert children["LiDARPickLookaheads"]["picks"] == "3, -2"
    assert children["LiDARPickLookaheads"]["lookahead_set"][0].endswith("LiDARScoreLookaheads")
    assert children["LiDARApplyGuidance"]["lookaheads"][0].endswith("LiDARPickLookaheads")
    assert children["LiDARStartFromBest"]["lookaheads"][0].endswith("LiDARPickLookaheads")
    assert expand(picks="3")["LiDARContinueBest"]["lookaheads"][0].endswith("LiDARPickLookaheads")
    assert expand(config, picks=["text", 0])["LiDARPickLookaheads"]["picks"] == ["text", 0], "a link is handed on"
    assert "LiDARPickLookaheads" not in expand(config, picks=" \n")


@pytest.fixture(params=["read from the prompt", "handed on by another node"])
def configured(request, expand, make_config):
    """The children's inputs with CONFIG, which the host has evaluated in the second case only."""
    if request.param == "read from the prompt":
        return expand(config_node())
    return expand({"class_type": "Switch", "inputs": {"a": ["config_a", 0]}}, evaluated=make_config(**CONFIG))


def test_config_reaches_the_children_as_single_values(configured):
    drawn, guided = configured["LiDARSampleLookaheads"], configured["LiDARApplyGuidance"]
    assert {name: drawn[name] for name in DRAWING} == {name: CONFIG[name] for name in DRAWING}
    assert {name: guided[name] for name in GUIDANCE} == {name: CONFIG[name] for name in GUIDANCE}
    assert configured["LiDARScoreLookaheads"]["steady_scores"] is CONFIG["steady_scores"]
    assert not any(
        value[:1] == ["config"]
        for inputs in configured.values()
        for value in inputs.values()
        if isinstance(value, list)
    )
    for strength in GUIDANCE:
        assert strength not in drawn and strength not in configured["LiDARScoreLookaheads"]


def test_links_of_a_config_in_the_prompt_are_followed(expand):
    children = expand(config_node(batch_size=["number", 0], guidance_scale=["number", 0]))
    assert children["LiDARSampleLookaheads"]["batch_size"] == ["number", 0]
    assert children["LiDARApplyGuidance"]["guidance_scale"] == ["number", 0]


@pytest.mark.parametrize(
    ("config", "asked_for"),
    [
        (None, []),
        (config_node(), []),
        (config_node(count=["number", 0]), []),
        (config_node(start_from=["text", 0]), ["lookahead_config"]),
        ({"class_type": "Switch", "inputs": {}}, ["lookahead_config"]),
    ],
)
def test_config_is_run_first_only_where_the_prompt_does_not_tell_it(hidden_class, config, asked_for):
    inputs = {} if config is None else {"lookahead_config": ["config", 0]}
    prompt = {"lidar": {"class_type": "LiDARKSampler", "inputs": inputs}} | (
        {} if config is None else {"config": config}
    )
    assert hidden_class(prompt).check_lazy_status(lookahead_config=None) == asked_for


def test_without_a_config_the_best_candidates_of_the_final_sampler_continue(expand, nodes_room):
    defaults = nodes_room("settings.definitions").DEFAULTS
    children = expand()
    drawn = children["LiDARSampleCandidates"]
    assert (drawn["cfg"], drawn["scheduler"], drawn["sampler_name"]) == (3.5, "simple", "heun")
    for name in ("count", "cut_percent", "batch_size"):
        assert drawn[name] == defaults[name]
    assert children["LiDARFinishSeveral"]["finish"] == 0
    assert children["LiDARScoreLookaheads"]["steady_scores"] is False


def test_every_preset_is_a_config_of_real_settings(make_config, nodes_room):
    for preset in nodes_room("settings.presets").PRESETS.values():
        config = make_config(**preset)
        assert {name: getattr(config, name) for name in preset} == preset
        drawn = "candidates" if config.start_from == "continue the best" else f"lookaheads of {config.steps} steps"
        assert f"{config.count} {drawn}" in config.summary()


def test_unknown_start_says_what_is_known(make_config):
    with pytest.raises(
        ValueError,
        match="start_from is 'luck', wanted one of its list: choose continue the best, best lookaheads, own noise",
    ):
        make_config(start_from="luck")


def test_an_empty_window_is_refused(make_config):
    with pytest.raises(ValueError, match="^LiDAR Lookahead Config: start_percent 0.9 is above end_percent 0.2"):
        make_config(start_percent=0.9, end_percent=0.2)
